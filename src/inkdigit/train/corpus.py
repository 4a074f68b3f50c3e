"""The corpus: MNIST and pen digits as ink, as pictures of paper, and as the frames that the real graph makes of them.

The part for validation is other MNIST pictures and other writers; the test set and the test writers are not read here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..data import Labelled, mnist
from ..strokes import PENDIGITS, PENDIGITS_SHA256, PenDigit, is_test_writer, pendigits
from .fit import NO_DIGIT, Frames, Sheets, dice, progress_bar
from .framing import Framing
from .glance import GRID
from .ink import SIDE, mnist_ink, pen_ink
from .negatives import blotches
from .paper import chance, sheet
from .recipe import Recipe

BATCH = 200  # pictures made or framed at a time
FOUND = 0.5  # Dice coefficient of mask and ink from which on a picture counts as readable


@dataclass(frozen=True)
class Corpus:
    """Hold digits: MNIST's pictures uint8 [N, 28, 28] and pens' ink uint8 [M, 56, 56], with their labels."""

    pictures: Tensor
    picture_labels: Tensor
    pens: Tensor
    pen_labels: Tensor

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """Draw ink [count, 56, 56] with labels at random, half of it MNIST's."""
        pictures = torch.randint(0, len(self.pictures), (count // 2,))
        pens = torch.randint(0, len(self.pens), (count - count // 2,))
        ink = torch.cat([mnist_ink(self.pictures[pictures]), self.pens[pens].float() / 255])
        labels = torch.cat([self.picture_labels[pictures], self.pen_labels[pens]])
        order = torch.randperm(count)
        return ink[order], labels[order]

    def sheets(self, count: int) -> Sheets:
        """Photograph digits on paper."""
        parts: list[tuple[Tensor, ...]] = []
        with progress_bar() as progress:
            for _ in progress.track(range(-(-count // BATCH)), description="paper"):
                ink, labels = self.draw(BATCH)
                made = sheet(ink, GRID)
                parts.append((as_bytes(made.pictures), made.shape, as_bytes(made.ink), labels))
        return Sheets(*(torch.cat(column) for column in zip(*parts, strict=True)))

    def nothing(self, count: int) -> Sheets:
        """Photograph paper that nobody wrote on, half of it so coarse or so noisy that it hardly is paper."""
        parts = []
        for _ in range(-(-count // BATCH)):
            made = sheet(torch.zeros(BATCH, SIDE, SIDE), GRID, clean=0)
            pictures = torch.where(chance(BATCH, 0.5), blotches(BATCH, GRID), made.pictures)
            parts.append((as_bytes(pictures), made.shape, as_bytes(made.ink), torch.full((BATCH,), NO_DIGIT)))
        return Sheets(*(torch.cat(column) for column in zip(*parts, strict=True)))

    def clean(self, framing: Framing) -> tuple[Frames, Frames]:
        """Frame MNIST's pictures as they are, and the pen digits as plain pictures."""
        return framed(framing, self.pictures, self.picture_labels), framed(framing, self.pens, self.pen_labels)


def corpora(recipe: Recipe, folder: Path | None) -> tuple[Corpus, Corpus, dict[str, str]]:
    """Read what is trained on and what is validated on, and the SHA-256 of every file. Raises DataError."""
    data = mnist("train", folder)
    digits = [digit for digit in pendigits(folder) if not is_test_writer(digit.writer)]
    random = np.random.default_rng(recipe.seed)
    order = random.permutation(len(data))[: recipe.pictures]
    writers = sorted({digit.writer for digit in digits})
    others = set(random.choice(writers, recipe.validation_writers, replace=False))
    training = [digit for digit in digits if digit.writer not in others]
    validation = [digit for digit in digits if digit.writer in others]
    return (
        corpus(data, order[recipe.validation :], training, recipe.pens, recipe.seed),
        corpus(data, order[: recipe.validation], validation, 1, recipe.seed),
        {**data.sha256, PENDIGITS: PENDIGITS_SHA256},
    )


def corpus(data: Labelled, chosen: NDArray[np.int64], digits: list[PenDigit], pens: int, seed: int) -> Corpus:
    """Make a corpus of the chosen MNIST pictures, and of pen digits each drawn with `pens` pens."""
    return Corpus(
        torch.as_tensor(data.images[chosen]),
        torch.as_tensor(data.labels[chosen]),
        torch.as_tensor(np.concatenate([pen_ink(digits, seed * 1000 + copy) for copy in range(pens)])),
        torch.tensor([digit.label for digit in digits] * pens),
    )


def as_bytes(values: Tensor) -> Tensor:
    """Turn floats in 0..1 to uint8."""
    return (values * 255).round().to(torch.uint8)


@torch.no_grad()
def framed(framing: Framing, pictures: Tensor, labels: Tensor) -> Frames:
    """Frame pictures uint8 [N, H, W], all of one size, as the graph will, but for those in which it finds no ink."""
    parts = [framing(part) for part in pictures.split(BATCH)]
    inked = torch.cat([contrast for _, contrast in parts]) > 0
    return Frames(torch.cat([as_bytes(frames) for frames, _ in parts])[inked], labels[inked])


@torch.no_grad()
def readable(framing: Framing, sheets: Sheets) -> Sheets:
    """Keep the pictures in which the glance finds the ink: what nobody can read teaches a network nothing."""
    kept = []
    for index in torch.arange(len(sheets.labels)).split(BATCH):
        grids, ink = sheets.stretched(index)
        kept.append(index[dice(torch.sigmoid(framing.glance(grids)), ink) > FOUND])
    return sheets.part(torch.cat(kept))


def framed_sheets(framing: Framing, sheets: Sheets) -> Frames:
    """Frame pictures of paper, each in its own shape."""
    parts = [
        framed(framing, sheets.pictures[at, :height, :width], sheets.labels[at])
        for at, width, height in by_shape(sheets)
    ]
    return joined(*parts)


def by_shape(sheets: Sheets) -> Iterator[tuple[Tensor, int, int]]:
    """Group sheets of the same shape: their indices, width and height."""
    shapes, kind = sheets.shape.int().unique(dim=0, return_inverse=True)
    for number, (width, height) in enumerate(shapes.tolist()):
        yield (kind == number).nonzero()[:, 0], width, height


def joined(*parts: Frames) -> Frames:
    """Put frames together."""
    return Frames(torch.cat([part.frames for part in parts]), torch.cat([part.labels for part in parts]))
