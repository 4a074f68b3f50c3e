"""A whole run of the number reader on a little of the real data, and what it refuses to continue."""

import os
from pathlib import Path

import numpy as np
import pytest

from inkdigit.errors import DataError
from inkdigit.train.fit.number_calibration import is_legible
from inkdigit.train.fit.numbers import CHECKPOINT
from inkdigit.train.number_run import NumberRecipe, train_numbers
from inkdigit.train.synth.scene import NumberPicture


@pytest.mark.skipif("INKDIGIT_DATA" not in os.environ, reason="INKDIGIT_DATA names no folder")
def test_a_run_that_has_learnt_nothing_is_not_exported_and_can_be_resumed(tmp_path: Path) -> None:
    """Its checkpoint fits its own recipe alone."""
    tiny = NumberRecipe(steps=2, batch=2, calibrated_on=4)
    for resume in (False, True):
        with pytest.raises(DataError, match="no number"):
            train_numbers(tiny, None, tmp_path, resume)
    assert {CHECKPOINT, "numbers.safetensors"} <= {path.name for path in tmp_path.iterdir()}
    with pytest.raises(DataError, match="steps"):
        train_numbers(NumberRecipe(steps=3, batch=2, calibrated_on=4), None, tmp_path, resume=True)


@pytest.mark.skipif("INKDIGIT_DATA" not in os.environ, reason="INKDIGIT_DATA names no folder")
def test_a_resumed_run_needs_a_checkpoint(tmp_path: Path) -> None:
    """A folder without one is named."""
    with pytest.raises(DataError, match="checkpoint"):
        train_numbers(NumberRecipe(), None, tmp_path, resume=True)


def test_ink_that_drowns_in_noise_is_not_legible() -> None:
    """The same bar on flat paper is."""
    noise = np.random.default_rng(0).integers(90, 110, (40, 30)).astype(np.uint8)
    written = noise.copy()
    written[10:30, 12:16] = 20
    box, kind = np.array([[11, 9, 17, 31]], np.float32), np.array([1])
    assert is_legible(NumberPicture(written, "1", box, kind))
    assert not is_legible(NumberPicture(noise, "1", box, kind))
