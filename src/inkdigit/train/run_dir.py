"""A training run's folder: its recipe, its notes and its weights, written in one step and read back."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file

from ..errors import DataError
from ..evaluation.scores import DIGITS
from ..files import atomic_path
from ..prediction import Thresholds
from .fit.loop import checkpoint_of
from .model.calibration import Temperature
from .model.classifiers import NETWORKS
from .model.framing import Framing
from .model.graph import Graph
from .model.localizer import Localizer
from .recipe import Recipe
from .training_log import forget
from .weights import save_tensors

WEIGHTS, NOTES, RECIPE = "weights.safetensors", "run.json", "recipe.json"


@dataclass(frozen=True)
class Notes:
    """Hold what a run found, beside its weights."""

    name: str
    recipe: Recipe
    sources: Mapping[str, str]
    temperature: Temperature
    thresholds: Thresholds
    validation: Mapping[str, float]  # accuracy of each kind of frames
    labels: tuple[str, ...] = DIGITS
    corrections: Mapping[str, Any] = field(default_factory=dict)  # see `model_file.Contract`


def start_run(recipe: Recipe, sources: Mapping[str, str], out: Path) -> None:
    """Write a run's recipe and the SHA-256 of its data, and take away what an earlier run would have gone on with.

    Its artefact stays.
    """
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob(checkpoint_of(out, "*").name):
        old.unlink()
    forget(out)
    write(out / RECIPE, {**recipe.as_dict(), "sources": sources})


def started_recipe(out: Path) -> dict[str, Any]:
    """Read the recipe that a run was begun with. Raises DataError."""
    if not (out / RECIPE).is_file():
        raise DataError(f"{out} is no training run that was begun: it has no {RECIPE}.")
    try:
        return dict(json.loads((out / RECIPE).read_text()))
    except (OSError, TypeError, ValueError) as error:
        raise DataError(f"{out / RECIPE} is damaged: {error}.") from error


def require_same_recipe(recipe: Recipe, out: Path) -> None:
    """Refuse to go on with a run that had another recipe. Raises DataError."""
    before = started_recipe(out)
    other = {key: value for key, value in recipe.as_dict().items() if before.get(key) != value}
    if other:
        changes = ", ".join(f"{key} {before.get(key)}, not {value}" for key, value in other.items())
        raise DataError(f"{out} was begun with another recipe: {changes}.")


def require_same_data(sources: Mapping[str, str], out: Path) -> None:
    """Refuse to go on with a run that read other data, by its SHA-256. Raises DataError."""
    before = started_recipe(out).get("sources", sources)  # which the first runs did not note
    if before != sources:
        changed = [name for name in {**before, **sources} if before.get(name) != sources.get(name)]
        raise DataError(f"{out} was begun with other data: {', '.join(changed)} had another SHA-256, or was not there.")


def write(path: Path, values: Mapping[str, Any]) -> None:
    """Write JSON, in one step."""
    with atomic_path(path) as draft:
        draft.write_text(json.dumps(values, indent=2) + "\n")


def save(notes: Notes, graph: Graph, out: Path) -> None:
    """Write a run's weights and notes, each in one step."""
    save_tensors(graph.state_dict(), out / WEIGHTS)
    write(out / NOTES, asdict(notes))


def load(out: Path) -> tuple[Notes, Graph]:
    """Read a run back. Raises DataError where the folder holds none, or a damaged one."""
    if not (out / NOTES).is_file() or not (out / WEIGHTS).is_file():
        raise DataError(f"{out} is no training run: it has no {NOTES} or no {WEIGHTS}.")
    try:
        values: dict[str, Any] = json.loads((out / NOTES).read_text())
        values["recipe"], values["thresholds"] = Recipe(**values["recipe"]), Thresholds(**values["thresholds"])
        values["temperature"] = Temperature(**values["temperature"])
        values["labels"] = tuple(values.get("labels", DIGITS))
        notes = Notes(**values)
        graph = Graph(Framing(Localizer()), NETWORKS[notes.recipe.network](len(notes.labels)), notes.temperature)
        graph.load_state_dict(load_file(out / WEIGHTS))
    except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise DataError(f"{out} is damaged, or the run of another version: {error}") from error
    return notes, graph.eval()
