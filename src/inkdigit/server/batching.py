"""Pictures that wait at the same time, read in one call of the graph: twelve of 28×28 so cost what six cost alone."""

import asyncio
import time
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..image import Pixels
from ..prediction import Prediction
from ..recognizer import Recognizer

PICTURES = 12  # in a call, whose time goes by before anything else is answered
PIXELS = 320_000  # likewise: four of 280×280


@dataclass(eq=False)
class PendingRequest:
    """Hold a picture, and then its answer and the seconds in which it was read."""

    recognizer: Recognizer
    pixels: Pixels
    answer: Prediction | InputError | None = None
    seconds: float = 0.0

    def fits(self, other: "PendingRequest") -> bool:
        """Tell whether both can be read in one call."""
        return self.recognizer is other.recognizer and self.pixels.shape == other.pixels.shape


class Batcher:
    """Read small pictures in the event loop, one call of the graph a turn."""

    def __init__(self) -> None:
        self._waiting: list[PendingRequest] = []
        self._turn = asyncio.Lock()

    async def read(self, recognizer: Recognizer, pixels: Pixels) -> tuple[Prediction, float]:
        """Read a picture, with those of its size that wait; give its answer, and the seconds. Raises InputError."""
        mine = PendingRequest(recognizer, pixels)
        self._waiting.append(mine)
        try:
            async with self._turn:
                if mine.answer is None:
                    # Whatever else is ready goes first, health checks among it, and may join.
                    await asyncio.sleep(0)
                    self._lead(mine)
        finally:
            if mine in self._waiting:
                self._waiting.remove(mine)
        if not isinstance(mine.answer, Prediction):
            assert mine.answer is not None  # noqa: S101  whoever has had the turn has an answer
            raise mine.answer
        return mine.answer, mine.seconds

    def _lead(self, first: PendingRequest) -> None:
        """Answer the first that waits, and those that fit it."""
        count = max(1, min(PICTURES, PIXELS // first.pixels.size))
        batch = [each for each in self._waiting if each.fits(first)][:count]
        start = time.perf_counter()
        answers = first.recognizer.predict_pixels_batch(np.stack([each.pixels for each in batch]))
        seconds = time.perf_counter() - start
        for each, answer in zip(batch, answers, strict=True):
            each.answer, each.seconds = answer, seconds
        self._waiting = [each for each in self._waiting if each.answer is None]
