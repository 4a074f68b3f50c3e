"""Invented forms: every one can be drawn, and keeps to its label."""

import numpy as np
import pytest

from inkdigit import Recognizer
from inkdigit.evaluation.strokes import NO_DIGIT, OVERSAMPLE, draw, fitted
from inkdigit.train.synth.forms import FORMS, invented_digits, invented_signs
from inkdigit.train.synth.pens import INK, SIDE, WIDEST, pen_ink
from inkdigit.train.synth.sheet import INKED


@pytest.mark.parametrize("label", FORMS)
def test_the_shipped_model_reads_every_form(label: int) -> None:
    digits = [digit for digit in invented_digits(600, seed=0) if digit.label == label]
    drawings = [draw(fitted(digit.strokes, 60, (56, 56)), 5, 112) for digit in digits]
    answers = Recognizer().predict_batch(drawings)
    assert np.mean([getattr(answer, "digit", None) == label for answer in answers]) > 0.9


def test_signs_are_no_digits_and_a_seed_gives_the_same() -> None:
    signs, again = invented_signs(40, seed=3), invented_signs(40, seed=3)
    assert {sign.label for sign in signs} == {NO_DIGIT}
    drawings = pen_ink(signs, seed=1)
    assert drawings.shape == (40, SIDE, SIDE)
    assert (drawings.max((1, 2)) >= 255 // OVERSAMPLE).all()  # no pen is thinner than one of the cells averaged
    widest = INK * (1 + WIDEST / 2) + 1  # half of the widest pen reaches over, and cells are covered in part
    assert ((drawings > 255 * INKED).any(1).sum(1) <= widest).all()
    np.testing.assert_array_equal(drawings, pen_ink(again, seed=1))
