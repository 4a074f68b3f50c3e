"""Validate a number reader on composed pictures: scores, precision and recall by digit height, and the mistakes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from pathlib import Path

import matplotlib
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from ..number_reader import NumberReader
from ..reading import Reading
from .fit.number_calibration import MATCHED
from .plots import COLUMNS, WORST, rows_of, save
from .synth.scene import (
    LARGEST,
    SMALLEST,
    SYMBOLS,
    Canvas,
    Hand,
    NumberPicture,
    Sources,
    distract,
    nothing,
    photograph,
)

HEIGHTS = tuple(2.0**power for power in np.arange(3, 8.01, 0.5))  # px: edges of the bins, from 8 to 256


@dataclass(frozen=True, eq=False)
class Outcome:
    """Hold a picture, its reading, and its digits' heights in px with what became of them."""

    picture: NumberPicture
    reading: Reading
    wanted: NDArray[np.float64]  # [S] heights of the digits that are written
    is_read: NDArray[np.bool_]  # [S] found and read right
    found: NDArray[np.float64]  # [F] heights of the digits that are read
    is_right: NDArray[np.bool_]  # [F] one of the written digits

    @property
    def is_exact(self) -> bool:
        """Return whether the whole reading is right."""
        return self.reading.text == self.picture.text

    @property
    def is_sure(self) -> bool:
        """Return whether the reading says that it is right."""
        return bool(self.reading.numbers) and self.reading.is_sure


def compared(picture: NumberPicture, reading: Reading) -> Outcome:
    """Match the digits of a reading with those of the picture: the same label, and boxes that overlap."""
    read = [symbol for number in reading.numbers for symbol in number.symbols if symbol.text.isdecimal()]
    boxes = np.array([symbol.box for symbol in read], float).reshape(-1, 4)
    labels = np.array([int(symbol.text) for symbol in read], int)
    is_digit = picture.classes < 10
    written, classes = picture.boxes[is_digit].astype(float), picture.classes[is_digit]
    same = (overlaps(written, boxes) >= MATCHED) & (classes[:, None] == labels)
    return Outcome(picture, reading, written[:, 3] - written[:, 1], same.any(1), boxes[:, 3] - boxes[:, 1], same.any(0))


def overlaps(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the intersections over the unions [N, M] of boxes [N, 4] and [M, 4]."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = (high - low).clip(0).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1] - shared
    return np.asarray(shared / union.clip(1e-3))


def summary(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Return shares: numbers read exactly, digits read and right, and how good the confidence is."""
    exact = np.array([outcome.is_exact for outcome in outcomes])
    sure = np.array([outcome.is_sure for outcome in outcomes])
    return {
        "exact": float(exact.mean()),
        "recall": float(np.concatenate([outcome.is_read for outcome in outcomes]).mean()),
        "precision": _share(np.concatenate([outcome.is_right for outcome in outcomes])),
        "sure_exact": _share(exact[sure]),  # of the sure numbers, those that are right
        "exact_sure": _share(sure[exact]),  # of the right numbers, those that are sure
    }


def _share(found: NDArray[np.bool_]) -> float:
    """Return the share that is true; 1 of none."""
    return float(found.mean()) if len(found) else 1.0


def invented(reader: NumberReader, sources: Sources, count: int, random: np.random.Generator) -> float:
    """Return how many digits are read on a scene without one: letters, scribbles, print, lines or nothing."""
    digits = 0
    for _ in range(count):
        canvas = Canvas(random)
        hand = Hand(sources, math.exp(random.uniform(math.log(SMALLEST), math.log(LARGEST))), random)
        distract(canvas, hand)
        nothing(canvas, hand)
        shown = photograph(*(torch.as_tensor(layer)[None].float() / 255 for layer in canvas.layers()))
        reading = reader.read_pixels((shown[0] * 255).round().to(torch.uint8).numpy())
        digits += sum(symbol.text in SYMBOLS[:10] for number in reading.numbers for symbol in number.symbols)
    return digits / count


def plot_heights(outcomes: Sequence[Outcome], path: Path) -> None:
    """Draw precision and recall of digits by their height in the picture. Raises DataError."""
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    middles = [math.sqrt(low * high) for low, high in pairwise(HEIGHTS)]
    parts = {
        "recall": [(outcome.wanted, outcome.is_read) for outcome in outcomes],
        "precision": [(outcome.found, outcome.is_right) for outcome in outcomes],
    }
    for name, pairs in parts.items():
        heights, right = (np.concatenate(each) for each in zip(*pairs, strict=True))
        place = np.digitize(heights, HEIGHTS) - 1
        shares = [
            right[place == number].mean() if (place == number).any() else math.nan for number in range(len(middles))
        ]
        axes.plot(middles, shares, marker=".", label=name)
    axes.set(title="digits of composed numbers", xlabel="height of a digit, px", xscale="log")
    axes.legend()
    save(figure, path)


@matplotlib.rc_context({"text.parse_math": False})
def plot_mistakes(outcomes: Sequence[Outcome], path: Path) -> None:
    """Draw the surest mistakes: each picture with the boxes of what was read. Raises DataError."""
    wrong = [outcome for outcome in outcomes if not outcome.is_exact]
    wrong = sorted(wrong, key=lambda outcome: -outcome.reading.confidence)[:WORST]
    rows = max(1, rows_of(list(range(len(wrong)))))
    figure = Figure(figsize=(2.4 * COLUMNS, 0.4 + 1.5 * rows), layout="constrained")
    for axes, outcome in zip_longest(figure.subplots(rows, COLUMNS, squeeze=False).flat, wrong):
        axes.axis("off")
        if outcome is None:
            continue
        axes.imshow(outcome.picture.pixels, cmap="gray", vmin=0, vmax=255)
        for symbol in (symbol for number in outcome.reading.numbers for symbol in number.symbols):
            left, top, right, bottom = symbol.box
            axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor="tab:red"))
        read = outcome.reading.text.replace("\n", " | ") or "nothing"
        axes.set_title(f"{outcome.picture.text} read as {read}, {outcome.reading.confidence:.0%}", fontsize=7)
    save(figure, path)
