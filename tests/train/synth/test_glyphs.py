"""Glyphs: which are trained on as no digit, and what a hand makes of them."""

import numpy as np
import pytest

from inkdigit.train.synth.glyphs import FONTS, glyph_ink, is_no_digit, middles
from inkdigit.train.synth.pens import INK, SIDE


@pytest.mark.parametrize("glyph", "éÞ∈≥♞€𝑘ພ")
def test_letters_and_symbols_are_no_digits(glyph: str) -> None:
    assert is_no_digit(glyph)


@pytest.mark.parametrize("glyph", "ΩЖ𝛀ك→★△")
def test_what_digitness_is_scored_by_is_not_trained_on(glyph: str) -> None:
    assert not is_no_digit(glyph)


@pytest.mark.parametrize("glyph", "5৫𝟓⑤ʒØ𝑂Ǒ○⟋AZ")
def test_digits_and_what_looks_like_them_are_not_trained_on(glyph: str) -> None:
    assert not is_no_digit(glyph)


@pytest.mark.parametrize("font", FONTS)
def test_every_glyph_has_a_middle(font: str) -> None:
    lines = list(middles(font))
    assert len(lines) > 1000
    assert min(np.ptp(points, 0).min() for points in lines) > 10


def test_a_hand_writes_glyphs_as_large_as_digits_and_each_differently() -> None:
    written = glyph_ink(range(200), 1)
    assert written.shape == (200, SIDE, SIDE)
    sides = np.array([[np.ptp(axis) for axis in picture.nonzero()] for picture in written]).max(1)
    assert INK * 0.9 < sides.min() <= sides.max() < INK * 1.15
    assert len({picture.tobytes() for picture in written}) == 200
    np.testing.assert_array_equal(written[:20], glyph_ink(range(20), 1))
