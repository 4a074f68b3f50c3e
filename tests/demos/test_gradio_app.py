"""The Gradio app by HTTP, alone and in the service: which files it accepts, what it says, which models answer."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from inkdigit import InputError, Recognizer
from inkdigit.model_file import model_path
from inkdigit.prediction import percent

from ..pictures import encoded, seven
from ..serving import INKDIGIT, Service, environment, serving, wait_for

pytest.importorskip("gradio", reason="the extra gradio is not installed")

PNG = encoded(seven(64))
MARK = {"meta": {"_type": "gradio.FileData"}}  # how Gradio recognises a file
REFUSAL = "This picture was not uploaded here, or is deleted by now."


class App:
    """A client of one Gradio app."""

    def __init__(self, service: Service, path: str) -> None:
        self.service = service
        self._api = f"{path}/gradio_api"
        self._path = path

    def get(self, path: str) -> httpx.Response:
        return self.service.http.get(f"{self._path}/{path}")

    def run(self, name: str, *data: Any) -> httpx.Response:
        return self.service.http.post(f"{self._api}/run/{name}", json={"data": data})

    def words(self, image: Any, model: str = "mine") -> str:
        """Return the sentence about an image."""
        return str(self.run("read", image, model).json()["data"][1])

    def confidence(self, image: Any) -> float:
        """Return the confidence in the digit that is read."""
        return float(self.run("read", image, "mine").json()["data"][0]["value"]["confidences"][0]["confidence"])

    def upload(self, content: bytes, name: str = "picture.png") -> dict[str, Any]:
        (path,) = self.service.http.post(f"{self._api}/upload", files={"files": (name, content)}).json()
        return {"path": path, **MARK}

    def queued(self, image: Any) -> str:
        """Return the events of Gradio's queue for an image."""
        event = self.service.http.post(f"{self._api}/call/read", json={"data": [image, "mine"]}).json()["event_id"]
        return self.service.http.get(f"{self._api}/call/read/{event}").text


@pytest.fixture(scope="module", params=["serve", "gradio"])
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    artefact = shutil.copy(model_path("inkdigit"), tmp_path_factory.mktemp("models") / "hidden.onnx")
    flags = ["--model", f"mine={artefact}", "--model", "inkdigit"]
    with serving(*flags, *(["--gradio"] if request.param == "serve" else []), command=request.param) as service:
        yield App(service, "/gradio" if request.param == "serve" else "")


@pytest.fixture
def outside(tmp_path: Path) -> list[str]:
    """Return paths and URLs that a client must not reach: a file, a folder, a pipe, a device, a missing file."""
    (tmp_path / "secret.png").write_bytes(PNG)
    os.mkfifo(tmp_path / "fifo")
    paths = [str(tmp_path / name) for name in ("secret.png", "", "fifo", "nothing.png", "secret\0.png", "a" * 5000)]
    return [*paths, "/dev/zero", os.path.relpath(paths[0]), "http://127.0.0.1:1/a.png", "https://example.org/a.png"]


def test_only_uploaded_files_are_read_or_copied(app: App, outside: list[str]) -> None:
    uploads = Path(app.upload(PNG)["path"]).parents[1]
    before = set(uploads.iterdir())
    link = uploads / f"link-{os.getpid()}.png"
    link.symlink_to(outside[0])
    try:
        for path in [*outside, str(link), f"{uploads}/..{outside[0]}", str(uploads)]:
            for image in ({"path": path}, {"path": path, **MARK}, {"path": path, "url": "/a.png", **MARK}):
                assert app.run("read", image, "mine").json()["error"] == REFUSAL, path
    finally:
        link.unlink()
    assert set(uploads.iterdir()) == before


def test_no_event_and_no_component_accepts_another_file(app: App, outside: list[str]) -> None:
    image = {"path": outside[0], **MARK}
    asked = [
        app.run("read_drawing", image, "mine"),
        app.run("read_drawing", [{"deep": [image]}], "mine"),
        app.run("read", None, image),
        app.run("load_example", image),
        app.run("read", {"url": "http://127.0.0.1:1/a.png"}, "mine"),
        app.run("read", {"url": "data:image/png;base64,AAAA"}, "mine"),
    ]
    assert [response.json()["error"] for response in asked] == [REFUSAL] * len(asked)
    assert REFUSAL in app.queued(image)
    assert app.get(f"gradio_api/file={outside[0]}").status_code == 403
    assert "Traceback" not in app.service.log.read_text()


