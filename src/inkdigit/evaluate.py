"""Scores of an artefact on labelled pictures, all through `Recognizer`. Needs no torch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .data import Labelled, hwd1000, mnist
from .errors import InputError
from .recognizer import Recognizer
from .strokes import drawn_by_strangers

CHUNK = 500  # pictures between two moves of the progress bar

SOURCES: dict[str, Callable[[Path | None], Labelled]] = {
    "mnist-test": lambda folder: mnist("test", folder),
    "pendigits-test": drawn_by_strangers,
    "hwd1000": hwd1000,
}


@dataclass(frozen=True, eq=False)
class Score:
    """Hold what was answered: probabilities [N, C], digitness [N] and labels [N]; 0 where a picture had no answer."""

    probabilities: NDArray[np.float64]
    digitness: NDArray[np.float64]
    labels: NDArray[np.int64]

    @property
    def accuracy(self) -> float:
        """Give the part of the pictures that is read right, 0..1."""
        return float((self.answers == self.labels).mean())

    @property
    def answers(self) -> NDArray[np.int64]:
        """Give the answered label of each picture [N], -1 where there was none."""
        answered = self.probabilities.sum(1) > 0
        return np.where(answered, self.probabilities.argmax(1), -1)

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Count the answers, [C, C]: row what it is, column what it was read as."""
        classes = self.probabilities.shape[1]
        table = np.zeros((classes, classes), np.int64)
        np.add.at(table, (self.labels[self.answers >= 0], self.answers[self.answers >= 0]), 1)
        return table


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


def confusion_lines(table: NDArray[np.int64], labels: tuple[str, ...]) -> Iterator[str]:
    """Write a confusion matrix as text, a dot for no picture."""
    width = max(len(str(table.max())), *(len(label) for label in labels)) + 1
    yield "read as".rjust(8) + "".join(label.rjust(width) for label in labels)
    for label, row in zip(labels, table, strict=True):
        yield label.rjust(8) + "".join((str(count) if count else "·").rjust(width) for count in row)
