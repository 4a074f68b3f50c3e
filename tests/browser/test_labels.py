"""Models of other labels than the ten digits, or in another order: the page calls an answer what its model does."""

import csv
import json
import os
import signal
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from playwright.sync_api import Browser, expect

from inkdigit import Recognizer
from inkdigit.demos.wording import percent, verdict
from inkdigit.model_file import DEFAULT_MODEL, model_path

from ..serving import Service, serving, wait_for
from .conftest import WINDOW, opened
from .desk import Desk
from .test_page import LAYOUT
from .test_pictures import payload, picture
from .test_sight import serious

LONG = "a name that is far too long for the field of one digit, and goes on"
# A label's place is the digit that is read as it; what is over the ten is never read.
MODELS = {
    "letters": tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "others": ("3", "07", "12"),
    "backwards": tuple("9876543210"),
    "names": ("none", "two words", "Donaudampfschifffahrt", "three", LONG),
    "places": tuple(f"place {place}" for place in range(120)),
}


def relabelled(folder: Path, name: str, labels: tuple[str, ...] = (), confidence: float | None = None) -> Path:
    """Write the shipped model with other labels: as many of its probabilities, and zeros after the tenth."""
    labels = labels or MODELS[name]
    model = onnx.load(model_path(DEFAULT_MODEL))
    (output,) = (one for one in model.graph.output if one.name == "probabilities")
    for node in model.graph.node:
        node.output[:] = ["of-digits" if one == output.name else one for one in node.output]
        node.input[:] = ["of-digits" if one == output.name else one for one in node.input]
    ends = np.array([0, 0, 0, len(labels) - 10], np.int64)  # a negative one cuts
    model.graph.initializer.append(numpy_helper.from_array(ends, "ends"))
    model.graph.node.append(helper.make_node("Pad", ["of-digits", "ends"], [output.name]))
    output.type.tensor_type.shape.dim[1].dim_value = len(labels)
    metadata = {entry.key: entry.value for entry in model.metadata_props} | {"labels": json.dumps(labels)}
    if confidence is not None:
        metadata["thresholds"] = json.dumps(json.loads(metadata["thresholds"]) | {"confidence": confidence})
    helper.set_model_props(model, metadata)
    path = folder / f"{name}.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write the models, and one that is never sure."""
    folder = tmp_path_factory.mktemp("labels")
    written = {name: relabelled(folder, name) for name in MODELS}
    return written | {"doubtful": relabelled(folder, "doubtful", ("B", "A", "3", "07"), confidence=1.0)}


@pytest.fixture(scope="module")
def labels_desk(browser: Browser, files: dict[str, Path]) -> Iterator[Desk]:
    """Open the page of a service that has these models beside the shipped one."""
    named = [flag for name, path in files.items() for flag in ("--model", f"{name}={path}")]
    with (
        serving("--model", DEFAULT_MODEL, *named) as started,
        opened(browser, f"{started.url}/", viewport=WINDOW, bypass_csp=True) as desk,  # axe needs an eval
    ):
        yield desk


@pytest.fixture
def other(labels_desk: Desk) -> Iterator[Desk]:
    labels_desk.page.set_viewport_size(WINDOW)
    yield labels_desk.fresh()
    assert labels_desk.problems == []


def bars(desk: Desk) -> list[str]:
    return desk.part("bars").locator(".name").all_inner_texts()


@pytest.mark.parametrize("digit", [1, 2])
@pytest.mark.parametrize("name", [*MODELS, "doubtful"])
def test_an_answer_is_called_what_its_model_calls_it(
    other: Desk, files: dict[str, Path], name: str, digit: int
) -> None:
    other.part("model").select_option(name)
    other.draw(other.strokes(digit))
    other.settle()
    answer = Recognizer(files[name]).predict(b64decode(other.drawing().partition(",")[2]))
    assert other.text("digit").replace("\n", " ") == str(answer.digit)
    assert other.text("verdict") == verdict(answer)
    assert bars(other) == list(answer.labels)
    first = other.part("bars").locator(".first")
    assert first.locator(".name").inner_text() == answer.labels[digit]
    assert first.locator(".said").text_content() == f": {percent(answer.confidence).replace('%', ' %')}"
    other.page.get_by_text("How it sees it").click()
    assert other.part("ranks").locator("li span").first.inner_text() == answer.labels[digit]


