"""The corpus: digits and signs as ink, as pictures of paper, and as the frames that the real graph makes of them.

The part for validation is other MNIST pictures and other writers; the test set and the test writers are not read here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..evaluation.datasets import Labelled, mnist
from ..evaluation.strokes import NO_DIGIT, PENDIGITS, PENDIGITS_SHA256, PenDigit, is_test_writer, pendigits
from ..terminal import training_progress
from .data import Frames, Sheets, concat
from .fit.losses import dice
from .model.framing import Framing
from .model.localizer import GRID
from .recipe import Recipe
from .synth.forms import invented_digits, invented_signs
from .synth.glyphs import font_sources, glyph_ink
from .synth.negatives import blotches, leaves
from .synth.paper import chance
from .synth.pens import SIDE, mnist_ink, pen_ink, redrawn_ink
from .synth.sheet import INKED, sheet

BATCH = 50  # pictures made or framed at a time: more leave the caches, and take a third longer
SMALLEST = 10
PAPER = "paper"  # the kind of frames that are of digits on paper
SPLIT_BY = (
    1  # seed of what is held out and how it is drawn: so that runs of any seed can be compared, averaged and distilled
)
FOUND = 0.5  # Dice coefficient of mask and ink from which on a picture counts as readable


@dataclass(frozen=True)
class Digits:
    """Hold one source's digits and labels: MNIST's pictures uint8 [N, 28, 28], or drawn ink uint8 [N, 112, 112]."""

    pictures: Tensor
    labels: Tensor

    def ink(self, index: Tensor) -> Tensor:
        """Return some of the digits as ink [B, 112, 112]."""
        pictures = self.pictures[index]
        return pictures.float() / 255 if pictures.shape[-1] == SIDE else mnist_ink(pictures)


@dataclass(frozen=True)
class Corpus:
    """Hold the digits of every source by its name."""

    sources: dict[str, Digits]

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """Draw about `count` digits at random, as many of each source: ink [N, 112, 112] and labels [N]."""
        share = count // len(self.sources)
        indices = {name: torch.randint(0, len(digits.labels), (share,)) for name, digits in self.sources.items()}
        ink = torch.cat([self.sources[name].ink(index) for name, index in indices.items()])
        labels = torch.cat([self.sources[name].labels[index] for name, index in indices.items()])
        order = torch.randperm(len(labels))
        return ink[order], labels[order]

    def sheets(self, count: int) -> Sheets:
        """Photograph digits on paper."""
        with training_progress() as progress:
            batches = progress.track(range(-(-count // BATCH)), description="paper")
            return photographed(self.draw(BATCH) for _ in batches)

    def blank(self, count: int) -> Sheets:
        """Photograph paper that nobody wrote on."""
        unwritten = torch.zeros(BATCH, SIDE, SIDE), torch.full((BATCH,), NO_DIGIT)
        return photographed(unwritten for _ in range(-(-count // BATCH)))

    def nothing(self, count: int) -> Sheets:
        """Photograph paper that nobody wrote on, some so coarse or noisy that it hardly is paper, and anything else."""
        paper = self.blank(count)
        for part in paper.pictures.split(BATCH):
            other = torch.where(chance(BATCH, 0.5), blotches(BATCH, GRID), leaves(BATCH, GRID))
            part.copy_(torch.where(chance(BATCH, 0.65), as_bytes(other), part))
        return paper

    def clean(self, framing: Framing) -> dict[str, Frames]:
        """Frame the digits of every source as plain pictures."""
        return {name: framed(framing, digits.pictures, digits.labels) for name, digits in self.sources.items()}


@dataclass(frozen=True)
class Half:
    """Hold what is trained on, or what is validated on: MNIST's pictures and pen digits."""

    mnist: Digits
    pens: list[PenDigit]


def corpora(recipe: Recipe, folder: Path | None, drawing_seed: int) -> tuple[Corpus, Corpus, dict[str, str]]:
    """Read the training and validation data and the SHA-256 of every file; `drawing_seed` seeds all drawings.

    Raises DataError.
    """
    known, held_out, sources = halves(recipe, folder)
    training = {"mnist": known.mnist}
    if recipe.redrawn:
        training["redrawn"] = redrawn(known.mnist, recipe.redrawn, drawing_seed)
    if recipe.invented:
        training["invented"] = written(invented_digits(recipe.invented, drawing_seed), 1, drawing_seed)
        training["signs"] = signs(recipe.invented, drawing_seed)
        sources |= font_sources()
    if recipe.pens:
        training["pens"] = written(known.pens, recipe.pens, drawing_seed)
    return Corpus(training), held_out_corpus(recipe, held_out), sources


def validation_corpus(recipe: Recipe, folder: Path | None) -> Corpus:
    """Read what a run of this recipe is validated on. Raises DataError."""
    _, held_out, _ = halves(recipe, folder)
    return held_out_corpus(recipe, held_out)


def held_out_corpus(recipe: Recipe, held_out: Half) -> Corpus:
    """Draw what is validated on, each digit with one pen and in its writer's own style, as it is calibrated by."""
    pens = {"pens": written(held_out.pens, 1, SPLIT_BY, styled=False)} if recipe.pens else {}
    return Corpus({"mnist": held_out.mnist, **pens})


def halves(recipe: Recipe, folder: Path | None) -> tuple[Half, Half, dict[str, str]]:
    """Split the data, the same for every seed, and give the SHA-256 of every file. Raises DataError."""
    data = mnist("train", folder)
    random = np.random.default_rng(SPLIT_BY)
    order = random.permutation(len(data))[: recipe.pictures]
    known, held_out = chosen(data, order[recipe.validation :]), chosen(data, order[: recipe.validation])
    if recipe.pens == 0:
        return Half(known, []), Half(held_out, []), data.sha256
    friends, strangers = by_writer(pendigits(folder), recipe.validation_writers, random)
    return Half(known, friends), Half(held_out, strangers), {**data.sha256, PENDIGITS: PENDIGITS_SHA256}


