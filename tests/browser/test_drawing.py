"""Digits drawn by mouse and by finger, and the answer while they are drawn."""

import base64
import re

import pytest
from playwright.sync_api import expect

from inkdigit import Recognizer

from .conftest import OpenDesk
from .desk import Box, Desk

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
PLACES: dict[str, Box] = {
    "middle": (0.36, 0.28, 0.28, 0.44),
    "top left": (0.03, 0.03, 0.16, 0.24),
    "top right": (0.81, 0.03, 0.16, 0.24),
    "bottom left": (0.03, 0.73, 0.16, 0.24),
    "bottom right": (0.81, 0.73, 0.16, 0.24),
    "whole paper": (0.17, 0.03, 0.66, 0.94),
}


@pytest.mark.parametrize("place", PLACES)
def test_digits_drawn_by_mouse_are_read(desk: Desk, place: str) -> None:
    digits = range(10) if place in {"middle", "whole paper"} else (2, 4, 7)
    readings = {digit: desk.read(digit, PLACES[place]) for digit in digits}
    assert readings == {digit: str(digit) for digit in digits}


@pytest.mark.parametrize("place", ["middle", "top left", "bottom right"])
def test_digits_drawn_by_finger_are_read(open_desk: OpenDesk, place: str) -> None:
    desk = open_desk(**PHONE)
    digits = range(10) if place == "middle" else (3, 5, 7)
    readings = {digit: desk.read(digit, PLACES[place], by_finger=True) for digit in digits}
    assert readings == {digit: str(digit) for digit in digits}
    assert desk.evaluate("scrollX + scrollY") == 0, "a finger on the paper must not move the page"


def test_the_answer_is_a_filled_form(desk: Desk) -> None:
    desk.draw(desk.strokes(7))
    desk.settle()
    assert desk.text("digit") == "7"
    assert re.fullmatch(r"\d\d?\.\d\d? %", desk.text("confidence"))
    assert "seven" in desk.text("verdict")
    expect(desk.part("preview")).to_have_attribute("src", re.compile("^data:image/png;base64,"))
    assert desk.evaluate("document.getElementById('preview').naturalWidth") == 28
    expect(desk.part("bars").locator("li")).to_have_count(10)
    assert "7" in desk.part("bars").locator(".first").inner_text()
    assert desk.text("error") == ""


def test_an_empty_canvas_shows_no_digit_and_asks_nothing(desk: Desk) -> None:
    desk.page.mouse.move(*desk.at(0.2, 0.2))
    desk.page.mouse.move(*desk.at(0.8, 0.8), steps=5)
    desk.part("undo").click()
    desk.part("clear").click()
    desk.page.wait_for_timeout(200)
    assert desk.asks("count") == 0
    assert [desk.text(name) for name in ("digit", "confidence", "verdict", "error")] == ["", "", "", ""]
    expect(desk.part("preview")).to_be_hidden()


def test_the_answer_comes_while_the_pen_is_down(desk: Desk) -> None:
    desk.press(desk.strokes(3)[0])
    expect(desk.part("digit")).to_have_text("3")
    desk.page.mouse.up()


def test_at_most_one_question_is_in_flight_and_the_newest_strokes_win(desk: Desk) -> None:
    desk.evaluate("asks.delay = 60")
    for digit in (7, 2, 8):
        desk.draw(desk.strokes(digit))
        if digit != 8:
            desk.part("clear").click()
    desk.settle()
    assert desk.text("digit") == "8"
    assert desk.asks("most") == 1
    assert desk.asks("count") >= 3


def test_the_canvas_goes_to_the_service_as_it_is(desk: Desk) -> None:
    desk.draw(desk.strokes(5))
    desk.settle()
    same = """async () => {
      const bytes = async (blob) => [...new Uint8Array(await blob.arrayBuffer())].join();
      const canvas = document.querySelector("canvas");
      const shown = await new Promise((done) => canvas.toBlob(done, "image/png"));
      return (await bytes(shown)) === (await bytes(asks.bodies.at(-1)));
    }"""
    assert desk.evaluate(same) is True
    assert (desk.grey(0.95, 0.95), desk.grey(0.45, 0.27)) == (255, 0), "black ink on white paper"


def test_the_page_and_the_library_agree(desk: Desk) -> None:
    desk.draw(desk.strokes(6))
    desk.settle()
    answer = Recognizer().predict(base64.b64decode(desk.drawing().partition(",")[2]))
    assert desk.text("digit") == str(answer.digit)
    assert float(desk.text("confidence").removesuffix(" %")) / 100 == pytest.approx(answer.confidence, abs=1e-3)


