"""Pictures of an evaluation: the confusion matrix, and the worst mistakes with what the network saw of them."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..data import Labelled
from ..errors import InputError
from ..evaluate import Score
from ..recognizer import Recognizer

WORST = 24  # mistakes on a sheet
COLUMNS = 6


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, in one step."""
    draft = path.with_suffix(".tmp")
    figure.savefig(draft, format="png", dpi=110)
    draft.replace(path)


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
            axes.imshow(_pair(recognizer, data.images[place]), cmap="gray", vmin=0, vmax=255)
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
