"""Frames and answers of the shipped model, held still: a change of any of them is a change that somebody must mean.

python -m tests.golden.golden    writes them anew, after a new model or a change of framing
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkdigit import Recognizer

from ..pictures import Grey, digits, seven

FILE = Path(__file__).parent / "golden.npz"


def pictures() -> list[Grey]:
    """Return digits as they are, inverted, small and off the middle, cropped, and large."""
    images, _ = digits(12, 96)
    far = [np.pad(image[::2, ::2], ((20, 150), (130, 10)), constant_values=255) for image in images]
    return [*images, *(255 - image for image in images), *far, *(image[12:-12, 12:-12] for image in images), seven(900)]


def measured() -> dict[str, NDArray[np.generic]]:
    """Return what the shipped model makes of the pictures."""
    recognizer = Recognizer()
    answers = [recognizer.predict(picture) for picture in pictures()]
    return {
        "frames": np.rint(np.stack([answer.frame for answer in answers]) * 255).astype(np.uint8),
        "probabilities": np.array([answer.probabilities for answer in answers], np.float32),
        "digitness": np.array([answer.digitness for answer in answers], np.float32),
    }


if __name__ == "__main__":
    np.savez_compressed(FILE, **measured())  # type: ignore[arg-type]
