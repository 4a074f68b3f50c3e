"""Patterns and choices in the browser against automaton.py, decoding.py and constraints.py."""

import random
import re
from typing import Any

import pytest

from inkdigit import InputError
from inkdigit.automaton import from_pattern
from inkdigit.constraints import constraints
from inkdigit.layout import find_numbers

from ..test_layout import LABELS
from .conftest import Run
from .test_layout import CALIBRATION, WRITTEN, arrays, as_scenes, near, scene

SYMBOLS = "0123456789.,-/ "
ATOMS = [
    "0",
    "1",
    r"\d",
    ".",
    r"\.",
    "[-./]",
    "[^0]",
    "[0-4]",
    r"\/",
    "[1,]",
    r"\D",
    "a",
    r"[\d,]",
    "[]1]",
    r"[^\d]",
    " ",
]
COUNTS = ["?", "*", "+", "{2}", "{1,2}", "{,2}", "{0,}", "*?", "+?"]
REFUSED = [
    *("", "(", "[0", "1{2,1}", "1**", "[b-a]", "\\", "1" * 501, ")", "*", "[0-\\d]", "(?P<1>2)"),
    *(r"(\d)\1", "(?=1)1", "(?i)1", r"1\b", "1^2", "1$2", "1*+", r"\Z", "[[0]]", r"(?P<a>1)(?P=a)", "[0--1]"),
    *("x", "()", r"\$"),
    *(r"(\d{1,50}){1,50}", "((1*){0,1000}){0,1000}", "(0|1)*1(0|1){14}"),
]


def pattern_of(dice: random.Random, depth: int = 2) -> str:
    """Make a pattern up."""
    kind = dice.randrange(4) if depth else 0
    if kind == 0:
        return dice.choice(ATOMS)
    inner = [pattern_of(dice, depth - 1) for _ in range(dice.randrange(1, 4))]
    if kind == 1:
        return "".join(inner)
    return f"({'|'.join(inner)})" if kind == 2 else f"(?:{inner[0]}){dice.choice(COUNTS)}"


def matches(pattern: str, texts: list[str]) -> list[bool] | None:
    """Return which texts match a pattern, None where it is refused."""
    try:
        automaton = from_pattern(pattern, SYMBOLS)
    except InputError:
        return None
    return [automaton.matches(text) for text in texts]


MATCHES = """(module, symbols, patterns, texts) => patterns.map((pattern) => {
  try {
    const { after, accepting } = module.fromPattern(pattern, symbols);
    const end = (text) => [...text].reduce((state, symbol) => after[state]?.get(symbol), 0);
    return texts.map((text) => accepting.has(end(text)));
  } catch (error) {
    if (!error.code) throw error;
    return null;
  }
})"""


def test_patterns_match_what_they_match_in_python(run: Run) -> None:
    dice = random.Random(0)
    patterns = [f"^{pattern_of(dice, 3)}$" for _ in range(400)] + [
        r"\d{2}/\d{2}/\d{4}",
        r"\d{1,500}",
        "^-?\\d+([.,]\\d\\d)?$",
    ]
    texts = ["".join(dice.choices("01.,-/ 97", k=dice.randrange(7))) for _ in range(60)] + ["12/03/2024", "-15.50"]
    found = run("automaton", MATCHES, SYMBOLS, patterns, texts)
    for pattern, answer in zip(patterns, found, strict=True):
        assert answer == matches(pattern, texts), pattern


REASONS = """(module, symbols, patterns) => patterns.map((pattern) => {
  try { module.fromPattern(pattern, symbols); } catch (error) { return error.message; }
})"""


def test_what_python_refuses_is_refused_with_its_sentence(run: Run) -> None:
    found = run("automaton", REASONS, SYMBOLS, REFUSED)
    for pattern, sentence in zip(REFUSED, found, strict=True):
        with pytest.raises(InputError) as refused:
            from_pattern(pattern, SYMBOLS)
        start = re.match(r"The pattern is no regular expression|.*", str(refused.value))
        assert start
        assert (sentence or "").startswith(start[0]), pattern


LIMITS: list[dict[str, Any]] = [
    {"pattern": r"\d{2,4}"},
    {"pattern": r"-?\d+[.,]\d{2}"},
    {"pattern": r"\d{2}/\d{2}/\d{4}|\d"},
    {"pattern": r"\d+( \d+/\d+)?"},
    {"choices": ["2026", "7", "15.50", "12/03/2024", "6 1/2", "123", "5"]},
    {"choices": [f"{place:03}" for place in range(0, 1000, 7)]},
]


@pytest.mark.parametrize("limits", LIMITS, ids=lambda limits: str(next(iter(limits.values())))[:24])
def test_numbers_under_a_constraint_are_those_of_python(run: Run, limits: dict[str, Any]) -> None:
    given = [arrays(scene, seed) for seed, scene in enumerate([*WRITTEN, *map(scene, range(60))])]
    known = constraints(LABELS, **limits)
    assert known is not None
    wanted = [[number.as_dict() for number in find_numbers(*each, LABELS, CALIBRATION, known.decode)] for each in given]
    said = limits | ({"choices": "\n".join(limits["choices"])} if "choices" in limits else {})
    script = """(module, scenes, labels, calibration, limits) => {
      const { decode } = module.constraintsOf(labels, limits);
      return scenes.map((scene) => module.findNumbers(scene, labels, calibration, decode));
    }"""
    found = run("layout constraints", script, as_scenes(given), LABELS, vars(CALIBRATION), said)
    assert sum(not number.get("is_match", True) for numbers in wanted for number in numbers) > 5
    for scene_number, (numbers, expected) in enumerate(zip(found, wanted, strict=True)):
        assert [each["text"] for each in numbers] == [each["text"] for each in expected], scene_number
        assert near(numbers, expected), scene_number
