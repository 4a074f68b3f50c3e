"""layout.js and constraints.js against layout.py and constraints.py: the same candidates, the same numbers."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from inkdigit.constraints import restrict
from inkdigit.layout import Calibration, find_numbers

from ..test_layout import LABELS, Candidate, flat, line, small_fraction
from .conftest import Run

CALIBRATION = Calibration(0.9, -0.4)
WRITTEN = (
    [
        line(text)
        for text in ("7", "2026 7", "12/03/2024 15.50", "-15.50", "45 -12", "1,234.5", ".5", "/54/", "01-02-03")
    ]
    + [line("6") + small_fraction("1", "2", 17, style) for style in ("stacked", "diagonal")]
    + [
        flat([line("12345 678 90123", 0, 35 * row, slope=slope, space=4) for row in range(5)])
        for slope in (-0.15, 0.15)
    ]
    + [[Candidate("4", (x - 6, 0, x + 6, 20)) for x in (0, 30, 60, 150, 180, 210)]]
    + [[*line("12", 0), *line("30", 32), Candidate("mark", (24, 4, 28, 18)), Candidate("doubt", (55, 0, 59, 20), 0.6)]]
    + [[*line("18 056", space=0.8), Candidate("speck", (28, 18, 31, 21), other)] for other in (0.6, 0.9)]
    + [[*line("15.2"), Candidate(",", (24.5, 17, 27, 21), 0.6)]]
    + [line("6", height=30) + line("1", 25, 1, 12) + line("2", 25, 17, 12) + [Candidate("bar", (22, 14, 36, 16), 0.98)]]
)


def scene(seed: int) -> list[Candidate]:
    """Scatter up to 60 candidates of any kind."""
    dice = random.Random(seed)
    found = []
    for _ in range(dice.randrange(60)):
        left, top = dice.uniform(0, 150), dice.uniform(0, 90)
        right, bottom = left + dice.uniform(1, 14), top + dice.uniform(1, 20)
        text = dice.choice([*LABELS[:-1], *"0123456789", "doubt", "mark", "bar", "speck"])
        found.append(Candidate(text, (left, top, right, bottom), dice.uniform(0.5, 1)))
    return found


def arrays(candidates: Sequence[Candidate], seed: int) -> tuple[Any, Any, Any]:
    """Return the model's tensors for candidates: the rest of each one's probability falls on labels by chance."""
    random = np.random.default_rng(seed)
    boxes = np.array([each.box for each in candidates], np.float32).reshape(-1, 4)
    rows = random.uniform(0, 1, (len(candidates), len(LABELS))) ** 8
    places = [LABELS.index(each.text if each.text in LABELS else "other") for each in candidates]
    best = np.eye(len(LABELS))[places].reshape(rows.shape)
    share = np.array([[each.probability] for each in candidates]).reshape(-1, 1)
    rows *= (1 - best) * (1 - share) / (rows * (1 - best)).sum(1, keepdims=True)
    rows += best * share
    for row, each in zip(rows, candidates, strict=True):
        if each.text == "speck":
            row[:-1] = np.eye(len(LABELS))[LABELS.index("."), :-1] * (1 - each.probability)
    return boxes, rows.astype(np.float32), np.array([each.text in {"mark", "bar"} for each in candidates], bool)


def as_scenes(arrays: Sequence[tuple[Any, Any, Any]]) -> list[list[dict[str, Any]]]:
    """Return scenes as layout.js takes them."""
    return [
        [
            {"box": box, "shares": shares, "isMark": mark}
            for box, shares, mark in zip(boxes.tolist(), rows.tolist(), marks.tolist(), strict=True)
        ]
        for boxes, rows, marks in arrays
    ]


def in_browser(run: Run, arrays: Sequence[tuple[Any, Any, Any]]) -> Any:
    script = "(module, scenes, ...more) => scenes.map((scene) => module.findNumbers(scene, ...more))"
    return run("layout", script, as_scenes(arrays), LABELS, vars(CALIBRATION))


def near(found: Any, wanted: Any) -> bool:
    """Return whether JSON values are equal, and numbers among them nearly."""
    if isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(near(found[key], value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(near, found, wanted))
    return abs(found - wanted) < 1e-6 if isinstance(wanted, float) else bool(found == wanted)


def test_numbers_are_those_of_layout_py(run: Run) -> None:
    given = [arrays(scene, seed) for seed, scene in enumerate([*WRITTEN, *map(scene, range(120))])]
    wanted = [[number.as_dict() for number in find_numbers(*each, LABELS, CALIBRATION)] for each in given]
    assert sum(map(len, wanted)) > 500
    for scene_number, (found, numbers) in enumerate(zip(in_browser(run, given), wanted, strict=True)):
        assert [each["text"] for each in found] == [each["text"] for each in numbers], scene_number
        assert near(found, numbers), scene_number


@pytest.mark.parametrize("allow", ["0123456789", "17", "0123456789.-"])
def test_what_is_not_allowed_is_left_out_as_in_constraints_py(run: Run, allow: str) -> None:
    _, rows, _ = arrays(scene(3), 3)
    script = "(module, rows, ...more) => rows.map((row) => module.restrict(row, ...more))"
    assert np.allclose(
        run("constraints", script, rows.tolist(), LABELS, allow), restrict(rows, LABELS, allow), atol=1e-6
    )
    refusal = "(module, labels) => { try { module.checkAllow('1a', labels); } catch (error) { return error.message; } }"
    assert run("constraints", refusal, LABELS).startswith("The allowed characters must be one or more of 0 1 2")
