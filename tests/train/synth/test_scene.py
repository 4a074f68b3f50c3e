"""Scenes of numbers: what is labelled is what is written, and every scene can be drawn again."""

import numpy as np
import pytest
import torch

from inkdigit.train.synth.scene import (
    HEIGHT,
    OTHER,
    SYMBOLS,
    WIDTH,
    Canvas,
    Hand,
    Sources,
    draw_number,
    draw_scene,
    nothing,
    photograph,
)

from ...pictures import digits


@pytest.fixture(scope="module")
def sources() -> Sources:
    images, labels = digits(200, 28)
    return Sources.of(255 - np.stack(images), np.array(labels), ())


def test_every_symbol_has_ink_in_a_box_within_the_scene(sources: Sources) -> None:
    random = np.random.default_rng(1)
    found: set[int] = set()
    for _ in range(60):
        scene = draw_scene(sources, random)
        assert scene.written.shape == scene.printed.shape == (HEIGHT, WIDTH)
        assert len(scene.boxes) == len(scene.classes) == len(scene.heights)
        found.update(scene.classes.tolist())
        for left, top, right, bottom in scene.boxes:
            assert 0 <= left < right <= WIDTH
            assert 0 <= top < bottom <= HEIGHT
            inside = scene.written[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))]
            assert inside.max() > 20
    assert {*range(10), SYMBOLS.index("."), SYMBOLS.index("-"), OTHER} <= found


def test_the_same_seed_draws_the_same_scene(sources: Sources) -> None:
    first, second = (draw_scene(sources, np.random.default_rng(5)) for _ in range(2))
    for name, value in vars(first).items():
        np.testing.assert_array_equal(value, getattr(second, name))


def test_a_number_is_labelled_as_its_text_reads(sources: Sources) -> None:
    random = np.random.default_rng(2)
    torch.manual_seed(2)
    for _ in range(30):
        picture = draw_number(sources, random)
        assert "".join(SYMBOLS[label] for label in picture.classes) == picture.text
        height, width = picture.pixels.shape
        assert picture.boxes.min() >= 0
        assert (picture.boxes[:, 2:] <= (width + 1, height + 1)).all()


def test_a_scene_of_nothing_has_no_symbol(sources: Sources) -> None:
    random = np.random.default_rng(3)
    for _ in range(30):
        canvas = Canvas(random)
        nothing(canvas, Hand(sources, 25, random))
        assert set(canvas.classes) <= {OTHER}


def test_a_photograph_shows_ink_in_both_polarities() -> None:
    torch.manual_seed(4)
    written = torch.zeros(80, 48, 96)
    written[:, 16:32, 40:56] = 1
    shown = photograph(written, torch.zeros_like(written))
    assert shown.shape == written.shape
    assert shown.min() >= 0
    assert shown.max() <= 1
    lighter = shown[:, 20:28, 44:52].mean((1, 2)) > shown[:, 20:28, 24:32].mean((1, 2))
    assert 0.15 < lighter.float().mean() < 0.6  # a third of all scenes is inverted
