"""Handwriting for `reading.py`: the hands of MNIST's test digits and of the test writers' pens, marks and letters.

Nothing here is shared with training. Every drawing is a function of the random generator that it is given.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter, map_coordinates

from inkdigit.evaluation.datasets import Labelled
from inkdigit.evaluation.strokes import PenDigit

Grey = NDArray[np.uint8]
Ink = NDArray[np.float32]  # [H, W], 0 paper to 1 ink
Points = NDArray[np.floating]  # [P, 2], x and y
Random = np.random.Generator

OVERSAMPLE = 4  # pen strokes are drawn this much larger and averaged down
INKED = 0.35  # ink from which on a pixel belongs to a glyph's outline
FRACTION = re.compile(r"(\d*) ?(\d+)/(\d+)")


@dataclass(frozen=True, eq=False)
class Piece:
    """Hold ink with the place of its top left corner in px; y is 0 at the top of the writing and grows downward."""

    ink: Ink
    x: float
    y: float


@dataclass(frozen=True, eq=False)
class Hand:
    """Hold how one person writes with one pen; lengths are in heights of a digit.

    `digit` draws a label at a height in px. `touching` is the share of neighbours whose ink touches.
    """

    digit: Callable[[int, float, Random], Ink]
    width: float
    spacing: float
    drift: float
    touching: float


def steadied(digit: Callable[[int, float, Random], Ink], width: float, touching: float, random: Random) -> Hand:
    """Return a hand with a spacing and a steadiness of its own."""
    return Hand(digit, width, random.uniform(0.1, 0.4), random.uniform(0, 0.03), touching)


class Hands:
    """Draw hands from MNIST's test digits and from pen writers, half and half."""

    def __init__(self, digits: Labelled, pens: Sequence[PenDigit]) -> None:
        self._images, self._labels = digits.images, digits.labels
        self._styles = styles(digits.images)
        self._writers: dict[int, dict[int, list[PenDigit]]] = {}
        for pen in pens:
            self._writers.setdefault(pen.writer, {}).setdefault(pen.label, []).append(pen)

    def any(self, random: Random, touching: float = 0.3) -> Hand:
        """Return a hand of either kind."""
        return (self.mnist if random.random() < 0.5 else self.pen)(random, touching)

    def mnist(self, random: Random, touching: float = 0.3) -> Hand:
        """Return a hand of digits with about one stroke width and slant: MNIST does not say who wrote what."""
        style = self._styles[random.integers(len(self._styles))]
        distance = np.hypot(*((self._styles - style) / self._styles.std(0)).T)
        variants: dict[int, list[Ink]] = {}
        for label in range(10):
            own = np.flatnonzero(self._labels == label)
            near = random.choice(own[np.argsort(distance[own])[:30]], 3, replace=False)
            variants[label] = [tight(self._images[place].astype(np.float32) / 255) for place in near]

        def digit(label: int, height: float, random: Random) -> Ink:
            image = variants[label][random.integers(3)]
            return enlarged(image, height / 20 * random.uniform(0.93, 1.07))

        return steadied(digit, float(style[0]) / 20, touching, random)

    def pen(self, random: Random, touching: float = 0.3) -> Hand:
        """Return a writer's hand with a pen from a hairline to a felt tip."""
        writer = self._writers[int(random.choice(list(self._writers)))]
        usual = np.median([np.ptp(np.concatenate(pen.strokes)[:, 1]) for pens in writer.values() for pen in pens])
        width, shear = float(np.exp(random.uniform(np.log(0.045), np.log(0.17)))), random.normal(0, 0.08)

        def digit(label: int, height: float, random: Random) -> Ink:
            pen = writer[label][random.integers(len(writer[label]))]
            scale = (1 - width) * height / usual * random.uniform(0.93, 1.07)
            scale *= float(np.clip(usual / np.ptp(np.concatenate(pen.strokes)[:, 1]), 0.75, 1.35)) ** 0.5
            turn = np.array([[1, 0], [-shear, 1]]) * scale
            return stroked([stroke @ turn for stroke in pen.strokes], width * height, random).ink

        return steadied(digit, width, touching, random)


