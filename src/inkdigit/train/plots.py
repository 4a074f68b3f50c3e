"""Pictures of a run and of an evaluation: how it went, what is confused, and the worst mistakes with their frames."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..data import Labelled
from ..errors import InputError
from ..evaluate import Score
from ..image import load_pixels
from ..recognizer import Recognizer

WORST = 24  # mistakes on a sheet
COLUMNS = 6


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, in one step."""
    draft = path.with_suffix(".tmp")
    figure.savefig(draft, format="png", dpi=110)
    draft.replace(path)


def plot_results(
    recognizer: Recognizer, results: Mapping[str, Score], pictures: Mapping[str, Labelled], folder: Path
) -> None:
    """Draw the confusion matrix and the worst mistakes of every source that was scored."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, result in results.items():
        plot_confusion(result.confusion, recognizer.contract.labels, name, folder / f"{name}-confusion.png")
        plot_mistakes(recognizer, pictures[name], result, name, folder / f"{name}-mistakes.png")


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


def plot_confusion(table: NDArray[np.int64], labels: tuple[str, ...], title: str, path: Path) -> None:
    """Draw a confusion matrix [C, C]; the shade is of the mistakes alone, which the right answers would drown."""
    figure = Figure(figsize=(6, 5.6), layout="constrained")
    axes = figure.subplots()
    mistakes = np.where(np.eye(len(labels), dtype=bool), 0, table)
    axes.imshow(mistakes, cmap="Reds", vmax=max(1, mistakes.max()))
    for row, column in np.argwhere(table > 0):
        weight = "bold" if row == column else "normal"
        axes.text(column, row, str(table[row, column]), ha="center", va="center", fontsize=8, fontweight=weight)
    axes.set(title=title, xlabel="read as", ylabel="is")
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(range(len(labels)), labels)
    save(figure, path)


def plot_mistakes(recognizer: Recognizer, data: Labelled, result: Score, title: str, path: Path) -> None:
    """Draw the mistakes that were made with the most confidence: each picture beside its frame."""
    confidence = np.where(result.answers == data.labels, -1.0, result.probabilities.max(1))
    worst = [place for place in np.argsort(-confidence)[:WORST] if confidence[place] >= 0]
    labels = recognizer.contract.labels
    rows = max(1, -(-len(worst) // COLUMNS))
    figure = Figure(figsize=(1.9 * COLUMNS, 0.5 + 1.35 * rows), layout="constrained")
    figure.suptitle(f"{title}: {int((confidence >= 0).sum())} mistakes of {len(data)}, the surest first")
    for number, axes in enumerate(figure.subplots(rows, COLUMNS, squeeze=False).flat):
        axes.axis("off")
        if number < len(worst):
            place = worst[number]
            axes.imshow(_pair(recognizer, load_pixels(data.images[place])), cmap="gray", vmin=0, vmax=255)
            read = labels[result.answers[place]] if result.answers[place] >= 0 else "blank"
            axes.set_title(f"{labels[data.labels[place]]} read as {read}, {confidence[place]:.0%}", fontsize=8)
    save(figure, path)


def _pair(recognizer: Recognizer, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Put a picture and its frame side by side, as tall as the picture."""
    answer = recognizer.predict_batch([image])[0]
    frame = np.zeros((28, 28), np.float32) if isinstance(answer, InputError) else answer.frame
    side = image.shape[0]
    index = np.arange(side) * 28 // side
    return np.concatenate(
        [image.astype(np.float32), np.full((side, max(1, side // 14)), 128), frame[index][:, index] * 255], 1
    )
