"""Calibrate the number reader on composed numbers: first what its candidates are, then how sure a number is."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ...layout import Calibration
from ...prediction import Thresholds
from ...recognizer import Recognizer
from ..model.detector import OTHER, NumberReader
from ..synth.scene import SYMBOLS, NumberPicture

MATCHED = 0.4  # intersection over union from which a candidate is a symbol
LEAST = 0.3  # of a symbol's height, in the median
SURE_RIGHT = 0.997  # share of the sure numbers that are right
LABELS = (*SYMBOLS, "other")
LEGIBLE = 2.0  # times: the deviation of brightness on a digit, of that around it
VISIBLE = 3.0  # times that deviation: the difference of a mark's ink from the paper
DIGITS = 10  # the first classes
AS_SYMBOLS_SAY = Calibration(1.0, 0.0)  # a number is as certain as its symbols


def is_legible(picture: NumberPicture) -> bool:
    """Return whether most digits and every mark stand out from the paper: nobody could read the other pictures."""
    pixels = picture.pixels.astype(float)
    corners = np.stack([np.floor(picture.boxes[:, :2]), np.ceil(picture.boxes[:, 2:])], 1).astype(int)
    paper = np.ones(pixels.shape, bool)
    for (left, top), (right, bottom) in corners:
        paper[top:bottom, left:right] = False
    digits, marks = [], []
    tall = int(np.median((corners[:, 1] - corners[:, 0])[picture.classes < DIGITS, 1]))
    for ((left, top), (right, bottom)), kind in zip(corners, picture.classes, strict=True):
        beside = tall // 2
        around = slice(max(0, top - beside), bottom + beside), slice(max(0, left - beside), right + beside)
        bare = pixels[around][paper[around]]
        flat = float(bare.std()) + 1 if len(bare) else 1.0
        ink = pixels[top:bottom, left:right]
        if kind < DIGITS:
            digits.append(ink.std() / flat)
        elif len(bare):
            marks.append(np.percentile(np.abs(ink - np.median(bare)), 75) / flat)
    return float(np.median(digits)) >= LEGIBLE and min(marks, default=VISIBLE) >= VISIBLE


@torch.no_grad()
def candidates(reader: NumberReader, pictures: Sequence[NumberPicture]) -> list[tuple[Tensor, ...]]:
    """Return what the reader finds on each picture: boxes, objectness, and the class logits of both looks."""
    return [reader.candidates(torch.as_tensor(picture.pixels.copy())[None])[:4] for picture in pictures]


def labels_of(boxes: Tensor, picture: NumberPicture) -> Tensor:
    """Return the class of each candidate, [K]: that of the symbol that it overlaps, or `OTHER`.

    A point is so small that a px decides whether two boxes overlap: no side counts as shorter than `LEAST`.
    """
    symbols = torch.as_tensor(picture.boxes)
    least = LEAST * float(np.median(picture.boxes[:, 3] - picture.boxes[:, 1]))
    found, wanted = grown(boxes, least)[:, None], grown(symbols, least)[None]
    low, high = torch.maximum(found[..., :2], wanted[..., :2]), torch.minimum(found[..., 2:], wanted[..., 2:])
    shared = (high - low).clamp(min=0).prod(2)
    areas = [(each[..., 2:] - each[..., :2]).prod(2) for each in (found, wanted)]
    best, place = (shared / (areas[0] + areas[1] - shared).clamp(min=1e-3)).max(1)
    return torch.where(best >= MATCHED, torch.as_tensor(picture.classes)[place], OTHER)


def grown(boxes: Tensor, least: float) -> Tensor:
    """Grow boxes [N, 4] around their middles so that no side is shorter than `least` px."""
    more = (least - (boxes[:, 2:] - boxes[:, :2])).clamp(min=0) / 2
    return torch.cat([boxes[:, :2] - more, boxes[:, 2:] + more], 1)


def calibrate_candidates(reader: NumberReader, pictures: Sequence[NumberPicture]) -> None:
    """Fit the reader's calibration so that the classes of all candidates are the most likely."""
    found = candidates(reader, pictures)
    labels = torch.cat([labels_of(parts[0], picture) for parts, picture in zip(found, pictures, strict=True)])
    objectness, seen, closer = (torch.cat([parts[place] for parts in found]) for place in (1, 2, 3))
    fitted = reader.calibration.clone().requires_grad_(True)
    optimiser = torch.optim.LBFGS([fitted], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        reader.calibration = fitted
        probabilities = reader.calibrated(objectness, seen, closer)
        value = functional.nll_loss(probabilities.clamp(min=1e-7).log(), labels)
        value.backward()
        return value

    optimiser.step(loss)
    reader.calibration = fitted.detach()


def read_all(
    recognizer: Recognizer, pictures: Sequence[NumberPicture]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the confidence of the reading of each picture in which a number is found, and whether it is right."""
    readings = [(recognizer.read(picture.pixels), picture.text) for picture in pictures]
    found = [(reading.confidence, reading.text == text) for reading, text in readings if reading.numbers]
    return np.array([certain for certain, _ in found]), np.array([right for _, right in found], bool)


def choose_thresholds(certain: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[Thresholds, Calibration]:
    """Fit a number's confidence (Platt 1999), and choose the lowest at which `SURE_RIGHT` of them are right."""
    clipped = torch.as_tensor(certain).clamp(1e-9, 1 - 1e-9)
    inputs, targets = clipped.logit(), torch.as_tensor(right).double()
    fitted = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([fitted], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = functional.binary_cross_entropy_with_logits(fitted[0] * inputs + fitted[1], targets)
        value.backward()
        return value

    optimiser.step(loss)
    scale, bias = (float(value) for value in fitted.detach())
    confidence = 1 / (1 + np.exp(-(scale * inputs.numpy() + bias)))
    order = np.argsort(-confidence)
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(share >= SURE_RIGHT)
    least = float(confidence[order][enough[-1]]) if len(enough) else 1.0
    return Thresholds(0.0, round(least, 6)), Calibration(round(scale, 4), round(bias, 4))
