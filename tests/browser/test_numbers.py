"""Whole numbers on the page: drawn, opened, in the table, copied and undone."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from .conftest import OpenPage
from .page_object import InkdigitPage
from .test_explanation import serious
from .test_files import payload, picture
from .test_page import LAYOUT

FOUR, TWO = (0.25, 0.3, 0.2, 0.4), (0.46, 0.3, 0.2, 0.4)  # boxes on the canvas, side by side
Number = tuple[str, float, list[float], int]  # text, confidence, box, row


def reading(*numbers: Number, is_sure: bool = True) -> dict[str, Any]:
    """Return a reading as `/v1/read` answers; the symbols of a number share its box evenly."""
    rows = [" ".join(number[0] for number in numbers if number[3] == row) for row in {number[3] for number in numbers}]
    return {
        "text": "\n".join(rows),
        "confidence": min((number[1] for number in numbers), default=1.0),
        "is_sure": is_sure,
        "numbers": [as_number(*number) for number in numbers],
        "model": {"name": "numbers", "version": "1"},
    }


def as_number(text: str, confidence: float, box: list[float], row: int) -> dict[str, Any]:
    left, top, right, bottom = box
    width = (right - left) / len(text)
    symbols = [
        {
            "text": symbol,
            "confidence": confidence,
            "box": [left + place * width, top, left + (place + 1) * width, bottom],
            "alternatives": {symbol: confidence},
        }
        for place, symbol in enumerate(text)
    ]
    return {"text": text, "confidence": confidence, "box": box, "row": row, "symbols": symbols}


def answer_with(ui: InkdigitPage, answer: Callable[[], dict[str, Any]]) -> None:
    """Let the page get these readings in place of the service's."""

    def fulfil(route: Route) -> None:
        body = answer()
        route.fulfill(json={"results": [body] * 2} if "batch" in route.request.url else body)

    ui.page.route("**/v1/read**", fulfil)


def test_a_number_is_drawn_and_undone(ui: InkdigitPage) -> None:
    ui.read_numbers()
    ui.draw(ui.strokes(4, FOUR))
    ui.settle()
    assert (ui.text("digit"), ui.part("number").text_content()) == ("4", "")
    expect(ui.part("number")).to_be_hidden()
    ui.draw(ui.strokes(2, TWO))
    expect(ui.part("number")).to_have_text("42")
    ui.settle()
    assert ui.text("digit") == ""
    assert "42" in ui.text("verdict")
    assert ui.page.locator("#boxes .symbol").count() == 2
    for _ in ui.strokes(2):
        ui.part("undo").click()
    expect(ui.part("digit")).to_have_text("4")
    expect(ui.part("number")).to_be_hidden()
    expect(ui.page.locator("#boxes i")).to_have_count(0)
    ui.part("clear").click()
    assert [ui.text(name) for name in ("digit", "confidence", "verdict", "error")] == ["", "", "", ""]


def test_a_number_stays_while_the_next_digit_is_drawn(ui: InkdigitPage) -> None:
    answer_with(ui, lambda: reading(("42", 0.97, [96, 144, 360, 336], 0)))
    ui.draw(ui.strokes(4))
    expect(ui.part("number")).to_have_text("42")
    ui.press([ui.at(0.9, 0.2), ui.at(0.9, 0.5), ui.at(0.9, 0.8)])
    with ui.page.expect_response("**/v1/predict?*"):
        ui.page.mouse.move(*ui.at(0.9, 0.9), steps=3)
    assert ui.text("number") == "42"
    ui.page.mouse.up()
    ui.settle()
    assert ui.text("confidence") == "97.0 %"


def test_boxes_lie_over_the_strokes(ui: InkdigitPage) -> None:
    answer_with(ui, lambda: reading(("42", 0.5, [96, 144, 360, 336], 0), is_sure=False))  # px of 480
    ui.draw([*ui.strokes(4, FOUR), *ui.strokes(2, TWO)])
    ui.settle()
    expect(ui.part("number")).to_have_text("42")
    expect(ui.part("verdict")).to_have_text("Not sure. Perhaps 42.")
    (x, y), (right, bottom) = ui.at(0.2, 0.3), ui.at(0.75, 0.7)
    box = ui.page.locator("#boxes .number").bounding_box()
    assert box is not None
    assert [box["x"], box["y"], box["width"], box["height"]] == pytest.approx([x, y, right - x, bottom - y], abs=2)


