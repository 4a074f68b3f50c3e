"""A whole run of the number reader on a little of the real data, and what it refuses to continue."""

import os
from pathlib import Path

import numpy as np
import pytest

from inkdigit.errors import DataError
from inkdigit.model_file import NUMBER, open_artefact
from inkdigit.train.fit.number_calibration import is_legible
from inkdigit.train.number_run import NumberRecipe, train_numbers
from inkdigit.train.synth.scene import NumberPicture


@pytest.mark.skipif("INKDIGIT_DATA" not in os.environ, reason="INKDIGIT_DATA names no folder")
def test_a_run_ends_in_a_model_file_and_resumes(tmp_path: Path) -> None:
    """The contract has the recipe and the scores; a run that was trained to its end only calibrates again."""
    tiny = NumberRecipe(steps=2, batch=2, calibrated_on=4)
    target = train_numbers(tiny, None, tmp_path)
    _, contract = open_artefact(target)
    assert contract.task == NUMBER
    assert contract.recipe["steps"] == tiny.steps
    assert "composed" in contract.scores
    assert {"heights.png", "errors.png", "numbers.safetensors"} <= {path.name for path in tmp_path.iterdir()}
    before = (tmp_path / "numbers.safetensors").read_bytes()
    train_numbers(tiny, None, tmp_path, resume=True)
    assert (tmp_path / "numbers.safetensors").read_bytes() == before
    with pytest.raises(DataError, match="steps"):
        train_numbers(NumberRecipe(steps=3, batch=2, calibrated_on=4), None, tmp_path, resume=True)


def test_a_resumed_run_needs_a_checkpoint(tmp_path: Path) -> None:
    """A folder without one is named."""
    if "INKDIGIT_DATA" not in os.environ:
        pytest.skip("INKDIGIT_DATA names no folder")
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
