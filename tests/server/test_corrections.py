"""Corrections over real HTTP: what is stored, who may delete it, what is refused, and what survives a kill."""

import json
import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inkdigit.corrections.store import Store
from inkdigit.image import load_pixels

from ..databases import postgres
from ..pictures import encoded, seven
from ..serving import Service, serving, wait_for, workers

PNG = encoded(seven())
ROOMY = {"INKDIGIT_CORRECTIONS_RATE": "100000"}
Send = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'corrections.db'}"


@pytest.fixture(scope="module")
def correcting(url: str) -> Iterator[Service]:
    with serving(INKDIGIT_CORRECTIONS=url, **ROOMY) as started:
        yield started


@pytest.fixture(scope="module")
def digit(correcting: Service) -> dict[str, Any]:
    """What the service answers to the seven."""
    answer: dict[str, Any] = correcting.http.post("/v1/predict", files={"file": PNG}).json()
    return answer


NUMBER: dict[str, Any] = {
    "numbers": [
        {
            "text": "42",
            "confidence": 0.9,
            "box": [10, 20, 110, 120],
            "symbols": [
                {"text": "4", "confidence": 0.9, "box": [10, 20, 60, 120]},
                {"text": "2", "confidence": 0.9, "box": [60, 20, 110, 120]},
            ],
        }
    ],
    "model": {"name": "numbers", "version": "0.1.0"},
}


def post(client: httpx.Client, reading: object, label: str = "1", **fields: str) -> httpx.Response:
    data = {"label": label, "reading": json.dumps(reading), **fields}
    return client.post("/v1/corrections", data=data, files={"file": ("me.png", PNG)})


def test_a_digit_is_stored_and_deleted_by_its_secret(correcting: Service, url: str, digit: dict[str, Any]) -> None:
    stored = post(correcting.http, digit)
    assert stored.status_code == 201, stored.text
    receipt = stored.json()
    assert set(receipt) == {"id", "secret", "until"}
    (kept,) = Store(url).all()
    assert (kept.id, kept.task, kept.label, kept.answer, kept.model) == (receipt["id"], "digit", "1", "7", "inkdigit")
    assert kept.confidence == digit["confidence"]
    assert np.array_equal(load_pixels(kept.picture), seven())
    path = stored.headers["location"]
    for secret in ("wrong", ""):
        refused = correcting.http.delete(path, headers={"X-Correction-Secret": secret})
        assert (refused.status_code, refused.json()["code"]) == (404, "unknown_correction")
    assert correcting.http.delete(path).json()["code"] == "bad_parameter"
    gone = [correcting.http.delete(path, headers={"X-Correction-Secret": receipt["secret"]}) for _ in range(2)]
    assert [reply.status_code for reply in gone] == [204, 404]
    assert Store(url).count() == 0
    metrics = correcting.http.get("/metrics").text
    assert 'inkdigit_corrections_total{model="inkdigit",task="digit"} 1.0' in metrics


def test_a_number_or_one_symbol_of_it_is_cut_out(correcting: Service, url: str) -> None:
    assert post(correcting.http, NUMBER, "47").status_code == 201
    assert post(correcting.http, NUMBER, "7", box="[60, 20, 110, 120]").status_code == 201
    number, symbol = Store(url).all()
    assert (number.task, number.label, number.answer) == ("number", "47", "42")
    assert (symbol.task, symbol.label, symbol.answer) == ("symbol", "7", "2")
    assert [load_pixels(each.picture).shape for each in (number, symbol)] == [(130, 125), (130, 80)]
    for each in (number, symbol):
        Store(url).delete(each.id)


