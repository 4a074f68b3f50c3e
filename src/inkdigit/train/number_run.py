"""One training run of the number reader: from the data alone to a model file, its weights, its scores and its plots."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from .. import __version__
from ..errors import DataError
from ..model_file import DEFAULT_READER, NUMBER, SUFFIX, Contract, open_artefact
from ..number_reader import NumberReader as ModelFileReader
from ..terminal import say
from .corpus import Half, halves
from .export.number_export import export_reader, rounded, save_weights
from .export.onnx_export import git_commit, rewrite_contract
from .fit.number_calibration import LABELS, calibrate_candidates, choose_thresholds, read_all
from .fit.numbers import fit_numbers
from .model.detector import NumberReader
from .number_validation import compared, invented, plot_heights, plot_mistakes, summary
from .recipe import Recipe
from .run_dir import RECIPE, started_recipe, write
from .synth.scene import NumberPicture, Sources, draw_number
from .writing import try_folder, writing

CHECKPOINT = "numbers.checkpoint.pt"
WEIGHTS = f"{DEFAULT_READER}.safetensors"
PRECISIONS = ("bfloat16", "float32")
SEEDS = {
    "classes": 101,
    "confidence": 102,
    "validation": 103,
    "nothing": 104,
}  # of what is drawn to calibrate and to validate on
BLANK = 200  # scenes without a digit that are validated on
LEGIBLE = 2.0  # times: the deviation of brightness on a digit, of that around it
PROVED_ON = 100  # pictures on which an export must read like torch


@dataclass(frozen=True)
class NumberRecipe:
    """Hold what a training run of the number reader depends on; the defaults are what ships."""

    steps: int = 13_000
    batch: int = 16  # scenes a step
    rate: float = 3e-3  # the highest learning rate: warmed up, then a cosine
    precision: str = "bfloat16"
    seed: int = 1
    pictures: int = 60_000  # of MNIST's training set, held-out ones included
    validation: int = 5000  # of those, held out
    validation_writers: int = 3  # pen writers, held out
    calibrated_on: int = 3000  # composed numbers: half for the classes, half for a number's confidence
    validated_on: int = 1000  # composed numbers

    def __post_init__(self) -> None:
        """Refuse what cannot be run. Raises DataError."""
        if self.precision not in PRECISIONS:
            raise DataError(f"There is no precision {self.precision!r}; there are: {', '.join(PRECISIONS)}.")
        counts = ("steps", "batch", "validation", "calibrated_on", "validated_on")
        if low := [name for name in counts if getattr(self, name) < 1]:
            raise DataError(f"{low[0]} is at least 1, not {getattr(self, low[0])}.")

    def split(self) -> Recipe:
        """Return the recipe that says which digits are held out: the same ones as for `predict`."""
        return Recipe(pictures=self.pictures, validation=self.validation, validation_writers=self.validation_writers)


def train_number(recipe: NumberRecipe, data: Path | None, out: Path, resume: bool = False) -> Path:
    """Train, calibrate, export, validate and plot; `resume` continues from the checkpoint in `out`.

    Returns the model file. Raises DataError, and ArtefactError where the export does not read like torch.
    """
    try_folder(out)
    known, held_out, sha256 = halves(recipe.split(), data)
    prepare_folder(recipe, sha256, out, resume)
    torch.manual_seed(recipe.seed)
    detector, classifier = fit_numbers(
        sources_of(known),
        out,
        recipe.steps,
        recipe.batch,
        recipe.rate,
        recipe.seed,
        recipe.precision == "bfloat16",
        lambda step, detector, classifier: None,
    )
    return export_numbers(NumberReader(detector, classifier).eval(), recipe, held_out, sha256, out)


def prepare_folder(recipe: NumberRecipe, sha256: Mapping[str, str], out: Path, resume: bool) -> None:
    """Start the run's folder, or check that `resume` continues the same recipe on the same data. Raises DataError."""
    values = {**asdict(recipe), "sources": dict(sha256)}
    if resume:
        before = started_recipe(out)
        if changed := [key for key, value in values.items() if before.get(key) != value]:
            raise DataError(f"{out} was begun with another recipe: {', '.join(changed)}.")
        return
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        (out / CHECKPOINT).unlink(missing_ok=True)
        write(out / RECIPE, values)