@pytest.mark.parametrize("path", ["file=http://example.org/a.png", "file=%68ttps://a.org/b", "file/http://a.org/b"])
def test_nothing_is_fetched_for_a_client(app: App, path: str) -> None:
    assert app.get(f"gradio_api/{path}").status_code == 404


def test_uploads_and_examples_are_read(app: App) -> None:
    answer = Recognizer().predict(PNG)
    said = f"A clear seven. {percent(answer.confidence)}"
    image = app.upload(PNG)
    assert app.words(image) == app.words({"path": image["path"]}) == said
    for _ in range(10):  # Granian once broke off every fourth stream
        assert said in app.queued(image)
    example = app.run("load_example", 0).json()["data"][0]["value"]
    assert app.words(example).startswith("A clear three.")


@pytest.mark.parametrize(
    "content", [b"no picture", PNG[:150], encoded(np.full((50, 50), 255, np.uint8)), b"", b"GIF89a" + bytes(9)]
)
def test_an_unreadable_file_gets_the_library_s_sentence(app: App, content: bytes) -> None:
    with pytest.raises(InputError) as error:
        Recognizer().predict(content)
    assert app.words(app.upload(content)) == str(error.value)


@pytest.mark.parametrize("sent", [3, None, {"a": 1}, "", "data:image/png;base64,é", [[]]])
def test_anything_but_a_drawing_shows_nothing(app: App, sent: Any) -> None:
    assert app.run("read_drawing", sent, "mine").json()["data"][1:3] == ["", ""]


def test_models_have_names_and_no_path_of_the_server_is_revealed(app: App) -> None:
    config = app.get("config").json()
    offered = [part["props"]["choices"] for part in config["components"] if part["type"] == "dropdown"]
    assert [choices for choices in offered if choices] == [[["mine", "mine"], ["inkdigit", "inkdigit"]]]
    unlisted = app.run("read_drawing", "", "hidden.onnx").text
    malformed = app.run("read", "a path", "mine").text
    told = [json.dumps(config), app.get("gradio_api/info").text, app.get("").text, unlisted, malformed]
    for secret in (".onnx'", '.onnx"', "inkdigit-models", "site-packages", "pydantic"):
        assert not [text for text in told if secret in text]


def test_a_reload_reaches_gradio(tmp_path: Path) -> None:
    artefact = Path(shutil.copy(model_path("inkdigit"), tmp_path / "mine.onnx"))
    before, after = (Recognizer(name).predict(PNG).confidence for name in ("inkdigit", "lenet5"))
    with serving("--gradio", "--model", f"mine={artefact}") as service:
        app = App(service, "/gradio")
        image = app.upload(PNG)
        assert app.confidence(image) == pytest.approx(before, abs=1e-6) != pytest.approx(after, abs=1e-6)
        shutil.copy(model_path("lenet5"), artefact)
        service.process.send_signal(signal.SIGHUP)
        wait_for(lambda: app.confidence(image) == pytest.approx(after, abs=1e-6))


@pytest.mark.parametrize("command", ["gradio", "streamlit"])
def test_every_model_is_checked_before_the_server_starts(command: str, tmp_path: Path) -> None:
    pytest.importorskip(command, reason=f"the extra {command} is not installed")
    second = tmp_path / "second.onnx"
    second.write_bytes(b"no model")
    line = [INKDIGIT, command, "--port", "0", "--model", "inkdigit", "--model", f"mine={second}"]
    done = subprocess.run(line, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert str(second) in done.stderr
    assert "Traceback" not in done.stderr


def test_labels_that_show_the_same_percentage_keep_their_order(app: App) -> None:
    shown = app.run("read", app.upload(PNG), "mine").json()["data"][0]["value"]["confidences"]
    assert [each["label"] for each in shown] == ["7", *"012345689"]