def test_what_is_wrong_gets_a_sentence_and_nothing_is_stored(
    correcting: Service, url: str, digit: dict[str, Any]
) -> None:
    unknown = {**digit, "model": {"name": "forged", "version": "1"}}
    two = {**NUMBER, "numbers": NUMBER["numbers"] * 2}
    blank = encoded(np.full((40, 40), 255, np.uint8))
    fields = {"label": "1", "reading": json.dumps(digit)}

    def send(picture: bytes | None, **values: str) -> httpx.Response:
        files = {"file": ("x", picture)} if picture is not None else {"other": (None, b"x")}
        return correcting.http.post("/v1/corrections", data=values, files=files)

    replies = {
        "bad_correction": [
            post(correcting.http, digit, "ten"),
            post(correcting.http, digit, ""),
            post(correcting.http, NUMBER, "4x"),
            post(correcting.http, NUMBER, "4" * 65),
            post(correcting.http, NUMBER, "47", box="[60, 20, 110, 120]"),
            post(correcting.http, NUMBER, "7", box="[1, 2, 3, 4]"),
            post(correcting.http, NUMBER, "7", box="everywhere"),
            post(correcting.http, {}, "7"),
            post(correcting.http, two, "42"),
            post(correcting.http, {**digit, "model": {"name": "inkdigit", "version": "1" * 65}}),
            post(correcting.http, {**digit, "model": {"name": "inkdigit", "version": "\0"}}),
            send(PNG, label="1"),
        ],
        "unknown_model": [post(correcting.http, unknown)],
        "unsupported_format": [send(b"no picture", **fields)],
        "broken_image": [send(PNG[:200], **fields)],
        "blank_image": [send(blank, **fields)],
        "no_picture": [send(None, **fields)],
        "unsupported_content_type": [correcting.http.post("/v1/corrections", json=digit)],
        "too_many_bytes": [send(bytes(11 * 1024**2), **fields)],
    }
    for code, refused in replies.items():
        for reply in refused:
            assert reply.json()["code"] == code, reply.text
            assert reply.json()["detail"].endswith((".", "/"))
            assert 400 <= reply.status_code < 500
    assert Store(url).count() == 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=5), st.binary(max_size=30), st.binary(max_size=20), st.binary(max_size=9))
def test_whatever_is_sent_is_refused_without_a_failure(
    correcting: Service, label: str, reading: bytes, box: bytes, path: bytes
) -> None:
    data = {"label": label.encode("utf-8", "replace"), "reading": reading, "box": box}
    reply = correcting.http.post("/v1/corrections", data=data, files={"file": PNG})
    assert reply.status_code in {400, 422}, reply.text
    gone = correcting.http.delete(f"/v1/corrections/{quote(path, safe='')}", headers={"X-Correction-Secret": "x"})
    assert gone.status_code in {404, 405}


def test_it_is_off_by_default(client: httpx.Client) -> None:
    replies = [post(client, {}), client.delete("/v1/corrections/x", headers={"X-Correction-Secret": "x"})]
    assert {(reply.status_code, reply.json()["code"]) for reply in replies} == {(404, "corrections_off")}
    assert client.get("/v1/models").json()["corrections"] is None


def test_limits_and_tokens(tmp_path: Path, digit: dict[str, Any]) -> None:
    settings = {
        "INKDIGIT_CORRECTIONS": f"sqlite:///{tmp_path / 'c.db'}",
        "INKDIGIT_CORRECTIONS_RATE": "3",
        "INKDIGIT_CORRECTIONS_DAYS": "7",
        "INKDIGIT_TOKENS": "opensesame",
    }
    with serving(**settings) as service:
        assert post(service.http, digit).json()["code"] == "unauthorized"
        service.http.headers["Authorization"] = "Bearer opensesame"
        assert service.http.get("/v1/models").json()["corrections"] == {"days": 7}
        replies = [post(service.http, digit) for _ in range(4)]
        assert [reply.status_code for reply in replies] == [201, 201, 201, 429]
        assert (replies[-1].json()["code"], replies[-1].headers["retry-after"]) == ("too_many_corrections", "10")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_nothing_that_got_its_201_is_lost_by_a_kill(database: str, tmp_path: Path, digit: dict[str, Any]) -> None:
    if database == "sqlite":
        kill_in_the_middle(f"sqlite:///{tmp_path / 'c.db'}", digit)
        assert sqlite3.connect(tmp_path / "c.db").execute("PRAGMA integrity_check").fetchone() == ("ok",)
    else:
        with postgres() as url:
            kill_in_the_middle(url, digit)


def kill_in_the_middle(url: str, digit: dict[str, Any]) -> None:
    """Send 500 corrections from four threads to two workers, and kill a worker, and then the whole service."""
    received: list[str] = []

    def send(base: str) -> None:
        with httpx.Client(base_url=base, timeout=30) as client:
            for _ in range(125):
                try:
                    reply = post(client, digit)
                except httpx.HTTPError:
                    continue  # killed before it could answer
                if reply.status_code == 201:
                    received.append(reply.json()["id"])

    with serving("--workers", "2", INKDIGIT_CORRECTIONS=url, **ROOMY) as service:
        threads = [threading.Thread(target=send, args=[service.url]) for _ in range(4)]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(received) >= 100)
        os.kill(workers(service)[0], signal.SIGKILL)
        wait_for(lambda: len(received) >= 200)
        service.process.kill()
        for worker in workers(service):
            os.kill(worker, signal.SIGKILL)
        for thread in threads:
            thread.join()
    store = Store(url)
    kept = {each.id for each in store.all()}
    store.close()
    assert len(received) >= 200
    assert set(received) <= kept
