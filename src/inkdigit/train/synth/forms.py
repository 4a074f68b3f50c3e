"""Invented strokes: digits as schools of other countries teach them, and signs that are no digit of any kind.

The few writers whose strokes are at hand do not write every form that people write. Each form stands here as the points
that a pen passes, in a box with y growing downward.
"""

import numpy as np
from numpy.typing import NDArray

from ...evaluation.strokes import NO_DIGIT, PenDigit, Stroke

Points = NDArray[np.floating]  # [P, 2], x and y

SMOOTH = 8  # points of a stroke between two points of its path

# x,y in percent of the box; `!` makes a corner, `|` lifts the pen.
FORMS = {
    0: (
        "50,0 12,15 3,55 25,95 60,100 93,70 90,28 50,0",
        "70,8 35,2 3,40 20,92 65,100 97,55 80,10 45,0",
        "50,0 12,15 3,55 25,95 60,100 93,70 90,28 50,0 | 98,-3 2,103",
        "40,12 8,50 35,100 90,85 92,20 50,0 22,18 25,40",
    ),
    1: (
        "50,0 50,100",
        "10,40 60,0! 60,100",
        "-15,55 60,0! 55,100",
        "10,40 60,0! 60,100 | 20,100 100,100",
        "-15,55 60,0! 55,100 | 20,100 100,100",
        "40,16 55,0! 55,100",
        "62,22 95,0! 5,100",
        "30,45 70,0! 30,100",
    ),
    2: (
        "5,25 30,0 80,5 85,35 40,75 0,100! 100,97",
        "10,20 45,0 85,20 60,60 15,95 2,90 12,78 40,90 75,100 100,90",
        "5,10 60,0 92,15 60,50 0,100! 100,100",
        "5,30 30,0 75,8 70,45 5,85 0,98 25,85 60,98 100,88",
    ),
    3: (
        "5,12 45,0 85,20 70,42 35,48! 75,52 95,75 50,100 0,88",
        "5,2 90,2! 40,42! 90,60 85,90 40,100 0,90",
        "10,10 60,0 85,22 42,50 30,44 45,42 92,62 85,90 40,100 0,85",
        "5,5 85,0! 35,40 85,55 75,85 25,100 -10,80",
    ),
    4: (
        "15,0 5,60! 100,58 | 70,15 65,100",
        "10,2 6,45 30,58 90,50 | 90,0 85,100",
        "65,0 0,65! 100,65 | 68,0 68,100",
        "97,65 0,65! 65,0! 65,100",
        "45,0 5,62! 95,60 | 62,35 50,100",
        "50,0 5,72! 85,66 | 66,50 55,100",
        "55,0 8,68 25,82 80,60 | 72,46 60,110",
        "20,0 8,45 35,55 85,20! 70,100",
    ),
    5: (
        "20,0 12,42! 55,38 95,65 70,97 5,95 | 20,0 95,0",
        "95,0 20,2! 15,42! 60,40 92,68 60,100 0,92",
        "90,3 30,5 12,35 55,48 90,72 55,100 3,92",
        "95,4 38,0 18,40 72,55 80,85 15,100",
        "30,0 12,45! 70,45 85,75 45,100 0,85 | 28,3 90,-6",
    ),
    6: (
        "75,0 25,35 5,70 35,100 85,88 80,60 40,55 10,75",
        "30,0 8,60 20,95 65,100 90,75 60,55 12,72",
        "85,10 50,0 15,35 8,75 50,100 90,75 50,50 12,70",
        "80,0 30,20 3,60 25,98 75,98 95,70 70,42 38,52 34,75 55,82",
        "90,0 20,60 5,85 25,100 45,85 15,72",
        "60,0 20,45 10,90 45,100 60,72 20,68",
    ),
    7: (
        "0,5 95,2! 35,100",
        "0,8 90,0! 50,45 40,100",
        "0,5 95,2! 35,100 | 20,50 85,47",
        "2,22 5,2! 95,2! 40,100",
        "2,22 5,2! 95,2! 40,100 | 20,50 85,47",
        "0,15 25,0 60,10 95,0! 45,60 35,100 | 15,58 80,50",
        "0,8 92,3! 55,55 45,100 | 25,52 75,66",
    ),
    8: (
        "80,12 40,0 12,22 50,46 92,75 50,100 8,78 50,46 88,20 72,5",
        "50,0 15,10 15,40 50,48 85,38 85,10 50,0 | 50,46 8,60 10,92 50,100 92,90 90,60 50,46",
        "50,46 15,20 50,0 85,20 50,46 8,78 50,100 92,78 50,46",
        "90,0 15,75 45,100 80,78 20,25 45,0 80,12",
    ),
    9: (
        "85,15 40,0 8,28 40,52 85,20! 85,100",
        "85,15 40,0 8,28 40,52 85,20! 45,100",
        "85,20 50,0 10,20 40,50 85,20 88,60 60,97 10,92",
        "45,22 62,25 60,42 30,46 5,25 25,2 75,2 97,40 75,80 20,100",
        "65,12 35,0 18,18 40,34 70,14! 72,75 40,100 0,85",
        "62,15 30,2 12,22 45,35 68,12 55,60 62,85 25,100 -5,95",
        "85,5 40,0 10,25 40,45 80,25 90,5! 70,60 20,100",
    ),
}

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


