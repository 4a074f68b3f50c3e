"""Pictures of a number reader's run: errors on a sheet, recall by digit height, reliability, and the loss."""

import json
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from ..reading import Reading
from ..recognizer import Recognizer
from .plots import save
from .synth.scene import NumberPicture

SHOWN = 40  # errors on a sheet
COLUMNS = 5
HEIGHTS = (8, 12, 16, 24, 32, 48, 64, 96, 160)  # px, bounds of the bins of digits' heights


@matplotlib.rc_context({"text.parse_math": False})
def plot_numbers(model: Path, pictures: Sequence[NumberPicture], metrics: Path, folder: Path) -> None:
    """Draw errors.png, heights.png, reliability.png and loss.png of a model on composed numbers. Raises DataError."""
    recognizer = Recognizer(model)
    readings = [recognizer.read(picture.pixels) for picture in pictures]
    save(errors_figure(pictures, readings), folder / "errors.png")
    save(heights_figure(pictures, readings), folder / "heights.png")
    save(reliability_figure(pictures, readings), folder / "reliability.png")
    lines = [json.loads(line) for line in metrics.read_text().splitlines()]
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.plot([line["epoch"] for line in lines], [line["loss"] for line in lines], marker=".")
    axes.set(title="loss", xlabel="step", yscale="log")
    save(figure, folder / "loss.png")


def errors_figure(pictures: Sequence[NumberPicture], readings: Sequence[Reading]) -> Figure:
    """Draw numbers that were misread, each with its boxes, the surest first."""
    pairs = zip(pictures, readings, strict=True)
    wrong = [(picture, reading) for picture, reading in pairs if reading.text != picture.text]
    wrong = sorted(wrong, key=lambda pair: -pair[1].confidence)[:SHOWN]
    rows = max(1, -(-len(wrong) // COLUMNS))
    figure = Figure(figsize=(2.6 * COLUMNS, 1.3 * rows), layout="constrained")
    for axes in figure.subplots(rows, COLUMNS, squeeze=False).flat:
        axes.axis("off")
    for axes, (picture, reading) in zip(figure.axes, wrong, strict=False):
        axes.imshow(np.asarray(reading.draw(picture.pixels)))
        axes.set_title(f"{picture.text} read as {reading.text!r}, {reading.confidence:.0%}", fontsize=7)
    return figure


def heights_figure(pictures: Sequence[NumberPicture], readings: Sequence[Reading]) -> Figure:
    """Draw the share of numbers that are read right by the height of their digits."""
    heights = [float(np.median(picture.boxes[:, 3] - picture.boxes[:, 1])) for picture in pictures]
    right = np.array([reading.text == picture.text for picture, reading in zip(pictures, readings, strict=True)])
    bins = np.digitize(heights, HEIGHTS)
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    shown = [number for number in range(len(HEIGHTS) + 1) if (bins == number).any()]
    axes.bar([str((0, *HEIGHTS)[number]) for number in shown], [right[bins == number].mean() for number in shown])
    axes.set(title="numbers read right by their digits' height", xlabel="px, from", ylim=(0, 1))
    return figure


def reliability_figure(pictures: Sequence[NumberPicture], readings: Sequence[Reading]) -> Figure:
    """Draw how often numbers are right against how sure they are (DeGroot, Fienberg 1983)."""
    found = [(picture, reading) for picture, reading in zip(pictures, readings, strict=True) if reading.numbers]
    confidence = np.array([reading.confidence for _, reading in found])
    right = np.array([reading.text == picture.text for picture, reading in found])
    bins = np.minimum((confidence * 10).astype(int), 9)
    shown = [number for number in range(10) if (bins == number).any()]
    figure = Figure(figsize=(4.2, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="gray", linewidth=1)
    means = [(confidence[bins == number].mean(), right[bins == number].mean()) for number in shown]
    axes.plot([mean for mean, _ in means], [share for _, share in means], marker="o")
    axes.set(title="reliability of numbers", xlabel="confidence", ylabel="share right", xlim=(0, 1), ylim=(0, 1))
    return figure
