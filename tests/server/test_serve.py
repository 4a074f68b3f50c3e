"""How the service is deployed: settings, tokens, CORS, overload, several workers, start and end."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from inkdigit.settings import GradioSettings, ServerSettings, Settings, StreamlitSettings, UpSettings, explain

from ..asynchronous import run
from ..pictures import encoded, seven
from ..serving import COMMAND, Service, environment, serving, wait_for, workers
from .test_error_responses import assert_error, head

PNG = encoded(seven(64))
LARGE = encoded(seven(1600))
ORIGIN = "https://example.org"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Service]:
    """A service with tokens, one other origin, and room for two pictures at a time."""
    with serving("--cors", ORIGIN, "--in-flight", "2", INKDIGIT_TOKENS="one,zwei,voilà") as started:
        yield started


def post(service: Service, headers: dict[str, str]) -> httpx.Response:
    return service.http.post("/v1/predict", files={"file": PNG}, headers=headers)


@pytest.mark.parametrize(
    "value", [None, "", "Bearer", "Bearer \t x", "Bearer on", "Bearer one,zwei", "Basic one", "one"]
)
def test_without_a_fitting_token_nothing_is_answered(guarded: Service, value: str | None) -> None:
    response = post(guarded, {} if value is None else {"Authorization": value})
    assert_error(response, "unauthorized")
    assert response.headers["www-authenticate"] == "Bearer"


def test_any_of_the_tokens_opens_and_health_needs_none(guarded: Service) -> None:
    assert post(guarded, {"Authorization": "Bearer one"}).json()["digit"] == 7
    assert post(guarded, {"Authorization": "bearer zwei"}).status_code == 200
    beyond = httpx.Headers({b"Authorization": "Bearer voilà".encode()})  # as curl sends it
    assert guarded.http.get("/v1/models", headers=beyond).status_code == 200
    for path in ("/healthz", "/readyz", "/metrics", "/health"):
        assert guarded.http.get(path).status_code == 200
    for path in ("/", "/docs", "/openapi.json", "/v1/models", "/nowhere"):
        assert_error(guarded.http.get(path), "unauthorized")


def test_other_origins_are_let_in_only_where_they_are_named(guarded: Service, client: httpx.Client) -> None:
    asks = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,x-request-id",
    }
    answer = guarded.http.options("/v1/predict", headers=asks)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert_error(
        guarded.http.options("/v1/predict", headers={**asks, "Origin": "https://evil.example"}), "origin_refused"
    )
    refused = post(guarded, {"Origin": ORIGIN})
    assert refused.headers["access-control-allow-origin"] == ORIGIN  # so that the page can read the error
    assert refused.headers["access-control-expose-headers"] == "Retry-After, X-Request-ID"
    assert "access-control-allow-origin" not in post(guarded, {"Origin": "https://evil.example"}).headers
    closed = client.post("/v1/predict", files={"file": PNG}, headers={"Origin": ORIGIN})
    assert not [name for name in closed.headers if name.startswith("access-control")]


def test_over_the_limit_of_work_the_answer_is_503_while_health_stays_quick(guarded: Service) -> None:
    async def overload() -> tuple[list[httpx.Response], float]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=guarded.url, limits=limits, timeout=30) as client:
            token = {"Authorization": "Bearer one"}
            work = [
                asyncio.create_task(client.post("/v1/predict", files={"f": LARGE}, headers=token)) for _ in range(24)
            ]
            slowest = 0.0
            while not all(task.done() for task in work):
                start = time.perf_counter()
                assert (await client.get("/healthz")).status_code == 200
                slowest = max(slowest, time.perf_counter() - start)
                await asyncio.sleep(0.01)
            return [task.result() for task in work], slowest

    responses, slowest = run(overload())
    refused = [response for response in responses if response.status_code == 503]
    answered = [response for response in responses if response.status_code == 200]
    assert len(refused) + len(answered) == 24
    assert len(answered) >= 2
    assert refused
    assert slowest < 1
    assert_error(refused[0], "overloaded")
    assert int(refused[0].headers["retry-after"]) >= 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives threads a priority of their own")
def test_long_work_lets_the_event_loop_go_first(guarded: Service) -> None:
    answer = guarded.http.post("/v1/predict", files={"f": LARGE}, headers={"Authorization": "Bearer one"})
    assert answer.status_code == 200
    (worker,) = workers(guarded)
    threads = [int(task.name) for task in Path(f"/proc/{worker}/task").iterdir()]
    assert max(os.getpriority(os.PRIO_PROCESS, thread) for thread in threads) > os.getpriority(os.PRIO_PROCESS, worker)


def test_slow_bodies_take_no_room_from_others(guarded: Service) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            slow = stack.enter_context(socket.create_connection(guarded.address))
            slow.sendall(head("/v1/predict", "image/png", "Content-Length: 1000", "Authorization: Bearer one") + b"abc")
        assert post(guarded, {"Authorization": "Bearer one"}).status_code == 200


def test_a_head_that_comes_too_slowly_and_an_idle_connection_are_ended() -> None:
    with serving("--header-timeout", "0.5") as service:
        for sent in (b"", b"POST /v1/predict HTTP/1.1\r\nHost: a\r\n"):
            with socket.create_connection(service.address, timeout=20) as connection:
                connection.sendall(sent)
                received = connection.recv(1000)
                assert received == b"" or received.startswith(b"HTTP/1.1 408")
        assert post(service, {}).status_code == 200


def test_several_workers_count_together_and_replace_one_that_died() -> None:
    with serving("--workers", "2") as service:
        wait_for(lambda: "inkdigit_workers_ready 2.0" in service.http.get("/metrics").text)
        for _ in range(20):
            assert post(service, {}).json()["digit"] == 7
        wait_for(lambda: 'route="/v1/predict",status="200"} 20.0' in service.http.get("/metrics").text)
        dead = workers(service)[0]
        assert subprocess.run(["kill", "-9", str(dead)], check=False).returncode == 0
        wait_for(lambda: dead not in (left := workers(service)) and len(left) == 2)
        with httpx.Client(base_url=service.url) as fresh:  # of the old one's connections, some were the dead worker's
            assert fresh.post("/v1/predict", files={"file": PNG}).json()["digit"] == 7
            wait_for(lambda: "inkdigit_workers_ready 2.0" in fresh.get("/metrics").text)


def test_what_was_received_is_answered_before_the_end() -> None:
    with serving() as service:
        answers: list[int] = []
        files = [("file", (f"{place}.png", LARGE)) for place in range(30)]

        def send() -> None:
            answers.append(httpx.post(f"{service.url}/v1/predict/batch", files=files, timeout=30).status_code)

        sender = threading.Thread(target=send)
        sender.start()
        while "inkdigit_work_in_flight 1.0" not in service.http.get("/metrics").text:
            assert sender.is_alive(), "the batch was over before it could be interrupted"
        service.process.send_signal(signal.SIGTERM)
        sender.join(30)
        assert answers == [200]
        assert service.process.wait(15) == 0


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--model", "nobody"], "There is no model named nobody"),
        (["--model", "nothing.onnx"], "There is no model file"),
        (["--model", "inkdigit,inkdigit"], "second model with the name"),
        (["--port", "70000"], "Wrong settings: port"),
        (["--cors", "example.org"], "no origin"),
        (["--workers", "0"], "Wrong settings: workers"),
        (["--nonsense"], "unrecognized arguments"),
        (["--host", "256.0.0.1"], "Cannot listen on 256.0.0.1"),
        (["--host", "é" * 90], "no host's name"),
    ],
)
def test_a_wrong_set_up_is_one_sentence_and_exit_2(flags: list[str], sentence: str) -> None:
    result = subprocess.run([*COMMAND, *flags], capture_output=True, text=True, env=environment(), check=False)
    assert result.returncode == 2
    assert sentence in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_help_is_not_in_pythons_words() -> None:
    shown = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, env=environment(), check=True).stdout
    assert "--model str,..." in shown
    assert "tuple" not in shown
    assert "()" not in shown


@pytest.mark.parametrize(
    ("settings", "says"), [(Settings, "reloads"), (UpSettings, "stops"), (GradioSettings, ""), (StreamlitSettings, "")]
)
def test_the_help_of_each_command_says_what_sighup_does_there(settings: type[ServerSettings], says: str) -> None:
    text = settings.model_fields["model"].description or ""
    assert ("SIGHUP" in text) == bool(says)
    assert says in text


def test_a_hosts_name_will_do() -> None:
    with serving("--host", "localhost") as service:
        assert post(service, {}).json()["digit"] == 7


def test_a_taken_port_a_broken_model_and_no_token_are_one_sentence_and_exit_2(service: Service, tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    taken = {"PORT": str(service.address[1])}
    for variables in (taken, {"INKDIGIT_MODEL": str(broken)}, {"INKDIGIT_TOKENS": " , "}):
        command = COMMAND[:2] if "PORT" in variables else COMMAND
        result = subprocess.run(command, capture_output=True, text=True, env=environment(**variables), check=False)
        assert (result.returncode, len(result.stderr.splitlines())) == (2, 1), result.stderr


def test_a_variable_of_ours_wins_over_port_and_a_flag_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1234")
    assert Settings().port == 1234
    monkeypatch.setenv("INKDIGIT_PORT", "2345")
    assert Settings().port == 2345
    assert Settings(port=3456).port == 3456


def test_settings_travel_through_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.model_validate({"tokens": "a,b", "cors": [ORIGIN], "model": "inkdigit,x.onnx", "in_flight": 3})
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


def test_a_wrong_token_setting_is_not_repeated() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"tokens": {"secret": 1}, "port": -1})
    assert "secret" not in explain(caught.value)