def invented_digits(count: int, seed: int) -> list[PenDigit]:
    """Invent digits, as many of each label, every form as often as its label's others."""
    random = np.random.default_rng(seed)
    labels = [number % len(FORMS) for number in range(count)]
    return [write_form(FORMS[label][random.integers(len(FORMS[label]))], label, random) for label in labels]


def write_form(form: str, label: int, random: np.random.Generator) -> PenDigit:
    """Write a form as one hand would, a little unsteady and in other proportions."""
    box = np.array([random.uniform(0.4, 0.95), 1.0])
    loose = random.uniform(0.01, 0.06)
    strokes = [_smooth(path * box + _unsteady(path, loose, random)) for path in _paths(form)]
    shifted = [(stroke + random.normal(0, loose / 2, 2)).astype(np.float32) for stroke in strokes]
    return PenDigit(tuple(shifted), label, writer=0)


def _paths(form: str) -> list[Points]:
    """Read a form, in parts of the box; a corner is the same point twice."""
    return [
        np.array(
            [
                [int(part) / 100 for part in point.rstrip("!").split(",")]
                for point in stroke.split()
                for _ in range(1 + point.endswith("!"))
            ]
        )
        for stroke in form.split("|")
    ]


def _unsteady(path: Points, loose: float, random: np.random.Generator) -> Points:
    """Move every point of a path [P, 2], the two of a corner alike."""
    moves = random.normal(0, loose, path.shape)
    for at in range(1, len(path)):
        if (path[at] == path[at - 1]).all():
            moves[at] = moves[at - 1]
    return moves.astype(np.float32)


def _smooth(path: Points) -> Stroke:
    """Lay a curve through all points [P, 2] (Catmull, Rom 1974)."""
    padded = np.concatenate([path[:1], path, path[-1:]])
    t = np.linspace(0, 1, SMOOTH, endpoint=False)[:, None]
    pieces = [
        b + (c - a) / 2 * t + (2 * a - 5 * b + 4 * c - d) / 2 * t**2 + (3 * b - a - 3 * c + d) / 2 * t**3
        for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False)
    ]
    return np.concatenate([*pieces, path[-1:]]).astype(np.float32)


def invented_signs(count: int, seed: int) -> list[PenDigit]:
    """Invent signs: letters and marks, as many of two to four lines, bows and rings that mostly touch, and others."""
    random = np.random.default_rng(seed)
    kinds = (_sign, _letter, _lasso, _sign, _outline, _sign, _letter, _lasso, _outline, _blot, _nested, _coil)
    return [PenDigit(kinds[number % len(kinds)](random), NO_DIGIT, writer=0) for number in range(count)]


def _letter(random: np.random.Generator) -> tuple[Stroke, ...]:
    return write_form(OTHERS[random.integers(len(OTHERS))], NO_DIGIT, random).strokes


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
    return (_smooth(np.concatenate([path, start[:1]]).astype(np.float32)),)


def _nested(random: np.random.Generator) -> tuple[Stroke, ...]:
    """Draw three to five outlines or rings in each other, to a small one, as targets have; two are a ringed 0."""
    (around,) = _outline(random)
    if random.random() < 0.5:
        turned = np.linspace(0, 2 * np.pi, 40) + random.uniform(0, 2 * np.pi)
        around = np.stack([np.cos(turned) * random.uniform(0.6, 1), np.sin(turned)], 1).astype(np.float32)
    inward = np.linspace(1, random.uniform(0.1, 0.25), random.integers(3, 6))
    return tuple((around * size + random.normal(0, 0.02, 2)).astype(np.float32) for size in inward)


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
    """Return how far one side of a blot reaches at every height -1..1, around 1: even, or in waves."""
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
    return _smooth(np.array(paths[kind], np.float32))
