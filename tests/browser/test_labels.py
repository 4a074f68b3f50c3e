"""Models with other labels than the ten digits, or in another order: the page shows the model's own labels."""

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
from inkdigit.model_file import DEFAULT_MODEL, model_path
from inkdigit.prediction import percent

from ..serving import Service, serving, wait_for
from .conftest import WINDOW, opened
from .page_object import InkdigitPage
from .test_explanation import serious
from .test_files import payload, picture
from .test_page import LAYOUT

LONG = "a name that is far too long for the field of one digit, and goes on"
# The label at place d is shown for digit d; labels after the tenth are never predicted.
MODELS = {
    "letters": tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "others": ("3", "07", "12"),
    "backwards": tuple("9876543210"),
    "names": ("none", "two words", "Donaudampfschifffahrt", "three", LONG),
    "places": tuple(f"place {place}" for place in range(120)),
}


def relabelled(folder: Path, name: str, labels: tuple[str, ...] = (), confidence: float | None = None) -> Path:
    """Write a copy of the shipped model with other labels; those after the tenth have probability 0."""
    labels = labels or MODELS[name]
    model = onnx.load(model_path(DEFAULT_MODEL))
    (output,) = (one for one in model.graph.output if one.name == "probabilities")
    for node in model.graph.node:
        node.output[:] = ["of-digits" if one == output.name else one for one in node.output]
        node.input[:] = ["of-digits" if one == output.name else one for one in node.input]
    ends = np.array([0, 0, 0, len(labels) - 10], np.int64)  # a negative number cuts
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
    """Write the models, and one that is never sure, whose labels are doubtful."""
    folder = tmp_path_factory.mktemp("labels")
    written = {name: relabelled(folder, name) for name in MODELS}
    return written | {"doubtful": relabelled(folder, "doubtful", ("B", "A", "3", "07"), confidence=1.0)}


@pytest.fixture(scope="module")
def labels_ui(browser: Browser, files: dict[str, Path]) -> Iterator[InkdigitPage]:
    """Open the page of a service with these models and the shipped one."""
    named = [flag for name, path in files.items() for flag in ("--model", f"{name}={path}")]
    with (
        serving("--model", DEFAULT_MODEL, *named) as started,
        opened(browser, f"{started.url}/", viewport=WINDOW, bypass_csp=True) as ui,  # axe needs an eval
    ):
        yield ui


@pytest.fixture
def other(labels_ui: InkdigitPage) -> Iterator[InkdigitPage]:
    labels_ui.page.set_viewport_size(WINDOW)
    yield labels_ui.fresh()
    assert labels_ui.problems == []


def bars(ui: InkdigitPage) -> list[str]:
    return ui.part("bars").locator(".name").all_inner_texts()


@pytest.mark.parametrize("name", [*MODELS, "doubtful"])
def test_an_answer_has_its_model_s_label(other: InkdigitPage, files: dict[str, Path], name: str) -> None:
    other.part("model").select_option(name)
    other.page.get_by_text("How it sees it").click()
    for digit in (1, 2):
        other.page.keyboard.press("Escape")
        other.draw(other.strokes(digit))
        other.settle()
        answer = Recognizer(files[name]).predict(b64decode(other.drawing().partition(",")[2]))
        assert other.text("digit").replace("\n", " ") == str(answer.digit)
        assert other.text("verdict") == answer.verdict
        assert bars(other) == list(answer.labels)
        first = other.part("bars").locator(".first")
        assert first.locator(".name").inner_text() == answer.labels[digit]
        assert first.locator(".said").text_content() == f": {percent(answer.confidence).replace('%', ' %')}"
        assert other.part("ranks").locator("li span").first.inner_text() == answer.labels[digit]


def test_the_bars_follow_the_model_before_and_after_an_answer(other: InkdigitPage) -> None:
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


def test_the_table_and_what_is_saved_have_the_labels(other: InkdigitPage, tmp_path: Path) -> None:
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
def test_any_labels_have_room(other: InkdigitPage, name: str, width: int) -> None:
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
    if width == 320:
        assert serious(other) == [], "colours and names do not depend on the width"


def test_models_that_change_while_the_page_is_open_are_fetched_again(browser: Browser, tmp_path: Path) -> None:
    path = relabelled(tmp_path, "mine", ("A", "B", "C"))
    with serving("--model", str(path)) as started, opened(browser, f"{started.url}/") as ui:
        ui.fresh()
        ui.draw(ui.strokes(2))
        expect(ui.part("verdict")).to_have_text("A clear C.")
        for labels in (("C", "B", "A"), ("zero", "1", "2", "three")):
            exchange(started, relabelled(tmp_path, "mine", labels))
            ui.page.keyboard.press("Escape")
            ui.draw(ui.strokes(2))
            expect(ui.part("digit")).to_have_text(labels[2])
            assert bars(ui) == list(labels)
        expect(ui.part("verdict")).to_have_text("A clear two.")
        exchange(
            started, relabelled(tmp_path, "mine", ("\N{ARABIC-INDIC DIGIT ZERO}", "+", "\N{ARABIC-INDIC DIGIT TWO}"))
        )
        ui.page.keyboard.press("Escape")
        ui.draw(ui.strokes(2))
        expect(ui.part("verdict")).to_contain_text("\N{ARABIC-INDIC DIGIT TWO}")
        expect(ui.part("digit")).to_have_text("2")  # the service answers with the number
        assert ui.problems == []


def exchange(started: Service, path: Path) -> None:
    """Reload a service's model, and wait until it is served."""
    os.kill(started.process.pid, signal.SIGHUP)
    labels = list(Recognizer(path).contract.labels)
    wait_for(lambda: started.http.get("/v1/models").json()["models"][0]["labels"] == labels)
