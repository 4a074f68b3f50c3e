"""How well digits of unseen writers are read, drawn with pens from a hairline to a marker.

Pen digits lie anywhere on a page, or are cropped to the ink; MNIST's test digits are redrawn along the middle of their
lines. There the finest pen is one pixel, an eightieth of the digit, so the first two rows are equal.

    python bench/pens.py [--data DIR] [--model FILE.onnx] [--count 500]

A pen's width is given in parts of the digit's longest side; MNIST's is about a tenth.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from inkdigit import Prediction, Recognizer
from inkdigit.evaluation.datasets import mnist
from inkdigit.evaluation.strokes import PenDigit, draw, fitted, is_test_writer, pendigits
from inkdigit.train.synth.pens import INK, along, middle_lines

WIDTHS = (0.002, 0.01, 0.03, 0.1, 0.15, 0.2)  # over that, loops are filled
SIDE = 480  # px of the digit's longest side
MARGINS = {"anywhere on a page": 800 - SIDE, "cropped to the ink": 0}  # px
REDRAWN = "MNIST's, redrawn"


def drawn(digit: PenDigit, width: float, margin: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a digit, black on white, with a pen of `width` somewhere in a picture that is larger by `margin` px."""
    strokes = fitted(digit.strokes, SIDE * (1 - width), (SIDE / 2, SIDE / 2))
    ink = draw(strokes, SIDE * width, SIDE)
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    above, left = random.integers(0, margin + 1, 2)
    return 255 - np.pad(ink, ((above, margin - above), (left, margin - left)))


def row(recognizer: Recognizer, pictures: list[NDArray[np.uint8]], labels: list[int]) -> str:
    """Read pictures: how many are read right, and how many count as digits."""
    answers = recognizer.predict_batch(pictures)
    right = [isinstance(a, Prediction) and a.digit == label for a, label in zip(answers, labels, strict=True)]
    known = [isinstance(a, Prediction) and a.is_digit for a in answers]
    return f"  {np.mean(right):>29.1%} {np.mean(known):>8.1%}"


def main() -> None:
    """Print a row for every pen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--model", default=None)
    parser.add_argument("--count", type=int, default=500)
    options = parser.parse_args()
    recognizer = Recognizer(options.model) if options.model else Recognizer()
    digits = [digit for digit in pendigits(options.data) if is_test_writer(digit.writer)]
    digits = digits[:: max(1, len(digits) // options.count)]
    test = mnist("test", options.data)
    chosen = slice(None, None, max(1, len(test) // options.count))
    lines, kept = middle_lines(torch.tensor(test.images[chosen]))
    labels = test.labels[chosen][kept].tolist()
    print(f"{'width':>6}" + "".join(f"  {name + ': right, a digit':>38}" for name in (*MARGINS, REDRAWN)))
    for width in WIDTHS:
        cells = ""
        for margin in MARGINS.values():
            random = np.random.default_rng(1)
            pictures = [drawn(digit, width, margin, random) for digit in digits]
            cells += row(recognizer, pictures, [digit.label for digit in digits])
        cells += row(recognizer, [255 - along(line, max(1, width * INK)) for line in lines], labels)
        print(f"{width:6}" + cells, flush=True)


if __name__ == "__main__":
    main()