def by_writer(
    digits: list[PenDigit], strangers: int, random: np.random.Generator
) -> tuple[list[PenDigit], list[PenDigit]]:
    """Split pen digits by their writers into those trained and those validated on; test writers are in neither."""
    writers = sorted({digit.writer for digit in digits if not is_test_writer(digit.writer)})
    others = set(random.choice(writers, strangers, replace=False))
    known = set(writers) - others
    return [each for each in digits if each.writer in known], [each for each in digits if each.writer in others]


def chosen(data: Labelled, index: NDArray[np.int64]) -> Digits:
    """Take some of MNIST's pictures."""
    return Digits(torch.as_tensor(data.images[index]), torch.as_tensor(data.labels[index]))


def written(digits: list[PenDigit], pens: int, seed: int, styled: bool = True) -> Digits:
    """Draw pen digits, each with `pens` pens."""
    drawings = []
    with training_progress() as progress:
        for copy in range(pens):
            shown = progress.track(digits, description=f"strokes {copy + 1} of {pens}")
            drawings.append(pen_ink(shown, seed * 1000 + copy, styled))
    return Digits(torch.as_tensor(np.concatenate(drawings)), torch.tensor([digit.label for digit in digits] * pens))


def signs(count: int, seed: int) -> Digits:
    """Draw invented signs, and as many glyphs of fonts."""
    invented = written(invented_signs(count, seed), 1, seed)
    with training_progress() as progress:
        glyphs = torch.as_tensor(glyph_ink(progress.track(range(count), description="glyphs"), seed))
    return Digits(torch.cat([invented.pictures, glyphs]), torch.full((2 * count,), NO_DIGIT))


def redrawn(digits: Digits, pens: int, seed: int) -> Digits:
    """Draw MNIST's digits once more, each with `pens` pens."""
    drawings, kept = [], []
    with training_progress() as progress:
        for copy in range(pens):
            shown = progress.track(digits.pictures, description=f"redrawn {copy + 1} of {pens}")
            drawn, index = redrawn_ink(shown, seed * 1000 + copy)
            drawings.append(drawn)
            kept.append(digits.labels[torch.as_tensor(index)])
    return Digits(torch.as_tensor(np.concatenate(drawings)), torch.cat(kept))


def photographed(batches: Iterable[tuple[Tensor, Tensor]]) -> Sheets:
    """Photograph batches of ink [B, 112, 112] with their labels [B]."""
    parts: list[tuple[Tensor, ...]] = []
    for ink, labels in batches:
        made = sheet(ink, GRID)
        parts.append((as_bytes(made.pictures), made.shape, as_bytes(made.ink), labels))
    return Sheets(*(torch.cat(column) for column in zip(*parts, strict=True)))


def as_bytes(values: Tensor) -> Tensor:
    """Turn floats in 0..1 to uint8."""
    return (values * 255).round().to(torch.uint8)


@torch.no_grad()
def framed(framing: Framing, pictures: Tensor, labels: Tensor) -> Frames:
    """Frame pictures uint8 [N, H, W], all of one size, as the graph will, but for those in which it finds no ink."""
    parts = [framing(part) for part in pictures.split(BATCH)]
    inked = torch.cat([contrast.flatten() for _, contrast in parts]) > 0
    return Frames(torch.cat([as_bytes(frames[:, 0]) for frames, _ in parts])[inked], labels[inked])


@torch.no_grad()
def readable(framing: Framing, sheets: Sheets) -> Sheets:
    """Keep the pictures in which the localizer finds the ink: what nobody can read teaches a network nothing.

    Nor does ink of under `SMALLEST` px. The better half is kept in any case, for a localizer that has not learnt much.
    """
    found = []
    for index in torch.arange(len(sheets.labels)).split(BATCH):
        grids, ink = sheets.stretched(index)
        found.append(dice(torch.sigmoid(framing.localizer(grids)), ink))
    quality = torch.cat(found)
    large = torch.stack([sheets.ink.amax(axis).gt(255 * INKED).sum(1) for axis in (1, 2)]).amax(0) >= SMALLEST
    return sheets.part(((quality >= quality.median().clamp(max=FOUND)) & large).nonzero()[:, 0])


def framed_sheets(framing: Framing, sheets: Sheets) -> Frames:
    """Frame pictures of paper, each in its own shape."""
    parts = [
        framed(framing, sheets.pictures[at, :height, :width], sheets.labels[at])
        for at, width, height in by_shape(sheets)
    ]
    return concat(*parts)


def by_shape(sheets: Sheets) -> Iterator[tuple[Tensor, int, int]]:
    """Group sheets of the same shape: their indices, width and height."""
    shapes, kind = sheets.shape.int().unique(dim=0, return_inverse=True)
    for number, (width, height) in enumerate(shapes.tolist()):
        yield (kind == number).nonzero()[:, 0], width, height


def validation_frames(framing: Framing, validation: Corpus, paper: bool) -> dict[str, Frames]:
    """Frame what is validated on: the digits of every source, and a fifth as many of all on `paper`.

    Whatever was drawn before, the same sheets validate and calibrate all runs.
    """
    torch.manual_seed(SPLIT_BY)
    clean = validation.clean(framing)
    if not paper:
        return clean
    sheets = validation.sheets(max(1, sum(len(frames.labels) for frames in clean.values()) // 5))
    return {**clean, PAPER: framed_sheets(framing, readable(framing, sheets))}
