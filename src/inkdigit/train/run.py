"""One training run, from data to artefact, in a folder of its own: weights, recipe and calibration, artefact."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import torch

from ..errors import DataError
from ..evaluation.scores import DIGITS
from ..evaluation.strokes import PENDIGITS, pendigits_path
from ..files import check_writable, writing
from ..terminal import warn
from .corpus import Corpus, corpora, framed_sheets, readable, validation_frames
from .custom_dataset import custom_corpora, custom_folder, files_of
from .data import Frames, Sheets, concat
from .export.run_export import export_run
from .fit import parallel
from .fit.loop import OPTIMISERS, SCHEDULES, refuse_too_little
from .fit.trainers import PRECISIONS, accuracy, fit_classifier, fit_localizer, resolve_precision
from .model.calibration import choose_thresholds, fit_temperature
from .model.classifiers import NETWORKS, Network
from .model.framing import Framing
from .model.graph import Graph
from .model.localizer import Localizer
from .plots import plot_curves
from .recipe import Recipe
from .run_dir import Notes, require_same_data, require_same_recipe, save, start_run
from .training_log import METRICS, enable_tensorboard
from .warm_start import SPLIT, folded, framing_of, initial_graph, teachers_of

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
    """Train, calibrate, export and score; `resume` continues from the checkpoints in `out`.

    Returns the artefact; of several processes, only the first does. Raises DataError, ArtefactError, and Stopped where
    Ctrl-C came before there was a network.
    """
    require_one_of("network", recipe.network, NETWORKS)
    require_one_of("optimiser", recipe.optimiser, OPTIMISERS)
    require_one_of("schedule", recipe.schedule, SCHEDULES)
    require_one_of("precision", recipe.precision, PRECISIONS)
    if not name or Path(name).name != name:
        raise DataError(f"A name is that of a file, without a folder: not {name!r}.")
    check_writable(out)
    device = parallel.join(choose_device(device))
    with torch.device(device), parallel.one_speaks():
        notes, graph = fit_model(recipe, folder, name, out, resume, tensorboard)
    first = parallel.is_first()
    parallel.leave()
    return save_and_export(notes, graph.cpu(), folder, out) if first else None


def save_and_export(notes: Notes, graph: Graph, folder: Path | None, out: Path) -> Path:
    """Save a run, draw its curves, export and score it. Return the model file."""
    with writing(out):
        save(notes, graph, out)
    if (out / METRICS).exists():  # not where Ctrl-C came in the first epoch
        plot_curves(out / METRICS, out / "curves.png")
    return export_run(out, None, folder)


def choose_device(device: str) -> str:
    """Return the device: the named one, or for `auto` the fastest. Raises DataError where this machine lacks it."""
    there = [name for name, here in DEVICES.items() if here()]
    if device == "auto":
        return there[0]
    require_one_of("device", device, DEVICES)
    if device not in there:
        raise DataError(f"There is no {device} on this machine, only {', '.join(there)}.")
    return device


def require_one_of(kind: str, name: str, every: Iterable[str]) -> None:
    """Refuse a name that is not in `every`. Raises DataError."""
    if name not in every:
        raise DataError(f"There is no {kind} {name!r}; there are: {', '.join(every)}.")


@dataclass(frozen=True)
class Start:
    """Hold what a run starts from: its recipe as it runs, its labels, and the weights that others trained."""

    recipe: Recipe
    custom: Path | None  # the folder of the user's own pictures
    labels: tuple[str, ...]
    graph: Graph | None  # the model that this run is initialised from
    framing: Framing | None  # None: this run trains the localizer
    teachers: list[Network]

    @property
    def trains_classifier(self) -> bool:
        """Return whether the classifier is trained; otherwise it stays as it was."""
        return self.recipe.epochs > 0 or not self.graph


@dataclass(frozen=True)
class Data:
    """Hold what a run trains and validates on, and the SHA-256 of each source."""

    training: Corpus
    validation: Corpus
    sources: Mapping[str, str]


def fit_model(
    recipe: Recipe, folder: Path | None, name: str, out: Path, resume: bool, tensorboard: bool = False
) -> tuple[Notes, Graph]:
    """Train localizer and classifier, and calibrate them. Raises DataError, Stopped."""
    start = starting_point(recipe, folder)
    if resume:
        require_same_recipe(start.recipe, out)
    start, data = read_data(start, folder)
    prepare_folder(start.recipe, data.sources, out, resume, tensorboard)
    sheets = training_sheets(start, data.training)
    framing = start.framing or trained_framing(start.recipe, start.graph, data.training, cast(Sheets, sheets), out)
    camera = folded(framing)
    validation = validation_frames(camera, data.validation, bool(start.recipe.sheets))
    network = trained_classifier(start, data.training, camera, sheets, validation, out)
    temperature = fit_temperature(network, validation)
    thresholds = choose_thresholds(network, validation, temperature)
    reached = {kind: accuracy(network, frames) for kind, frames in validation.items()}
    notes = Notes(name, start.recipe, data.sources, temperature, thresholds, reached, start.labels)
    return notes, Graph(framing, network, temperature)


def starting_point(recipe: Recipe, folder: Path | None) -> Start:
    """Return what a run starts from, before any training data is read. Raises DataError, ArtefactError."""
    custom = custom_folder(folder)
    labels = files_of(custom).labels if custom else DIGITS
    recipe = replace(recipe, precision=resolve_precision(recipe.precision, torch.get_default_device().type))
    same = () if custom else SPLIT
    graph = initial_graph(recipe, labels, same)
    teachers = teachers_of(recipe, labels, same)
    framing = graph.framing if graph and not recipe.localizer_epochs else None
    if recipe.localizer:
        framing = framing_of(recipe)
    if not custom:
        recipe = with_what_is_there(recipe, folder)
    return Start(recipe, custom, labels, graph, framing, teachers)


def read_data(start: Start, folder: Path | None) -> tuple[Start, Data]:
    """Seed the drawings, and read or draw the data; custom pictures are framed at once. Raises DataError."""
    torch.manual_seed(start.recipe.seed)
    if custom := start.custom:
        framing = start.framing or framing_of(start.recipe)
        start = replace(start, framing=framing)
        data = Data(*custom_corpora(start.recipe, custom, folded(framing)))
    else:
        data = Data(*corpora(start.recipe, folder, start.recipe.seed))
    refuse_too_little_of(data.training, start.recipe, start.framing is None, start.trains_classifier)
    return start, data


def prepare_folder(recipe: Recipe, sources: Mapping[str, str], out: Path, resume: bool, tensorboard: bool) -> None:
    """Start the run's folder, or check that `resume` continues with the same data. Raises DataError."""
    if resume:
        require_same_data(sources, out)
    if parallel.is_first():
        with writing(out):
            if not resume:
                start_run(recipe, sources, out)  # after every refusal: a refused run must not delete an earlier one
            if tensorboard:
                enable_tensorboard(out)
    parallel.wait()


