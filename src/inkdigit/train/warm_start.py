"""What a run is initialised from: the weights of another run, or those beside a model file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from ..errors import ArtefactError, DataError
from ..model_file import DEFAULT_MODEL, is_run, model_path, open_artefact, weights_beside
from .model.calibration import Temperature
from .model.classifiers import NETWORKS, Network, fused
from .model.framing import Framing
from .model.graph import Graph
from .model.localizer import Localizer
from .recipe import Recipe
from .run_dir import load
from .weights import load_weights

IN_INT8 = "-int8"  # ends the architecture of an artefact whose network has been quantised
# What a run has in common with the one that it begins with: else it validates on what the other was trained on.
SPLIT = ("pictures", "validation", "validation_writers")


def initial_graph(recipe: Recipe, labels: tuple[str, ...], same: tuple[str, ...]) -> Graph | None:
    """Return the graph that a run is initialised from, or None. Where that has other `labels`, the last layer is new.

    Raises DataError where it was trained with another network, or differs in what must be the `same`, and
    ArtefactError.
    """
    if not recipe.begin_with:
        return None
    before, known, graph = weights_of(recipe.begin_with)
    refuse_other(recipe.begin_with, before, recipe, ("network", *same))
    if known != labels:
        graph.network.classify = nn.Linear(graph.network.classify.in_features, len(labels))
    return graph


def refuse_other(where: str, before: Mapping[str, Any], recipe: Recipe, same: tuple[str, ...]) -> None:
    """Refuse a run or artefact that differs in what must be the `same`. Raises DataError."""
    for key in same:
        if before.get(key) != getattr(recipe, key):
            raise DataError(f"{where} was trained with {key} {before.get(key)}, not {getattr(recipe, key)}.")


def teachers_of(recipe: Recipe, labels: tuple[str, ...], same: tuple[str, ...]) -> list[Network]:
    """Return the teachers, of any kind, that a run is distilled from. Raises DataError, ArtefactError."""
    teachers = []
    for where in recipe.teachers.split(",") if recipe.teachers else ():
        before, known, graph = weights_of(where)
        refuse_other(where, before, recipe, same)
        if known != labels:
            raise DataError(f"{where} knows other labels, so it cannot teach these.")
        teachers.append(fused(graph.network))
    return teachers


def framing_of(recipe: Recipe) -> Framing:
    """Return the framing, with the localizer that the recipe takes as it is. Raises DataError, ArtefactError."""
    return weights_of(recipe.localizer or recipe.begin_with or DEFAULT_MODEL)[2].framing


def weights_of(where: str) -> tuple[Mapping[str, Any], tuple[str, ...], Graph]:
    """Return recipe, labels and graph of a run's folder, of a shipped model by its name, or of an artefact (`.onnx`).

    Raises DataError, ArtefactError.
    """
    if is_run(where):
        notes, graph = load(Path(where))
        return notes.recipe.as_dict(), notes.labels, graph
    return from_model_file(model_path(where))


def from_model_file(path: Path) -> tuple[Mapping[str, Any], tuple[str, ...], Graph]:
    """Return recipe, labels and graph, its temperature left out, of a model file, from the float weights beside it.

    Raises DataError, ArtefactError.
    """
    _, contract = open_artefact(path)
    network = contract.architecture.removesuffix(IN_INT8)
    if network not in NETWORKS:
        raise ArtefactError(f"{path} has the network {contract.architecture}, which this Inkdigit does not build.")
    beside = weights_beside(path)
    if not beside.is_file():
        raise DataError(f"{path} has no float weights to start from: {beside.name} must lie beside it.")
    graph = Graph(Framing(Localizer()), NETWORKS[network](len(contract.labels)), Temperature()).eval()
    load_weights(graph, beside)
    return contract.recipe, contract.labels, graph


def folded(framing: Framing) -> Framing:
    """Return a faster copy that cannot be trained."""
    return Framing(fused(framing.localizer))
