"""Ink: what a hand's style changes of strokes, and what it leaves."""

import numpy as np
import pytest
import torch

from inkdigit import Recognizer
from inkdigit.evaluation.strokes import Stroke, draw, fitted
from inkdigit.train.synth.forms import FORMS, invented_digits
from inkdigit.train.synth.pens import (
    EVEN,
    INK,
    JOINED,
    SIDE,
    along,
    ended,
    evenly,
    in_style,
    join_strokes,
    mnist_ink,
    pen_ink,
    proportioned,
    redrawn_ink,
    rounded,
)

CORNER = np.array([[0, 0], [30, 0], [30, 10]], np.float32)


def length(stroke: Stroke) -> float:
    return float(np.hypot(*np.diff(stroke, axis=0).T).sum())


def test_points_lie_evenly_along_a_stroke() -> None:
    even = evenly(CORNER)
    steps = np.hypot(*np.diff(even, axis=0).T)
    assert even.shape == (EVEN, 2)
    np.testing.assert_array_equal(even[[0, -1]], CORNER[[0, -1]])
    assert np.median(steps) == pytest.approx(40 / (EVEN - 1), rel=1e-4)
    assert steps.min() > 0.7 * steps.max()  # one of them goes around the corner


def test_a_rounded_stroke_keeps_its_ends_and_cuts_its_corner() -> None:
    away = [float(np.hypot(*(rounded(CORNER, part) - CORNER[1]).T).min()) for part in (0.05, 0.3)]
    assert 0 < away[0] < away[1] < 5
    np.testing.assert_array_equal(rounded(CORNER, 0.3)[[0, -1]], CORNER[[0, -1]])


def test_an_end_changes_by_an_eighth_at_most() -> None:
    random = np.random.default_rng(1)
    changed = np.array([length(ended(CORNER, random)) for _ in range(300)]) / length(CORNER)
    assert 0.85 < changed.min() < 0.9
    assert 1.1 < changed.max() < 1.13


def test_proportions_keep_the_box() -> None:
    random = np.random.default_rng(2)
    changed = np.stack([proportioned([evenly(CORNER)], random)[0] for _ in range(300)])
    np.testing.assert_allclose(changed.min(1), np.tile(CORNER.min(0), (300, 1)), atol=1e-3)
    np.testing.assert_allclose(changed.max(1), np.tile(CORNER.max(0), (300, 1)), atol=1e-3)
    assert changed[:, EVEN // 2, 0].std() > 1


def test_some_strokes_are_joined_in_their_order() -> None:
    random = np.random.default_rng(3)
    strokes = [CORNER, CORNER + 1, CORNER + 2]
    made = [join_strokes(strokes, random) for _ in range(1000)]
    for each in made:
        np.testing.assert_array_equal(np.concatenate(each), np.concatenate(strokes))
    assert np.mean([3 - len(each) for each in made]) == pytest.approx(2 * JOINED, abs=0.06)


def test_a_dot_has_any_style() -> None:
    dot = np.array([[5, 5]], np.float32)
    for seed in range(20):
        styled = in_style(dot, np.random.default_rng(seed))
        assert np.isfinite(styled).all()
        assert np.ptp(styled, axis=0).max() < 1e-3


@pytest.mark.parametrize("label", FORMS)
def test_what_a_hand_makes_of_a_digit_is_that_digit(label: int) -> None:
    digits = [digit for digit in invented_digits(800, seed=0) if digit.label == label]
    answers = Recognizer().predict_batch(list(pen_ink(digits, seed=0)))
    assert np.mean([getattr(answer, "digit", None) == label for answer in answers]) > 0.9


def test_what_is_redrawn_lies_on_the_lines_and_is_the_same_digit() -> None:
    digits = invented_digits(100, seed=0)
    images = torch.tensor(np.stack([draw(fitted(digit.strokes, 18, (14, 14)), 2.2, 28) for digit in digits]))
    drawn, kept = redrawn_ink(images, seed=0)
    assert len(kept) > 90  # a line that crosses itself in a narrow loop is broad
    fine = drawn.astype(bool).sum((1, 2)) < 4 * INK
    inside = drawn[fine].astype(bool) & (mnist_ink(images[kept][fine]).numpy() > 0)
    assert fine.sum() > 10
    assert inside.sum() > 0.98 * drawn[fine].astype(bool).sum()
    answers = [getattr(answer, "digit", None) for answer in Recognizer().predict_batch(list(drawn))]
    assert np.mean([answer == digits[at].label for answer, at in zip(answers, kept, strict=True)]) > 0.9


def test_blots_are_not_redrawn() -> None:
    line = np.array([[10, 14], [18, 14]], np.float32)
    images = torch.tensor(np.stack([draw([line], width, 28) for width in (1.5, 6.0)]))
    assert redrawn_ink(images, seed=0)[1].tolist() == [0]
    assert redrawn_ink(images[1:], seed=0)[0].shape == (0, SIDE, SIDE)


@pytest.mark.parametrize(("width", "columns", "darkest"), [(0.5, 1, 127), (1, 1, 255), (5, 5, 255)])
def test_a_line_is_as_wide_as_the_pen(width: float, columns: int, darkest: int) -> None:
    line = np.zeros((9, 9), bool)
    line[:, 4] = True
    drawn = along(line, width)
    assert (drawn[4] > 0).sum() == columns
    assert drawn.max() == darkest
