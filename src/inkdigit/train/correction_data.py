"""Corrections as training data: digits cut out of their pictures, doubtful labels, and a part that is held out."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ..corrections.picture import cut
from ..corrections.records import Correction
from ..errors import InputError
from ..evaluation.scores import DIGITS
from ..image import Pixels
from ..model_file import digit_model_names
from ..recognizer import Recognizer
from .corpus import framed
from .data import Frames, concat
from .model.framing import Framing

HELD_OUT = 4  # every fourth correction is held out
LIKE = 0.9  # cosine similarity of two frames from which on their pictures are alike


@dataclass(frozen=True, eq=False)
class Example:
    """One digit of a correction, uint8 [H, W], with what is right."""

    correction: str  # id
    pixels: Pixels
    label: int


def held_out_ids(examples: Sequence[Example]) -> set[str]:
    """Return the corrections that are held out with all of their digits: every fourth, in the order of their hashes."""
    ids = sorted({each.correction for each in examples}, key=lambda each: hashlib.sha256(each.encode()).hexdigest())
    return set(ids[::HELD_OUT])


def examples_of(corrections: Sequence[Correction], recognizer: Recognizer) -> list[Example]:
    """Return the digits of corrections; numbers that the reader does not cut into as many symbols have none."""
    return [Example(each.id, *digit) for each in corrections for digit in _digits(each, recognizer)]


def _digits(correction: Correction, recognizer: Recognizer) -> Iterator[tuple[Pixels, int]]:
    pixels = np.asarray(Image.open(io.BytesIO(correction.picture)).convert("L"))
    if correction.task != "number":
        if correction.label in DIGITS:
            yield pixels, int(correction.label)
        return
    symbols = [symbol for number in recognizer.read(pixels).numbers for symbol in number.symbols]
    wanted = correction.label.replace(" ", "")
    if len(symbols) == len(wanted):
        for symbol, label in zip(symbols, wanted, strict=True):
            if label in DIGITS:
                yield cut(pixels, symbol.box), int(label)


def framed_examples(examples: Sequence[Example], framing: Framing) -> tuple[list[Example], Frames]:
    """Frame examples as the graph will; those in which it finds no ink are left out."""
    frames = [framed(framing, torch.tensor(each.pixels)[None], torch.tensor([each.label])) for each in examples]
    kept = [place for place, frame in enumerate(frames) if len(frame.labels)]
    return [examples[place] for place in kept], concat(*(frames[place] for place in kept))


@dataclass(frozen=True)
class Doubts:
    """Hold the places of doubtful examples: those to ask about, and those that like ones contradict."""

    asked: list[int]
    refused: list[int]


def doubts_about(examples: Sequence[Example], frames: Frames) -> Doubts:
    """Find the labels that every shipped model contradicts with certainty.

    Refused are those of them whose like pictures are labelled otherwise, by more corrections than agree.
    """
    models = [Recognizer(name) for name in digit_model_names()]
    doubtful = [place for place, each in enumerate(examples) if all(_contradicts(model, each) for model in models)]
    refused = [place for place in doubtful if _is_outvoted(place, examples, _likeness(frames))]
    return Doubts([place for place in doubtful if place not in refused], refused)


def _contradicts(model: Recognizer, example: Example) -> bool:
    """Return whether a model is sure of another digit."""
    try:
        answer = model.predict_pixels(example.pixels)
    except InputError:
        return False
    return answer.is_sure and answer.is_digit and answer.digit != example.label


def _likeness(frames: Frames) -> NDArray[np.float64]:
    """Return the cosine similarity of each frame with each other, [N, N]."""
    flat = frames.frames.flatten(1).double().numpy()
    unit = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
    return np.asarray(unit @ unit.T)


def _is_outvoted(place: int, examples: Sequence[Example], likeness: NDArray[np.float64]) -> bool:
    """Return whether more like pictures of other corrections have another label than have the same, itself included."""
    own = examples[place]
    alike = [each for each, score in zip(examples, likeness[place], strict=True) if score >= LIKE]
    others = sum(each.label != own.label for each in alike if each.correction != own.correction)
    return others > sum(each.label == own.label for each in alike)
