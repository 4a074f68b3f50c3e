"""Time to accuracy: recipes of Inkdigit against the training run that everybody starts from, in the same minutes.

    OMP_NUM_THREADS=1 python bench/time_to_accuracy.py [--data DIR] [--seeds 3] [--recipe sprint --recipe fast]
        [--reference-epochs 14]

The reference is written here, in plain PyTorch: convolutions of 32 and 64 channels, max-pooling, dropout 0.25, a linear
layer of 128, dropout 0.5; Adadelta at 1.0, times 0.7 every epoch, batches of 64, 14 epochs, normalised MNIST. Reading
and preparing data counts on both sides, framing all of MNIST and calibration on ours; the test is in no side's time,
and is read once at each run's end. Schedules are fixed. Seeds alternate between the two. Seconds are the processor's:
with one thread they are those that a quiet machine takes, and other work beside lengthens them for neither side.
With fewer --reference-epochs its time is extrapolated, and its accuracy is not the reference's.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from inkdigit.evaluation.datasets import mnist
from inkdigit.train.recipe import named_recipe
from inkdigit.train.run import fit_model

EPOCHS = 14
WANTED = {"sprint": ("the reference's", 20), "fast": ("99.5 %", 6)}  # accuracy, and by what its time is divided


class Reference(nn.Module):
    """Build the network that everybody starts from: pictures [N, 1, 28, 28] to log-probabilities [N, 10]."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 32, 3), nn.Conv2d(32, 64, 3)
        self.hidden, self.last = nn.Linear(64 * 12 * 12, 128), nn.Linear(128, 10)

    def forward(self, pictures: Tensor) -> Tensor:
        """Classify normalised pictures."""
        features = functional.relu(self.second(functional.relu(self.first(pictures))))
        features = functional.dropout(functional.max_pool2d(features, 2), 0.25, self.training).flatten(1)
        features = functional.dropout(functional.relu(self.hidden(features)), 0.5, self.training)
        return functional.log_softmax(self.last(features), 1)


def normalised(split: str, folder: Path | None) -> tuple[Tensor, Tensor]:
    """Read MNIST as the reference sees it."""
    data = mnist(split, folder)
    return (torch.tensor(data.images)[:, None].float() / 255 - 0.1307) / 0.3081, torch.tensor(data.labels)


def reference(folder: Path | None, seed: int, epochs: int) -> tuple[float, float]:
    """Train the reference; give its seconds for all epochs, and its accuracy on the test set."""
    torch.manual_seed(seed)
    begun = time.process_time()
    pictures, labels = normalised("train", folder)
    network = Reference()
    optimiser = torch.optim.Adadelta(network.parameters(), 1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, 1, 0.7)
    prepared = time.process_time() - begun
    for _ in range(epochs):
        for index in torch.randperm(len(labels)).split(64):
            optimiser.zero_grad()
            functional.nll_loss(network(pictures[index]), labels[index]).backward()
            optimiser.step()
        schedule.step()
    seconds = prepared + (time.process_time() - begun - prepared) * EPOCHS / epochs
    return seconds, right(network.eval(), *normalised("test", folder))


def ours(name: str, folder: Path | None, seed: int) -> tuple[float, float]:
    """Train a named recipe; give its seconds, and the accuracy of the whole graph, framing and all, on the test set."""
    with tempfile.TemporaryDirectory() as out:
        begun = time.process_time()
        _, graph = fit_model(named_recipe(name, {"seed": seed}), folder, name, Path(out), resume=False)
        seconds = time.process_time() - begun
    test = mnist("test", folder)
    return seconds, right(graph.eval(), torch.tensor(test.images), torch.tensor(test.labels))


@torch.inference_mode()
def right(network: nn.Module, pictures: Tensor, labels: Tensor) -> float:
    """Return the part of the pictures that is read right; of several outputs, the first is the answer."""
    answers = [network(part) for part in pictures.split(500)]
    best = [(answer[0] if isinstance(answer, tuple) else answer).argmax(1) for answer in answers]
    return float((torch.cat(best) == labels).float().mean())


def main() -> None:
    """Print every run, then the means, the ratios, and what is wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--recipe", action="append", help="These recipes only.")
    parser.add_argument("--reference-epochs", type=int, default=EPOCHS)
    options = parser.parse_args()
    runs: dict[str, list[tuple[float, float]]] = {}
    for seed in range(1, options.seeds + 1):
        for name in ("reference", *(options.recipe or WANTED)):
            if name == "reference":
                result = reference(options.data, seed, options.reference_epochs)
            else:
                result = ours(name, options.data, seed)
            runs.setdefault(name, []).append(result)
            print(f"seed {seed}  {name:10} {result[0]:7.1f} s  {result[1]:.2%}", flush=True)
    base = np.mean([seconds for seconds, _ in runs["reference"]])
    for name, results in runs.items():
        seconds, accuracies = np.array(results).T
        spread = f" ± {accuracies.std(ddof=1):.3%}" if len(results) > 1 else ""
        accuracy, part = WANTED.get(name, ("", 0))
        wanted = f"; wanted {accuracy} in 1/{part}" if accuracy else ""
        time_taken = f"{seconds.mean():.1f} s, 1/{base / seconds.mean():.1f}"
        print(f"{name:10} {accuracies.mean():.3%}{spread} in {time_taken}{wanted}")


if __name__ == "__main__":
    main()
