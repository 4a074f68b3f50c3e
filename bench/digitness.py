"""How well digitness separates digits from other pictures, by kind. None of these pictures were trained on.

    python bench/digitness.py [--data DIR] [--count 500] [--model NAME|FILE.onnx] [--sheet sheet.png]

The digits are those of every evaluation source. Scribbles are random walks of a pen, shapes are figures of geometry,
letters are Pillow's own font; each is drawn 200×200 with any width, size and place. Letters that look like digits
(O, I, S, Z, b, q …) are scored separately.
"""

import argparse
import string
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from inkdigit import Recognizer
from inkdigit.evaluation.datasets import Labelled
from inkdigit.evaluation.scores import NO_DIGITS, SOURCES, auroc, score
from inkdigit.evaluation.strokes import draw, fitted
from inkdigit.model_file import DEFAULT_MODEL

Grey = NDArray[np.uint8]
Random = np.random.Generator
SIZE = 200
ALIKE = "BDGIJOQSZbgiloqsz"
WANTED = {"omniglot": 0.97, "scribbles": 0.985, "shapes": 0.985, "letters": 0.985}


def drawn(strokes: list[NDArray[np.floating]], random: Random) -> Grey:
    """Draw strokes anywhere, with any pen."""
    side = SIZE * random.uniform(0.3, 0.9)
    x, y = random.uniform(side / 2, SIZE - side / 2, 2)
    width = side * random.uniform(0.02, 0.12)
    return draw(fitted([stroke.astype(np.float32) for stroke in strokes], side - width, (x, y)), width, SIZE)


def scribble(random: Random) -> Grey:
    """Let a pen walk at random: its direction turns, and turns faster and slower."""
    turns = np.cumsum(random.normal(0, random.uniform(0.05, 0.4), 120)) + random.normal(0, 0.3, 120)
    return drawn([np.cumsum(np.stack([np.cos(np.cumsum(turns)), np.sin(np.cumsum(turns))], 1), 0)], random)


def shape(random: Random) -> Grey:
    """Draw a polygon, a star, an arrow, a spiral or a heart."""
    kind = random.integers(5)
    turn = random.uniform(0, 2 * np.pi)
    if kind <= 1:
        corners = int(random.integers(3, 8)) if kind == 0 else 10
        radius = np.where(np.arange(corners) % 2, 0.45, 1.0) if kind == 1 else np.ones(corners)
        angle = turn + 2 * np.pi * np.arange(corners + 1) / corners
        return drawn([np.stack([np.cos(angle), np.sin(angle)], 1) * np.append(radius, radius[0])[:, None]], random)
    if kind == 2:
        cos, sin = np.cos(turn), np.sin(turn)
        arrow = [np.array([[-1.0, 0], [1, 0]]), np.array([[0.5, -0.4], [1, 0], [0.5, 0.4]])]
        return drawn([line @ np.array([[cos, -sin], [sin, cos]]) for line in arrow], random)
    angle = np.linspace(0, 2 * np.pi, 90)
    if kind == 3:
        spiral = angle * random.uniform(2, 4)
        return drawn([np.stack([np.cos(spiral), np.sin(spiral)], 1) * spiral[:, None]], random)
    heart = np.stack([16 * np.sin(angle) ** 3, -13 * np.cos(angle) + 5 * np.cos(2 * angle) + 2 * np.cos(3 * angle)], 1)
    return drawn([heart], random)


def letter(signs: str, random: Random) -> Grey:
    """Print one of these letters."""
    canvas = Image.new("L", (SIZE, SIZE))
    font = ImageFont.load_default(SIZE * random.uniform(0.3, 0.9))
    sign = signs[random.integers(len(signs))]
    left, top, right, bottom = font.getbbox(sign)
    x = random.uniform(0, max(SIZE - (right - left), 1)) - left
    y = random.uniform(0, max(SIZE - (bottom - top), 1)) - top
    ImageDraw.Draw(canvas).text((x, y), sign, fill=255, font=font)
    return np.asarray(canvas)


KINDS: dict[str, Callable[[Random], Grey]] = {
    "scribbles": scribble,
    "shapes": shape,
    "letters": partial(letter, "".join(sorted(set(string.ascii_letters) - set(ALIKE)))),
    "letters alike": partial(letter, ALIKE),
}


def made(kind: Callable[[Random], Grey], count: int) -> Labelled:
    """Make pictures of one kind; their labels are all 0."""
    random = np.random.default_rng(0)
    return Labelled(np.stack([kind(random) for _ in range(count)]), np.zeros(count, np.int64), {})


def main() -> None:
    """Print the area under the ROC curve of every kind, and how much of it counts as a digit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--sheet", type=Path, default=None)
    options = parser.parse_args()
    recognizer = Recognizer(options.model)
    limit = recognizer.contract.thresholds.digitness
    digits = {name: score(recognizer, read(options.data)).digitness for name, read in SOURCES.items()}
    for name, values in digits.items():
        print(f"{name:<16} {(values >= limit).mean():.1%} count as digits")
    others = {name: read(options.data) for name, read in NO_DIGITS.items()}
    others |= {name: made(kind, options.count) for name, kind in KINDS.items()}
    every = np.concatenate(list(digits.values()))
    for name, data in others.items():
        values = score(recognizer, data).digitness
        print(
            f"{name:<16} {(values >= limit).mean():.1%} count as digits; "
            f"area under the ROC curve {auroc(every, values):.4f}"
            + (f", wanted {WANTED[name]}" if name in WANTED else "")
        )
    if options.sheet:
        rows = [np.hstack(list(made(kind, 12).images)) for kind in KINDS.values()]
        Image.fromarray(255 - np.vstack(rows)).save(options.sheet)


if __name__ == "__main__":
    main()