def sources_of(half: Half) -> Sources:
    """Return what scenes of this half are written with."""
    return Sources.of(half.mnist.pictures.numpy(), half.mnist.labels.numpy(), half.pens)


def export_numbers(
    reader: NumberReader, recipe: NumberRecipe, held_out: Half, sha256: Mapping[str, str], out: Path
) -> Path:
    """Calibrate a trained reader on held-out hands, export and validate it. Returns the model file."""
    sources = sources_of(held_out)
    with writing(out):
        save_weights(torch.nn.ModuleList([reader.detector, reader.classifier]), out / WEIGHTS)
    reader = rounded(reader)
    half = -(-recipe.calibrated_on // 2)
    say("calibrating")
    calibrate_candidates(reader, numbers_by(sources, half, "classes"))
    thresholds, calibration = choose_thresholds(*read_all(reader, numbers_by(sources, half, "confidence")))
    contract = Contract(
        name=DEFAULT_READER,
        version=__version__,
        labels=LABELS,
        architecture="detector",
        thresholds=thresholds,
        recipe=asdict(recipe),
        sources=sha256,
        scores={},
        inkdigit=__version__,
        commit=git_commit(),
        task=NUMBER,
        calibration=asdict(calibration),
    )
    pictures = numbers_by(sources, recipe.validated_on, "validation")
    target = out / f"{DEFAULT_READER}{SUFFIX}"
    export_reader(reader, contract, [picture.pixels for picture in pictures[:PROVED_ON]], target)
    validate(target, sources, pictures, out)
    return target


def numbers_by(sources: Sources, count: int, use: str) -> list[NumberPicture]:
    """Draw `count` composed numbers, the same ones for every run."""
    random = seeded(use)
    pictures: list[NumberPicture] = []
    while len(pictures) < count:
        picture = draw_number(sources, random)
        if is_legible(picture):
            pictures.append(picture)
    return pictures


def is_legible(picture: NumberPicture) -> bool:
    """Return whether the ink stands out from the paper around it; nobody could read, or label, the other pictures."""
    pixels = picture.pixels.astype(float)
    paper = np.ones(pixels.shape, bool)
    places = [
        (slice(int(top), int(bottom) + 1), slice(int(left), int(right) + 1))
        for left, top, right, bottom in picture.boxes
    ]
    for place in places:
        paper[place] = False
    ratios = []
    for (rows, columns), kind in zip(places, picture.classes, strict=True):
        if kind < 10:  # a digit
            beside = (rows.stop - rows.start) // 2
            around = (
                slice(max(0, rows.start - beside), rows.stop + beside),
                slice(max(0, columns.start - beside), columns.stop + beside),
            )
            ratios.append(pixels[rows, columns].std() / (pixels[around][paper[around]].std() + 1))
    return float(np.median(ratios)) >= LEGIBLE


def seeded(use: str) -> np.random.Generator:
    """Seed paper and light, and return the generator of the hands."""
    torch.manual_seed(SEEDS[use])
    return np.random.default_rng(SEEDS[use])


def validate(target: Path, sources: Sources, pictures: list[NumberPicture], out: Path) -> None:
    """Read composed numbers and scenes without a digit by the model file; note the scores and draw the plots."""
    reader = ModelFileReader(*open_artefact(target))
    outcomes = [compared(picture, reader.read_pixels(picture.pixels)) for picture in pictures]
    figures = summary(outcomes)
    figures["invented"] = invented(reader, sources, BLANK, seeded("nothing"))
    rewrite_contract(target, scores={"composed": figures})
    plot_heights(outcomes, out / "heights.png")
    plot_mistakes(outcomes, out / "mistakes.png")
    say("  ".join(f"{name} {value:.4g}" for name, value in figures.items()))
