"""Pictures of an evaluation, whatever the labels are called."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from numpy.typing import NDArray

from inkdigit import Recognizer
from inkdigit.evaluation.datasets import Labelled
from inkdigit.evaluation.scores import score
from inkdigit.train import plots

from ..pictures import digits


def test_labels_with_dollars_are_no_formulas_and_blanks_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, labels = digits(20)
    data = Labelled(np.stack([*images, np.full_like(images[0], 255)]), (np.array([*labels, 0]) + 1) % 10, {})
    recognizer = Recognizer()
    names = ("$\\wrong{$", "a$_$b", *"23456789")
    monkeypatch.setattr(recognizer, "contract", dataclasses.replace(recognizer.contract, labels=names))
    titles: list[str] = []
    draw = plots.draw_confusion

    def noted(axes: Axes, table: NDArray[np.int64], labels: tuple[str, ...], title: str) -> None:
        titles.append(title)
        draw(axes, table, labels, title)

    monkeypatch.setattr(plots, "draw_confusion", noted)
    plots.plot_results(recognizer, {"held-out": score(recognizer, data)}, {"held-out": data}, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"confusion.png", "mistakes.png"}
    assert titles == ["held-out (1 blank, left out)"]