def styles(images: Grey) -> NDArray[np.float64]:
    """Return the stroke width in px and the slant (shear) of digits [N, 28, 28], as [N, 2]."""
    ink = images.astype(np.float64) / 255
    edge = np.hypot(np.diff(ink, axis=1)[:, :, :-1], np.diff(ink, axis=2)[:, :-1]).sum((1, 2))
    y, x = np.mgrid[:28, :28]
    mass = ink.sum((1, 2))
    dy = y - ((ink * y).sum((1, 2)) / mass)[:, None, None]
    dx = x - ((ink * x).sum((1, 2)) / mass)[:, None, None]
    return np.stack([2 * mass / edge, (ink * dx * dy).sum((1, 2)) / (ink * dy**2).sum((1, 2))], 1)


def tight(ink: Ink) -> Ink:
    """Cut ink to its bounding box."""
    y, x = np.nonzero(ink > 0.1)
    return ink[y.min() : y.max() + 1, x.min() : x.max() + 1] if len(y) else ink


def enlarged(ink: Ink, scale: float) -> Ink:
    """Resize ink; where it grows, its blurred edges are made as sharp as those of a pen."""
    size = max(2, round(ink.shape[1] * scale)), max(2, round(ink.shape[0] * scale))
    padded = np.pad(ink, 1)
    if scale > 2:
        padded = gaussian_filter(padded, 0.6)  # else the pixels' corners show
    around = round(size[0] * (1 + 2 / ink.shape[1])), round(size[1] * (1 + 2 / ink.shape[0]))
    larger = np.asarray(
        Image.fromarray(padded).resize(around, Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.BOX)
    )
    steep = max(1.0, scale * 0.7)
    return tight(np.clip((larger - 0.45) * steep + 0.45, 0, 1).astype(np.float32))


def smooth(points: Points) -> Points:
    """Cut the corners of a polyline three times (Chaikin 1974)."""
    for _ in range(3):
        if len(points) < 3:
            break
        left, right = points[:-1] * 0.75 + points[1:] * 0.25, points[:-1] * 0.25 + points[1:] * 0.75
        inner = np.stack([left, right], 1).reshape(-1, 2)
        points = np.concatenate([points[:1], inner[1:-1], points[-1:]])
    return points


def dense(points: Points, step: float) -> Points:
    """Resample a polyline at equal distances of at most `step` px."""
    lengths = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    at = np.linspace(0, lengths[-1], max(2, int(lengths[-1] / step) + 2))
    return np.stack([np.interp(at, lengths, points[:, axis]) for axis in (0, 1)], 1)


def stroked(strokes: Sequence[Points], width: float, random: Random) -> Piece:
    """Draw strokes, in px, with a pen of about `width` px whose pressure changes along the way."""
    width = max(width, 1.1)
    every = np.concatenate(strokes)
    low = np.floor(every.min(0) - width - 1)
    size = np.ceil(every.max(0) + width + 1 - low).astype(int)
    canvas = Image.new("L", (int(size[0]) * OVERSAMPLE, int(size[1]) * OVERSAMPLE))
    pen = ImageDraw.Draw(canvas)
    for stroke in strokes:
        points = dense(smooth(stroke), max(0.4, width / 5))
        pressure = np.interp(
            np.linspace(0, 1, len(points)), np.linspace(0, 1, 5), random.uniform(0.78, 1.12, 5) * (0.9, 1, 1, 1, 0.8)
        )
        for (x, y), share in zip((points - low) * OVERSAMPLE, pressure, strict=True):
            radius = width * share * OVERSAMPLE / 2
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    ink = np.asarray(canvas.reduce(OVERSAMPLE)).astype(np.float32) / np.float32(255)
    rows, columns = np.nonzero(ink > 0.02)
    top, left = rows.min(), columns.min()
    return Piece(ink[top : rows.max() + 1, left : columns.max() + 1], low[0] + left, low[1] + top)


