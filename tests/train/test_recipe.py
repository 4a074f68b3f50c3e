"""Recipes by name, and the flags that change them."""

import subprocess
import sys
from pathlib import Path

import pytest

from inkdigit.errors import DataError
from inkdigit.train.fit.loop import OPTIMISERS, SCHEDULES
from inkdigit.train.model.classifiers import NETWORKS
from inkdigit.train.recipe import Recipe, named_recipe, named_recipes


@pytest.mark.parametrize("name", named_recipes())
def test_every_named_recipe_is_one(name: str) -> None:
    recipe = named_recipe(name, {})
    assert recipe.network in NETWORKS
    assert recipe.optimiser in OPTIMISERS
    assert recipe.schedule in SCHEDULES
    for key, value in named_recipes()[name].items():
        assert isinstance(value, type(getattr(Recipe(), key))), key
        assert value != getattr(Recipe(), key), f"{key} is the default already"


def test_what_is_given_takes_the_recipes_place() -> None:
    assert named_recipe("", {}) == Recipe()
    assert named_recipe("classic", {"epochs": 1}).epochs == 1
    assert named_recipe("classic", {"epochs": 1}).optimiser == "adam"
    with pytest.raises(DataError, match="There is no recipe 'best'; there are: quick, "):
        named_recipe("best", {})


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"batch": 0}, "batch is a number from 1 to 1,000,000, not 0"),
        ({"rate": -1.0}, "rate is a number from 1e-08 to 10, not -1"),
        ({"rate": float("nan")}, "not nan"),
        ({"seed": -1}, "seed is a number from 0 "),
        ({"seed": 2**70}, "seed is a number from 0 "),
        ({"label_smoothing": 2.0}, "label_smoothing is a number from 0 to 1, not 2.0"),
        ({"validation": 0}, "validation is a number from 1 "),
        ({"validation_writers": 20}, "validation_writers is a number from 1 to 19, not 20"),
        ({"pictures": -5}, "pictures is a number from 2 "),
        ({"distortion": -1.0}, "distortion is a number from 0 "),
        ({"pictures": 100, "validation": 100}, "validation 100 leaves none of pictures 100"),
    ],
)
def test_a_number_out_of_its_range_is_one_sentence(given: dict[str, float], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        named_recipe("", given)


@pytest.mark.parametrize(
    "flags", [["--recipe=best"], ["--set=localizer=nobody"], ["--from=nobody"], ["--set=schedule=round"]]
)
def test_a_name_that_is_not_there_is_one_sentence(flags: list[str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "inkdigit", "train", f"--out={out}", f"--data={tmp_path}", *flags]
    (tmp_path / "mnist").mkdir()
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    assert answer.returncode == 2
    assert answer.stderr.startswith("inkdigit: There is no ")
    assert answer.stderr.count("\n") == 1
    assert not out.exists()
