"""Invented strokes: digits as schools of other countries teach them.

The few writers whose strokes are at hand do not write every form that people write. Each form stands here as the points
that a pen passes, in a box with y growing downward.
"""

import numpy as np
from numpy.typing import NDArray

from ..strokes import PenDigit, Stroke

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


def invented_digits(count: int, seed: int) -> list[PenDigit]:
    """Invent digits, as many of each label, every form as often as its label's others."""
    random = np.random.default_rng(seed)
    labels = [number % len(FORMS) for number in range(count)]
    return [written(FORMS[label][random.integers(len(FORMS[label]))], label, random) for label in labels]


def written(form: str, label: int, random: np.random.Generator) -> PenDigit:
    """Write a form in a box of any width, 1 high, as unsteadily as people do."""
    box = np.array([random.uniform(0.4, 0.95), 1.0])
    loose = random.uniform(0.01, 0.06)
    strokes = [smooth(path * box + _unsteady(path, loose, random)) for path in _paths(form)]
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


def smooth(path: Points) -> Stroke:
    """Lay a curve through all points [P, 2] (Catmull, Rom 1974)."""
    padded = np.concatenate([path[:1], path, path[-1:]])
    t = np.linspace(0, 1, SMOOTH, endpoint=False)[:, None]
    pieces = [
        b + (c - a) / 2 * t + (2 * a - 5 * b + 4 * c - d) / 2 * t**2 + (3 * b - a - 3 * c + d) / 2 * t**3
        for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False)
    ]
    return np.concatenate([*pieces, path[-1:]]).astype(np.float32)
