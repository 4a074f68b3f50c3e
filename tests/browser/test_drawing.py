"""Drawing by mouse and by finger, and the answer while drawing."""

import base64
import re

import pytest
from playwright.sync_api import expect

from inkdigit import Recognizer

from .conftest import OpenPage
from .page_object import Box, InkdigitPage

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
PLACES: dict[str, Box] = {
    "middle": (0.36, 0.28, 0.28, 0.44),
    "top left": (0.03, 0.03, 0.16, 0.24),
    "top right": (0.81, 0.03, 0.16, 0.24),
    "bottom left": (0.03, 0.73, 0.16, 0.24),
    "bottom right": (0.81, 0.73, 0.16, 0.24),
    "whole canvas": (0.17, 0.03, 0.66, 0.94),
}


@pytest.mark.parametrize("place", PLACES)
def test_digits_drawn_by_mouse_are_read(ui: InkdigitPage, place: str) -> None:
    if place == "middle":
        ui.read_numbers()  # which finds one symbol, so that the digit stays
    digits = range(10) if place in {"middle", "whole canvas"} else (2, 4, 7)
    readings = {digit: ui.read(digit, PLACES[place]) for digit in digits}
    assert readings == {digit: str(digit) for digit in digits}


@pytest.mark.parametrize("place", ["middle", "top left", "bottom right"])
def test_digits_drawn_by_finger_are_read(open_page: OpenPage, place: str) -> None:
    ui = open_page(**PHONE)
    digits = range(10) if place == "middle" else (3, 5, 7)
    readings = {digit: ui.read(digit, PLACES[place], by_finger=True) for digit in digits}
    assert readings == {digit: str(digit) for digit in digits}
    assert ui.evaluate("scrollX + scrollY") == 0, "a finger on the canvas must not scroll the page"


def test_the_answer_is_a_filled_form(ui: InkdigitPage) -> None:
    ui.draw(ui.strokes(7))
    ui.settle()
    assert ui.text("digit") == "7"
    assert re.fullmatch(r"\d\d?\.\d\d? %", ui.text("confidence"))
    assert "seven" in ui.text("verdict")
    expect(ui.part("preview")).to_have_attribute("src", re.compile("^data:image/png;base64,"))
    assert ui.evaluate("document.getElementById('preview').naturalWidth") == 28
    expect(ui.part("bars").locator("li")).to_have_count(10)
    assert "7" in ui.part("bars").locator(".first").inner_text()
    assert ui.text("error") == ""


def test_an_empty_canvas_shows_no_digit_and_asks_nothing(ui: InkdigitPage) -> None:
    ui.page.mouse.move(*ui.at(0.2, 0.2))
    ui.page.mouse.move(*ui.at(0.8, 0.8), steps=5)
    ui.part("undo").click()
    ui.part("clear").click()
    ui.page.wait_for_timeout(200)
    assert ui.asks("count") == 0
    assert [ui.text(name) for name in ("digit", "confidence", "verdict", "error")] == ["", "", "", ""]
    expect(ui.part("preview")).to_be_hidden()


def test_the_answer_comes_while_the_pen_is_down(ui: InkdigitPage) -> None:
    ui.press(ui.strokes(3)[0])
    expect(ui.part("digit")).to_have_text("3")
    ui.page.mouse.up()


def test_at_most_one_question_is_in_flight_and_the_newest_strokes_win(ui: InkdigitPage) -> None:
    ui.evaluate("asks.delay = 60")
    for digit in (7, 2, 8):
        ui.draw(ui.strokes(digit))
        if digit != 8:
            ui.part("clear").click()
    ui.settle()
    assert ui.text("digit") == "8"
    assert ui.asks("most") == 1
    assert ui.asks("count") >= 3


def test_the_canvas_goes_to_the_service_as_it_is(ui: InkdigitPage) -> None:
    ui.draw(ui.strokes(5))
    ui.settle()
    same = """async () => {
      const bytes = async (blob) => [...new Uint8Array(await blob.arrayBuffer())].join();
      const canvas = document.querySelector("canvas");
      const shown = await new Promise((done) => canvas.toBlob(done, "image/png"));
      return (await bytes(shown)) === (await bytes(asks.bodies.at(-1)));
    }"""
    assert ui.evaluate(same) is True
    assert (ui.grey(0.95, 0.95), ui.grey(0.45, 0.27)) == (255, 0), "black ink on white paper"


def test_the_page_and_the_library_agree(ui: InkdigitPage) -> None:
    ui.draw(ui.strokes(6))
    ui.settle()
    answer = Recognizer().predict(base64.b64decode(ui.drawing().partition(",")[2]))
    assert ui.text("digit") == str(answer.digit)
    assert float(ui.text("confidence").removesuffix(" %")) / 100 == pytest.approx(answer.confidence, abs=1e-3)


