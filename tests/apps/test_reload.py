"""Several models under names of their own, and SIGHUP, which reads them again while the service goes on answering."""

import shutil
import signal
import threading
from pathlib import Path

import httpx
import pytest

from inkdigit import Recognizer
from inkdigit.artefact import model_path
from inkdigit.train.export import rewrite_contract

from ..pictures import encoded, seven
from ..serving import Service, serving, wait_for

PNG = encoded(seven(64))


@pytest.fixture
def artefact(tmp_path: Path) -> Path:
    return Path(shutil.copy(model_path("inkdigit"), tmp_path / "mine.onnx"))


def versions(service: Service) -> dict[str, str]:
    models = httpx.get(f"{service.url}/v1/models").json()["models"]
    return {model["name"]: model["version"] for model in models}


def test_a_model_goes_by_the_name_that_it_is_given(artefact: Path) -> None:
    assert Recognizer(f"new={artefact}").contract.name == "new"
    assert Recognizer(f"new={artefact}").predict(PNG).model.name == "new"
    assert Recognizer("old=inkdigit").predict(PNG).digit == 7
    assert Recognizer(str(artefact)).contract.name == "inkdigit"


def test_models_are_read_again_without_a_failed_request_and_a_broken_one_is_refused(artefact: Path) -> None:
    flags = ["--model", f"one={artefact}", "--model", "two=inkdigit", "--workers", "2"]
    with serving(*flags) as service:
        wait_for(lambda: "inkdigit_workers_ready 2.0" in httpx.get(f"{service.url}/metrics").text)
        before = versions(service)
        assert list(before) == ["one", "two"]
        over, failures, answered = threading.Event(), list[object](), list[str]()

        def ask(model: str) -> None:
            with httpx.Client(base_url=service.url, timeout=30) as client:
                while not over.is_set():
                    try:
                        answer = client.post(f"/v1/predict?model={model}", files={"file": PNG})
                        answered.append(answer.json()["model"]["version"])
                    except (httpx.HTTPError, KeyError) as error:
                        failures.append(error)

        clients = [threading.Thread(target=ask, args=(model,)) for model in ("one", "two", "one", "two")]
        for client in clients:
            client.start()
        try:
            rewrite_contract(artefact, version="9.9")
            service.process.send_signal(signal.SIGHUP)
            # Of new connections either worker gets some: both must have it.
            wait_for(lambda: all(versions(service)["one"] == "9.9" for _ in range(20)))
            wait_for(lambda: "9.9" in answered)
            artefact.write_bytes(b"no model")
            service.process.send_signal(signal.SIGHUP)
            wait_for(lambda: "The models stay as they were" in service.log.read_text())
            count = len(answered)
            wait_for(lambda: len(answered) > count + 20)
        finally:
            over.set()
            for client in clients:
                client.join()
        assert not failures
        assert versions(service) == {**before, "one": "9.9"}
