"""Ink: digits alone, 112×112 with their longest side 80, from MNIST's pictures and from pen strokes with any pen.

That is about as fine as the localizer's grid: else hairlines would be drawn wider there than they are on real pictures.
"""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter
from skimage.morphology import skeletonize
from torch import Tensor
from torch.nn import functional

from ...evaluation.strokes import NO_DIGIT, PenDigit, Stroke, draw, fitted

SIDE = 112
INK = 80
HAND = 40  # how large strokes are while a hand changes them
JOINED, ROUNDED, ENDED = 0.15, 0.4, 0.5  # parts of the strokes
EVEN = 48  # points of a stroke whose form is changed
FINEST, WIDEST = 0.005, 0.25  # pens, as parts of the ink's longest side
BROAD = 12.0  # cells: lines that are as broad, on average, may have filled the loops, and their middle is another digit


def mnist_ink(images: Tensor) -> Tensor:
    """Sharpen MNIST's uint8 [N, 28, 28] to ink [N, 112, 112], so that enlarging it further shows no blurred edge."""
    return ((enlarged(images) - 0.25) * 2).clamp(0, 1)


def enlarged(images: Tensor) -> Tensor:
    """Enlarge MNIST's uint8 [N, 28, 28] to [N, 112, 112], in 0..1 and a little beyond."""
    return functional.interpolate(images[:, None].float() / 255, size=SIDE, mode="bicubic")[:, 0]


def redrawn_ink(images: Iterable[Tensor], seed: int) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Draw N of MNIST's uint8 [28, 28] once more, along the middle of their lines and each with another pen.

    So hundreds of hands write with hairlines and markers. Returns uint8 [M, 112, 112], and which of the N they are.
    """
    random = np.random.default_rng(seed)
    lines, kept = middle_lines(images)
    drawn = [along(line, pen(random)) for line in lines]
    return np.array(drawn, np.uint8).reshape(-1, SIDE, SIDE), kept


def middle_lines(images: Iterable[Tensor]) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Thin N of MNIST's uint8 [28, 28] to the middle of their lines (Zhang, Suen 1984): bool [M, 112, 112].

    Returns which of the N they are too: those whose lines are not too broad for it.
    """
    lines, kept = [], []
    for place, image in enumerate(images):
        wide = inked(enlarged(image[None])[0].cpu().numpy())
        line = skeletonize(wide)
        if wide.sum() < BROAD * line.sum():
            lines.append(line)
            kept.append(place)
    return np.array(lines, bool).reshape(-1, SIDE, SIDE), np.array(kept, np.intp)


