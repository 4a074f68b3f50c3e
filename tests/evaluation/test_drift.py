"""Drift: what was served, against what the contract says of validation."""

import dataclasses
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from inkdigit.errors import ArtefactError, DataError
from inkdigit.evaluation.drift import (
    BOUNDS,
    DIGIT,
    FEWEST,
    METRICS,
    Spread,
    compare,
    read_metrics,
    served,
    since,
    spread,
)
from inkdigit.model_file import Contract

from ..test_model_file import CONTRACT, tiny, written

LABELS = ("0", "1", "2")
RANDOM = np.random.default_rng(0)


def answers(count: int, sharpness: float = 6, weights: tuple[float, ...] = (1, 1, 1)) -> Spread:
    """Answer at random: the more sharply, the surer; the weights are the classes'."""
    digits = RANDOM.choice(len(LABELS), count, p=np.array(weights) / sum(weights))
    logits = RANDOM.normal(0, 1, (count, len(LABELS)))
    logits[np.arange(count), digits] += sharpness
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return spread(LABELS, probabilities, 1 / (1 + np.exp(-RANDOM.normal(4, 2, count))))


def contract() -> Contract:
    return dataclasses.replace(CONTRACT, validation=answers(6000))


def metrics(counts: Spread, model: str = "tiny", version: str = "0.0.1") -> str:
    """Write counts as a service does."""
    registry = CollectorRegistry()
    for name, bounds in BOUNDS.items():
        histogram = Histogram(METRICS[name], "-", ("model", "version"), buckets=bounds, registry=registry)
        for bound, count in counts[name].items():
            for _ in range(count):
                histogram.labels(model, version).observe(float(bound))
    digits = Counter(METRICS[DIGIT], "-", ("model", "version", "digit"), registry=registry)
    for label, count in counts[DIGIT].items():
        digits.labels(model, version, label).inc(count)
    return generate_latest(registry).decode()


def test_values_are_counted_up_to_their_bound() -> None:
    counts = spread(LABELS, np.array([[0.5, 0.3, 0.2], [0.0, 1.0000001, 0.0]]), np.array([0.05, 0.0500001]))
    assert {bound: count for bound, count in counts["confidence"].items() if count} == {"0.5": 1, "1.0": 1}
    assert {bound: count for bound, count in counts["digitness"].items() if count} == {"0.05": 1, "0.2": 1}
    assert counts["digit"] == {"0": 1, "1": 1, "2": 0}


def test_what_a_service_counted_is_read_back_and_added_up() -> None:
    first, second = answers(300), answers(200)
    total = served([metrics(first), metrics(second), metrics(first, version="0.0.2")], contract())
    assert total == {name: {key: first[name][key] + second[name][key] for key in first[name]} for name in first}
    assert since(total, first) == second
    with pytest.raises(DataError, match="started again"):
        since(first, total)


def test_the_same_spread_has_not_parted_however_few_or_many() -> None:
    for count in (150, 500, 5000):
        distances = compare(contract(), answers(count))
        assert [distance.parted for distance in distances] == [False] * 3, count
        assert all("is as on validation" in distance.sentence() for distance in distances)


def test_what_differs_has_parted_and_is_named() -> None:
    less_sure = {distance.name: distance for distance in compare(contract(), answers(1000, sharpness=3))}
    assert less_sure["confidence"].parted
    assert not less_sure["digitness"].parted
    assert "confidence has parted from validation" in less_sure["confidence"].sentence()
    assert less_sure["confidence"].where.startswith("0 to ")
    one_digit = {distance.name: distance for distance in compare(contract(), answers(1000, weights=(8, 1, 1)))}
    assert (one_digit["digit"].parted, one_digit["digit"].where) == (True, "'0'")


def test_few_answers_tell_nothing() -> None:
    distances = compare(contract(), answers(FEWEST - 1, sharpness=0))
    assert not any(distance.parted for distance in distances)
    assert all("too few" in distance.sentence() for distance in distances)
    assert not compare(contract(), served([metrics(answers(5), version="other")], contract()))[0].parted


def test_an_artefact_without_figures_of_validation_is_one_sentence() -> None:
    with pytest.raises(ArtefactError, match=r"tiny 0.0.1 carries no figures of validation"):
        compare(CONTRACT, answers(200))
    other = dataclasses.replace(CONTRACT, validation={**answers(10), "confidence": {"0.5": 3}})
    with pytest.raises(ArtefactError, match="by other bins"):
        compare(other, answers(200))


def test_the_command_says_it_and_exits_1(tmp_path: Path) -> None:
    model = written(tmp_path, tiny(), {**contract().metadata()})
    for name, counts in {"same": answers(400), "other": answers(400, sharpness=2)}.items():
        (tmp_path / name).write_text(metrics(counts))
    (tmp_path / "none").write_text("up 1\n")
    (tmp_path / "noise").write_text("{{{\n")
    found = {}
    for source in ("same", "other", "none", "noise", "missing"):
        command = [sys.executable, "-m", "inkdigit", "drift", str(tmp_path / source), "--model", str(model)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        found[source] = done.returncode, len(done.stdout.splitlines()), len(done.stderr.splitlines())
    assert found == {"same": (0, 3, 0), "other": (1, 3, 0), "none": (2, 0, 1), "noise": (2, 0, 1), "missing": (2, 0, 1)}


def test_what_answers_no_http_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with server.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(b"no HTTP\r\n\r\n")

        answering = threading.Thread(target=answer)
        answering.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/metrics"
        with pytest.raises(DataError, match=f"{url} cannot be read"):
            read_metrics(url)
        answering.join()
