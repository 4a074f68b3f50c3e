"""Corrections on the page: by a click, a key or a typed number, of a symbol alone, and taken back."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from inkdigit.corrections.records import Correction
from inkdigit.corrections.store import Store
from inkdigit.image import load_pixels

from ..serving import serving
from .conftest import WINDOW, opened
from .page_object import InkdigitPage
from .test_explanation import serious
from .test_files import payload, picture
from .test_numbers import answer_with, reading
from .test_page import LAYOUT


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'corrections.db'}"


@pytest.fixture(scope="module")
def base(url: str) -> Iterator[str]:
    with serving(INKDIGIT_CORRECTIONS=url, INKDIGIT_CORRECTIONS_DAYS="30") as service:
        yield f"{service.url}/"


@pytest.fixture
def correcting(browser: Browser, base: str) -> Iterator[InkdigitPage]:
    with opened(browser, base, viewport=WINDOW, bypass_csp=True) as ui:
        yield ui.fresh()
        assert ui.problems == []


def taken(url: str) -> list[Correction]:
    """Return the corrections in the store, and empty it."""
    store = Store(url)
    every = store.all()
    for each in every:
        store.delete(each.id)
    store.close()
    return every


def test_one_click_or_one_key_corrects_a_digit(correcting: InkdigitPage, url: str) -> None:
    ui = correcting
    expect(ui.part("correction")).to_contain_text("for 30 days")
    expect(ui.part("labels").locator("button:enabled")).to_have_count(0)
    before = ui.evaluate(LAYOUT)
    ui.page.keyboard.press("4")  # there is no answer to correct
    ui.draw(ui.strokes(7))
    ui.settle()
    expect(ui.part("labels").locator("button:enabled")).to_have_count(10)
    assert ui.evaluate(LAYOUT) == before
    assert serious(ui) == []
    assert taken(url) == []
    ui.part("labels").get_by_role("button", name="1").click()
    expect(ui.part("sent")).to_have_text("Stored: 1. Thank you.")
    expect(ui.part("labels").locator("button:enabled")).to_have_count(0)
    (kept,) = taken(url)
    assert (kept.task, kept.label, kept.answer, kept.model) == ("digit", "1", "7", "inkdigit")
    assert load_pixels(kept.picture).shape == (480, 480)
    ui.page.keyboard.press("Escape")
    ui.draw(ui.strokes(3))
    ui.settle()
    expect(ui.part("labels").locator("button:enabled")).to_have_count(10)
    ui.page.keyboard.press("5")
    expect(ui.part("sent")).to_have_text("Stored: 5. Thank you.")
    assert [each.label for each in taken(url)] == ["5"]


def test_a_number_and_one_symbol_of_it_are_corrected_and_taken_back(correcting: InkdigitPage, url: str) -> None:
    ui = correcting
    answer: dict[str, Any] = reading(("42", 0.97, [120, 60, 360, 400], 0))
    answer_with(ui, lambda: answer)
    ui.draw(ui.strokes(4))
    expect(ui.part("right")).to_have_value("42")
    ui.part("right").fill("47")
    ui.part("right").press("Enter")
    expect(ui.part("sent")).to_have_text("Stored: 47. Thank you.")
    (number,) = taken(url)
    assert (number.task, number.label, number.answer, number.model) == ("number", "47", "42", "numbers")
    ui.draw([[ui.at(0.8, 0.3), ui.at(0.8, 0.7)]])
    expect(ui.part("right")).to_have_value("42")
    ui.part("part").select_option("2, 2 of 2 in 42")
    ui.part("labels").get_by_role("button", name="7").click()
    expect(ui.part("sent")).to_have_text("Stored: 7. Thank you.")
    ui.part("take-back").click()
    expect(ui.part("sent")).to_have_text("Deleted again.")
    assert taken(url) == []


def test_an_opened_picture_is_sent_itself(correcting: InkdigitPage, url: str) -> None:
    ui = correcting
    sent = picture(3)
    ui.open(payload("page.png", sent))
    expect(ui.part("digit")).to_have_text("3")
    ui.part("labels").get_by_role("button", name="8").click()
    expect(ui.part("sent")).to_have_text("Stored: 8. Thank you.")
    (kept,) = taken(url)
    assert np.array_equal(load_pixels(kept.picture), load_pixels(sent))


def test_a_refusal_is_shown_where_it_was_sent(correcting: InkdigitPage) -> None:
    ui = correcting
    answer_with(ui, lambda: reading(("42", 0.97, [120, 60, 360, 400], 0)))
    ui.draw(ui.strokes(4))
    expect(ui.part("right")).to_have_value("42")
    ui.part("right").fill("forty")
    ui.part("right").press("Enter")
    expect(ui.part("sent")).to_contain_text("The right number has 1 to 64 of the symbols")
    expect(ui.part("take-back")).to_be_hidden()
    ui.forgive("status of 422")


def test_without_a_store_nothing_is_asked(ui: InkdigitPage) -> None:
    ui.draw(ui.strokes(7))
    ui.settle()
    expect(ui.part("correction")).to_be_hidden()


def test_it_fits_a_phone(browser: Browser, base: str) -> None:
    with opened(browser, base, viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True) as ui:
        ui.fresh()
        answer_with(ui, lambda: reading(("42", 0.97, [120, 60, 360, 400], 0)))
        ui.draw_by_finger(ui.strokes(4))
        expect(ui.part("right")).to_have_value("42")
        assert ui.evaluate("document.documentElement.scrollWidth") == 320
