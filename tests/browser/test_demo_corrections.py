"""Corrections in the Gradio and Streamlit apps: one click on a digit, Enter for a number or one symbol of it."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from inkdigit.corrections.store import Store

from ..serving import serving
from .canvas import draw

SLOW = 60_000  # ms, on a busy machine
LEFT, RIGHT = (0.25, 0.3, 0.2, 0.4), (0.46, 0.3, 0.2, 0.4)


def labels(url: str) -> list[tuple[str, str, str]]:
    store = Store(url)
    every = [(str(each.task), each.answer, each.label) for each in store.all()]
    store.close()
    return every


def test_gradio(browser: Browser, tmp_path: Path) -> None:
    pytest.importorskip("gradio", reason="the extra gradio is not installed")
    url = f"sqlite:///{tmp_path / 'corrections.db'}"
    with serving(command="gradio", INKDIGIT_CORRECTIONS=url, INKDIGIT_CORRECTIONS_DAYS="5") as service:
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(service.url)
        expect(page.locator(".prose.sent:visible")).to_contain_text("for 5 days", timeout=SLOW)
        draw(page, 4, LEFT)
        expect(page.locator(".digit h2")).to_have_text("4", timeout=SLOW)
        page.locator(".right-digit:visible label", has_text="9").click()
        expect(page.locator(".prose.sent:visible")).to_contain_text("Stored: 9. Thank you.", timeout=SLOW)
        draw(page, 2, RIGHT)
        expect(page.locator(".number textarea:visible")).to_have_value("42", timeout=SLOW)
        number = page.locator(".right-number :is(input, textarea):visible")
        number.fill("47")
        number.press("Enter")
        expect(page.locator(".prose.sent:visible")).to_contain_text("Stored: 47. Thank you.", timeout=SLOW)
        page.locator(".part:visible input").click()
        page.get_by_role("option", name="2, 2 of 2 in 42").click()
        number.fill("1")
        number.press("Enter")
        expect(page.locator(".prose.sent:visible")).to_contain_text("Stored: 1. Thank you.", timeout=SLOW)
        page.close()
    assert labels(url) == [("digit", "4", "9"), ("number", "42", "47"), ("symbol", "2", "1")]


def test_streamlit(browser: Browser, tmp_path: Path) -> None:
    pytest.importorskip("streamlit", reason="the extra streamlit is not installed")
    url = f"sqlite:///{tmp_path / 'corrections.db'}"
    with serving(command="streamlit", INKDIGIT_CORRECTIONS=url, INKDIGIT_CORRECTIONS_DAYS="5") as service:
        page = browser.new_page(viewport={"width": 1280, "height": 1400})
        page.goto(service.url)
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=SLOW)
        draw(page, 4)
        expect(page.get_by_text("for 5 days")).to_be_visible(timeout=SLOW)
        page.get_by_role("radio", name="9").click()
        expect(page.get_by_text("Stored: 9. Thank you.")).to_be_visible(timeout=SLOW)
        page.get_by_role("button", name="Clear").click()
        draw(page, 4, LEFT)
        draw(page, 2, RIGHT)
        page.get_by_role("combobox", name="What is wrong").click(timeout=SLOW)
        page.get_by_role("option", name="2, 2 of 2 in 42").click()
        number = page.get_by_role("textbox", name="Wrong? It says: a symbol")
        number.fill("1")
        number.press("Enter")
        expect(page.get_by_text("Stored: 1. Thank you.")).to_be_visible(timeout=SLOW)
        page.close()
    assert labels(url) == [("digit", "4", "9"), ("symbol", "2", "1")]
