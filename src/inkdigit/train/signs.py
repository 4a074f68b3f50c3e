"""Invented strokes that are no digit of any kind: letters, marks, outlines, coils, blots and lines."""

import numpy as np

from ..strokes import NO_DIGIT, PenDigit, Stroke
from .invented import Points, smooth, written

# Letters and marks that hardly anybody takes for a digit.
OTHERS = (
    "0,100 50,0! 100,100 | 20,62 80,62",  # A
    "95,15 50,0 5,35 5,70 50,100 95,85",  # C
    "10,0 10,100 | 10,0 70,10 95,50 70,90 10,100",  # D
    "90,0 10,0! 10,100! 90,100 | 10,50 75,50",  # E
    "10,0 10,100 | 10,0 90,0 | 10,48 75,48",  # F
    "5,0 5,100 | 95,0 95,100 | 5,50 95,50",  # H
    "60,0 60,75 30,100 0,80",  # J
    "10,0 10,100 | 90,0 10,55! 90,100",  # K
    "10,0 10,100! 85,100",  # L
    "0,100 10,0! 50,60! 90,0! 100,100",  # M
    "5,100 5,0! 95,100! 95,0",  # N
    "10,0 10,100 | 10,0 70,5 85,28 70,50 10,52",  # P
    "10,0 10,100 | 10,0 70,5 80,28 65,48 10,50! 90,100",  # R
    "0,0 100,0 | 50,0 50,100",  # T
    "5,0 5,70 50,100 95,70 95,0",  # U
    "0,0 50,100! 100,0",  # V
    "0,0 25,100! 50,30! 75,100! 100,0",  # W
    "0,0 100,100 | 100,0 0,100",  # X
    "0,0 50,50 | 100,0 50,50! 50,100",  # Y
    "85,55 50,40 15,60 20,95 60,95 85,60! 88,95 100,98 | 85,0 85,60",  # d
    "10,55 90,55 75,10 30,5 5,40 15,85 60,100 95,85",  # e
    "80,5 50,0 40,25 40,100 | 10,40 75,40",  # f
    "10,0 10,100 | 10,65 45,45 85,55 88,100",  # h
    "10,0 10,100 | 75,40 12,68! 80,100",  # k
    "0,40 5,100! 10,55 40,42 50,60! 50,100! 52,58 80,42 95,60 96,100",  # m
    "5,20 8,100! 10,45 55,18 90,40 92,100",  # n
    "10,20 10,110! 10,35 55,15 90,40 60,72 10,62",  # p
    "20,20 22,100! 24,50 60,18 95,25",  # r
    "45,0 45,80 65,100 90,90 | 10,30 85,30",  # t
    "5,10 8,75 45,95 88,60! 88,10! 92,95",  # u
    "10,20 30,0 75,5 80,30 48,50 48,72 | 48,95 50,100",  # ?
    "50,0 50,100 | 0,50 100,50",  # +
    "0,60 35,100! 100,0",  # a check mark
    "25,0 15,100 | 75,0 65,100 | 0,32 95,32 | 0,68 95,68",  # #
    "100,0 0,100 | 20,5 5,20 20,35 35,20 20,5 | 80,65 65,80 80,95 95,80 80,65",  # %
    "95,100 15,35 15,10 45,0 65,15 20,55 5,80 35,100 65,90 95,55",  # &
    "0,40 100,40 | 0,70 100,70",  # =
    "68,35 45,30 30,50 42,72 62,65 70,32! 72,66 88,70 100,45 75,5 40,0 5,30 0,65 30,97 75,95",  # @
    "5,100 5,45! 50,0! 95,45! 95,100! 5,100",  # a house
    "50,0 10,20 5,60 50,100 95,60 90,20 50,0 | 32,35 34,42 | 66,35 68,42 | 28,65 50,80 72,65",  # a face
    "60,0 20,55! 75,50! 35,100",  # lightning
)


def invented_signs(count: int, seed: int) -> list[PenDigit]:
    """Invent signs: letters and marks, as many of two to four lines, bows and rings that mostly touch, and others."""
    random = np.random.default_rng(seed)
    kinds = (
        _sign,
        _letter,
        _lasso,
        _sign,
        _outline,
        _sign,
        _letter,
        _lasso,
        _outline,
        _blot,
        _nested,
        _coil,
        _bar,
        _bar,
        _bar,
    )
    return [PenDigit(kinds[number % len(kinds)](random), NO_DIGIT, writer=0) for number in range(count)]


def _letter(random: np.random.Generator) -> tuple[Stroke, ...]:
    return written(OTHERS[random.integers(len(OTHERS))], NO_DIGIT, random).strokes


def _lasso(random: np.random.Generator) -> tuple[Stroke, ...]:
    """Let the last line of a sign run on around it, as that of @ does: unlike a ring, it is of what is written."""
    *others, last = _letter(random) if random.random() < 0.5 else _sign(random)
    points = np.concatenate([*others, last])
    low, high = points.min(0), points.max(0)
    start = (last[-1] - (low + high) / 2) / (high - low).clip(0.1)
    turned = np.linspace(0, random.uniform(0.6, 1.1) * 2 * np.pi, 40)
    reach = np.interp(turned, [0, random.uniform(0.5, 1.5)], [np.hypot(*start), random.uniform(0.75, 1.0)])
    angle = np.arctan2(start[1], start[0]) + turned * random.choice([-1, 1])
    around = np.stack([np.cos(angle), np.sin(angle)], 1) * reach[:, None] * (high - low).clip(0.4) + (low + high) / 2
    return (*others, np.concatenate([last, around]).astype(np.float32))


