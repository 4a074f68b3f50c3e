"""Targets and losses of the number reader."""

import numpy as np
import pytest
import torch

from inkdigit.train.fit.numbers import batch_of, crop_targets, focal_loss, overlap
from inkdigit.train.model.detector import OTHER
from inkdigit.train.synth.scene import HEIGHT, LARGEST, WIDTH, Scene


def scene(boxes: list[list[float]], heights: list[float]) -> Scene:
    """Return an empty scene with threes in these boxes."""
    empty = np.zeros((HEIGHT, WIDTH), np.uint8)
    classes = np.full(len(boxes), 3, np.int64)
    return Scene(empty, empty, np.array(boxes, np.float32).reshape(-1, 4), classes, np.array(heights, np.float32))


def test_a_symbol_is_one_peak_in_the_middle_of_its_box() -> None:
    batch = batch_of([scene([[40, 20, 60, 50], [100, 30, 116, 54]], [30, 24]), scene([], [])])
    peaks = (batch.peaks == 1).nonzero().tolist()
    assert peaks == [[0, 8, 24], [0, 10, 53]]
    assert batch.owner[0, 8, 24] == 0
    assert batch.owner[0, 10, 53] == 1
    assert batch.scene.tolist() == [0, 0]
    assert (batch.weight == 1).all()
    assert not batch.peaks[1].any()


def test_a_symbol_just_outside_the_heights_is_neither_wanted_nor_refused() -> None:
    batch = batch_of([scene([[40, 20, 72, 66]], [LARGEST * 1.2]), scene([[40, 0, 100, 90]], [LARGEST * 2])])
    assert not batch.peaks.any()
    assert not batch.weight[0, 20 // 4 : 66 // 4, 40 // 2 : 72 // 2].any()
    assert (batch.weight[1] == 1).all()


def test_the_focal_loss_is_least_where_the_peaks_are() -> None:
    batch = batch_of([scene([[40, 20, 60, 50]], [30])])
    right = torch.where(batch.peaks == 1, 6.0, -6.0)
    moved = right.roll(9, 2)
    losses = [
        focal_loss(logits, batch.peaks, batch.weight).item() for logits in (right, torch.zeros_like(right), moved)
    ]
    assert losses[0] < 0.1 < min(losses[1:])


def test_overlap_is_intersection_over_union() -> None:
    first = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10]])
    second = torch.tensor([[0.0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]])
    assert overlap(first, second).tolist() == pytest.approx([1, 1 / 3, 0])


def test_crops_are_of_symbols_and_of_what_is_taken_for_one() -> None:
    torch.manual_seed(1)
    batch = batch_of([scene([[40, 20, 60, 50]], [30])])
    objectness = torch.full_like(batch.peaks, -9.0)
    objectness[0, 5, 40] = 4.0  # far from the symbol
    boxes, classes, where = crop_targets(batch, objectness, torch.zeros(1, 4, *batch.peaks.shape[1:]))
    assert classes.tolist() == [3, OTHER]
    assert where.tolist() == [0, 0]
    torch.testing.assert_close(boxes[1], torch.tensor([73.0, 14.0, 89.0, 30.0]))
