"""One training run, from data to artefact, in a folder of its own: weights, recipe and calibration, artefact."""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from .. import __version__
from ..artefact import SUFFIX, Contract
from ..data import Labelled, data_folder, mnist
from ..drift import Spread, spread
from ..errors import DataError
from ..evaluate import SOURCES, score
from ..prediction import Thresholds
from ..recognizer import Recognizer
from .corpus import Corpus, corpora, framed_sheets, joined, readable, validation_corpus
from .export import Graph, export, git_commit, rewrite_contract
from .fit import Frames, accuracy, fit_glance, fit_network, outputs, temperature
from .framing import Framing
from .glance import Glance
from .loop import METRICS, OPTIMISERS, checkpoint_of
from .networks import NETWORKS, Network
from .plots import plot_curves, plot_results
from .recipe import Recipe

LABELS = tuple(str(digit) for digit in range(10))
WEIGHTS, NOTES, RECIPE = "weights.safetensors", "run.json", "recipe.json"
PAPER = "paper"
# What a run has in common with the one that it begins with: else it validates on what the other was trained on.
SAME = ("network", "seed", "pictures", "validation", "validation_writers")
DEVICES: dict[str, Callable[[], bool]] = {  # the fastest first
    "cuda": torch.cuda.is_available,
    "mps": torch.backends.mps.is_available,
    "cpu": lambda: True,
}


@dataclass(frozen=True)
class Notes:
    """Hold what a run found, beside its weights."""

    name: str
    recipe: Recipe
    sources: Mapping[str, str]
    temperature: float
    thresholds: Thresholds
    validation: Mapping[str, float]  # accuracy of each kind of frames
    begun_with: Mapping[str, Any] = field(default_factory=dict)  # the recipe of the run that it began with


def train(recipe: Recipe, folder: Path | None, out: Path, name: str, device: str, resume: bool = False) -> Path:
    """Train, calibrate, export and score; `resume` goes on from the checkpoints in `out`. Give the artefact.

    Raises DataError, ArtefactError, and Stopped where Ctrl-C came before there was a network.
    """
    known("network", recipe.network, NETWORKS)
    known("optimiser", recipe.optimiser, OPTIMISERS)
    device = chosen(device)
    if data_folder(folder) is None and recipe.pens:
        print("no data folder is named: training on MNIST alone, without pen digits", file=sys.stderr)  # noqa: T201
        recipe = dataclasses.replace(recipe, pens=0)
    if resume:
        same_recipe(recipe, out)
    with torch.device(device):
        notes, graph = fitted(recipe, folder, name, out, resume)
    save(notes, graph.cpu(), out)
    if (out / METRICS).exists():  # not where Ctrl-C came in the first epoch
        plot_curves(out / METRICS, out / "curves.png")
    return export_run(out, None, folder)


def start_anew(recipe: Recipe, out: Path) -> None:
    """Write a run's recipe, and take away what an earlier run would have gone on with; its artefact stays."""
    out.mkdir(parents=True, exist_ok=True)
    for old in (*out.glob(checkpoint_of(out, "*").name), out / METRICS):
        old.unlink(missing_ok=True)
    write(out / RECIPE, recipe.as_dict())


def same_recipe(recipe: Recipe, out: Path) -> None:
    """Refuse to go on with a run that had another recipe. Raises DataError."""
    if not (out / RECIPE).is_file():
        raise DataError(f"{out} is no training run that was begun: it has no {RECIPE}.")
    try:
        before = dict(json.loads((out / RECIPE).read_text()))
    except (TypeError, ValueError) as error:
        raise DataError(f"{out / RECIPE} is damaged: {error}.") from error
    other = {key: value for key, value in recipe.as_dict().items() if before.get(key) != value}
    if other:
        changes = ", ".join(f"{key} {before.get(key)}, not {value}" for key, value in other.items())
        raise DataError(f"{out} was begun with another recipe: {changes}.")


