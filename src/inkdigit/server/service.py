"""What one worker holds: its models, its readiness, and the limits on work and memory. Knows no HTTP."""

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypedDict, TypeVar

from anyio import CapacityLimiter, to_thread
from prometheus_client import Gauge

from ..image import Pixels, load_pixels, open_image
from ..prediction import Prediction
from ..reading import Reading
from ..recognizer import Recognizer
from ..settings import Settings
from .batching import Batcher
from .error_responses import RequestError
from .loaded_models import choose, load
from .metrics import Metrics
from .requests import GetImage, Image

CHEAP_BYTES = 64 * 1024  # a larger body may take over 5 ms
CHEAP_VALUES = 320_000  # pixels times channels: 280×280 RGBA takes about 2 ms to decode
THREADS = 2  # for long work, each of which may hold a picture of many megapixels
LONG_NICENESS = 10  # without it, two photos would leave health checks and refusals a third of a busy core
T = TypeVar("T")


class WorkLimit:
    """Admit at most `limit` pieces of work at a time, and run long ones in a few threads."""

    def __init__(self, limit: int, in_flight: Gauge) -> None:
        self.in_flight = 0
        self._limit = limit
        self._gauge = in_flight
        self._threads = CapacityLimiter(THREADS)

    async def run_in_thread(self, work: Callable[[], T]) -> T:
        """Run work in a thread. Raises RequestError if too much is in flight."""
        with self:
            return await to_thread.run_sync(lambda: _at_low_priority(work), limiter=self._threads)

    def __enter__(self) -> None:
        """Admit one piece of work. Raises RequestError if too much is in flight."""
        if self.in_flight >= self._limit:
            raise RequestError("More pictures are in work than this service takes at a time.", "overloaded")
        self.in_flight += 1
        self._gauge.set(self.in_flight)

    def __exit__(self, *_: object) -> None:
        """Release it."""
        self.in_flight -= 1
        self._gauge.set(self.in_flight)


class BodyMemory:
    """Limit the bytes of bodies that are held at a time, however many clients send them slowly."""

    def __init__(self, limit: int) -> None:
        self.held = 0
        self.limit = limit

    def share(self) -> "MemoryShare":
        """Return the share of one request."""
        return MemoryShare(self)


class MemoryShare:
    """Count one request's bytes, and release them at the end."""

    def __init__(self, memory: BodyMemory) -> None:
        self._memory = memory
        self._mine = 0

    def take(self, count: int) -> None:
        """Take bytes. Raises RequestError if none are left."""
        if self._memory.held + count > self._memory.limit:
            raise RequestError("Too many large bodies are being sent to this service.", "overloaded")
        self._memory.held += count
        self._mine += count

    def __enter__(self) -> Callable[[int], None]:
        """Return the function that takes bytes."""
        return self.take

    def __exit__(self, *_: object) -> None:
        """Release the bytes."""
        self._memory.held -= self._mine


class ReadConstraints(TypedDict):
    """What `Recognizer.read` is told of the numbers."""

    allow: str | None
    pattern: str | None
    choices: list[str] | None


class TimedPrediction(NamedTuple):
    """A prediction, and the seconds that its decoding and its inference took."""

    prediction: Prediction
    decoding: float
    inference: float


class Service:
    """Predict and read with the loaded models; the first is the default. Raises ArtefactError."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._models = settings.offered
        self.recognizers = load(self._models)
        self.work = WorkLimit(settings.in_flight, metrics.work)
        self._batcher = Batcher()
        self._metrics = metrics
        self.stage_listeners: list[Callable[[float, float], None]] = [metrics.stages]
        self._report_models()
        self.memory = BodyMemory(settings.body_memory * 1024**2)
        self.is_ready = False  # until requests may come; by then each model has answered once

    def reload(self, models: Sequence[str] | None = None) -> None:
        """Load the models again, or others, and use them from now on.

        Raises ArtefactError, and then keeps the previous ones.
        """
        models = models or self._models
        self.recognizers = load(models)
        self._models = tuple(models)
        self._report_models()

    def _report_models(self) -> None:
        self._metrics.loaded([recognizer.contract for recognizer in self.recognizers.values()])

    def recognizer(self, name: str | None) -> Recognizer:
        """Return a loaded model by its name, or the default. Raises RequestError."""
        return choose(self.recognizers, name)

    async def predict(self, size: int, get_image: GetImage, recognizer: Recognizer) -> Prediction:
        """Predict one image of `size` bytes. Raises RequestError and InputError."""
        timed = await self._predict_cheap(get_image, recognizer) if size <= CHEAP_BYTES else None
        if timed is None:
            timed = await self.work.run_in_thread(lambda: _predict(get_image(), recognizer))
        self._metrics.predicted(timed.prediction)
        for listener in self.stage_listeners:
            listener(timed.decoding, timed.inference)
        return timed.prediction

    async def _predict_cheap(self, get_image: GetImage, recognizer: Recognizer) -> TimedPrediction | None:
        """Predict a small image in the event loop; None if its header does not promise that decoding is quick."""
        with self.work:
            start = time.perf_counter()
            pixels = _cheap_pixels(get_image())
            if pixels is None:
                return None
            decoding = time.perf_counter() - start
            prediction, inference = await self._batcher.predict(recognizer, pixels)
            return TimedPrediction(prediction, decoding, inference)

    async def read(self, get_image: GetImage, recognizer: Recognizer, constraints: ReadConstraints) -> Reading:
        """Read the numbers on one image, in a thread. Raises RequestError and InputError."""

        def work() -> Reading:
            with self._metrics.read_seconds.time():
                return recognizer.read(get_image(), **constraints)

        reading = await self.work.run_in_thread(work)
        self._metrics.read(reading)
        return reading


def _at_low_priority(work: Callable[[], T]) -> T:
    """Run work in a thread that yields to the event loop's, where threads have priorities of their own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LONG_NICENESS)
    return work()


def _cheap_pixels(image: Image) -> Pixels | None:
    """Return the pixels of an image that is quick to decode, else None."""
    opened = open_image(image)
    cost = opened.decode_cost
    return opened.pixels() if cost is not None and cost <= CHEAP_VALUES else None


def _predict(image: Image, recognizer: Recognizer) -> TimedPrediction:
    start = time.perf_counter()
    pixels = load_pixels(image)
    decoded = time.perf_counter()
    prediction = recognizer.predict_pixels(pixels)
    return TimedPrediction(prediction, decoded - start, time.perf_counter() - decoded)