def training_sheets(start: Start, training: Corpus) -> Sheets | None:
    """Return photographed sheets to train on, or None where the recipe or the stages need none."""
    needed = start.trains_classifier or start.framing is None
    return training.sheets(start.recipe.sheets) if start.recipe.sheets and needed else None


def trained_classifier(
    start: Start,
    training: Corpus,
    framing: Framing,
    sheets: Sheets | None,
    validation: Mapping[str, Frames],
    out: Path,
) -> Network:
    """Train the classifier on the localizer's frames, or return the one that the run is initialised from."""
    torch.manual_seed(start.recipe.seed)
    network = start.graph.network if start.graph else NETWORKS[start.recipe.network](len(start.labels))
    if not start.trains_classifier:
        return network
    frames = training_frames(training, framing, sheets)
    return fit_classifier(network.train(), frames, concat(*validation.values()), start.recipe, out, start.teachers)


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
    return Framing(fit_localizer(localizer.train(), sheets, recipe, out)).eval()


def training_frames(training: Corpus, framing: Framing, sheets: Sheets | None) -> Frames:
    """Frame what is trained on: plain digits, digits on paper, and a sixth as many pictures of nothing."""
    clean = training.clean(framing).values()
    if sheets is None:
        return concat(*clean)
    nothing = training.nothing(len(sheets.labels) // 6)
    return concat(*clean, framed_sheets(framing, readable(framing, sheets)), framed_sheets(framing, nothing))
