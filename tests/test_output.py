"""Predictions as text, JSON lines and CSV."""

import csv
import io
import json

import numpy as np
import pytest

from inkdigit.errors import InputError
from inkdigit.output import COLUMNS, csv_writer, write_json, write_text
from inkdigit.prediction import Model, Prediction, Thresholds

BLANK = InputError("Nothing is drawn on the picture.", "blank_image")


def prediction(confidence: float = 0.9, digitness: float = 0.9) -> Prediction:
    """Return a 1 of this confidence, under thresholds of a half."""
    probabilities = (1 - confidence, confidence)
    frame = np.zeros((28, 28), np.float32)
    return Prediction(("0", "1"), probabilities, digitness, frame, Thresholds(0.5, 0.8), Model("m", "1"))


def test_text_has_the_digit_its_confidence_and_a_doubt(capsys: pytest.CaptureFixture[str]) -> None:
    write_text("a.png", prediction())
    write_text("b.png", prediction(confidence=0.7))
    write_text("c.png", prediction(digitness=0.1))
    write_text("d.png", BLANK)
    printed = capsys.readouterr()
    assert printed.out.splitlines() == ["a.png: 1  90.0%", "b.png: 1  70.0%  not sure", "c.png: 1  90.0%  not a digit?"]
    assert printed.err == "d.png: Nothing is drawn on the picture.\n"


def test_json_is_an_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    write_json("a.png", prediction())
    write_json("b.png", BLANK)
    read, failed = map(json.loads, capsys.readouterr().out.splitlines())
    assert read == {"file": "a.png", **prediction().as_dict()}
    assert failed == {"file": "b.png", "error": {"detail": str(BLANK), "code": "blank_image"}}


def test_csv_has_one_row_a_file_and_the_error_in_its_column() -> None:
    out = io.StringIO()
    write = csv_writer(out)
    write("a.png", prediction())
    write("b.png", BLANK)
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert list(rows[0]) == COLUMNS
    assert (rows[0]["digit"], rows[0]["is_sure"], rows[0]["error"]) == ("1", "True", "")
    assert (rows[1]["digit"], rows[1]["error"]) == ("", str(BLANK))


@pytest.mark.parametrize("name", ["=1+1.png", "+.png", "-.png", "@a.png", "\ta.png"])
def test_no_file_name_becomes_a_formula(name: str) -> None:
    out = io.StringIO()
    csv_writer(out)(name, BLANK)
    assert next(csv.DictReader(io.StringIO(out.getvalue())))["file"] == f"'{name}"
