"""A whole run of the number reader on a little of the real data, and what it refuses to continue."""

import os
from pathlib import Path

import numpy as np
import pytest

from inkdigit.errors import DataError
from inkdigit.model_file import NUMBER, open_artefact
from inkdigit.train.number_run import NumberRecipe, is_legible, train_number
from inkdigit.train.synth.scene import NumberPicture

TINY = NumberRecipe(steps=2, batch=2, pictures=1500, validation=300, calibrated_on=6, validated_on=3)


@pytest.mark.skipif("INKDIGIT_DATA" not in os.environ, reason="INKDIGIT_DATA names no folder")
def test_a_run_ends_in_a_model_file_and_resumes(tmp_path: Path) -> None:
    """The contract has the recipe and the scores; a run that was trained to its end only calibrates again."""
    target = train_number(TINY, None, tmp_path)
    _, contract = open_artefact(target)
    assert contract.task == NUMBER
    assert contract.recipe["steps"] == TINY.steps
    assert {"exact", "recall", "invented"} <= contract.scores["composed"].keys()
    assert {"heights.png", "mistakes.png", "numbers.safetensors"} <= {path.name for path in tmp_path.iterdir()}
    before = (tmp_path / "numbers.safetensors").read_bytes()
    train_number(TINY, None, tmp_path, resume=True)
    assert (tmp_path / "numbers.safetensors").read_bytes() == before
    with pytest.raises(DataError, match="steps"):
        train_number(NumberRecipe(steps=3, batch=2, pictures=1500, validation=300), None, tmp_path, resume=True)


def test_a_precision_that_does_not_exist_is_refused() -> None:
    """The message names those that do."""
    with pytest.raises(DataError, match="float32"):
        NumberRecipe(precision="float8")


def test_ink_that_drowns_in_noise_is_not_legible() -> None:
    """The same bar on flat paper is."""
    noise = np.random.default_rng(0).integers(90, 110, (40, 30)).astype(np.uint8)
    written = noise.copy()
    written[10:30, 12:16] = 20
    box, kind = np.array([[11, 9, 17, 31]], np.float32), np.array([1])
    assert is_legible(NumberPicture(written, "1", box, kind))
    assert not is_legible(NumberPicture(noise, "1", box, kind))
