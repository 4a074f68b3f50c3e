"""Augmentation and negatives of frames."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_images
from torch import Tensor
from torch.nn import functional

from inkdigit.train.fit.trainers import remaining_distortion
from inkdigit.train.synth.augment import augment, widened
from inkdigit.train.synth.negatives import leaves, negatives


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


def test_distortion_fades_over_the_last_part_alone() -> None:
    assert [remaining_distortion(done, 0.25) for done in (0, 0.5, 0.75, 0.875, 1)] == [1, 1, 1, 0.5, 0]
    assert [remaining_distortion(done, 0) for done in (0, 0.9, 1)] == [1, 1, 1]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 9, 16])
def test_there_are_as_many_negatives_as_are_asked_for(count: int) -> None:
    made = negatives(torch.rand(count, 1, 28, 28))
    assert made.shape == (count, 1, 28, 28)
    assert ((made >= 0) & (made <= 1 + 1e-6)).all()


def spectral_slope(pictures: Tensor) -> float:
    """Return the power of the frequency by which amplitudes of [N, 96, 96] fall: for photographs about -1."""
    amplitude = torch.fft.rfft2(pictures - pictures.mean((1, 2), keepdim=True)).abs().mean(0)
    frequency = torch.hypot(torch.fft.fftfreq(96)[:, None], torch.fft.rfftfreq(96)[None])
    low, high = (frequency > 0.02) & (frequency < 0.05), (frequency > 0.2) & (frequency < 0.5)
    fall, reach = amplitude[high].mean() / amplitude[low].mean(), frequency[high].mean() / frequency[low].mean()
    return float(fall.log() / reach.log())


def test_pictures_of_anything_have_the_spectrum_of_photographs() -> None:
    torch.manual_seed(1)
    made = leaves(60, 96)
    photos = [np.asarray(Image.fromarray(photo).convert("L")) / 255 for photo in load_sample_images().images]
    corners = [(photo, y, x) for photo in photos for y in range(0, 330, 96) for x in range(0, 540, 96)]
    real = torch.tensor(np.stack([photo[y : y + 96, x : x + 96] for photo, y, x in corners]))
    assert 0 <= made.min() <= made.max() <= 1
    assert abs(spectral_slope(made) - spectral_slope(real)) < 0.4
