"""What a larger network brings: accuracy on held-out digits against multiply-adds, for the flagship in several sizes.

    python bench/capacity.py [--data DIR] [--epochs 6] [--seeds 1]

Each size is trained by the recipe `fast` on the frames that the shipped artefact makes of MNIST's training pictures,
but for the last 5,000: these are what it is measured on. The test set is not read.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from framing_cost import as_framed
from inkdigit import Recognizer
from inkdigit.evaluation.datasets import mnist
from inkdigit.train.data import Frames
from inkdigit.train.fit.trainers import accuracy, fit_classifier
from inkdigit.train.model.classifiers import Network, flagship
from inkdigit.train.recipe import named_recipe

SIZES = ((16, 32, 1), (24, 48, 1), (32, 64, 1), (32, 64, 2), (48, 96, 1))  # fine, coarse, blocks; see `flagship`
HELD_OUT = 5000


def multiply_adds(network: Network) -> int:
    """Count what the network multiplies for one frame."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval()(torch.zeros(1, 1, 28, 28))
    return int(counter.get_total_flops()) // 2


def main() -> None:
    """Print a line for every size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    every = as_framed(Recognizer(), mnist("train", options.data))
    training = Frames(every.frames[:-HELD_OUT], every.labels[:-HELD_OUT])
    held_out = Frames(every.frames[-HELD_OUT:], every.labels[-HELD_OUT:])
    for fine, coarse, blocks in SIZES:
        reached = []
        for seed in range(1, options.seeds + 1):
            torch.manual_seed(seed)
            network = flagship(10, fine, coarse, blocks)
            size = multiply_adds(network), sum(each.numel() for each in network.parameters())
            recipe = named_recipe("fast", {"seed": seed, "epochs": options.epochs})
            fitted = fit_classifier(network, training, held_out, recipe)
            reached.append(accuracy(fitted, held_out))
        print(
            f"{fine} and {coarse} channels, {blocks} blocks: {size[0] / 1e6:5.1f} M multiply-adds, "
            f"{size[1] / 1e3:4.0f} k parameters, {np.mean(reached):.2%} (± {np.std(reached):.2%})",
            flush=True,
        )


if __name__ == "__main__":
    main()
