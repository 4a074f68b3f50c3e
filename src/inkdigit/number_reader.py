"""Pixels to readings on ONNX Runtime: the number reader's candidates, laid out as numbers."""

from collections.abc import Sequence

import numpy as np
import onnxruntime as ort

from .constraints import Constraints, constraints, restrict
from .errors import ArtefactError
from .image import Pixels, upright_image
from .layout import Calibration, find_numbers
from .model_file import NUMBER_OUTPUTS, ORT_ERRORS, Contract
from .prediction import Model
from .reading import Reading


class NumberReader:
    """Read whole numbers with one model of the task `number`. Read-only after `__init__`, so threads may share it."""

    def __init__(self, session: ort.InferenceSession, contract: Contract) -> None:
        self._session, self.contract = session, contract
        self._calibration = Calibration(**contract.calibration)
        self._model = Model(contract.name, contract.version)

    def constraints(
        self, allow: str | None = None, pattern: str | None = None, choices: Sequence[str] | None = None
    ) -> Constraints | None:
        """Return what numbers must be, None where nothing is asked of them. Raises InputError where it cannot be."""
        return constraints(self.contract.labels, allow=allow, pattern=pattern, choices=choices)

    def read_pixels(self, pixels: Pixels, factor: int = 1, constraints: Constraints | None = None) -> Reading:
        """Return the reading of pixels uint8 [H, W], of which one stands for `factor` px of the picture.

        Raises ArtefactError where the graph cannot run.
        """
        labels = self.contract.labels
        try:
            boxes, probabilities, is_mark, truncated = self._session.run(list(NUMBER_OUTPUTS), {"pixels": pixels[None]})
        except ORT_ERRORS as error:
            raise ArtefactError(f"The graph of the model {self.contract.name} fails when it runs.") from error
        if constraints and constraints.allow:
            probabilities = restrict(probabilities, labels, constraints.allow)
        decode = constraints.decode if constraints and constraints.automaton else None
        numbers = find_numbers(boxes * np.float32(factor), probabilities, is_mark, labels, self._calibration, decode)
        return Reading(numbers, self.contract.thresholds.confidence, self._model, bool(truncated[0]), upright_image)
