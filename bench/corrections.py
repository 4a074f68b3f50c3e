"""What a model learns from 60 corrections of one writer, and whether it forgets anything.

    python bench/corrections.py [--data DIR] [--out runs/corrections] [--corrections 60] [--tests 200]
    python bench/corrections.py --only speed [--data DIR] [--out runs/corrections] [--corrections 200]

The writer is simulated: ones and sevens of the test writers' pens, all turned and slanted alike, so far that the
shipped model reads most of them wrong. The first digits are corrected over HTTP's store, `inkdigit train` learns them,
and the same writer's next digits are read by the model before and after. Wanted: at most 60 % right before and at
least 90 % after; MNIST's test set falls by at most 0.1 points. `--only speed` measures how long learning takes: at most
ten minutes for 200 corrections on two cores.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkdigit import InputError, Recognizer
from inkdigit.corrections.intake import new_correction
from inkdigit.corrections.store import Limits, Store
from inkdigit.evaluation.strokes import PenDigit, draw, fitted, is_test_writer, pendigits
from inkdigit.model_file import DEFAULT_MODEL
from inkdigit.prediction import Model

SIDE, INK, PEN = 160, 100, 9  # px of the picture, of the ink's longest side, and of the pen
TURN, SLANT = np.deg2rad(30), -0.8  # of every digit of the writer
LABELS = (1, 7)
LIMITS = Limits(days=30, count=10_000, per_minute=10_000)
Grey = NDArray[np.uint8]


def written(digit: PenDigit, random: np.random.Generator) -> Grey:
    """Draw a digit as the simulated writer does, dark on white: never quite alike."""
    turn, slant = TURN + random.normal(0, 0.05), SLANT + random.normal(0, 0.05)
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = turned @ np.array([[1, slant], [0, 1]])
    strokes = [stroke @ matrix.T for stroke in digit.strokes]
    return np.asarray(255 - draw(fitted(strokes, INK, (SIDE / 2, SIDE / 2)), PEN, SIDE))


def digits_of(count: int, data: Path | None, seed: int) -> tuple[list[Grey], list[int]]:
    """Draw some ones and sevens, and give their labels."""
    random = np.random.default_rng(seed)
    every = [each for each in pendigits(data) if is_test_writer(each.writer) and each.label in LABELS]
    chosen = [every[place] for place in random.permutation(len(every))[:count]]
    return [written(each, random) for each in chosen], [each.label for each in chosen]


def accuracy(recognizer: Recognizer, pictures: list[Grey], labels: list[int]) -> float:
    """Return the part of the pictures that is read right."""
    answers = recognizer.predict_batch(pictures)
    digits = [None if isinstance(answer, InputError) else answer.digit for answer in answers]
    return float(np.mean([digit == label for digit, label in zip(digits, labels, strict=True)]))


def stored(database: Path, pictures: list[Grey], labels: list[int], before: Recognizer) -> str:
    """Store corrections of the answers to pictures in a new database; return its URL."""
    database.parent.mkdir(parents=True, exist_ok=True)
    database.unlink(missing_ok=True)
    store = Store(f"sqlite:///{database}")
    model = Model(before.contract.name, before.contract.version)
    for picture, label in zip(pictures, labels, strict=True):
        answer = before.predict(picture)
        store.add(new_correction(picture, "digit", str(label), str(answer.digit), answer.confidence, model), LIMITS)
    store.close()
    return f"sqlite:///{database}"


def learn(url: str, out: Path, data: Path | None) -> bool:
    """Run `inkdigit train` on corrections and print its time; return whether the result was kept."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "inkdigit", "train", "--from", DEFAULT_MODEL, "--out", str(out)]
    command += ["--corrections", url, *(["--data", str(data)] if data else [])]
    done = subprocess.run(command, check=False)
    print(f"learnt in {time.monotonic() - begun:.0f} s, exit code {done.returncode}", flush=True)
    return done.returncode == 0


def parsed() -> argparse.Namespace:
    """Return the command's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["speed"])
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=Path("runs/corrections"))
    parser.add_argument("--corrections", type=int, help="default: 60, and 200 for the speed")
    parser.add_argument("--tests", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    """Print the accuracy before and after, and the time of learning; or the time alone."""
    options = parsed()
    count = options.corrections or (200 if options.only else 60)
    tests = 0 if options.only else options.tests
    pictures, labels = digits_of(count + tests, options.data, options.seed)
    if len(pictures) < count + tests:
        sys.exit(f"The test writers have {len(pictures)} ones and sevens, not {count + tests}.")
    first, later = slice(0, count), slice(count, None)
    before = Recognizer()
    if tests:
        print(
            f"before: {accuracy(before, pictures[later], labels[later]):.1%} of the next digits are right", flush=True
        )
    else:
        print(f"{count} corrections", flush=True)
    url = stored(options.out / "corrections.db", pictures[first], labels[first], before)
    if learn(url, options.out, options.data) and tests:
        after = Recognizer(options.out / f"{DEFAULT_MODEL}.onnx")
        print(f"after: {accuracy(after, pictures[later], labels[later]):.1%} of the next digits are right")
        for source, scores in after.contract.scores.items():
            print(f"{source}: {before.contract.scores[source]['accuracy']:.2%} → {scores['accuracy']:.2%}")


if __name__ == "__main__":
    main()
