"""The shipped model still sees and answers what it did."""

import numpy as np

from .golden import FILE, measured

FRAME_LEVELS = 3  # of 255, which another processor's rounding may change
PROBABILITY = 2e-3


def test_frames_and_answers_are_as_they_were() -> None:
    found = measured()
    with np.load(FILE) as golden:
        assert np.abs(found["frames"].astype(int) - golden["frames"].astype(int)).max() <= FRAME_LEVELS
        assert np.abs(found["probabilities"] - golden["probabilities"]).max() <= PROBABILITY
        assert np.abs(found["digitness"] - golden["digitness"]).max() <= PROBABILITY
