import json

import numpy as np
import pytest
from PIL import Image

from inkdigit.prediction import Model
from inkdigit.reading import DOUBTFUL, SURE, UNSURE, Box, Number, Reading, Symbol

MODEL = Model("numbers", "1")


def number(text: str, confidence: float = 0.999, row: int = 0, box: Box = (40, 40, 90, 70)) -> Number:
    return Number(text, confidence, box, row, tuple(Symbol(sign, 0.9, box, {sign: 0.9, "1": 0.05}) for sign in text))


def reading(*numbers: Number, is_truncated: bool = False) -> Reading:
    return Reading(numbers, 0.95, MODEL, is_truncated)


def test_rows_are_lines_and_numbers_are_apart() -> None:
    assert reading(number("2026"), number("7"), number("-15.50", row=1)).text == "2026 7\n-15.50"


def test_the_confidence_is_the_product_and_every_number_must_be_sure() -> None:
    both = reading(number("1", 0.96), number("2", 0.97))
    assert both.confidence == pytest.approx(0.96 * 0.97)
    assert both.is_sure
    assert not reading(number("1", 0.96), number("2", 0.9)).is_sure


def test_a_blank_reads_as_nothing_and_surely() -> None:
    blank = reading()
    assert (blank.text, blank.confidence, blank.is_sure, blank.numbers) == ("", 1.0, True, ())


def test_the_reading_is_json_with_these_fields() -> None:
    written = reading(number("42")).as_dict()
    assert json.loads(json.dumps(written)) == written
    assert list(written) == ["text", "confidence", "is_sure", "numbers", "model"]
    assert list(written["numbers"][0]) == ["text", "confidence", "box", "row", "symbols"]
    assert written["numbers"][0]["symbols"][0] == {
        "text": "4",
        "confidence": 0.9,
        "box": [40, 40, 90, 70],
        "alternatives": {"4": 0.9, "1": 0.05},
    }
    assert written["model"] == {"name": "numbers", "version": "1"}


def test_only_a_truncated_reading_says_so() -> None:
    assert reading(is_truncated=True).as_dict()["is_truncated"] is True


@pytest.mark.parametrize(("confidence", "colour"), [(0.99, SURE), (0.7, UNSURE), (0.2, DOUBTFUL)])
@pytest.mark.parametrize("paper", [0, 255])
def test_the_colour_says_how_sure_a_number_is(confidence: float, colour: tuple[int, int, int], paper: int) -> None:
    drawn = reading(number("42", confidence)).draw(np.full((120, 160), paper, np.uint8))
    counts = {pixel: count for count, pixel in drawn.getcolors(1 << 20) or []}
    assert counts[colour] > 100
    assert counts[(paper,) * 3] > 0.6 * 120 * 160


@pytest.mark.parametrize("size", [(1, 1), (28, 28), (60, 34), (3200, 2400)])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "1"])
def test_drawing_keeps_the_size_of_any_picture(size: tuple[int, int], mode: str) -> None:
    picture = Image.new(mode, size)
    drawn = reading(number("1234567890", 0.5, box=(0, 0, size[0], size[1]))).draw(picture)
    assert drawn.size == size
    assert drawn.mode == "RGB"
    assert picture.getextrema() == Image.new(mode, size).getextrema()


def test_the_text_hides_no_other_number() -> None:
    boxes: list[Box] = [(20, 40 * row, 120, 40 * row + 26) for row in range(1, 6)]
    plain = Image.new("RGB", (400, 300), "white")
    drawn = np.asarray(reading(*(number("1234", box=box) for box in boxes)).draw(plain))
    for left, top, right, bottom in boxes:
        assert (drawn[int(top) + 1 : int(bottom), int(left) + 1 : int(right)] == 255).all()


def test_what_opens_pictures_may_be_given() -> None:
    opened = Reading((), 0.5, MODEL, open_image=lambda path: Image.new("L", (len(path), 2)))
    assert opened.draw("four").size == (4, 2)