def test_undo_and_clear_in_the_middle_of_a_stroke(ui: InkdigitPage) -> None:
    empty = ui.drawing()
    for key in ("Control+z", "Escape"):
        ui.press([ui.at(0.2, 0.2), ui.at(0.5, 0.5)])
        ui.page.keyboard.press(key)
        ui.page.mouse.move(*ui.at(0.8, 0.2))
        ui.page.mouse.up()
        assert ui.drawing() == empty
        assert ui.text("digit") == ""


def test_no_stale_answer_after_clear(ui: InkdigitPage) -> None:
    ui.evaluate("asks.delay = 400")
    ui.draw(ui.strokes(7))
    while ui.asks("flight") == 0:
        ui.page.wait_for_timeout(10)
    ui.part("clear").click()
    ui.settle()
    ui.page.wait_for_timeout(100)
    assert ui.text("digit") == ""
    assert ui.text("verdict") == ""


def test_a_click_makes_a_dot(ui: InkdigitPage) -> None:
    ui.page.mouse.click(*ui.at(0.5, 0.5))
    ui.settle()
    assert ui.grey(0.5, 0.5) == 0
    assert ui.asks("count") >= 1
    ui.forgive("status of 422")  # a service may say that a dot is nothing; it must say something
    assert ui.text("digit") or ui.text("verdict") or ui.text("error")


def test_a_stroke_may_leave_the_canvas_and_come_back(ui: InkdigitPage) -> None:
    ui.press([ui.at(0.3, 0.3), ui.at(0.7, 0.3), ui.at(1.4, 0.5), ui.at(0.55, 0.6), ui.at(0.45, 0.9)])
    ui.page.mouse.up()
    assert ui.grey(0.5, 0.3) == 0
    assert ui.grey(0.987, 0.382) == 0, "on the way out"
    assert ui.grey(0.455, 0.885) == 0, "after coming back"
    ui.page.mouse.move(*ui.at(0.1, 0.9))
    assert ui.grey(0.1, 0.9) == 255, "the pen is up"


def test_a_pen_lifted_outside_the_canvas_is_lifted(ui: InkdigitPage) -> None:
    ui.press([ui.at(0.5, 0.2), ui.at(0.5, 0.9), ui.at(1.3, 0.9)])
    ui.page.mouse.up()
    before = ui.drawing()
    ui.page.mouse.move(*ui.at(0.2, 0.2), steps=3)
    assert ui.drawing() == before


def test_undo_takes_the_last_stroke_by_button_and_key(ui: InkdigitPage) -> None:
    ui.draw(ui.strokes(1))
    ui.settle()
    one = ui.drawing()
    for by in ("button", "key"):
        ui.draw([[ui.at(0.1, 0.1), ui.at(0.9, 0.1)]])
        assert ui.drawing() != one
        if by == "button":
            ui.part("undo").click()
        else:
            ui.page.keyboard.press("Control+z")
        assert ui.drawing() == one
        ui.settle()
        assert ui.text("digit") == "1"
    ui.part("undo").click()
    assert ui.text("digit") == ""


@pytest.mark.parametrize("by", ["button", "key"])
def test_clear_empties_paper_and_form_and_undo_brings_the_drawing_back(ui: InkdigitPage, by: str) -> None:
    ui.draw(ui.strokes(4))
    ui.settle()
    if by == "button":
        ui.part("clear").click()
    else:
        ui.page.keyboard.press("Escape")
    assert [ui.text(name) for name in ("digit", "confidence", "verdict", "error")] == ["", "", "", ""]
    expect(ui.part("preview")).to_be_hidden()
    ui.part("undo").click()
    expect(ui.part("digit")).to_have_text("4")


def test_a_new_window_size_loses_no_stroke(ui: InkdigitPage) -> None:
    ui.draw(ui.strokes(4)[:1])
    before = ui.drawing()
    ui.page.set_viewport_size({"width": 390, "height": 844})
    assert ui.drawing() == before
    ui.draw(ui.strokes(4)[1:])
    ui.settle()
    assert ui.text("digit") == "4"


def test_a_scribble_is_said_to_be_no_digit(ui: InkdigitPage) -> None:
    zigzag = [ui.at(0.1 + 0.8 * (step % 2), 0.05 + step * 0.9 / 15) for step in range(16)]
    across = [ui.at(0.05 + step * 0.9 / 15, 0.1 + 0.8 * (step % 2)) for step in range(16)]
    ui.draw([zigzag, across])
    ui.settle()
    assert re.search(r"not (a digit|sure)", ui.text("verdict"), re.IGNORECASE)
