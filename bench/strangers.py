"""How well writers are read whose country nothing was trained on: whether invented forms and hands are general.

    python bench/strangers.py [--data DIR] [--network small] [--epochs 4] [--seeds 1] [--invented 20000]

A network is trained on MNIST, which Americans wrote, and on invented digits, and reads the pen digits of Turkish
writers as they wrote them, framed by the shipped artefact. The test's writers are not among them, so one may look at
this while forms are made. `--invented 0` is MNIST alone.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from framing_cost import as_framed
from inkdigit import Recognizer
from inkdigit.evaluation.datasets import Labelled, mnist
from inkdigit.evaluation.strokes import PenDigit, draw, fitted, is_test_writer, pendigits
from inkdigit.train.data import Frames, concat
from inkdigit.train.fit.trainers import accuracy, fit_classifier
from inkdigit.train.model.classifiers import NETWORKS
from inkdigit.train.recipe import named_recipe
from inkdigit.train.synth.forms import invented_digits
from inkdigit.train.synth.pens import INK, SIDE, pen_ink

PEN = 5  # px, of strokes that are `INK` px large


def as_written(digit: PenDigit) -> NDArray[np.uint8]:
    """Draw a digit as its writer wrote it."""
    return draw(fitted(digit.strokes, INK, (SIDE / 2, SIDE / 2)), PEN, SIDE)


def framed(recognizer: Recognizer, pictures: NDArray[np.uint8], digits: list[PenDigit]) -> Frames:
    """Frame the pictures of digits."""
    return as_framed(recognizer, Labelled(pictures, np.array([digit.label for digit in digits]), {}))


def main() -> None:
    """Print the accuracy of every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--network", choices=NETWORKS, default="small")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--invented", type=int, default=20_000)
    options = parser.parse_args()
    recognizer = Recognizer()
    known = as_framed(recognizer, mnist("train", options.data))
    digits = [digit for digit in pendigits(options.data) if not is_test_writer(digit.writer)]
    strangers = framed(recognizer, np.stack([as_written(digit) for digit in digits]), digits)
    reached = []
    for seed in range(1, options.seeds + 1):
        made = invented_digits(options.invented, seed)
        training = concat(known, framed(recognizer, pen_ink(made, seed), made)) if made else known
        given = {"seed": seed, "network": options.network, "epochs": options.epochs}
        torch.manual_seed(seed)
        network = NETWORKS[options.network](10)
        reached.append(accuracy(fit_classifier(network, training, strangers, named_recipe("", given)), strangers))
        print(f"seed {seed}: {reached[-1]:.2%}", flush=True)
    print(f"{np.mean(reached):.2%} of {len(digits):,} digits of strangers are read")


if __name__ == "__main__":
    main()
