"""What framing costs a 28×28 MNIST picture: the same network, trained and tested on frames and on the pictures.

    python bench/framing_cost.py [--data DIR] [--network small] [--epochs 6] [--seeds 3]

Frames are the shipped artefact's own. Both sides see the same pictures in the same order, with the same augmentation.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from inkdigit import InputError, Recognizer
from inkdigit.evaluation.datasets import Labelled, mnist
from inkdigit.train.data import Frames
from inkdigit.train.fit.trainers import accuracy, fit_classifier
from inkdigit.train.model.classifiers import NETWORKS
from inkdigit.train.recipe import Recipe

BLANK = np.zeros((28, 28), np.float32)


def as_given(data: Labelled) -> Frames:
    """Take MNIST's pictures for frames."""
    return Frames(torch.tensor(data.images), torch.tensor(data.labels))


def as_framed(recognizer: Recognizer, data: Labelled) -> Frames:
    """Take the frames that the artefact makes of MNIST's pictures."""
    answers = recognizer.predict_batch(list(data.images))
    frames = np.stack([BLANK if isinstance(answer, InputError) else answer.frame for answer in answers])
    return Frames((torch.tensor(frames) * 255).round().to(torch.uint8), torch.tensor(data.labels))


def main() -> None:
    """Print the test accuracy of every seed with and without framing, and the mean difference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--network", choices=NETWORKS, default="small")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    recognizer = Recognizer()
    sets = [mnist(split, options.data) for split in ("train", "test")]
    kinds = {
        "as given": [as_given(data) for data in sets],
        "framed": [as_framed(recognizer, data) for data in sets],
    }
    reached: dict[str, list[float]] = {kind: [] for kind in kinds}
    for seed in range(1, options.seeds + 1):
        for kind, (training, test) in kinds.items():
            torch.manual_seed(seed)
            recipe = Recipe(network=options.network, seed=seed, epochs=options.epochs)
            network = fit_classifier(NETWORKS[recipe.network](10), training, test, recipe)
            reached[kind].append(accuracy(network, test))
            print(f"seed {seed}, {kind}: {reached[kind][-1]:.2%}", flush=True)
    for kind, values in reached.items():
        print(f"{kind}: {np.mean(values):.3%} ± {np.std(values, ddof=1):.3%}")
    print(f"framing loses {np.mean(reached['as given']) - np.mean(reached['framed']):.3%}")


if __name__ == "__main__":
    main()