def write(path: Path, values: Mapping[str, Any]) -> None:
    """Write JSON, in one step."""
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(values, indent=2) + "\n")
    draft.replace(path)


def chosen(device: str) -> str:
    """Choose the device: what is named, or for `auto` the fastest there is. Raises DataError where it is not there."""
    there = [name for name, here in DEVICES.items() if here()]
    if device == "auto":
        return there[0]
    known("device", device, DEVICES)
    if device not in there:
        raise DataError(f"There is no {device} on this machine, only {', '.join(there)}.")
    return device


def known(kind: str, name: str, every: Iterable[str]) -> None:
    """Refuse a name that is none of those that there are. Raises DataError."""
    if name not in every:
        raise DataError(f"There is no {kind} {name!r}; there are: {', '.join(every)}.")


def fitted(recipe: Recipe, folder: Path | None, name: str, out: Path, resume: bool) -> tuple[Notes, Graph]:
    """Train glance and network, and calibrate them. Raises DataError, Stopped."""
    before, begun = begun_with(recipe)
    torch.manual_seed(recipe.seed)
    training, validation, sources = corpora(recipe, folder)
    if not resume:
        start_anew(recipe, out)  # only now: bad data must take nothing away
    sheets = training.sheets(recipe.sheets)
    framing = begun.framing if begun else Framing(fit_glance(sheets, recipe, out)).eval()
    frames = joined(
        *training.clean(framing).values(),
        framed_sheets(framing, readable(framing, sheets)),
        framed_sheets(framing, training.nothing(recipe.sheets // 8)),
    )
    kinds = validation_frames(framing, validation)
    torch.manual_seed(recipe.seed)
    network = begun.network if begun else NETWORKS[recipe.network](len(LABELS))
    network = fit_network(network.train(), frames, joined(*kinds.values()), recipe, out)
    heat, limits = calibrate(network, kinds)
    reached = {kind: accuracy(network, frames) for kind, frames in kinds.items()}
    return Notes(name, recipe, sources, heat, limits, reached, before), Graph(framing, network, heat)


def begun_with(recipe: Recipe) -> tuple[Mapping[str, Any], Graph | None]:
    """Read the recipe and the graph of the run that this one begins with, if there is one. Raises DataError."""
    if not recipe.begin_with:
        return {}, None
    notes, graph = load(Path(recipe.begin_with))
    for key in SAME:
        before, now = getattr(notes.recipe, key), getattr(recipe, key)
        if before != now:
            raise DataError(f"{recipe.begin_with} was trained with {key} {before}, not {now}.")
    return notes.recipe.as_dict(), graph


def validation_frames(framing: Framing, validation: Corpus) -> dict[str, Frames]:
    """Frame what is validated on: the digits of every source, and a fifth as many of all on paper."""
    clean = validation.clean(framing)
    sheets = validation.sheets(sum(len(frames.labels) for frames in clean.values()) // 5)
    return {**clean, PAPER: framed_sheets(framing, readable(framing, sheets))}


def calibrate(network: Network, kinds: Mapping[str, Frames]) -> tuple[float, Thresholds]:
    """Fit the temperature, and choose the thresholds, on validation frames.

    99.1 % of the plain digits count as digits, and 99.8 % of all that counts as sure is right.
    """
    frames = joined(*kinds.values())
    logits, _ = outputs(network, frames)
    heat = temperature(logits, frames.labels)
    _, digitness = outputs(network, joined(*(plain for kind, plain in kinds.items() if kind != PAPER)))
    sure = sure_from(torch.softmax(logits / heat, 1), frames.labels)
    return heat, Thresholds(round(float(torch.sigmoid(digitness).quantile(0.009)), 4), round(sure, 4))


def sure_from(probabilities: Tensor, labels: Tensor) -> float:
    """Choose the confidence from which on 99.8 % of the answers are right."""
    confidence, answer = probabilities.max(1)
    order = confidence.argsort(descending=True)
    right = (answer == labels)[order].float().cumsum(0) / torch.arange(1, len(order) + 1)
    return float(confidence[order][int((right >= 0.998).nonzero().max())])


def save(notes: Notes, graph: Graph, out: Path) -> None:
    """Write a run's weights and notes, each in one step."""
    out.mkdir(parents=True, exist_ok=True)
    draft = out / f"{WEIGHTS}.tmp"
    save_file({key: value.contiguous() for key, value in graph.state_dict().items()}, draft)
    draft.replace(out / WEIGHTS)
    write(out / NOTES, asdict(notes))


def load(out: Path) -> tuple[Notes, Graph]:
    """Read a run back. Raises DataError where the folder holds none, or a damaged one."""
    if not (out / NOTES).is_file() or not (out / WEIGHTS).is_file():
        raise DataError(f"{out} is no training run: it has no {NOTES} or no {WEIGHTS}.")
    try:
        values: dict[str, Any] = json.loads((out / NOTES).read_text())
        values["recipe"], values["thresholds"] = Recipe(**values["recipe"]), Thresholds(**values["thresholds"])
        notes = Notes(**values)
        graph = Graph(Framing(Glance()), NETWORKS[notes.recipe.network](len(LABELS)), notes.temperature)
        graph.load_state_dict(load_file(out / WEIGHTS))
    except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise DataError(f"{out} is damaged, or the run of another version: {error}") from error
    return notes, graph.eval()


def export_run(out: Path, target: Path | None, folder: Path | None) -> Path:
    """Export a run's artefact, score it through `Recognizer`, and draw its mistakes in the run's folder.

    Raises DataError, ArtefactError.
    """
    notes, graph = load(out)
    target = target or out / f"{notes.name}{SUFFIX}"
    export(graph, contract_of(notes), samples(folder), target)
    recognizer = Recognizer(target)
    results = {source: score(recognizer, data) for source, data in at_hand(folder)}
    scores = {source: result.summary() for source, result in results.items()}
    rewrite_contract(target, scores=scores, validation=validation_spread(notes, graph, folder))
    plot_results(recognizer, results, folder, out)
    return target


def validation_spread(notes: Notes, graph: Graph, folder: Path | None) -> Spread:
    """Count the answers on what the run was validated with; nothing where that is not at hand."""
    try:
        validation = validation_corpus(notes.recipe, folder)
    except DataError as error:
        print(f"the contract is without validation figures: {error}", file=sys.stderr)  # noqa: T201
        return {}
    torch.manual_seed(notes.recipe.seed)
    frames = joined(*validation_frames(graph.framing, validation).values())
    logits, digitness = outputs(graph.network, frames)
    return spread(LABELS, torch.softmax(logits / graph.temperature, 1).numpy(), torch.sigmoid(digitness).numpy())


def at_hand(folder: Path | None) -> Iterator[tuple[str, Labelled]]:
    """Read the evaluation sources that the user has."""
    for source, read in SOURCES.items():
        try:
            data = read(folder)
        except DataError as error:
            print(f"{source} is not scored: {error}", file=sys.stderr)  # noqa: T201
            continue
        yield source, data


def contract_of(notes: Notes) -> Contract:
    """Say in the contract what a run was."""
    return Contract(
        name=notes.name,
        version=__version__,
        labels=LABELS,
        architecture=notes.recipe.network,
        thresholds=notes.thresholds,
        recipe={**notes.recipe.as_dict(), "begin_with": notes.begun_with},
        sources=notes.sources,
        scores={},
        inkdigit=__version__,
        commit=git_commit(),
    )


def samples(folder: Path | None) -> list[NDArray[np.uint8]]:
    """Give real pictures of several sizes on which an export must prove itself."""
    images = mnist("train", folder).images[:200]
    large = 255 - np.pad(images[:20].repeat(9, 1).repeat(9, 2), ((0, 0), (40, 90), (150, 10)))
    return [images, large]
