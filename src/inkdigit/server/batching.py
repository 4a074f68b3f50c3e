"""Dynamic batching: requests that arrive together share one inference call.

Twelve 28×28 pictures in one call cost about as much as six single calls.
"""

import asyncio
import time
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..image import Pixels
from ..prediction import Prediction
from ..recognizer import Recognizer

PICTURES = 12  # at most in one call, during which the event loop answers nothing else
PIXELS = 320_000  # at most in one call: four pictures of 280×280


@dataclass(eq=False)
class PendingRequest:
    """A picture that waits for its prediction, and then the prediction with the seconds of its inference."""

    recognizer: Recognizer
    pixels: Pixels
    prediction: Prediction | InputError | None = None
    seconds: float = 0.0

    def fits(self, other: "PendingRequest") -> bool:
        """Return whether both can share one call."""
        return self.recognizer is other.recognizer and self.pixels.shape == other.pixels.shape


class Batcher:
    """Predict small pictures in the event loop, one batch at a time."""

    def __init__(self) -> None:
        self._pending: list[PendingRequest] = []
        self._turn = asyncio.Lock()

    async def predict(self, recognizer: Recognizer, pixels: Pixels) -> tuple[Prediction, float]:
        """Return the prediction for a picture and the seconds of its inference. Raises InputError.

        The pictures of its size that wait at the same time share the call.
        """
        mine = PendingRequest(recognizer, pixels)
        self._pending.append(mine)
        try:
            async with self._turn:
                if mine.prediction is None:
                    await asyncio.sleep(0)  # other requests run first, health checks among them, and may join the batch
                    self._predict_with(mine)
        finally:
            if mine in self._pending:
                self._pending.remove(mine)
        if not isinstance(mine.prediction, Prediction):
            assert mine.prediction is not None  # noqa: S101  the turn has passed, so it was predicted
            raise mine.prediction
        return mine.prediction, mine.seconds

    def _predict_with(self, first: PendingRequest) -> None:
        """Predict a pending picture and those that fit it, in one call."""
        count = max(1, min(PICTURES, PIXELS // first.pixels.size))
        batch = [each for each in self._pending if each.fits(first)][:count]
        start = time.perf_counter()
        predictions = first.recognizer.predict_pixels_batch(np.stack([each.pixels for each in batch]))
        seconds = time.perf_counter() - start
        for each, prediction in zip(batch, predictions, strict=True):
            each.prediction, each.seconds = prediction, seconds
        self._pending = [each for each in self._pending if each.prediction is None]
