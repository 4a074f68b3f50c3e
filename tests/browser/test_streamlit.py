"""The Streamlit app in Chromium: drawing, clearing, images as a table, changing the model."""

import base64
import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from inkdigit import Recognizer
from inkdigit.prediction import percent

from ..serving import Service
from .canvas import canvas, draw
from .page_object import cut_off
from .test_files import TEXT, payload, picture

SLOW = 60_000  # ms, on a busy machine


@pytest.fixture
def app(browser: Browser, streamlit: Service) -> Iterator[Page]:
    """Open the app; requests to other hosts are refused."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(SLOW)
    problems: list[str] = []
    cut_off(page, streamlit.url, problems)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(streamlit.url)
    # Wait for the layout: a click may miss what is still moving.
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=SLOW)
    yield page
    page.close()
    assert problems == []


def expect_digit(page: Page, digit: str) -> None:
    expect(page.get_by_test_id("stMetricValue")).to_have_text(digit, timeout=SLOW)


def test_a_digit_is_drawn_read_as_the_library_reads_it_and_cleared(app: Page) -> None:
    draw(app, 4)
    expect(app.get_by_text("A clear four.")).to_be_visible(timeout=SLOW)
    expect_digit(app, "4")
    drawing = canvas(app).evaluate("canvas => canvas.toDataURL('image/png')")
    answer = Recognizer().predict(base64.b64decode(drawing.partition(",")[2]))
    expect(app.get_by_test_id("stMetricDelta")).to_have_text(percent(answer.confidence), timeout=SLOW)
    rows = app.get_by_test_id("stTable").locator("tbody tr")
    expect(rows).to_have_count(3)
    app.get_by_role("slider").press("ArrowRight")
    expect(rows).to_have_count(4, timeout=SLOW)
    app.get_by_role("button", name="Clear").click()
    expect(app.get_by_text("Write a digit or a number. Any size, anywhere.")).to_be_visible(timeout=SLOW)
    expect(app.get_by_test_id("stMetricValue")).to_have_count(0)
    draw(app, 7)
    expect_digit(app, "7")


def test_a_number_is_drawn_with_boxes_and_undone(app: Page) -> None:
    draw(app, 4, (0.25, 0.3, 0.2, 0.4))
    expect_digit(app, "4")
    draw(app, 2, (0.46, 0.3, 0.2, 0.4))
    expect(app.get_by_test_id("stCode")).to_contain_text(re.compile("4 ?2"), timeout=SLOW)
    expect(app.get_by_test_id("stImage").locator("img")).to_have_count(1)
    app.get_by_role("button", name="Undo").click()
    expect_digit(app, "4")
    expect(app.get_by_test_id("stCode")).to_have_count(0)


def test_the_model_is_changed_and_the_drawing_stays(app: Page) -> None:
    draw(app, 2)
    expect_digit(app, "2")
    app.get_by_role("combobox", name="Model").click()
    app.get_by_role("option", name="other").click()
    expect(app.get_by_role("combobox", name="Model")).to_have_value("other", timeout=SLOW)
    expect_digit(app, "2")


def test_several_pictures_become_a_table_and_a_csv(app: Page, tmp_path: Path) -> None:
    pictures = {"a.png": picture(3), "b.jpg": picture(5, "JPEG"), "c.png": picture(8, mode="RGBA"), "list.txt": TEXT}
    upload = app.get_by_role("tab", name="Upload")
    upload.click()
    expect(upload).to_have_attribute("aria-selected", "true", timeout=SLOW)
    app.locator("input[type=file]").set_input_files([payload(*item) for item in pictures.items()])
    rows = app.get_by_test_id("stTable").locator("tbody tr")
    expect(rows).to_have_count(4, timeout=SLOW)
    expect(rows.first).to_be_visible()
    assert "not a picture" in rows.nth(3).inner_text()
    with app.expect_download() as download:
        app.get_by_role("button", name="Download CSV").click()
    download.value.save_as(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["file"] for row in table] == list(pictures)
    assert [row["digit"] for row in table] == ["3", "5", "8", ""]
    answer = Recognizer().predict(pictures["b.jpg"])
    assert float(table[1]["confidence"]) == pytest.approx(answer.confidence, abs=1e-3)