def mark(sign: str, one: Hand, height: float, random: Random) -> Piece:
    """Draw a written mark: `.`, `,`, `-`, `/`, or `:`; y is 0 at the top of a digit and `height` at the baseline."""

    def near(*points: tuple[float, float]) -> Points:
        return (np.array(points) + random.normal(0, 0.015, (len(points), 2))) * height

    dot, width = max(one.width, 0.07), one.width * height
    if sign == ".":
        return stroked([near((0, 1 - dot / 2), (0.03, 1 - dot / 2))], 1.25 * dot * height, random)
    if sign == ":":
        dots = [near((0, y), (0.02, y)) for y in (0.4, 0.9)]
        return stroked(dots, 1.25 * dot * height, random)
    if sign == ",":
        return stroked([near((0.08, 0.93), (0.09, 1.02), (0.0, 1.2))], max(width, 0.06 * height), random)
    if sign == "-":
        length = random.uniform(0.3, 0.5)
        return stroked([near((0, 0.55), (length / 2, 0.54), (length, 0.53))], width, random)
    lean = random.uniform(0.25, 0.5)
    return stroked([near((lean, -0.12), (lean * 0.45, 0.5), (0, 1.12))], width, random)


def glyph(sign: str, one: Hand, height: float, random: Random) -> Piece:
    """Draw one symbol at x = 0, on the baseline at y = height."""
    if not sign.isdecimal():
        piece = mark(sign, one, height, random)
        return Piece(piece.ink, 0.0, piece.y)
    ink = one.digit(int(sign), height, random)
    return Piece(ink, 0.0, height - len(ink))


def outline(piece: Piece, side: int) -> dict[int, float]:
    """Return, for each row in px, the x of the first (`side` 0) or last (`side` 1) inked pixel."""
    inked = piece.ink >= INKED
    rows = np.flatnonzero(inked.any(1))
    found = inked[rows].argmax(1) if side == 0 else piece.ink.shape[1] - inked[rows, ::-1].argmax(1)
    return {round(piece.y) + int(row): piece.x + float(x) for row, x in zip(rows, found, strict=True)}


def beside(last: Piece, piece: Piece, gap: float) -> float:
    """Return the x at which a piece lies `gap` px beside the last one, in the row where they come nearest."""
    ends, starts = outline(last, 1), outline(piece, 0)
    shared = [ends[row] - starts[row] for row in ends.keys() & starts.keys()]
    right = last.x + last.ink.shape[1]
    return max(shared) + gap if shared else right + max(gap, 0.0)


def following(pieces: Sequence[Piece], piece: Piece, pair: str, one: Hand, height: float, random: Random) -> float:
    """Return the x of the next piece of a number; `pair` is the symbol before it and its own.

    Digits may touch. A point or comma lies free, beside the digit before it, and the digit after it not over it.
    """
    last = pieces[-1]
    right = last.x + float(last.ink.shape[1])
    if pair[1] in ".,":
        return right + random.uniform(0, 0.15) * height
    spacing = one.spacing * random.uniform(0.6, 1.4) * height
    if pair[0] in ".,":
        return max(beside(pieces[-2], piece, 0.08 * height), right + random.uniform(-0.03, 0.2) * height)
    if pair.isdecimal() and random.random() < one.touching:
        spacing = -max(0.5, random.uniform(0.005, 0.05) * height)
    return max(beside(last, piece, spacing), last.x + 0.3 * float(last.ink.shape[1]))


def write(one: Hand, text: str, height: float, random: Random) -> Piece:
    """Write a number: digits with marks, or a fraction such as `6 1/2`; y is 0 at the top of the first digit."""
    fraction = FRACTION.fullmatch(text)
    if fraction and (fraction[1] or random.random() < 0.5):
        return write_fraction(one, fraction, height, random)
    pieces: list[Piece] = []
    slope, wander = random.normal(0, 0.03), 0.0
    for sign in text:
        wander = 0.7 * wander + random.normal(0, one.drift)
        piece = glyph(sign, one, height, random)
        x = following(pieces, piece, text[len(pieces) - 1 :][:2], one, height, random) if pieces else 0.0
        pieces.append(Piece(piece.ink, x, piece.y + wander * height + slope * x))
    return merged(pieces)


