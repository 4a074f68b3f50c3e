"""The tool that reads forms: fields are marked on a sheet, sheets become a table, a cell is corrected and saved."""

import csv
import io
import tomllib
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, expect

from ..forms.sheets import CODE, MARK, SIZE, blank, filled
from ..pictures import encoded
from .conftest import OpenPage
from .page_object import InkdigitPage
from .strokes import Point
from .test_explanation import serious

READING = 120_000  # ms that twenty fields may take on a busy machine
MARKS = [("1047", "15"), ("2600", "8"), ("3812", "20"), ("4071", "12"), ("5926", "7")] * 2


def payload(name: str, page: Image.Image) -> FilePayload:
    return FilePayload(name=name, mimeType="image/png", buffer=encoded(page))


def pdf(name: str, *pages: Image.Image) -> FilePayload:
    buffer = io.BytesIO()
    pages[0].save(buffer, "PDF", save_all=True, append_images=pages[1:])
    return FilePayload(name=name, mimeType="application/pdf", buffer=buffer.getvalue())


def open_sheet(ui: InkdigitPage, sheet: FilePayload) -> None:
    ui.page.get_by_text("Read forms: many sheets").click()
    ui.part("sheet-file").set_input_files(sheet)
    expect(ui.part("sheet")).to_be_visible()
    ui.part("sheet").scroll_into_view_if_needed()


def corners(ui: InkdigitPage, box: tuple[int, int, int, int]) -> tuple[Point, Point]:
    """Return the upper left and the lower right corner of a box on the sheet, in px of the window."""
    area = ui.part("sheet").bounding_box()
    assert area is not None
    x, y = area["width"] / SIZE[0], area["height"] / SIZE[1]
    left, top, right, bottom = box
    return (area["x"] + left * x, area["y"] + top * y), (area["x"] + right * x, area["y"] + bottom * y)


def mark(ui: InkdigitPage, box: tuple[int, int, int, int], name: str, *, by_finger: bool = False) -> None:
    """Drag a box on the sheet, and name the field."""
    stroke = corners(ui, box)
    if by_finger:
        ui.draw_by_finger([list(stroke)])
    else:
        ui.draw([list(stroke)])
    last = ui.page.get_by_role("list", name="Fields").get_by_role("listitem").last
    last.get_by_role("textbox").first.fill(name)


def saved(ui: InkdigitPage, button: str) -> str:
    with ui.page.expect_download() as download:
        ui.page.get_by_role("button", name=button).last.click()
    return Path(download.value.path()).read_text()


def cell(ui: InkdigitPage, label: str) -> Locator:
    return ui.part("form-table").get_by_label(label, exact=True)


def test_two_fields_ten_sheets_and_a_correction(ui: InkdigitPage) -> None:
    open_sheet(ui, payload("blank.png", blank()))
    mark(ui, CODE, "code")
    mark(ui, MARK, "mark")
    ui.page.get_by_text("Pattern or choices").first.click()
    ui.page.get_by_label("Pattern of field 1").fill(r"\d{4}")
    ui.part("sheets").set_input_files([payload(f"{n}.png", filled(*marks)) for n, marks in enumerate(MARKS)])
    rows = ui.part("form-table").locator("tbody tr")
    expect(rows).to_have_count(10, timeout=READING)
    expect(ui.part("form-csv")).to_be_enabled()
    shown = [[cell(ui, f"{name}, {n}.png").input_value() for name in ("code", "mark")] for n in range(10)]
    assert shown == [list(marks) for marks in MARKS]
    assert rows.locator("img").evaluate_all("images => images.length === 20 && images.every((one) => one.naturalWidth)")
    cell(ui, "mark, 3.png").fill("12.5")
    expect(ui.page.get_by_text("10 sheets")).to_contain_text("1 corrected")
    cell(ui, "code, 0.png").press("Enter")
    expect(rows.first.locator("td").first).to_contain_text("Checked")
    lines = list(csv.reader(io.StringIO(saved(ui, "Download CSV"))))
    assert lines[0] == ["file", "code", "code confidence", "mark", "mark confidence", "check", "error"]
    assert lines[4][:2] + lines[4][3:5] == ["3.png", "4071", "12.5", ""]
    assert [line[1] for line in lines[1:]] == [code for code, _ in MARKS]