def test_undo_and_clear_in_the_middle_of_a_stroke(desk: Desk) -> None:
    empty = desk.drawing()
    for key in ("Control+z", "Escape"):
        desk.press([desk.at(0.2, 0.2), desk.at(0.5, 0.5)])
        desk.page.keyboard.press(key)
        desk.page.mouse.move(*desk.at(0.8, 0.2))
        desk.page.mouse.up()
        assert desk.drawing() == empty
        assert desk.text("digit") == ""


def test_no_stale_answer_after_clear(desk: Desk) -> None:
    desk.evaluate("asks.delay = 400")
    desk.draw(desk.strokes(7))
    while desk.asks("flight") == 0:
        desk.page.wait_for_timeout(10)
    desk.part("clear").click()
    desk.settle()
    desk.page.wait_for_timeout(100)
    assert desk.text("digit") == ""
    assert desk.text("verdict") == ""


def test_a_click_makes_a_dot(desk: Desk) -> None:
    desk.page.mouse.click(*desk.at(0.5, 0.5))
    desk.settle()
    assert desk.grey(0.5, 0.5) == 0
    assert desk.asks("count") >= 1
    desk.forgive("status of 422")  # a service may say that a dot is nothing; it must say something
    assert desk.text("digit") or desk.text("verdict") or desk.text("error")


def test_a_stroke_may_leave_the_canvas_and_come_back(desk: Desk) -> None:
    desk.press([desk.at(0.3, 0.3), desk.at(0.7, 0.3), desk.at(1.4, 0.5), desk.at(0.55, 0.6), desk.at(0.45, 0.9)])
    desk.page.mouse.up()
    assert desk.grey(0.5, 0.3) == 0
    assert desk.grey(0.987, 0.382) == 0, "on the way out"
    assert desk.grey(0.455, 0.885) == 0, "after coming back"
    desk.page.mouse.move(*desk.at(0.1, 0.9))
    assert desk.grey(0.1, 0.9) == 255, "the pen is up"


def test_a_pen_lifted_outside_the_canvas_is_lifted(desk: Desk) -> None:
    desk.press([desk.at(0.5, 0.2), desk.at(0.5, 0.9), desk.at(1.3, 0.9)])
    desk.page.mouse.up()
    before = desk.drawing()
    desk.page.mouse.move(*desk.at(0.2, 0.2), steps=3)
    assert desk.drawing() == before


def test_undo_takes_the_last_stroke_by_button_and_key(desk: Desk) -> None:
    desk.draw(desk.strokes(1))
    desk.settle()
    one = desk.drawing()
    for by in ("button", "key"):
        desk.draw([[desk.at(0.1, 0.1), desk.at(0.9, 0.1)]])
        assert desk.drawing() != one
        if by == "button":
            desk.part("undo").click()
        else:
            desk.page.keyboard.press("Control+z")
        assert desk.drawing() == one
        desk.settle()
        assert desk.text("digit") == "1"
    desk.part("undo").click()
    assert desk.text("digit") == ""


@pytest.mark.parametrize("by", ["button", "key"])
def test_clear_empties_paper_and_form_and_undo_brings_the_drawing_back(desk: Desk, by: str) -> None:
    desk.draw(desk.strokes(4))
    desk.settle()
    if by == "button":
        desk.part("clear").click()
    else:
        desk.page.keyboard.press("Escape")
    assert [desk.text(name) for name in ("digit", "confidence", "verdict", "error")] == ["", "", "", ""]
    expect(desk.part("preview")).to_be_hidden()
    desk.part("undo").click()
    expect(desk.part("digit")).to_have_text("4")


def test_a_new_window_size_loses_no_stroke(desk: Desk) -> None:
    desk.draw(desk.strokes(4)[:1])
    before = desk.drawing()
    desk.page.set_viewport_size({"width": 390, "height": 844})
    assert desk.drawing() == before
    desk.draw(desk.strokes(4)[1:])
    desk.settle()
    assert desk.text("digit") == "4"


def test_a_scribble_is_said_to_be_no_digit(desk: Desk) -> None:
    zigzag = [desk.at(0.1 + 0.8 * (step % 2), 0.05 + step * 0.9 / 15) for step in range(16)]
    across = [desk.at(0.05 + step * 0.9 / 15, 0.1 + 0.8 * (step % 2)) for step in range(16)]
    desk.draw([zigzag, across])
    desk.settle()
    assert re.search(r"not (a digit|sure)", desk.text("verdict"), re.IGNORECASE)