def write_fraction(one: Hand, parts: re.Match[str], height: float, random: Random) -> Piece:
    """Write a fraction of small digits, stacked over a bar or beside a slash, after the whole number if any."""
    whole = write(one, parts[1], height, random) if parts[1] else None
    small = height * random.uniform(0.5, 0.65)
    upper, lower = write(one, parts[2], small, random), write(one, parts[3], small, random)
    start = 0.0 if whole is None else whole.x + whole.ink.shape[1] + random.uniform(0.1, 0.3) * height
    wide = max(upper.ink.shape[1], lower.ink.shape[1])
    if random.random() < 0.5:
        bar = stroked([np.array([(0, 0), (wide * 1.15, random.normal(0, 0.04) * small)])], one.width * height, random)
        middle = height * 0.5
        pieces = [
            Piece(upper.ink, start + (wide - upper.ink.shape[1]) / 2, middle - 0.12 * small - len(upper.ink)),
            Piece(bar.ink, start - 0.07 * wide, middle - len(bar.ink) / 2),
            Piece(lower.ink, start + (wide - lower.ink.shape[1]) / 2, middle + 0.16 * small),
        ]
    else:
        slash = mark("/", one, height, random)
        x = start + upper.ink.shape[1] * 0.9
        pieces = [
            Piece(upper.ink, start, -0.08 * height),
            Piece(slash.ink, x, slash.y),
            Piece(lower.ink, x + slash.ink.shape[1] * 0.75, height * 1.06 - len(lower.ink)),
        ]
    return merged(pieces if whole is None else [whole, *pieces])


def merged(pieces: Sequence[Piece]) -> Piece:
    """Lay pieces over one another, each at the nearest whole pixel; where they overlap the darker ink stays."""
    left, top = (min(round(getattr(piece, axis)) for piece in pieces) for axis in ("x", "y"))
    right = max(round(piece.x) + piece.ink.shape[1] for piece in pieces)
    bottom = max(round(piece.y) + len(piece.ink) for piece in pieces)
    canvas = np.zeros((bottom - top, right - left), np.float32)
    for piece in pieces:
        y, x = round(piece.y) - top, round(piece.x) - left
        part = canvas[y : y + len(piece.ink), x : x + piece.ink.shape[1]]
        np.maximum(part, piece.ink, out=part)
    return Piece(canvas, left, top)


def font_file(name: str) -> str:
    """Return the path of a font of matplotlib's."""
    return str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf")


def lettering(text: str, height: float, random: Random) -> Ink:
    """Write letters as by hand: an italic face, bent and thinned or thickened at random."""
    face = ImageFont.truetype(font_file(str(random.choice(["cmti10", "cmmi10"]))), height * 1.5)
    left, top, right, bottom = face.getbbox(text)
    pad = round(height * 0.4)
    canvas = Image.new("L", (round(right - left) + 2 * pad, round(bottom - top) + 2 * pad))
    ImageDraw.Draw(canvas).text((pad - left, pad - top), text, fill=255, font=face)
    soft = gaussian_filter(np.asarray(canvas, np.float32) / 255, height * random.uniform(0.02, 0.05))
    bend = [gaussian_filter(random.normal(0, 1, soft.shape), height * 0.35) for _ in range(2)]
    y, x = np.mgrid[: soft.shape[0], : soft.shape[1]]
    dy, dx = (each / (each.std() + 1e-6) * height * 0.05 for each in bend)
    bent = map_coordinates(soft, [y + dy, x + dx], order=1)
    return tight(np.clip((bent - random.uniform(0.15, 0.35)) * max(2.0, height * 0.12), 0, 1).astype(np.float32))
