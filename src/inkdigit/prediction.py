"""The prediction for one picture, and its JSON form. Knows nothing of models or pictures."""

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

NUMERALS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class Model:
    """The name and version of the model that predicted."""

    name: str
    version: str


@dataclass(frozen=True)
class Thresholds:
    """The contract's thresholds in 0..1: at or over them a picture counts as a digit, and a prediction as sure."""

    digitness: float
    confidence: float


@dataclass(frozen=True, eq=False)
class Prediction:
    """The prediction for one picture.

    `probabilities` are calibrated and sum to 1, one for each of `labels`; `digitness` (0..1) is the probability that
    the picture is one digit at all; `frame` is what the network saw, float32 [28, 28], 0 paper to 1 ink.
    """

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    digitness: float
    frame: NDArray[np.float32]
    thresholds: Thresholds
    model: Model

    @property
    def digit(self) -> int | str:
        """Return the most probable label, as an int where it is a number."""
        label = self.labels[self.probabilities.index(max(self.probabilities))]
        return int(label) if label.isdecimal() else label

    @property
    def confidence(self) -> float:
        """Return the probability of `digit`, 0..1."""
        return max(self.probabilities)

    @property
    def is_digit(self) -> bool:
        """Return whether the picture looks like one digit."""
        return self.digitness >= self.thresholds.digitness

    @property
    def is_sure(self) -> bool:
        """Return whether the confidence is over the contract's threshold."""
        return self.confidence >= self.thresholds.confidence

    @property
    def verdict(self) -> str:
        """Return a sentence that says how far to trust the prediction.

        The page has the same sentences in `verdictOf` (server/web/form.js): change both.
        """
        ranked = sorted(zip(self.labels, self.probabilities, strict=True), key=lambda pair: -pair[1])
        first, second = (_spoken(label) for label, _ in ranked[:2])
        if not self.is_digit:
            return f"Not a digit. The nearest would be {first}."
        if not self.is_sure:
            return f"Not sure. Perhaps {first}, or {second}."
        return f"A clear {first}."

    def as_dict(self, *, frame: bool = False) -> dict[str, Any]:
        """Return the prediction as every interface writes it; `frame` adds the 28×28 as a PNG data URL."""
        answer: dict[str, Any] = {
            "digit": self.digit,
            "confidence": self.confidence,
            "probabilities": list(self.probabilities),
            "is_digit": self.is_digit,
            "digitness": self.digitness,
            "is_sure": self.is_sure,
            "model": {"name": self.model.name, "version": self.model.version},
        }
        if frame:
            answer["frame"] = data_url(frame_png(self.frame))
        return answer


def percent(probability: float) -> str:
    """Return a probability as a percentage, never 100 %. The page has the same in form.js."""
    return f"{probability:.1%}" if probability < 0.9995 else f"{min(probability, 0.9999):.2%}"


def _spoken(label: str) -> str:
    return NUMERALS[int(label)] if label.isdecimal() and int(label) < len(NUMERALS) else label


def data_url(png: bytes) -> str:
    """Return a PNG as a data URL."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def frame_png(frame: NDArray[np.float32]) -> bytes:
    """Encode a frame [28, 28] in 0..1 as a grey PNG, ink bright on black as the network sees it."""
    buffer = io.BytesIO()
    Image.fromarray(np.rint(frame * 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()
