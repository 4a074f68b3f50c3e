"""Scenes of numbers: what is labelled is there, and lies where its box is."""

import numpy as np
import pytest
import torch
from PIL import Image

from inkdigit.evaluation.strokes import PenDigit
from inkdigit.train.synth.forms import invented_digits
from inkdigit.train.synth.scene import (
    HEIGHT,
    KINDS,
    OTHER,
    SYMBOLS,
    WIDTH,
    ZOOM,
    Canvas,
    Hand,
    Sources,
    amount,
    cross_out,
    draw_number,
    draw_scene,
    photograph,
    write_line,
)

from ...pictures import digits


@pytest.fixture(scope="module")
def sources() -> Sources:
    images, labels = digits(200, 28)
    pens = [PenDigit(each.strokes, each.label, 1) for each in invented_digits(60, 0)]
    return Sources.of(np.stack(images), np.array(labels), pens)


def test_boxes_hold_the_ink_of_their_symbols(sources: Sources) -> None:
    random = np.random.default_rng(3)
    for _ in range(30):
        canvas = Canvas(random)
        write_line(canvas, Hand(sources, 24, random), "4071", 6, 60)
        assert canvas.classes == [4, 0, 7, 1]
        ink = np.asarray(canvas.written.reduce(3))
        for left, top, right, bottom in canvas.boxes:
            inside = ink[int(top) : int(bottom) + 1, int(left) : int(right) + 1]
            assert inside.max() > 60
            edges = [inside[:3], inside[-3:], inside[:, :3], inside[:, -3:]]
            assert all(edge.max() > 20 for edge in edges), "a box is no larger than its ink"


@pytest.mark.parametrize("kind", [draw for draw, _ in KINDS], ids=lambda draw: draw.__name__)
def test_every_kind_of_scene_labels_what_lies_in_it(kind: object, sources: Sources) -> None:
    random = np.random.default_rng(5)
    labelled = 0
    for _ in range(10):
        canvas = Canvas(random)
        kind(canvas, Hand(sources, 20, random))  # type: ignore[operator]
        boxes = np.array(canvas.boxes).reshape(-1, 4)
        assert (boxes[:, :2] >= 0).all()
        assert (boxes[:, 2:] <= (WIDTH, HEIGHT)).all()
        assert len(canvas.heights) == len(canvas.classes) == len(boxes)
        labelled += sum(kind < OTHER for kind in canvas.classes)
    assert (labelled == 0) == (kind.__name__ == "nothing")  # type: ignore[attr-defined]


def test_crossed_out_digits_are_no_symbols(sources: Sources) -> None:
    canvas = Canvas(np.random.default_rng(0))
    hand = Hand(sources, 24, canvas.random)
    write_line(canvas, hand, "12", 5, 40)
    first = len(canvas.boxes)
    write_line(canvas, hand, "34", 90, 40)
    cross_out(canvas, first, hand)
    assert canvas.classes == [1, 2, OTHER, OTHER]


def test_texts_are_numbers() -> None:
    random = np.random.default_rng(0)
    texts = [amount(random) for _ in range(500)]
    assert all(set(text) <= set(SYMBOLS + ":") for text in texts)
    assert all(text[0].isdigit() or text[0] == "-" for text in texts)
    assert {symbol for text in texts for symbol in text} >= set(SYMBOLS)


def test_a_seed_gives_the_same_scene(sources: Sources) -> None:
    first, again = (draw_scene(sources, np.random.default_rng(8)) for _ in range(2))
    assert np.array_equal(first.written, again.written)
    assert np.array_equal(first.boxes, again.boxes)


def test_photographs_are_of_all_levels_and_both_polarities() -> None:
    torch.manual_seed(0)
    ink = torch.zeros(60, HEIGHT, WIDTH)
    ink[:, 40:60, 50:54] = 1
    shown = photograph(ink, torch.zeros_like(ink))
    assert shown.shape == ink.shape
    assert ((shown >= 0) & (shown <= 1)).all()
    darker = shown[:, 45:55, 51:53].mean((1, 2)) < shown[:, 45:55, 60:70].mean((1, 2))
    assert 20 < int(darker.sum()) < 59


def test_a_number_is_whole(sources: Sources) -> None:
    torch.manual_seed(0)
    picture = draw_number(sources, np.random.default_rng(1))
    assert [SYMBOLS[kind] for kind in picture.classes] == list(picture.text)
    height, width = picture.pixels.shape
    assert (picture.boxes[:, 2] <= width + 1).all()
    assert (picture.boxes[:, 3] <= height + 1).all()


def test_digits_that_are_set_by_their_ink_come_near_in_some_row(sources: Sources) -> None:
    random = np.random.default_rng(4)
    for gap in (-1.0, 2.0):
        canvas = Canvas(random)
        hand = Hand(sources, 30, random)
        before = hand.digit(canvas, 7, 10, 60)
        first = np.asarray(canvas.written).copy()
        box = hand.digit(canvas, 1, 0, 60, before, gap)
        second = (np.asarray(canvas.written) > 100) & ~(first > 100)
        nearest = min(
            second[row].argmax() - np.flatnonzero(first[row] > 100).max()
            for row in range(len(first))
            if second[row].any() and (first[row] > 100).any()
        )
        assert box[0] > before[0]
        assert nearest / ZOOM == pytest.approx(max(gap, 0), abs=1) or box[0] == pytest.approx(
            before[0] + 0.3 * (before[2] - before[0]), abs=1
        )


def test_a_part_of_a_scene_holds_all_its_symbols(sources: Sources) -> None:
    random = np.random.default_rng(6)
    scenes = [draw_scene(sources, random) for _ in range(60)]
    for scene in scenes:
        left, top, right, bottom = scene.part
        assert 0 <= left < right <= WIDTH
        assert 0 <= top < bottom <= HEIGHT
        assert (scene.boxes >= (left, top, left, top)).all()
        assert (scene.boxes <= (right, bottom, right, bottom)).all()
    assert len({scene.part for scene in scenes}) > 10


def test_a_digit_whose_rows_hold_nothing_of_the_one_before_stands_beside_its_box() -> None:
    canvas = Canvas(np.random.default_rng(0))
    ink = Image.new("L", (30, 30), 255)
    for top in (-40, 0, 70):
        assert canvas.beside((10, 20, 30, 50), ink, top, 2) == 32
