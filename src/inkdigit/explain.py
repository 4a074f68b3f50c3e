"""Explain a prediction by an occlusion map: which parts of the frame it depends on (Zeiler, Fergus 2014, section 2).

Uses predictions only, and no gradients.
"""

import io
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .errors import InputError
from .prediction import Prediction
from .recognizer import Recognizer

PATCH = 7  # px of the frame that are hidden at a time, in both directions
STEP = 3  # px from one hidden patch to the next
FLOOR = 0.01  # a fall in probability that is drawn at full strength at least, so that no noise is

Map = NDArray[np.float32]


def occlusion(recognizer: Recognizer, answer: Prediction) -> Map:
    """Return how far the answer's probability falls where the frame is hidden: float32 [28, 28], 0 not at all to 1.

    Every pixel has the mean of the patches that hide it. `recognizer` is the one that gave the answer.
    """
    frame = np.rint(answer.frame * 255).astype(np.uint8)
    patches = [patch for patch in _patches(frame.shape) if frame[patch].any()]
    whole, *hidden = (_probability(each, answer) for each in recognizer.predict_batch([frame, *_hide(frame, patches)]))
    falls, counts = np.zeros_like(answer.frame), np.zeros_like(answer.frame)
    for patch, probability in zip(patches, hidden, strict=True):
        falls[patch] += max(0.0, whole - probability)
    for patch in _patches(frame.shape):
        counts[patch] += 1
    means: Map = falls / counts.clip(1)
    return means


def _patches(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    height, width = shape
    for top in range(0, height - PATCH + 1, STEP):
        for left in range(0, width - PATCH + 1, STEP):
            yield slice(top, top + PATCH), slice(left, left + PATCH)


def _hide(frame: NDArray[np.uint8], patches: list[tuple[slice, slice]]) -> Iterator[NDArray[np.uint8]]:
    for patch in patches:
        copy = frame.copy()
        copy[patch] = 0
        yield copy


def _probability(reading: Prediction | InputError, answer: Prediction) -> float:
    """Return the probability of the answer's label; none where hiding has left no ink."""
    if isinstance(reading, InputError):
        return 0.0
    return reading.probabilities[answer.probabilities.index(answer.confidence)]


def occlusion_png(falls: Map) -> bytes:
    """Encode a map as a PNG that can lie over the frame: the more opaque, the more the answer rests on the place."""
    alpha = np.rint(falls / max(float(falls.max()), FLOOR) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.merge("LA", [Image.new("L", alpha.shape[::-1]), Image.fromarray(alpha)]).save(buffer, "PNG")
    return buffer.getvalue()
