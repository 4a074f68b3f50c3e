"""The models that a server has loaded: open them, prove that they run, choose one by its name."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..errors import ArtefactError
from ..recognizer import Recognizer
from .error_responses import RequestError


def load(models: Sequence[str]) -> dict[str, Recognizer]:
    """Open models by their names, and let each predict and read once. Raises ArtefactError."""
    recognizers: dict[str, Recognizer] = {}
    for model in models:
        recognizer = Recognizer(model)
        if recognizer.contract.name in recognizers:
            raise ArtefactError(f"{model} is a second model with the name {recognizer.contract.name}.")
        _prove(recognizer, model)
        recognizers[recognizer.contract.name] = recognizer
    _share_reader(list(recognizers.values()))
    return recognizers


def _prove(recognizer: Recognizer, model: str) -> None:
    """Predict a plain bar, because a graph may load and yet not run. Raises ArtefactError if that fails."""
    bar = np.zeros((28, 28), np.uint8)
    bar[4:24, 12:16] = 255
    try:
        recognizer.predict_pixels(bar)
    except (ArtefactError, ValueError) as error:  # a blank's InputError, or another number of outputs than of pictures
        raise ArtefactError(f"{model} does not answer a plain bar: {error}") from error


def _share_reader(recognizers: Sequence[Recognizer]) -> None:
    """Open the shipped number reader once for all models that do not bring their own."""
    shared = next((each for each in recognizers if not each.has_own_reader), None)
    for recognizer in recognizers:
        if shared is not None and not recognizer.has_own_reader:
            recognizer.use_reader(shared.reader)
        recognizer.reader.read_pixels(np.full((28, 28), 255, np.uint8))


def choose(recognizers: Mapping[str, Recognizer], name: str | None) -> Recognizer:
    """Return a loaded model by its name, or the default. Raises RequestError."""
    if name is None:
        return next(iter(recognizers.values()))
    readers = {recognizer.reader.contract.name: recognizer for recognizer in recognizers.values()}
    every = {**readers, **recognizers}
    if name not in every:
        raise RequestError(f"No such model is loaded; these are: {', '.join(every)}.", "unknown_model")
    return every[name]
