"""What one worker holds: its models, its readiness, and the gate that all work passes. Knows no HTTP."""

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from anyio import CapacityLimiter, to_thread

from ..image import Pixels, load_pixels, open_image
from ..prediction import Prediction
from ..recognizer import Recognizer
from ..settings import Settings
from .batching import Batcher
from .error_responses import RequestError
from .loaded_models import load
from .metrics import Metrics
from .requests import Image, Reader

LIGHT_BYTES = 64 * 1024  # what is larger, in bytes or in pixels, may take over 5 ms
LIGHT_VALUES = 320_000  # pixels times channels: 280×280 RGBA is about 2 ms
HEAVY_THREADS = 2  # of which each may hold a picture of many megapixels
LONG_NICENESS = 10  # else two photos leave health checks and refusals a third of a busy core
T = TypeVar("T")


class Gate:
    """Let at most `limit` pieces of work in, and do long ones in a few threads."""

    def __init__(self, limit: int) -> None:
        self.in_flight = 0
        self._limit = limit
        self._threads = CapacityLimiter(HEAVY_THREADS)

    async def long(self, work: Callable[[], T]) -> T:
        """Do work in a thread. Raises RequestError where too much waits already."""
        with self:
            return await to_thread.run_sync(lambda: _behind(work), limiter=self._threads)

    def __enter__(self) -> None:
        """Count one piece of work in. Raises RequestError where too much waits already."""
        if self.in_flight >= self._limit:
            raise RequestError("More pictures are in work than this service takes at a time.", "overloaded")
        self.in_flight += 1

    def __exit__(self, *_: object) -> None:
        """Count it out."""
        self.in_flight -= 1


class Memory:
    """Hold no more than so many bytes of bodies at a time, however many clients send them slowly."""

    def __init__(self, limit: int) -> None:
        self.held = 0
        self.limit = limit

    def share(self) -> "Share":
        """Give what takes bytes for one request."""
        return Share(self)


class Share:
    """Count one request's bytes in, and at the end out."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._mine = 0

    def take(self, count: int) -> None:
        """Take bytes. Raises RequestError where none are left."""
        if self._memory.held + count > self._memory.limit:
            raise RequestError("Too many large bodies are being sent to this service.", "overloaded")
        self._memory.held += count
        self._mine += count

    def __enter__(self) -> Callable[[int], None]:
        """Give what takes bytes."""
        return self.take

    def __exit__(self, *_: object) -> None:
        """Give them back."""
        self._memory.held -= self._mine


class Timed(NamedTuple):
    """Hold an answer, and the seconds that its decoding and its inference took."""

    prediction: Prediction
    decoding: float
    inference: float


class Service:
    """Answer images by the models that it loaded; the first is the default. Raises ArtefactError."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._models = settings.offered
        self.recognizers = load(self._models)
        self.gate = Gate(settings.in_flight)
        self._together = Batcher()
        self._metrics = metrics
        self.stages: list[Callable[[float, float], None]] = [metrics.stages]  # who is told how long they took
        metrics.in_flight = lambda: self.gate.in_flight
        metrics.loaded([recognizer.contract for recognizer in self.recognizers.values()])
        self.memory = Memory(settings.body_memory * 1024**2)
        self.is_ready = False  # until requests may come; the models have answered once by now

    def reload(self) -> None:
        """Load the models again, and answer by them from now on. Raises ArtefactError, and then keeps the old ones."""
        fresh = load(self._models)
        self._metrics.loaded([recognizer.contract for recognizer in fresh.values()])
        self.recognizers = fresh

    def recognizer(self, name: str | None) -> Recognizer:
        """Give a loaded model by its name, or the default. Raises RequestError."""
        return choose(self.recognizers, name)

    async def predict(self, size: int, read: Reader, recognizer: Recognizer) -> Prediction:
        """Read one image of `size` bytes. Raises RequestError and InputError."""
        timed = await self._predict_light(read, recognizer) if size <= LIGHT_BYTES else None
        if timed is None:
            timed = await self.gate.long(lambda: _predict(read(), recognizer))
        self._metrics.answered(timed.prediction)
        for notice in self.stages:
            notice(timed.decoding, timed.inference)
        return timed.prediction

    async def _predict_light(self, read: Reader, recognizer: Recognizer) -> Timed | None:
        """Read a small image in the event loop; None where few bytes may stand for much work."""
        with self.gate:
            start = time.perf_counter()
            pixels = _light_pixels(read())
            if pixels is None:
                return None
            decoding = time.perf_counter() - start
            answer, inference = await self._together.read(recognizer, pixels)
            return Timed(answer, decoding, inference)


def choose(recognizers: Mapping[str, Recognizer], name: str | None) -> Recognizer:
    """Give a loaded model by its name, or the default. Raises RequestError."""
    if name is None:
        return next(iter(recognizers.values()))
    if name not in recognizers:
        raise RequestError(f"No such model is loaded; these are: {', '.join(recognizers)}.", "unknown_model")
    return recognizers[name]


def _behind(work: Callable[[], T]) -> T:
    """Do work in a thread that lets the event loop's go first, where threads have a priority of their own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LONG_NICENESS)
    return work()


def _light_pixels(image: Image) -> Pixels | None:
    """Return the pixels of an image that is quick to decode, else None."""
    opened = open_image(image)
    cost = opened.decode_cost
    return opened.pixels() if cost is not None and cost <= LIGHT_VALUES else None


def _predict(image: Image, recognizer: Recognizer) -> Timed:
    start = time.perf_counter()
    pixels = load_pixels(image)
    decoded = time.perf_counter()
    answer = recognizer.predict_pixels(pixels)
    return Timed(answer, decoded - start, time.perf_counter() - decoded)