def _outline(random: np.random.Generator) -> tuple[Stroke, ...]:
    """Go once around, in three to six sides, of few of them some bowed: a 0 has no corners, or one."""
    corners = random.integers(3, 7)
    angle = 2 * np.pi * (np.arange(corners) + random.uniform(-0.2, 0.2, corners)) / corners + random.uniform(0, 7)
    round_about = np.stack([np.cos(angle), np.sin(angle)], 1) * random.uniform(0.45, 1, (corners, 1))
    start = round_about * [random.uniform(0.5, 1), 1]
    ahead = np.roll(start, -1, 0) - start
    bow = random.normal(0, 0.2, (corners, 1)) * (corners < 5) * random.integers(2)
    middle = start + ahead / 2 + np.stack([ahead[:, 1], -ahead[:, 0]], 1) * bow
    path = np.stack([start, start, middle], 1).reshape(-1, 2)  # a corner is the same point twice
    return (smooth(np.concatenate([path, start[:1]]).astype(np.float32)),)


def _nested(random: np.random.Generator) -> tuple[Stroke, ...]:
    """Draw three to five outlines or rings in each other, to a small one, as targets have; two are a ringed 0."""
    (around,) = _outline(random)
    if random.random() < 0.5:
        turned = np.linspace(0, 2 * np.pi, 40) + random.uniform(0, 2 * np.pi)
        around = np.stack([np.cos(turned) * random.uniform(0.6, 1), np.sin(turned)], 1).astype(np.float32)
    inward = np.linspace(1, random.uniform(0.1, 0.25), random.integers(3, 6))
    return tuple((around * size + random.normal(0, 0.02, 2)).astype(np.float32) for size in inward)


def _bar(random: np.random.Generator) -> tuple[Stroke, ...]:
    """Draw one line that does not stand as a 1 does: a dash, or what a 7 begins with."""
    lean = random.uniform(-1, 1) * np.pi / 6
    half = np.array([np.cos(lean), np.sin(lean)]) / 2
    bowed = np.array([0, random.normal(0, 0.05)])
    return (smooth(np.stack([-half, bowed, half]).astype(np.float32)),)


def _coil(random: np.random.Generator) -> tuple[Stroke, ...]:
    """Wind three to five loops beside each other, as springs and idle pens do, of one size or growing."""
    turned = np.linspace(0, random.uniform(3, 5) * 2 * np.pi, 200)
    size = np.linspace(random.choice([1, random.uniform(0.3, 1)]), 1, len(turned))
    ahead = np.cumsum(size) * random.uniform(0.1, 0.25) * turned[1]  # were it longer, a wide pen would make it a 1
    path = np.stack([np.cos(turned) * size + ahead, np.sin(turned) * size], 1)
    return (_turned(path, random),)


def _turned(path: Points, random: np.random.Generator) -> Stroke:
    """Turn a path [P, 2] around (0, 0) by any angle."""
    turn = random.uniform(0, 2 * np.pi)
    map_ = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    turned: Stroke = (path @ map_).astype(np.float32)
    return turned


def _blot(random: np.random.Generator) -> tuple[Stroke, ...]:
    """Hatch a patch of any outline back and forth, which a wide pen fills: a dot, a blot, something crossed out."""
    down = np.linspace(-1, 1, random.integers(8, 24)).repeat(2)
    wide = np.sqrt(1 - down**2) if random.random() < 0.7 else np.ones_like(down)
    right, left = (wide * _bulge(down, random) for _ in range(2))
    across = np.where(np.arange(len(down)) % 4 // 2 == np.arange(len(down)) % 2, right, -left)
    path = np.stack([across, down * random.uniform(0.6, 1)], 1) + random.normal(0, 0.02, (len(down), 2))
    return (_turned(path, random),)


def _bulge(down: Points, random: np.random.Generator) -> Points:
    """Give how far one side of a blot reaches at every height -1..1, around 1: even, or in waves."""
    k = np.arange(1, 4)[:, None]
    waves = random.normal(0, 0.4, (3, 1)) / k * np.cos(np.pi * k * down + random.uniform(0, 2 * np.pi, (3, 1)))
    reach: Points = np.maximum(1 + random.integers(2) * waves.sum(0), 0.4)
    return reach


def _sign(random: np.random.Generator) -> tuple[Stroke, ...]:
    strokes: list[Stroke] = []
    for _ in range(random.integers(2, 5)):
        start: Points = random.uniform(0, 1, 2)
        if strokes and random.random() < 0.7:
            points = strokes[random.integers(len(strokes))]
            start = points[random.choice([0, len(points) // 2, len(points) - 1])]
        strokes.append(_line(start, random))
    return tuple(strokes)


def _line(start: Points, random: np.random.Generator) -> Stroke:
    """Draw a straight line, a bow, an angle, a wave or a ring, from a point on."""
    kind, turn, length = random.integers(5), random.uniform(0, 2 * np.pi), random.uniform(0.25, 1)
    if random.random() < 0.5:
        turn = np.round(turn / (np.pi / 4)) * np.pi / 4
    ahead = np.array([np.cos(turn), np.sin(turn)]) * length
    aside = np.array([-ahead[1], ahead[0]]) * random.uniform(0.3, 1) * random.choice([-1, 1])
    paths = [
        [start, start + ahead],
        [start, start + ahead / 2 + aside / 2, start + ahead],
        [start, start + ahead, start + ahead, start + ahead + aside],
        [start, start + ahead / 3 + aside / 3, start + ahead * 2 / 3 - aside / 3, start + ahead],
        [start, start + (ahead + aside) / 2, start + ahead, start + (ahead - aside) / 2, start],
    ]
    return smooth(np.array(paths[kind], np.float32))
