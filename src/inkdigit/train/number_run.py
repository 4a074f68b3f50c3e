"""One training run of the number reader, from data to model file, top to bottom."""

from dataclasses import asdict, dataclass
from itertools import count, islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from .. import __version__
from ..errors import DataError
from ..evaluation.datasets import mnist
from ..evaluation.strokes import PENDIGITS, PENDIGITS_SHA256, pendigits
from ..files import atomic_path, check_writable, writing
from ..model_file import NUMBER, SUFFIX, Contract
from ..prediction import Thresholds
from ..recognizer import Recognizer
from .corpus import SPLIT_BY, by_writer
from .export.number_export import export_numbers
from .export.onnx_export import git_commit, rewrite_contract
from .fit.number_calibration import (
    AS_SYMBOLS_SAY,
    LABELS,
    calibrate_candidates,
    choose_thresholds,
    is_legible,
    read_all,
)
from .fit.numbers import CHECKPOINT, NumberLoop, fit_numbers
from .fit.trainers import resolve_precision
from .model.classifiers import fused
from .model.detector import NumberReader
from .number_plots import plot_numbers
from .synth.glyphs import font_sources
from .synth.letters import PRINTED
from .synth.scene import NumberPicture, Sources, draw_number
from .training_log import METRICS, forget
from .weights import save_tensors

EXPORTED_ON = 60  # composed numbers, on which the model file must agree with torch


@dataclass(frozen=True)
class NumberRecipe:
    """The settings that determine a run of the number reader."""

    steps: int = 36_000
    batch: int = 16  # scenes a step
    rate: float = 3e-3
    seed: int = 1
    precision: str = "auto"
    held_out: int = 5_000  # of MNIST's training pictures, which are in no training scene
    held_out_writers: int = 3  # likewise
    calibrated_on: int = 3_000  # composed numbers; as many again choose the thresholds

    def __post_init__(self) -> None:
        """Refuse numbers that no run can have. Raises DataError."""
        if min(self.steps, self.batch, self.held_out, self.held_out_writers, self.calibrated_on) < 1 or self.rate <= 0:
            raise DataError("All numbers of the number reader's recipe must be positive.")


def train_numbers(recipe: NumberRecipe, folder: Path | None, out: Path, resume: bool = False) -> Path:
    """Train the number reader, calibrate and export it, and draw its errors; return the model file.

    `resume` continues from the checkpoint in `out`. Raises DataError, ArtefactError, and Stopped on Ctrl-C.
    """
    check_writable(out)
    training, validation, sources = read_sources(recipe, folder)
    loop = start(recipe, out, resume)
    half = resolve_precision(recipe.precision, "cpu") == "bfloat16"
    networks = fit_numbers(loop, training, recipe.batch, recipe.seed, half, out, dict)
    save_tensors(networks.half().state_dict(), out / "numbers.safetensors")
    reader = fused(NumberReader(networks.float().detector, networks.classifier).eval())
    pictures = draw_pictures(recipe, validation)
    calibrate_candidates(reader, pictures[: recipe.calibrated_on])
    target = out / f"numbers{SUFFIX}"
    with atomic_path(target) as draft:
        contract = contract_of(recipe, sources)
        export_numbers(reader, contract, [picture.pixels[None] for picture in pictures[:EXPORTED_ON]], draft)
        certain, right = read_all(Recognizer(draft), pictures[recipe.calibrated_on :])
        if not len(right):
            raise DataError("The number reader finds no number in validation: train it for more steps.")
        thresholds, calibration = choose_thresholds(certain, right)
        scores = {"composed": validation_scores(certain, right)}
        rewrite_contract(draft, thresholds=thresholds, calibration=asdict(calibration), scores=scores)
    plot_numbers(target, pictures[recipe.calibrated_on :], out / METRICS, out)
    return target


def read_sources(recipe: NumberRecipe, folder: Path | None) -> tuple[Sources, Sources, dict[str, str]]:
    """Return what training and validation scenes are written with, and the SHA-256 of every file. Raises DataError."""
    data = mnist("train", folder)
    random = np.random.default_rng(SPLIT_BY)
    order = random.permutation(len(data))
    known, held_out = order[recipe.held_out :], order[: recipe.held_out]
    writers = by_writer(pendigits(folder), recipe.held_out_writers, random)
    training, validation = (
        Sources.of(data.images[index], data.labels[index], pens)
        for index, pens in zip((known, held_out), writers, strict=True)
    )
    return training, validation, {**data.sha256, PENDIGITS: PENDIGITS_SHA256, **font_sources(PRINTED)}


def start(recipe: NumberRecipe, out: Path, resume: bool) -> NumberLoop:
    """Return a new training loop, or the one of the checkpoint in `out`. Raises DataError."""
    loop = NumberLoop(recipe.steps, recipe.rate, recipe.seed)
    if resume:
        if not (out / CHECKPOINT).is_file():
            raise DataError(f"{out} has no checkpoint of the number reader to resume from.")
        loop.restore(out / CHECKPOINT)
        return loop
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        (out / CHECKPOINT).unlink(missing_ok=True)
        forget(out)
    return loop


def draw_pictures(recipe: NumberRecipe, validation: Sources) -> list[NumberPicture]:
    """Draw the composed numbers of validation that can be read, the same for every run."""
    torch.manual_seed(SPLIT_BY)
    random = np.random.default_rng(SPLIT_BY)
    drawn = (draw_number(validation, random) for _ in count())
    return list(islice(filter(is_legible, drawn), 2 * recipe.calibrated_on))


def validation_scores(certain: NDArray[np.float64], right: NDArray[np.bool_]) -> dict[str, float]:
    """Return the scores on composed numbers, of those in which anything was read."""
    return {"accuracy": float(right.mean()), "numbers": float(len(certain))}


def contract_of(recipe: NumberRecipe, sources: dict[str, str]) -> Contract:
    """Return the model file's contract, before thresholds are chosen: confidences are as the symbols say."""
    return Contract(
        name="numbers",
        version=__version__,
        labels=LABELS,
        architecture="detector",
        thresholds=Thresholds(0.0, 1.0),
        recipe=asdict(recipe),
        sources=sources,
        scores={},
        inkdigit=__version__,
        commit=git_commit(),
        task=NUMBER,
        calibration=asdict(AS_SYMBOLS_SAY),
    )
