"""Images that are opened, dropped and pasted: one onto the canvas, several into the table."""

import csv
import io
import json
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload, expect

from .page_object import InkdigitPage
from .strokes import DIGITS, placed

TEXT = b"milk, bread, two lemons"


def picture(digit: int, kind: str = "PNG", side: int = 240, mode: str = "L") -> bytes:
    """Return an image file of a digit, black on white, or on a transparent background where the mode is RGBA."""
    page = Image.new(mode, (4 * side, 4 * side), 255 if mode == "L" else (0, 0, 0, 0))
    ink = 0 if mode == "L" else (0, 0, 0, 255)
    for stroke in placed(DIGITS[digit], 1.3 * side, 0.8 * side, 1.5 * side, 2.4 * side):
        ImageDraw.Draw(page).line(stroke, fill=ink, width=side // 6, joint="curve")
    buffer = io.BytesIO()
    page.resize((side, side), Image.Resampling.BOX).save(buffer, kind)
    return buffer.getvalue()


def payload(name: str, content: bytes, kind: str = "image/png") -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": content}


@pytest.mark.parametrize(
    ("name", "kind", "content"),
    [
        ("three.png", "image/png", picture(3)),
        ("three.jpg", "image/jpeg", picture(3, "JPEG")),
        ("transparent.png", "image/png", picture(3, mode="RGBA")),
        ("no type", "", picture(3, "TIFF")),
        ("wrong.txt", "text/plain", picture(3, "WEBP")),
    ],
)
def test_a_picture_is_read_whatever_it_is_called(ui: InkdigitPage, name: str, kind: str, content: bytes) -> None:
    ui.open(payload(name, content, kind))
    expect(ui.part("digit")).to_have_text("3")
    expect(ui.part("files")).to_be_hidden()


def test_a_picture_lies_on_the_desk_until_something_is_drawn(ui: InkdigitPage) -> None:
    ui.draw(ui.strokes(1))
    ui.open(payload("three.png", picture(3)))
    shown = ui.page.locator("#image")
    expect(shown).to_be_visible()
    expect(ui.part("digit")).to_have_text("3")
    ui.draw(ui.strokes(7))
    expect(shown).to_be_hidden()
    expect(ui.part("digit")).to_have_text("7")
    ui.part("undo").click()
    expect(ui.part("digit")).to_have_text("3")
    ui.part("undo").click()
    expect(ui.part("digit")).to_have_text("1")


def test_a_text_file_gets_a_sentence_and_the_next_drawing_an_answer(ui: InkdigitPage) -> None:
    ui.draw(ui.strokes(1))
    ui.open(payload("list.txt", TEXT, "text/plain"))
    expect(ui.part("error")).to_contain_text("not a picture")
    assert ui.part("error").get_attribute("role") == "alert"
    assert ui.text("digit") == ""
    assert ui.text("verdict") == ""
    ui.forgive("status of 415")
    ui.draw(ui.strokes(7))
    expect(ui.part("digit")).to_have_text("7")
    expect(ui.part("error")).to_have_text("")


def test_a_blank_picture_gets_a_sentence(ui: InkdigitPage) -> None:
    buffer = io.BytesIO()
    Image.new("L", (90, 90), 255).save(buffer, "PNG")
    ui.open(payload("blank.png", buffer.getvalue()))
    expect(ui.part("error")).not_to_be_empty()
    ui.forgive("status of 422")
    ui.page.keyboard.press("Escape")
    expect(ui.part("error")).to_have_text("")


@pytest.mark.parametrize("event", ["paste", "drop"])
def test_a_picture_is_pasted_or_dropped_anywhere(ui: InkdigitPage, event: str) -> None:
    ui.hand_over(event, [("five.png", "image/png", picture(5))])
    expect(ui.part("digit")).to_have_text("5")


def test_pasting_no_picture_gets_a_sentence(ui: InkdigitPage) -> None:
    ui.hand_over("paste", [])
    assert "no picture" in ui.text("error")


def test_several_files_become_a_table_and_a_csv(ui: InkdigitPage, tmp_path: Path) -> None:
    names = ["three.png", '=HYPERLINK("http://x")', "a,b.png"]
    files = [payload(name, picture(digit)) for name, digit in zip(names, (3, 5, 8), strict=True)]
    ui.open(*files, payload("list.txt", TEXT, "text/plain"))
    rows = ui.part("files").locator("tbody tr")
    expect(rows).to_have_count(4)
    assert [rows.nth(row).locator("td").nth(2).inner_text() for row in range(3)] == ["3", "5", "8"]
    assert "not a picture" in rows.nth(3).inner_text()
    expect(rows.nth(0).locator("img")).to_be_visible()
    expect(ui.part("digit")).to_have_text("")

    with ui.page.expect_download() as download:
        ui.page.get_by_role("button", name="Download CSV").click()
    download.value.save_as(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["file"] for row in table] == [names[0], f"'{names[1]}", names[2], "list.txt"], "no formula"
    assert [row["digit"] for row in table] == ["3", "5", "8", ""]
    assert all(0 < float(row["confidence"]) <= 1 for row in table[:3])
    assert "not a picture" in table[3]["error"]

    ui.page.get_by_role("button", name="Close").click()
    expect(ui.part("files")).to_be_hidden()


def test_the_error_of_a_refused_file_is_gone_when_the_next_files_are_read(ui: InkdigitPage) -> None:
    ui.open(payload("list.txt", TEXT, "text/plain"))
    expect(ui.part("error")).to_contain_text("not a picture")
    ui.forgive("status of 415")
    ui.open(*[payload(f"{digit}.png", picture(digit)) for digit in (3, 5)])
    expect(ui.part("files").locator("tbody tr")).to_have_count(2)
    assert ui.text("error") == ""


def test_many_files_are_read_in_order(ui: InkdigitPage) -> None:
    digits = [place % 10 for place in range(40)]
    drawn = [picture(digit, side=64) for digit in range(10)]
    ui.hand_over("drop", [(f"{place}.png", "image/png", drawn[digit]) for place, digit in enumerate(digits)])
    rows = ui.part("files").locator("tbody tr")
    expect(rows).to_have_count(40)
    names = [f"{place}.png" for place in range(40)]
    assert ui.evaluate("[...document.querySelectorAll('#rows tr')].map((row) => row.cells[1].firstChild.data)") == names
    assert ui.asks("most") == 1, "one request at a time"


def test_the_table_is_sorted_walked_through_and_saved_as_json(ui: InkdigitPage, tmp_path: Path) -> None:
    names = {3: "three.png", 5: "five.png", 8: "eight.png"}
    ui.open(payload("list.txt", TEXT, "text/plain"), *[payload(name, picture(digit)) for digit, name in names.items()])
    expect(ui.page.get_by_role("button", name="Download JSON")).to_be_visible()
    with ui.page.expect_download() as download:
        ui.page.get_by_role("button", name="Download JSON").click()
    download.value.save_as(tmp_path / "table.json")
    results = json.loads((tmp_path / "table.json").read_text())["results"]
    assert [result.get("digit") for result in results] == [None, 3, 5, 8]

    order = [result["file"] for result in sorted(results[1:], key=lambda result: result["confidence"])]
    shown = "[...document.querySelectorAll('#rows tr')].map((row) => row.cells[1].firstChild.data)"
    sort = ui.page.get_by_role("button", name="Confidence")
    sort.click()
    assert ui.evaluate(shown) == [*order, "list.txt"], "the least sure first, and what failed last"
    sort.click()
    assert ui.evaluate(shown) == [*order[::-1], "list.txt"]
    assert ui.page.get_by_role("columnheader", name="Confidence").get_attribute("aria-sort") == "descending"

    rows = ui.part("files").locator("tbody tr")
    rows.nth(0).focus()
    ui.page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    ui.page.keyboard.press("ArrowUp")
    expect(rows.nth(0)).to_be_focused()
    ui.page.keyboard.press("Enter")
    digit = next(str(digit) for digit, name in names.items() if name == order[-1])
    expect(ui.part("digit")).to_have_text(digit)
    expect(ui.page.locator("#image")).to_be_visible()
