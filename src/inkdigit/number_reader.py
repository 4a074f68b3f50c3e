"""Pixels to readings on ONNX Runtime: the number reader's candidates, laid out as numbers."""

import numpy as np
import onnxruntime as ort

from .constraints import check_allow, restrict
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

    def read_pixels(self, pixels: Pixels, factor: int = 1, allow: str | None = None) -> Reading:
        """Return the reading of pixels uint8 [H, W], of which one stands for `factor` px of the picture.

        `allow` holds the only characters that may occur. Raises InputError where it has others than the symbols, and
        ArtefactError where the graph cannot run.
        """
        labels = self.contract.labels
        allowed = None if allow is None else check_allow(allow, labels)
        try:
            boxes, probabilities, is_mark, truncated = self._session.run(list(NUMBER_OUTPUTS), {"pixels": pixels[None]})
        except ORT_ERRORS as error:
            raise ArtefactError(f"The graph of the model {self.contract.name} fails when it runs.") from error
        if allowed is not None:
            probabilities = restrict(probabilities, labels, allowed)
        numbers = find_numbers(boxes * np.float32(factor), probabilities, is_mark, labels, self._calibration)
        return Reading(numbers, self.contract.thresholds.confidence, self._model, bool(truncated[0]), upright_image)
