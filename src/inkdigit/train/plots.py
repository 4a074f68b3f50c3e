"""Pictures of a run and of an evaluation: how it went, what is confused, and the worst mistakes with their frames."""

import json
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from ..errors import InputError
from ..evaluation.datasets import Labelled
from ..evaluation.scores import Score
from ..files import atomic_path
from ..image import load_pixels
from ..recognizer import Recognizer

WORST = 24  # mistakes on a sheet
COLUMNS = 6


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, in one step, in a folder that may be new. Raises DataError."""
    with atomic_path(path) as draft:
        figure.savefig(draft, format="png", dpi=110)


@matplotlib.rc_context({"text.parse_math": False})  # a label may hold dollars
def plot_results(
    recognizer: Recognizer, results: Mapping[str, Score], pictures: Mapping[str, Labelled], folder: Path
) -> None:
    """Draw confusion.png and mistakes.png: the confusion matrix and the worst mistakes of every source scored.

    Raises DataError where they cannot be written.
    """
    if not results:
        return
    labels = recognizer.contract.labels
    matrices = Figure(figsize=(6 * len(results), 5.6), layout="constrained")
    for axes, (name, result) in zip(
        matrices.subplots(1, len(results), squeeze=False).flat, results.items(), strict=True
    ):
        blank = int((result.answers < 0).sum())
        draw_confusion(axes, result.confusion, labels, f"{name} ({blank} blank, left out)" if blank else name)
    save(matrices, folder / "confusion.png")
    sheets = {name: worst_mistakes(pictures[name], result) for name, result in results.items()}
    heights = [0.6 + 1.35 * rows_of(worst) for worst in sheets.values()]
    sheet = Figure(figsize=(1.9 * COLUMNS, sum(heights)), layout="constrained")
    parts = sheet.subfigures(len(sheets), 1, squeeze=False, height_ratios=heights)
    for part, (name, worst) in zip(parts.flat, sheets.items(), strict=True):
        draw_mistakes(part, recognizer, pictures[name], results[name], worst, name)
    save(sheet, folder / "mistakes.png")


def plot_curves(metrics: Path, path: Path) -> None:
    """Draw what a run's metrics say of every epoch: the loss of each stage, and the part read wrong in validation."""
    lines = [json.loads(line) for line in metrics.read_text().splitlines()]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for stage in dict.fromkeys(line["stage"] for line in lines):
        epochs = [line for line in lines if line["stage"] == stage]
        left.plot([line["epoch"] for line in epochs], [line["loss"] for line in epochs], marker=".", label=stage)
    left.set(title="loss of the last batch", xlabel="epoch", yscale="log")
    left.legend()
    validated = [line for line in lines if "validation" in line]
    wrong = [100 * (1 - line["validation"]) for line in validated]
    right.plot([line["epoch"] for line in validated], wrong, marker=".", color="tab:red")
    right.set(
        title="read wrong in validation, %", xlabel="epoch", yscale="log" if min(wrong, default=0) > 0 else "linear"
    )
    save(figure, path)


def draw_confusion(axes: Axes, table: NDArray[np.int64], labels: tuple[str, ...], title: str) -> None:
    """Draw a confusion matrix [C, C]; the shade is of the mistakes alone, which the right answers would drown."""
    mistakes = np.where(np.eye(len(labels), dtype=bool), 0, table)
    axes.imshow(mistakes, cmap="Reds", vmax=max(1, mistakes.max()))
    for row, column in np.argwhere(table > 0):
        weight = "bold" if row == column else "normal"
        color = "white" if mistakes[row, column] > mistakes.max() / 2 else "black"
        text = str(table[row, column])
        axes.text(column, row, text, ha="center", va="center", fontsize=8, fontweight=weight, color=color)
    axes.set(title=title, xlabel="read as", ylabel="is")
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(range(len(labels)), labels)


def worst_mistakes(data: Labelled, result: Score) -> list[int]:
    """Return the places of the mistakes that were made with the most confidence."""
    wrong = np.flatnonzero(result.answers != data.labels)
    surest = np.argsort(-result.probabilities[wrong].max(1), kind="stable")
    return [int(place) for place in wrong[surest][:WORST]]


def rows_of(worst: list[int]) -> int:
    """Count the rows that mistakes take."""
    return -(-len(worst) // COLUMNS)


def draw_mistakes(
    part: SubFigure, recognizer: Recognizer, data: Labelled, result: Score, worst: list[int], title: str
) -> None:
    """Draw mistakes: each picture beside its frame."""
    labels = recognizer.contract.labels
    wrong = int((result.answers != data.labels).sum())
    part.suptitle(f"{title}: {wrong} mistakes of {len(data)}" + (", the surest first" if wrong else ""))
    if not worst:
        return
    for axes, place in zip_longest(part.subplots(rows_of(worst), COLUMNS, squeeze=False).flat, worst):
        axes.axis("off")
        if place is not None:
            axes.imshow(_pair(recognizer, load_pixels(data.images[place])), cmap="gray", vmin=0, vmax=255)
            read = labels[result.answers[place]] if result.answers[place] >= 0 else "blank"
            confidence = result.probabilities[place].max()
            axes.set_title(f"{labels[data.labels[place]]} read as {read}, {confidence:.0%}", fontsize=8)


def _pair(recognizer: Recognizer, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Put a picture and its frame side by side, as tall as the picture."""
    answer = recognizer.predict_batch([image])[0]
    frame = np.zeros((28, 28), np.float32) if isinstance(answer, InputError) else answer.frame
    side = image.shape[0]
    index = np.arange(side) * 28 // side
    return np.concatenate(
        [image.astype(np.float32), np.full((side, max(1, side // 14)), 128), frame[index][:, index] * 255], 1
    )