def test_the_bars_follow_the_model_before_and_after_an_answer(other: Desk) -> None:
    expect(other.part("bars").locator("li")).to_have_count(10)
    other.part("model").select_option("others")
    assert bars(other) == list(MODELS["others"])
    other.draw(other.strokes(2))
    expect(other.part("verdict")).to_have_text("A clear 12.")
    other.part("model").select_option("letters")
    expect(other.part("verdict")).to_have_text("A clear C.")
    assert bars(other) == list(MODELS["letters"])
    other.part("model").select_option(DEFAULT_MODEL)
    expect(other.part("verdict")).to_have_text("A clear two.")
    assert bars(other) == list("0123456789")


def test_the_table_and_what_is_saved_have_the_labels(other: Desk, tmp_path: Path) -> None:
    other.part("model").select_option("names")
    other.open(*[payload(f"{digit}.png", picture(digit)) for digit in (2, 3)], payload("list.txt", b"milk"))
    rows = other.part("files").locator("tbody tr")
    expect(rows).to_have_count(3)
    assert [rows.nth(row).locator("td").nth(2).inner_text() for row in (0, 1)] == list(MODELS["names"][2:4])
    assert "A clear Donaudampfschifffahrt." in rows.nth(0).inner_text()
    saved = {}
    for kind in ("CSV", "JSON"):
        with other.page.expect_download() as download:
            other.page.get_by_role("button", name=f"Download {kind}").click()
        saved[kind] = tmp_path / kind
        download.value.save_as(saved[kind])
    with saved["CSV"].open(newline="") as file:
        assert [row["digit"] for row in csv.DictReader(file)] == [*MODELS["names"][2:4], ""]
    results = json.loads(saved["JSON"].read_text())["results"]
    assert [result.get("digit") for result in results] == [*MODELS["names"][2:4], None]
    assert "labels" not in results[0], "the service's own keys alone"


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("name", MODELS)
def test_any_labels_have_room(other: Desk, name: str, width: int) -> None:
    other.page.set_viewport_size({"width": width, "height": 800})
    other.part("model").select_option(name)
    before = other.evaluate(LAYOUT)
    other.draw(other.strokes(1))
    other.settle()
    assert other.evaluate(LAYOUT) == before, "the answer must not move what is there"
    other.page.get_by_text("How it sees it").click()
    expect(other.part("why")).to_be_visible()
    other.open(*[payload(f"{digit}.png", picture(digit)) for digit in (1, 2, 4)])
    expect(other.part("files").locator("tbody tr")).to_have_count(3)
    assert other.evaluate("document.documentElement.scrollWidth") == width
    spilt = """[...document.querySelectorAll(".digit, .bars .name, .ranks, .ranks li, td.figure")]
      .filter((part) => part.scrollWidth > part.clientWidth + 1).map((part) => part.outerHTML)"""
    assert other.evaluate(spilt) == []
    assert serious(other) == []


def test_models_that_are_exchanged_meanwhile_are_asked_for_anew(browser: Browser, tmp_path: Path) -> None:
    path = relabelled(tmp_path, "mine", ("A", "B", "C"))
    with serving("--model", str(path)) as started, opened(browser, f"{started.url}/") as desk:
        desk.fresh()
        desk.draw(desk.strokes(2))
        expect(desk.part("verdict")).to_have_text("A clear C.")
        for labels in (("C", "B", "A"), ("zero", "1", "2", "three")):
            exchange(started, relabelled(tmp_path, "mine", labels))
            desk.page.keyboard.press("Escape")
            desk.draw(desk.strokes(2))
            expect(desk.part("digit")).to_have_text(labels[2])
            assert bars(desk) == list(labels)
        expect(desk.part("verdict")).to_have_text("A clear two.")
        exchange(
            started, relabelled(tmp_path, "mine", ("\N{ARABIC-INDIC DIGIT ZERO}", "+", "\N{ARABIC-INDIC DIGIT TWO}"))
        )
        desk.page.keyboard.press("Escape")
        desk.draw(desk.strokes(2))
        expect(desk.part("verdict")).to_contain_text("\N{ARABIC-INDIC DIGIT TWO}")
        expect(desk.part("digit")).to_have_text("2")  # as the service has it, once it has seen all of it
        assert desk.problems == []


def exchange(started: Service, path: Path) -> None:
    """Have a service read its model again, and wait until it has."""
    os.kill(started.process.pid, signal.SIGHUP)
    labels = list(Recognizer(path).contract.labels)
    wait_for(lambda: started.http.get("/v1/models").json()["models"][0]["labels"] == labels)
