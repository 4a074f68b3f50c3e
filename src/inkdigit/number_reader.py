"""Pixels to readings on ONNX Runtime: the number reader's candidates, laid out as numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime as ort

from .constraints import Constraints, constraints, restrict
from .errors import ArtefactError
from .image import Pixels, upright_image
from .layout import Calibration, find_numbers
from .model_file import NUMBER_OUTPUTS, ORT_ERRORS, Contract
from .prediction import Model
from .reading import OTHER, Box, Number, Reading

FRAME = 0.04  # of a field's height: the width of its frame


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
        boxes, probabilities, is_mark, truncated = self._candidates(pixels, constraints)
        numbers = self._numbers(boxes * np.float32(factor), probabilities, is_mark, constraints)
        return Reading(numbers, self.contract.thresholds.confidence, self._model, bool(truncated[0]), upright_image)

    def read_field(self, pixels: Pixels, box: Box, constraints: Constraints | None) -> tuple[Number | None, float]:
        """Return the number in a box (left, top, right, bottom in px) of pixels [H, W], and its confidence.

        All that is written in the box is one number; None, with the probability of that, where it is blank.
        """
        boxes, probabilities, is_mark, _ = self._candidates(pixels, constraints)
        left, top, right, bottom = box
        x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
        edge = FRAME * (bottom - top)  # where a printed frame is, no symbol has its middle
        inside = (x > left + edge) & (x < right - edge) & (y > top + edge) & (y < bottom - edge)
        numbers = self._numbers(boxes[inside], probabilities[inside], is_mark[inside], constraints, is_one=True)
        if numbers:
            return numbers[0], numbers[0].confidence
        return None, float(probabilities[inside, self.contract.labels.index(OTHER)].prod())

    def _candidates(self, pixels: Pixels, constraints: Constraints | None) -> list[Any]:
        """Return the outputs of the graph, in the order of `NUMBER_OUTPUTS`, of which only allowed symbols are left."""
        try:
            boxes, probabilities, is_mark, truncated = self._session.run(list(NUMBER_OUTPUTS), {"pixels": pixels[None]})
        except ORT_ERRORS as error:
            raise ArtefactError(f"The graph of the model {self.contract.name} fails when it runs.") from error
        if constraints and constraints.allow:
            probabilities = restrict(probabilities, self.contract.labels, constraints.allow)
        return [boxes, probabilities, is_mark, truncated]

    def _numbers(
        self, boxes: Any, probabilities: Any, is_mark: Any, constraints: Constraints | None, is_one: bool = False
    ) -> tuple[Number, ...]:
        decode = constraints.decode if constraints and constraints.automaton else None
        labels = self.contract.labels
        return find_numbers(boxes, probabilities, is_mark, labels, self._calibration, decode, is_one)
