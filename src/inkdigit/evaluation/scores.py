"""Scores of an artefact on labelled pictures, and on pictures of no digit, all through `Recognizer`. Needs no torch."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import ArtefactError, InputError
from ..recognizer import Recognizer
from .datasets import Labelled, hwd1000, mnist
from .strokes import drawn_by_strangers, omniglot

DIGITS = tuple(str(digit) for digit in range(10))
CHUNK = 500  # pictures between two moves of the progress bar

SOURCES: dict[str, Callable[[Path | None], Labelled]] = {
    "mnist-test": lambda folder: mnist("test", folder),
    "pendigits-test": drawn_by_strangers,
    "hwd1000": hwd1000,
}
NO_DIGITS: dict[str, Callable[[Path | None], Labelled]] = {"omniglot": omniglot}


@dataclass(frozen=True, eq=False)
class Score:
    """Predictions for labelled pictures: probabilities [N, C], digitness [N], labels [N]; 0 where there was none."""

    probabilities: NDArray[np.float64]
    digitness: NDArray[np.float64]
    labels: NDArray[np.int64]

    @property
    def accuracy(self) -> float:
        """Return the part of the pictures that is read right, 0..1."""
        return float((self.answers == self.labels).mean())

    @property
    def answers(self) -> NDArray[np.int64]:
        """Return the answered label of each picture [N], -1 where there was none."""
        answered = self.probabilities.sum(1) > 0
        return np.where(answered, self.probabilities.argmax(1), -1)

    @property
    def interval(self) -> tuple[float, float]:
        """Return the accuracy's 95 % interval (Wilson 1927)."""
        count, z = len(self.labels), 1.96
        middle = (self.accuracy + z * z / (2 * count)) / (1 + z * z / count)
        half = z / (1 + z * z / count)
        half *= math.sqrt(self.accuracy * (1 - self.accuracy) / count + z * z / (4 * count * count))
        return middle - half, middle + half

    @property
    def worst(self) -> tuple[int, float]:
        """Return the label that is read worst, and how much of it is right."""
        right = {int(label): float((self.answers == label)[self.labels == label].mean()) for label in set(self.labels)}
        label = min(right, key=lambda each: right[each])
        return label, right[label]

    @property
    def nll(self) -> float:
        """Return the mean negative log-likelihood, in nats; a picture without an answer counts as certainly wrong."""
        given = self.probabilities[np.arange(len(self.labels)), self.labels]
        return float(-np.log(np.maximum(given, 1e-7)).mean())

    @property
    def ece(self) -> float:
        """Return the expected calibration error over 15 bins (Naeini, Cooper, Hauskrecht 2015)."""
        confidence, right = self.probabilities.max(1), self.answers == self.labels
        bins = np.minimum((confidence * 15).astype(int), 14)
        gaps = [abs(right[bins == each].sum() - confidence[bins == each].sum()) for each in range(15)]
        return float(sum(gaps) / len(self.labels))

    def at_coverage(self, coverage: float) -> float:
        """Return the accuracy on the part of the pictures that is read with the most confidence."""
        kept = np.argsort(-self.probabilities.max(1), kind="stable")[: round(coverage * len(self.labels))]
        return float((self.answers == self.labels)[kept].mean())

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Count the answers, [C, C]: row what it is, column what it was read as."""
        classes = self.probabilities.shape[1]
        table = np.zeros((classes, classes), np.int64)
        np.add.at(table, (self.labels[self.answers >= 0], self.answers[self.answers >= 0]), 1)
        return table

    def summary(self) -> dict[str, float]:
        """Return the figures that the contract carries."""
        return {"accuracy": self.accuracy, "nll": self.nll, "ece": self.ece}


def recognizer_of_digits(path: Path) -> Recognizer:
    """Open an artefact that the sources can score. Raises ArtefactError where it reads other things than digits."""
    recognizer = Recognizer(path)
    if recognizer.contract.labels != DIGITS:
        labels = ", ".join(recognizer.contract.labels)
        raise ArtefactError(f"{path} reads {labels}; the evaluation sources are pictures of the ten digits.")
    return recognizer


def score(recognizer: Recognizer, data: Labelled, advance: Callable[[int], object] = lambda count: None) -> Score:
    """Read every picture; `advance` is told how many were read since it was last called."""
    classes = len(recognizer.contract.labels)
    probabilities = np.zeros((len(data), classes))
    digitness = np.zeros(len(data))
    for start in range(0, len(data), CHUNK):
        answers = recognizer.predict_batch(list(data.images[start : start + CHUNK]))
        for place, answer in enumerate(answers, start):
            if not isinstance(answer, InputError):
                probabilities[place], digitness[place] = answer.probabilities, answer.digitness
        advance(len(answers))
    return Score(probabilities, digitness, data.labels)


def auroc(digits: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Return the area under the ROC curve: how often a digit's digitness exceeds another picture's (ties: half)."""
    order = np.sort(others)
    below = np.searchsorted(order, digits, "left") + np.searchsorted(order, digits, "right")
    return float(below.mean() / (2 * len(others)))