def test_fields_are_saved_for_the_command_and_loaded_again(ui: InkdigitPage) -> None:
    pytest.importorskip("pypdfium2", reason="the extra `pdf` is not installed")
    open_sheet(ui, pdf("stack.pdf", blank(), filled("1047", "15")))
    mark(ui, CODE, 'the "code"')
    mark(ui, MARK, "mark")
    ui.page.get_by_text("Pattern or choices").last.click()
    ui.page.get_by_label("Choices of field 2").fill("15\n16")
    text = saved(ui, "Save fields")
    fields = tomllib.loads(text)["fields"]
    assert list(fields) == ['the "code"', "mark"]
    assert fields["mark"]["choices"] == ["15", "16"]
    wanted = [side / whole for side, whole in zip(MARK, SIZE * 2, strict=True)]
    assert fields["mark"]["box"] == pytest.approx(wanted, abs=0.01)
    ui.page.get_by_role("button", name="Remove mark").click()
    expect(ui.part("sheet").get_by_role("button")).to_have_count(1)
    ui.part("fields-file").set_input_files(FilePayload(name="f.toml", mimeType="text/plain", buffer=text.encode()))
    expect(ui.part("sheet").get_by_role("button")).to_have_count(2)
    expect(ui.page.get_by_label("Choices of field 2")).to_have_value("15\n16")
    assert saved(ui, "Save fields") == text
    expect(ui.page.get_by_label("Page", exact=True)).to_be_visible()
    ui.part("sheets").set_input_files([pdf("stack.pdf", filled("1047", "15"), filled("2600", "16"))])
    expect(cell(ui, "mark, stack.pdf#2")).to_have_value("16", timeout=READING)


def test_a_box_is_moved_sized_and_removed_by_keys(ui: InkdigitPage) -> None:
    open_sheet(ui, payload("blank.png", blank()))
    ui.page.get_by_role("button", name="Add a field").click()
    box = ui.part("sheet").get_by_role("button")
    before = box.bounding_box()
    box.press("ArrowRight")
    box.press("Shift+ArrowDown")
    after = box.bounding_box()
    assert before is not None
    assert after is not None
    assert after["x"] > before["x"]
    assert after["width"] == pytest.approx(before["width"], abs=1)
    assert after["height"] > before["height"]
    box.press("Delete")
    expect(box).to_have_count(0)


def test_what_is_wrong_is_a_sentence(ui: InkdigitPage) -> None:
    ui.forgive("Failed to load resource")
    open_sheet(ui, payload("blank.png", blank()))
    ui.part("sheets").set_input_files([payload("1.png", filled("1047", "15"))])
    expect(ui.part("form-error")).to_contain_text("Mark a field first")
    mark(ui, CODE, "code")
    mark(ui, MARK, "code")
    ui.part("sheets").set_input_files([payload("1.png", filled("1047", "15"))])
    expect(ui.part("form-error")).to_have_text("Two fields have the name code.")
    ui.page.get_by_label("Name of field 2").fill("mark")
    ui.page.get_by_text("Pattern or choices").first.click()
    ui.page.get_by_label("Pattern of field 1").fill("(")
    ui.part("sheets").set_input_files([payload("1.png", filled("1047", "15"))])
    expect(ui.part("form-error")).to_contain_text("The field code: The pattern is no regular expression")
    ui.page.get_by_label("Pattern of field 1").fill("")
    broken = FilePayload(name="notes.txt", mimeType="text/plain", buffer=b"milk")
    ui.part("sheets").set_input_files([payload("1.png", filled("1047", "15")), broken])
    expect(ui.part("form-table").locator("tr.failed")).to_contain_text("notes.txt", timeout=READING)
    expect(ui.part("form-error")).to_be_empty()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_marks_by_finger_and_axe_finds_nothing_serious(open_page: OpenPage, scheme: str) -> None:
    window = {"width": 390, "height": 844}
    ui = open_page(viewport=window, color_scheme=scheme, has_touch=True, is_mobile=True, bypass_csp=True)
    open_sheet(ui, payload("blank.png", blank()))
    mark(ui, CODE, "code", by_finger=True)
    mark(ui, MARK, "mark", by_finger=True)
    expect(ui.part("sheet").get_by_role("button")).to_have_count(2)
    ui.part("sheets").set_input_files([payload("1.png", filled("1047", "15"))])
    expect(cell(ui, "mark, 1.png")).to_have_value("15", timeout=READING)
    assert ui.evaluate("document.documentElement.scrollWidth") == window["width"]
    assert serious(ui) == []
