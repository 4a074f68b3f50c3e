"""Augmentation and negatives of frames."""

import pytest
import torch
from torch.nn import functional

from inkdigit.train.augment import augment, widened
from inkdigit.train.negatives import negatives


def test_widened_is_max_pooling() -> None:
    frames = torch.rand(5, 1, 28, 28)
    assert torch.equal(widened(frames), functional.max_pool2d(frames, 3, 1, 1))
    assert torch.equal(widened(-frames), functional.max_pool2d(-frames, 3, 1, 1))


def test_augmented_frames_are_frames_and_none_is_left_as_it_was() -> None:
    frames = torch.rand(20, 1, 28, 28)
    changed = augment(frames)
    assert changed.shape == frames.shape
    assert 0 <= changed.min() <= changed.max() <= 1
    assert all((one != other).any() for one, other in zip(changed, frames, strict=True))
    assert augment(frames, 0) is frames


@pytest.mark.parametrize("count", [0, 1, 3, 4, 9, 16])
def test_there_are_as_many_negatives_as_are_asked_for(count: int) -> None:
    made = negatives(torch.rand(count, 1, 28, 28))
    assert made.shape == (count, 1, 28, 28)
    assert ((made >= 0) & (made <= 1 + 1e-6)).all()
