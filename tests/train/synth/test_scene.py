"""Scenes of numbers: what is labelled is what is written, on all kinds of paper."""

import math

import numpy as np
import torch

from inkdigit.evaluation.strokes import PenDigit
from inkdigit.train.synth.scene import (
    HEIGHT,
    OTHER,
    SYMBOLS,
    WIDTH,
    ZOOM,
    Canvas,
    Hand,
    Sources,
    cross_out,
    draw_number,
    draw_scene,
    photograph,
    write_line,
)

from ...pictures import digits


def sources() -> Sources:
    """Return MNIST-like pictures, light on dark, and no pen digits."""
    pictures, labels = digits(200, side=28)
    pens: list[PenDigit] = []
    return Sources.of(255 - np.stack(pictures), np.array(labels), pens)


def test_every_symbol_of_a_line_is_labelled_where_its_ink_is() -> None:
    """The labels of a line are its text, and each box holds ink."""
    random, text = np.random.default_rng(0), "-15.07/2,8"
    canvas = Canvas(random)
    write_line(canvas, Hand(sources(), 12, random), text, 5, 40)
    ink = np.asarray(canvas.written.reduce(ZOOM))
    assert "".join(SYMBOLS[kind] for kind in canvas.classes) == text
    for left, top, right, bottom in canvas.boxes:
        assert ink[int(top) : math.ceil(bottom), int(left) : math.ceil(right)].max() > 100


def test_crossed_out_symbols_are_none() -> None:
    """What stands before them stays."""
    random = np.random.default_rng(0)
    canvas = Canvas(random)
    hand = Hand(sources(), 12, random)
    end = write_line(canvas, hand, "12", 5, 40)
    write_line(canvas, hand, "34", end + 20, 40)
    cross_out(canvas, 2, hand)
    assert canvas.classes == [1, 2, OTHER, OTHER]


def test_scenes_repeat_and_keep_their_boxes_inside() -> None:
    """The same seed draws the same scenes."""
    first, second = ([draw_scene(sources(), np.random.default_rng(seed)) for seed in range(20)] for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert (a.written == b.written).all()
        assert (a.printed == b.printed).all()
        assert (a.boxes >= 0).all()
        assert (a.boxes[:, 2:] <= (WIDTH, HEIGHT)).all()
        assert len(a.boxes) == len(a.classes) == len(a.heights)


def test_paper_shows_both_polarities_within_range() -> None:
    """Of blank scenes, some are dark; brightness is 0 to 1."""
    torch.manual_seed(0)
    shown = photograph(*torch.zeros(2, 40, HEIGHT, WIDTH))
    assert shown.min() >= 0
    assert shown.max() <= 1
    light = shown.mean((1, 2))
    assert light.min() < 0.2
    assert light.max() > 0.8


def test_a_number_is_whole_in_its_picture() -> None:
    """The boxes scale with the picture."""
    torch.manual_seed(0)
    for seed in range(5):
        picture = draw_number(sources(), np.random.default_rng(seed))
        height, width = picture.pixels.shape
        assert "".join(SYMBOLS[kind] for kind in picture.classes) == picture.text
        assert (picture.boxes[:, 2:] <= (width + 5, height + 5)).all()
