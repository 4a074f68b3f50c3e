"""Several models under names of their own, and SIGHUP, which reads them again while the service goes on answering."""

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import onnx
import pytest

from inkdigit import ArtefactError, Recognizer
from inkdigit.model_file import model_path
from inkdigit.server.loaded_models import load
from inkdigit.server.reload import Accepted
from inkdigit.train.correction_run import put_in_place
from inkdigit.train.export.onnx_export import rewrite_contract

from ..cli.command import inkdigit
from ..pictures import encoded, seven
from ..serving import Service, serving, wait_for, workers
from ..test_model_file import blind, crashing

PNG = encoded(seven(64))


@pytest.fixture
def artefact(tmp_path: Path) -> Path:
    return Path(shutil.copy(model_path("inkdigit"), tmp_path / "mine.onnx"))


def versions(service: Service) -> dict[str, str]:
    models = [each for each in httpx.get(f"{service.url}/v1/models").json()["models"] if each["task"] == "digit"]
    return {model["name"]: model["version"] for model in models}


def test_a_model_goes_by_the_name_that_it_is_given(artefact: Path) -> None:
    assert Recognizer(f"new={artefact}").contract.name == "new"
    assert Recognizer(f"new={artefact}").predict(PNG).model.name == "new"
    assert Recognizer("old=inkdigit").predict(PNG).digit == 7
    assert Recognizer(str(artefact)).contract.name == "inkdigit"


@pytest.mark.parametrize("spoil", [crashing, blind])
def test_what_loads_and_does_not_answer_is_refused_and_the_copies_stay(
    artefact: Path, tmp_path: Path, spoil: Callable[[onnx.ModelProto], onnx.ModelProto]
) -> None:
    models = Accepted([f"one={artefact}"], tmp_path)
    assert models.renew() == ["one"]
    onnx.save(spoil(onnx.load(artefact)), artefact)
    with pytest.raises(ArtefactError, match=f"{artefact} does not answer"):
        models.renew()
    assert list(load(models.models)) == ["one"]


@pytest.mark.parametrize("full", ["0-fresh", "0-accepted"])
def test_where_there_is_no_room_for_a_copy_it_is_refused_in_a_sentence(
    artefact: Path, tmp_path: Path, full: str
) -> None:
    (tmp_path / full).write_text("a file in the place of the folder")
    with pytest.raises(ArtefactError, match="cannot be copied"):
        Accepted([str(artefact)], tmp_path).renew()


def all_ready(service: Service) -> bool:
    return "inkdigit_workers_ready 2.0" in httpx.get(f"{service.url}/metrics").text


def everywhere(service: Service, version: str) -> bool:
    """Return whether both workers have this version of `one`: each of them gets some of 20 new connections."""
    return all(versions(service)["one"] == version for _ in range(20))


@contextmanager
def under_load(service: Service, models: list[str]) -> Iterator[list[str]]:
    """Ask each of the models all the time; yield the versions that answered, and fail if a request did."""
    over, failures, answered = threading.Event(), list[object](), list[str]()

    def ask(model: str) -> None:
        with httpx.Client(base_url=service.url, timeout=30) as client:
            while not over.is_set():
                try:
                    answer = client.post(f"/v1/predict?model={model}", files={"file": PNG})
                    answered.append(answer.json()["model"]["version"])
                except (httpx.HTTPError, KeyError) as error:
                    failures.append(error)

    clients = [threading.Thread(target=ask, args=(model,)) for model in models]
    for client in clients:
        client.start()
    try:
        yield answered
    finally:
        over.set()
        for client in clients:
            client.join()
    assert not failures


def test_models_are_read_again_without_a_failed_request_and_a_broken_one_is_refused(artefact: Path) -> None:
    flags = ["--model", f"one={artefact}", "--model", "two=inkdigit", "--workers", "2"]
    with serving(*flags) as service:
        wait_for(lambda: all_ready(service))
        before = versions(service)
        assert list(before) == ["one", "two"]
        with under_load(service, ["one", "two", "one", "two"]) as answered:
            rewrite_contract(artefact, version="9.9")
            service.process.send_signal(signal.SIGHUP)
            wait_for(lambda: everywhere(service, "9.9"))
            wait_for(lambda: "9.9" in answered)
            onnx.save(crashing(onnx.load(artefact)), artefact)
            service.process.send_signal(signal.SIGHUP)
            wait_for(lambda: "The models stay as they were" in service.log.read_text())
            count = len(answered)
            wait_for(lambda: len(answered) > count + 20)
        assert versions(service) == {**before, "one": "9.9"}


def test_a_model_that_has_learnt_corrections_takes_over_says_what_it_knows_and_goes_back(tmp_path: Path) -> None:
    """What a run does with its result, a service with a SIGHUP, and the command to go back: all under load."""
    shipped, served = model_path("inkdigit"), Path(shutil.copy(model_path("inkdigit"), tmp_path / "served.onnx"))
    candidate = Path(shutil.copy(shipped, tmp_path / "candidate.onnx"))
    learnt = {"count": 32, "digits": 31, "last": "2026-12-02T16:00:00+00:00"}
    old = Recognizer().contract.version
    rewrite_contract(candidate, version=f"{old}+corrections.32", corrections=learnt)
    with serving("--model", f"mine={served}") as service, under_load(service, ["mine", "mine"]) as answered:
        wait_for(lambda: old in answered)
        put_in_place(candidate, served, shipped)
        service.process.send_signal(signal.SIGHUP)
        wait_for(lambda: answered[-1] == f"{old}+corrections.32")
        (mine,) = [each for each in service.http.get("/v1/models").json()["models"] if each["name"] == "mine"]
        assert mine["corrections"] == learnt
        assert f"is inkdigit {old} again" in inkdigit("models", "--back", served)[0]
        service.process.send_signal(signal.SIGHUP)
        wait_for(lambda: answered[-1] == old)
    assert set(answered) == {old, f"{old}+corrections.32"}


def test_a_worker_that_starts_has_the_models_that_were_accepted_last_whatever_the_file_is_now(artefact: Path) -> None:
    sound = artefact.read_bytes()
    rewrite_contract(artefact, version="1.1")
    with serving("--model", f"one={artefact}", "--workers", "2") as service:
        wait_for(lambda: all_ready(service))
        artefact.write_bytes(b"no model")
        killed, other = workers(service)
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: killed not in workers(service) and all_ready(service))
        assert everywhere(service, "1.1")

        service.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "stay as they were" in service.log.read_text())
        (said,) = [line for line in service.log.read_text().splitlines() if line.startswith("inkdigit: ")]
        assert str(artefact) in said
        assert everywhere(service, "1.1")

        artefact.write_bytes(sound)
        rewrite_contract(artefact, version="2.2")
        service.process.send_signal(signal.SIGHUP)
        wait_for(lambda: everywhere(service, "2.2"))

        os.kill(other, signal.SIGKILL)
        wait_for(lambda: other not in workers(service) and len(workers(service)) == 2)
        born = workers(service)
        rewrite_contract(artefact, version="3.3")
        while not all_ready(service):  # to a worker that is not ready yet the signal comes when it is
            service.process.send_signal(signal.SIGHUP)
        wait_for(lambda: everywhere(service, "3.3"))
        assert workers(service) == born