def inked(picture: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Say what is ink of a picture [S, S], by its surroundings: narrow gaps and loops are paler than the lines."""
    level: NDArray[np.float32] = 0.3 + 0.6 * gaussian_filter(picture, 4)
    ink: NDArray[np.bool_] = gaussian_filter(picture, 0.8) > level
    return ink


def along(line: NDArray[np.bool_], width: float) -> NDArray[np.uint8]:
    """Draw a line of cells [S, S] with a round pen; what is finer than a cell is pale."""
    reach = (max(width, 1) + 1) / 2 - distance_transform_edt(~line)
    drawn: NDArray[np.uint8] = (reach.clip(0, 1) * (255 * min(width, 1))).astype(np.uint8)
    return drawn


def pen(random: np.random.Generator) -> float:
    """Choose a pen's width in px, from a hairline to a marker."""
    return INK * math.exp(random.uniform(math.log(FINEST), math.log(WIDEST)))


def pen_ink(digits: Iterable[PenDigit], seed: int, styled: bool = True) -> NDArray[np.uint8]:
    """Draw every digit once, each with another pen, and where `styled` in another hand's style: uint8 [N, 112, 112]."""
    random = np.random.default_rng(seed)
    return np.stack([_drawn(digit, random, styled) for digit in digits])


def _drawn(digit: PenDigit, random: np.random.Generator, styled: bool) -> NDArray[np.uint8]:
    strokes = fitted(digit.strokes, HAND, (0, 0))
    if styled and digit.label != NO_DIGIT:  # of which two bars would become a Z
        strokes = join_strokes(strokes, random)
    strokes = with_habits(strokes, digit.label, random)
    if styled:
        strokes = proportioned([in_style(stroke, random) for stroke in strokes], random)
    strokes = [shaken(stroke, random) for stroke in slanted(strokes, random)]
    width = pen(random)
    return draw(fitted(strokes, INK - width / 2, (SIDE / 2, SIDE / 2)), width, SIDE)


def with_habits(strokes: list[Stroke], label: int, random: np.random.Generator) -> list[Stroke]:
    """Cross some sevens, slash some zeros, and give some ones a foot; `strokes` lie around (0, 0), 40 px large."""
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    if label == 7 and len(strokes) == 1 and random.random() < 0.3:
        y = low[1] + (high[1] - low[1]) * random.uniform(0.4, 0.6)
        x = float(points[np.abs(points[:, 1] - y).argmin(), 0])
        reach = random.uniform(5, 10)
        return [*strokes, np.array([[x - reach, y + 1], [x + reach, y - 1]], np.float32)]
    if label == 0 and random.random() < 0.12:
        out = random.uniform(0.7, 1.15)
        return [*strokes, np.array([[low[0], high[1]], [high[0], low[1]]], np.float32) * np.float32(out)]
    if label == 1 and random.random() < 0.15:
        foot, reach = points[points[:, 1].argmax()], random.uniform(4, 11)
        return [*strokes, foot + np.array([[-reach, 0], [reach, random.uniform(-2, 2)]], np.float32)]
    return strokes


def join_strokes(strokes: list[Stroke], random: np.random.Generator) -> list[Stroke]:
    """Leave the pen on the paper between some strokes, as who writes fast does."""
    run = [strokes[0]]
    for stroke in strokes[1:]:
        if random.random() < JOINED:
            run[-1] = np.concatenate([run[-1], stroke])
        else:
            run.append(stroke)
    return run


def in_style(stroke: Stroke, random: np.random.Generator) -> Stroke:
    """Write a stroke as other hands do: rounder, shorter or longer at its ends, and a little beside its place."""
    if random.random() < ROUNDED:
        stroke = rounded(stroke, random.uniform(0.05, 0.3))
    if random.random() < ENDED:
        stroke = ended(ended(stroke, random)[::-1], random)[::-1]
    angle, shift = random.normal(0, 0.06), random.normal(0, 1.0, 2)
    middle = stroke.mean(0)
    moved: Stroke = ((stroke - middle) @ turning(angle).T + middle + shift).astype(np.float32)
    return moved


def rounded(stroke: Stroke, part: float) -> Stroke:
    """Average a stroke's points over a `part` of its length, which cuts its corners and keeps its ends."""
    even = evenly(stroke)
    reach = max(1, round(part * EVEN / 2))
    window = np.full(2 * reach + 1, 1 / (2 * reach + 1))
    padded = np.pad(even, ((reach, reach), (0, 0)), "edge")
    smooth = np.stack([np.convolve(side, window, "valid") for side in padded.T], 1)
    return np.concatenate([even[:1], smooth, even[-1:]]).astype(np.float32)


def ended(stroke: Stroke, random: np.random.Generator) -> Stroke:
    """Leave out the last of a stroke, or go on in its direction, by up to an eighth of its length."""
    even = evenly(stroke)
    change = random.uniform(-EVEN / 8, EVEN / 8)
    if change < 0:
        return even[: round(EVEN + change)]
    ahead = (even[-1] - even[-4]) / 3 * change
    return np.concatenate([even, even[-1:] + ahead]).astype(np.float32)


def evenly(stroke: Stroke) -> Stroke:
    """Put `EVEN` points along a stroke, as far from each other."""
    steps = np.hypot(*np.diff(stroke, axis=0).T)
    along = np.concatenate([[0], np.cumsum(steps)])
    at = np.linspace(0, along[-1], EVEN)
    return np.stack([np.interp(at, along, side) for side in stroke.T], 1).astype(np.float32)


def proportioned(strokes: list[Stroke], random: np.random.Generator) -> list[Stroke]:
    """Make the upper part of a digit larger than the lower one, or smaller, and the left than the right."""
    points = np.concatenate(strokes)
    low, sides = points.min(0), np.ptp(points, 0).clip(1e-3)
    power = np.exp(random.normal(0, (0.15, 0.25)))
    return [(low + ((stroke - low) / sides).clip(0, 1) ** power * sides).astype(np.float32) for stroke in strokes]


def slanted(strokes: list[Stroke], random: np.random.Generator) -> list[Stroke]:
    """Slant, turn and squeeze strokes around (0, 0) by one affine map; some people write far aslant."""
    angle, slant = random.normal(0, 0.1), random.normal(0, 0.4 if random.random() < 0.25 else 0.2)
    map_ = turning(angle) @ np.array([[math.exp(random.normal(0, 0.15)), slant], [0, 1]])
    return [(stroke @ map_.T).astype(np.float32) for stroke in strokes]


def turning(angle: float) -> NDArray[np.float64]:
    """Return the matrix [2, 2] that turns by an angle in radians."""
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def shaken(stroke: Stroke, random: np.random.Generator) -> Stroke:
    """Let the hand tremble: a smooth random walk along the stroke."""
    knots = random.normal(0, random.uniform(0, 1.2), (max(2, len(stroke) // 6), 2))
    along = np.linspace(0, len(knots) - 1, len(stroke))
    bend = np.stack([np.interp(along, np.arange(len(knots)), knots[:, axis]) for axis in (0, 1)], 1)
    return (stroke + bend).astype(np.float32)