def test_several_numbers_of_an_opened_picture_are_listed_and_can_be_copied(ui: InkdigitPage) -> None:
    numbers: list[Number] = [("17", 0.99, [0, 0, 120, 120], 0), ("-8.5", 0.6, [120, 120, 240, 240], 1)]
    answer_with(ui, lambda: reading(*numbers))
    ui.open(payload("page.png", picture(3)))
    expect(ui.part("number")).to_have_text("17\n-8.5")
    expect(ui.part("verdict")).to_have_text("2 numbers, all clear.")
    assert [ui.part("bars").locator("li .name").nth(place).inner_text() for place in (0, 1)] == ["17", "-8.5"]
    image, box = ui.page.locator("#image").bounding_box(), ui.page.locator("#boxes .number").first.bounding_box()
    assert image is not None
    assert box is not None
    inner = 0.875 * image["width"]  # the picture without its padding
    left = image["x"] + 0.0625 * image["width"]
    assert [box["x"], box["width"]] == pytest.approx([left, inner / 2], abs=2)
    ui.part("number").select_text()
    assert ui.evaluate("getSelection().toString()") == "17\n-8.5"


def test_numbers_are_in_the_table_and_in_what_is_saved(ui: InkdigitPage, tmp_path: Path) -> None:
    answer_with(ui, lambda: reading(("-15.50", 0.9, [0, 0, 240, 240], 0)))
    ui.open(payload("a.png", picture(3)), payload("b.png", picture(5)))
    rows = ui.part("files").locator("tbody tr")
    expect(rows).to_have_count(2)
    assert rows.nth(0).locator("td").nth(2).inner_text() == "-15.50"
    assert rows.nth(0).locator("td").nth(3).inner_text() == "90.0 %"
    for kind in ("CSV", "JSON"):
        with ui.page.expect_download() as download:
            ui.page.get_by_role("button", name=f"Download {kind}").click()
        download.value.save_as(tmp_path / kind)
    with (tmp_path / "CSV").open(newline="") as file:
        assert [(row["digit"], row["text"]) for row in csv.DictReader(file)] == [("3", "-15.50"), ("5", "-15.50")]
    results = json.loads((tmp_path / "JSON").read_text())["results"]
    assert [result["reading"]["text"] for result in results] == ["-15.50", "-15.50"]


@pytest.mark.parametrize("width", [320, 1280])
def test_a_long_reading_has_room_and_is_accessible(open_page: OpenPage, width: int) -> None:
    ui = open_page(viewport={"width": width, "height": 800}, bypass_csp=True)
    numbers: list[Number] = [(f"{1000 + row},50", 0.9, [10, 20 * row, 90, 20 * row + 15], row) for row in range(20)]
    answer_with(ui, lambda: reading(*numbers))
    expect(ui.part("model")).to_be_visible()
    before = ui.evaluate(LAYOUT)
    ui.draw(ui.strokes(4))
    expect(ui.part("number")).to_contain_text("1019,50")
    ui.settle()
    assert ui.evaluate(LAYOUT) == before, "the reading must not move what is there"
    assert ui.evaluate("document.documentElement.scrollWidth") == width
    assert serious(ui) == []


def test_without_a_reading_the_digit_is_shown(ui: InkdigitPage) -> None:
    ui.page.route("**/v1/read**", lambda route: route.fulfill(status=404, json={"detail": "No.", "code": "not_found"}))
    ui.draw(ui.strokes(7))
    ui.settle()
    assert (ui.text("digit"), ui.text("error")) == ("7", "")
    ui.forgive("status of 404")


@pytest.mark.parametrize(("is_sure", "digit"), [(True, ""), (False, "7")])
def test_a_clear_digit_is_kept_unless_the_reading_is_sure(ui: InkdigitPage, is_sure: bool, digit: str) -> None:
    answer_with(ui, lambda: reading(("71", 0.6, [96, 144, 360, 336], 0), is_sure=is_sure))
    ui.draw(ui.strokes(7))
    ui.settle()
    assert ui.text("digit") == digit


def test_what_is_known_of_the_numbers_is_sent_and_a_wrong_pattern_is_explained(ui: InkdigitPage) -> None:
    ui.read_numbers()
    ui.draw(ui.strokes(4, FOUR))
    ui.draw(ui.strokes(2, TWO))
    ui.page.get_by_text("What the numbers look like").click()
    ui.part("pattern").fill("(")
    ui.part("pattern").press("Tab")
    expect(ui.part("error")).to_contain_text("regular expression")
    ui.forgive("status of 422")
    ui.part("pattern").fill("")
    ui.part("choices").fill("42\n43")
    ui.part("choices").press("Tab")
    expect(ui.part("error")).to_have_text("")
    expect(ui.part("number")).to_have_text("42")
    ui.part("choices").fill("7777777")
    ui.part("choices").press("Tab")
    expect(ui.part("verdict")).to_have_text("No number matches.")
