"""Open the models that a service has."""

from collections.abc import Sequence

from ..errors import ArtefactError
from ..recognizer import Recognizer


def load(models: Sequence[str]) -> dict[str, Recognizer]:
    """Open artefacts, by their names. Raises ArtefactError."""
    recognizers: dict[str, Recognizer] = {}
    for model in models:
        recognizer = Recognizer(model)
        if recognizer.contract.name in recognizers:
            raise ArtefactError(f"{model} is a second model with the name {recognizer.contract.name}.")
        recognizers[recognizer.contract.name] = recognizer
    return recognizers
