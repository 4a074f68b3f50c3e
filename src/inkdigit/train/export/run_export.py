"""Exporting a run: the graph that proves itself on real pictures, its scores, and its contract."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ... import __version__
from ...errors import DataError
from ...evaluation.datasets import Labelled, mnist
from ...evaluation.drift import Spread, spread
from ...evaluation.scores import DIGITS, SOURCES, score
from ...files import check_writable
from ...model_file import SUFFIX, Contract
from ...recognizer import Recognizer
from ...terminal import warn
from ..corpus import validation_corpus, validation_frames
from ..custom_dataset import SOURCE, custom_folder, custom_samples, files_of, held_out_pictures
from ..data import Frames, concat
from ..model.calibration import confidence_threshold
from ..model.graph import Graph
from ..plots import plot_results
from ..run_dir import Notes, load
from ..weights import save_beside
from .onnx_export import export, git_commit, rewrite_contract
from .torch_export import export_program

OWN = "held-out"  # the source that one's own pictures are, of those that score


def export_run(out: Path, target: Path | None, folder: Path | None, validation: Labelled | None = None) -> Path:
    """Export a run's artefact, score it through `Recognizer`, and draw its mistakes in the run's folder.

    `validation` is what the run validated on; without it, it is made again. Raises DataError, ArtefactError.
    """
    notes, graph = exportable(out, folder)
    target = place_of(target, out, f"{notes.name}{SUFFIX}")
    export(graph, contract_of(notes), samples(folder), target)
    save_beside(graph, target)
    counted = raise_confidence_threshold(target, validation or validation_of(notes, graph, folder))
    recognizer = Recognizer(target)
    pictures = dict(at_hand(notes.labels, folder))
    results = {source: score(recognizer, data) for source, data in pictures.items()}
    scores = {source: result.summary() for source, result in results.items()}
    rewrite_contract(target, scores=scores, validation=counted)
    plot_results(recognizer, results, pictures, out)
    return target


def export_run_program(out: Path, target: Path | None, folder: Path | None) -> Path:
    """Export a run's graph for PyTorch users. Give the file. Raises DataError, ArtefactError."""
    notes, graph = exportable(out, folder)
    target = place_of(target, out, f"{notes.name}.pt2")
    export_program(graph, contract_of(notes), samples(folder), target)
    return target


def exportable(out: Path, folder: Path | None) -> tuple[Notes, Graph]:
    """Read a run back that was trained on such data as is in `folder`: no other proves it. Raises DataError."""
    notes, graph = load(out)
    own = custom_folder(folder)
    if SOURCE in notes.sources and not own:
        raise DataError(f"{out} was trained on your own pictures: name their folder by --data.")
    if own and (SOURCE not in notes.sources or files_of(own).labels != notes.labels):
        raise DataError(f"{out} was not trained on the pictures in {own}, but on {', '.join(notes.sources)}.")
    return notes, graph


def place_of(target: Path | None, out: Path, name: str) -> Path:
    """Return the file that an export writes: the target, or `name` in the run's folder. Raises DataError."""
    target = target or out / name
    if target.suffix != Path(name).suffix:
        raise DataError(f"--to names a file that ends in {Path(name).suffix}, not {target}.")
    check_writable(target.parent)
    return target


def validation_of(notes: Notes, graph: Graph, folder: Path | None) -> Labelled | None:
    """Return what the run validated on: the user's own pictures, or frames; None where the data is not at hand."""
    if own := custom_folder(folder):
        return held_out_pictures(own)
    try:
        validation = validation_corpus(notes.recipe, folder)
    except DataError as error:
        warn(f"the contract is without validation figures: {error}")
        return None
    return labelled(concat(*validation_frames(graph.framing, validation, bool(notes.recipe.sheets)).values()))


def raise_confidence_threshold(target: Path, validation: Labelled | None) -> Spread:
    """Raise the model file's confidence threshold until enough of the predictions above it are correct.

    `choose_thresholds` chose it on frames, in float and in one view. The model file frames each picture again, perhaps
    in 8 bits, and uses test-time augmentation below this very threshold: so this is repeated until nothing changes.
    Returns the statistics of the predictions on `validation`.
    """
    while validation:
        recognizer = Recognizer(target)
        answers = score(recognizer, validation)
        thresholds = recognizer.contract.thresholds
        sure = confidence_threshold(torch.as_tensor(answers.probabilities), torch.as_tensor(answers.labels))
        if sure <= thresholds.confidence:
            return spread(recognizer.contract.labels, answers.probabilities, answers.digitness)
        rewrite_contract(target, thresholds=replace(thresholds, confidence=sure))
    return {}


def labelled(frames: Frames) -> Labelled:
    """Take frames for pictures: framed again, they hardly change."""
    return Labelled(frames.frames.numpy(), frames.labels.numpy(), {})


def at_hand(labels: tuple[str, ...], folder: Path | None) -> Iterator[tuple[str, Labelled]]:
    """Read the evaluation sources that the user has, or the user's own pictures that were held out."""
    if own := custom_folder(folder):
        yield OWN, held_out_pictures(own)
        return
    for source, read in SOURCES.items() if labels == DIGITS else ():
        try:
            data = read(folder)
        except DataError as error:
            warn(f"{source} is not scored: {error}")
            continue
        yield source, data


def contract_of(notes: Notes) -> Contract:
    """Say in the contract what a run was."""
    return Contract(
        name=notes.name,
        version=version_of(notes),
        labels=notes.labels,
        architecture=notes.recipe.network,
        thresholds=notes.thresholds,
        recipe=notes.recipe.without_folders(),
        sources=notes.sources,
        scores={},
        inkdigit=__version__,
        commit=git_commit(),
        corrections=notes.corrections,
    )


def version_of(notes: Notes) -> str:
    """Return the model's version: Inkdigit's, and after it how many corrections the model has learnt, if any."""
    learnt = notes.corrections.get("count")
    return f"{__version__}+corrections.{learnt}" if learnt else __version__


def samples(folder: Path | None) -> list[NDArray[np.uint8]]:
    """Return real pictures of several sizes on which an export must prove itself."""
    if own := custom_folder(folder):
        return custom_samples(own)
    images = mnist("train", folder).images[:200]
    large = 255 - np.pad(images[:20].repeat(9, 1).repeat(9, 2), ((0, 0), (40, 90), (150, 10)))
    return [images, large]
