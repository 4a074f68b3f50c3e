"""Open the models that a service has."""

from collections.abc import Sequence

import numpy as np

from ..errors import ArtefactError
from ..recognizer import Recognizer


def load(models: Sequence[str]) -> dict[str, Recognizer]:
    """Open artefacts, by their names, and let each answer once. Raises ArtefactError."""
    recognizers: dict[str, Recognizer] = {}
    for model in models:
        recognizer = Recognizer(model)
        if recognizer.contract.name in recognizers:
            raise ArtefactError(f"{model} is a second model with the name {recognizer.contract.name}.")
        _prove(recognizer, model)
        recognizers[recognizer.contract.name] = recognizer
    return recognizers


def _prove(recognizer: Recognizer, model: str) -> None:
    """Read a plain bar, as a graph may load and yet not run. Raises ArtefactError where that has no answer."""
    bar = np.zeros((28, 28), np.uint8)
    bar[4:24, 12:16] = 255
    try:
        recognizer.predict_pixels(bar)
    except (ArtefactError, ValueError) as error:  # a blank's InputError, or another number of answers than of pictures
        raise ArtefactError(f"{model} does not answer a plain bar: {error}") from error
