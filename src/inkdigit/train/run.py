"""One training run, from data to artefact, in a folder of its own: weights, recipe and calibration, artefact."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import cast

import torch

from ..errors import DataError
from ..evaluation.scores import DIGITS
from ..evaluation.strokes import PENDIGITS, pendigits_path
from ..terminal import warn
from .corpus import Corpus, corpora, framed_sheets, readable, validation_frames
from .custom_dataset import files_of, own_corpora, own_folder
from .data import Frames, Sheets, concat
from .export.run_export import export_run
from .fit import parallel
from .fit.loop import OPTIMISERS, SCHEDULES, refuse_too_little
from .fit.trainers import PRECISIONS, accuracy, computed_in, fit_classifier, fit_localizer
from .model.calibration import calibrate
from .model.classifiers import NETWORKS
from .model.framing import Framing
from .model.graph import Graph
from .model.localizer import Localizer
from .plots import plot_curves
from .recipe import Recipe
from .run_dir import Notes, same_data, same_recipe, save, start_anew
from .training_log import METRICS, tell_tensorboard
from .warm_start import SPLIT, begun_with, drawn_by, folded, framing_of, settle, teachers_of
from .writing import try_folder, writing

WRITTEN_ON = 16  # sheets, for each blank one that a localizer is trained on
DEVICES: dict[str, Callable[[], bool]] = {  # the fastest first
    "cuda": torch.cuda.is_available,
    "mps": torch.backends.mps.is_available,
    "cpu": lambda: True,
}


def train(
    recipe: Recipe,
    folder: Path | None,
    out: Path,
    name: str,
    device: str,
    resume: bool = False,
    tensorboard: bool = False,
) -> Path | None:
    """Train, calibrate, export and score; `resume` goes on from the checkpoints in `out`.

    Returns the artefact; of several processes, only the first does. Raises DataError, ArtefactError, and Stopped where
    Ctrl-C came before there was a network.
    """
    known("network", recipe.network, NETWORKS)
    known("optimiser", recipe.optimiser, OPTIMISERS)
    known("schedule", recipe.schedule, SCHEDULES)
    known("precision", recipe.precision, PRECISIONS)
    if not name or Path(name).name != name:
        raise DataError(f"A name is that of a file, without a folder: not {name!r}.")
    try_folder(out)
    device = parallel.join(chosen(device))
    with torch.device(device), parallel.one_speaks():
        notes, graph = fitted(recipe, folder, name, out, resume, tensorboard)
    first = parallel.is_first()
    parallel.leave()
    return finished(notes, graph.cpu(), folder, out) if first else None


def finished(notes: Notes, graph: Graph, folder: Path | None, out: Path) -> Path:
    """Save a run, draw its curves, export and score it. Give the artefact."""
    with writing(out):
        save(notes, graph, out)
    if (out / METRICS).exists():  # not where Ctrl-C came in the first epoch
        plot_curves(out / METRICS, out / "curves.png")
    return export_run(out, None, folder)


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


def fitted(
    recipe: Recipe, folder: Path | None, name: str, out: Path, resume: bool, tensorboard: bool = False
) -> tuple[Notes, Graph]:
    """Train localizer and network, and calibrate them. Raises DataError, Stopped."""
    own = own_folder(folder)
    labels = files_of(own).labels if own else DIGITS
    recipe = replace(recipe, precision=computed_in(recipe.precision, torch.get_default_device().type))
    same = () if own else SPLIT
    before, begun = begun_with(recipe, labels, same)
    teachers = teachers_of(recipe, labels, same)
    framing = begun.framing if begun and not recipe.localizer_epochs else None
    if recipe.localizer:
        framing = framing_of(recipe)
    if not own:
        recipe = with_what_is_there(recipe, folder)
    if resume:
        same_recipe(recipe, out)
    hand = drawn_by(recipe, before)
    torch.manual_seed(hand)
    if own:
        framing = framing or framing_of(recipe)
        training, validation, sources = own_corpora(recipe, own, folded(framing))
    else:
        training, validation, sources = corpora(recipe, folder, hand)
    reads, looks = recipe.epochs > 0 or not begun, framing is None  # else the network, or the localizer, is kept
    refuse_too_little_of(training, recipe, looks, reads)
    if resume:
        same_data(sources, out)
    if parallel.is_first():
        with writing(out):
            if not resume:
                start_anew(recipe, sources, out)  # only now: what is refused must take nothing away
            if tensorboard:
                tell_tensorboard(out)
    parallel.wait()
    sheets = training.sheets(recipe.sheets) if recipe.sheets and (reads or looks) else None
    framing = framing or trained_framing(recipe, begun, training, cast(Sheets, sheets), out)
    camera = folded(framing)
    kinds = validation_frames(camera, validation, bool(recipe.sheets))
    torch.manual_seed(recipe.seed)
    network = begun.network if begun else NETWORKS[recipe.network](len(labels))
    if reads:
        frames = training_frames(training, camera, sheets)
        if begun:
            settle(network, frames.batch(torch.randint(len(frames.labels), (1000,)))[0])
        network = fit_classifier(network.train(), frames, concat(*kinds.values()), recipe, out, teachers)
    heat, limits = calibrate(network, kinds)
    reached = {kind: accuracy(network, frames) for kind, frames in kinds.items()}
    notes = Notes(name, recipe, sources, heat, limits, reached, before, labels)
    return notes, Graph(framing, network, heat)


def with_what_is_there(recipe: Recipe, folder: Path | None) -> Recipe:
    """Return the recipe without pen digits, and say so, where they are not at hand. Raises DataError."""
    path = pendigits_path(folder)
    if recipe.pens == 0 or (path and path.is_file()):
        return recipe
    warn(f"training without pen digits: they are not at {path or PENDIGITS}")
    return replace(recipe, pens=0)


def refuse_too_little_of(training: Corpus, recipe: Recipe, looks: bool, reads: bool) -> None:
    """Refuse what a localizer that `looks`, or a network that `reads`, could not learn from. Raises DataError.

    The network is sure of half of the sheets: the others may be unreadable.
    """
    if looks:
        if not recipe.sheets:
            raise DataError(
                "A localizer is trained on sheets of paper: make some, or name a model whose localizer is taken."
            )
        refuse_too_little(recipe.sheets, recipe.localizer_epochs, recipe)
    if reads:
        digits = sum(len(each.labels) for each in training.sources.values())
        refuse_too_little(digits + recipe.sheets // 2, recipe.epochs, recipe)


def trained_framing(recipe: Recipe, begun: Graph | None, training: Corpus, sheets: Sheets, out: Path) -> Framing:
    """Train a localizer on sheets, and on some that nobody wrote on. Raises DataError, Stopped."""
    sheets = sheets.and_also(training.blank(-(-len(sheets.labels) // WRITTEN_ON)))
    localizer = begun.framing.localizer if begun else Localizer()
    if begun:
        settle(localizer, sheets.stretched(torch.arange(min(1000, len(sheets.labels))))[0])
    return Framing(fit_localizer(localizer.train(), sheets, recipe, out)).eval()


def training_frames(training: Corpus, framing: Framing, sheets: Sheets | None) -> Frames:
    """Frame what is trained on: plain digits, digits on paper, and a sixth as many pictures of nothing."""
    clean = training.clean(framing).values()
    if sheets is None:
        return concat(*clean)
    nothing = training.nothing(len(sheets.labels) // 6)
    return concat(*clean, framed_sheets(framing, readable(framing, sheets)), framed_sheets(framing, nothing))
