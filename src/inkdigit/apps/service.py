"""What one worker holds: its models, its readiness, and the gate that all work passes. Knows no HTTP."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
from anyio import CapacityLimiter, to_thread
from PIL.Image import Image as PictureFile
from prometheus_client import Gauge

from ..errors import ArtefactError
from ..image import MAX_SIDE, open_picture
from ..prediction import Prediction
from ..recognizer import Recognizer
from ..settings import Settings
from .bodies import Image, Reader
from .errors import RequestError

LIGHT_BYTES = 64 * 1024  # what is larger, in bytes or in pixels, may take over 5 ms
LIGHT_VALUES = 320_000  # pixels times channels: 280×280 RGBA is about 2 ms
HEAVY_THREADS = 2  # of which each may hold a picture of many megapixels
T = TypeVar("T")


class Gate:
    """Let at most `limit` pieces of work in: short ones one a turn of the event loop, long ones in a few threads."""

    def __init__(self, limit: int, gauge: Gauge) -> None:
        self.in_flight = 0
        self._gauge = gauge
        self._limit = limit
        self._turn = asyncio.Lock()
        self._threads = CapacityLimiter(HEAVY_THREADS)

    async def short(self, work: Callable[[], T]) -> T:
        """Do work of less than 5 ms in the event loop. Raises RequestError where too much waits already."""
        with self._entered():
            async with self._turn:
                # Whatever else is ready goes first, health checks among it, and is counted.
                await asyncio.sleep(0)
                return work()

    async def long(self, work: Callable[[], T]) -> T:
        """Do work in a thread. Raises RequestError where too much waits already."""
        with self._entered():
            return await to_thread.run_sync(work, limiter=self._threads)

    @contextmanager
    def _entered(self) -> Iterator[None]:
        if self.in_flight >= self._limit:
            raise RequestError("More pictures are in work than this service takes at a time.", "overloaded")
        self.in_flight += 1
        try:
            with self._gauge.track_inprogress():
                yield
        finally:
            self.in_flight -= 1


class Memory:
    """Hold no more than so many bytes of bodies at a time, however many clients send them slowly."""

    def __init__(self, limit: int) -> None:
        self.held = 0
        self._limit = limit

    @contextmanager
    def share(self) -> Iterator[Callable[[int], None]]:
        """Yield what takes bytes for one request and raises RequestError where none are left; then give them back."""
        mine = 0

        def take(count: int) -> None:
            nonlocal mine
            if self.held + count > self._limit:
                raise RequestError("Too many large bodies are being sent to this service.", "overloaded")
            self.held += count
            mine += count

        try:
            yield take
        finally:
            self.held -= mine


class Service:
    """Answer images by the models that it loaded; the first is the default. Raises ArtefactError."""

    def __init__(self, settings: Settings, work: Gauge) -> None:
        self.recognizers = load(settings.model)
        self.gate = Gate(settings.in_flight, work)
        self.memory = Memory(settings.body_memory * 1024**2)
        self.is_ready = False

    def warm_up(self) -> None:
        """Let every model answer once."""
        bar = np.zeros((28, 28), np.uint8)
        bar[4:24, 12:16] = 255
        for recognizer in self.recognizers.values():
            recognizer.predict(bar)
        self.is_ready = True

    def recognizer(self, name: str | None) -> Recognizer:
        """Give a loaded model by its name, or the default. Raises RequestError."""
        if name is None:
            return next(iter(self.recognizers.values()))
        if name not in self.recognizers:
            raise RequestError(f"No such model is loaded; these are: {', '.join(self.recognizers)}.", "unknown_model")
        return self.recognizers[name]

    async def predict(self, size: int, read: Reader, recognizer: Recognizer) -> Prediction:
        """Read one image of `size` bytes. Raises RequestError and InputError."""
        if size <= LIGHT_BYTES:
            answer = await self.gate.short(lambda: _predict_light(read(), recognizer))
            if answer is not None:
                return answer
        return await self.gate.long(lambda: recognizer.predict(read()))


def _predict_light(image: Image, recognizer: Recognizer) -> Prediction | None:
    """Read a small image; None where few bytes stand for many pixels."""
    if isinstance(image, bytes):
        picture = open_picture(image)
        return recognizer.predict(picture) if _is_light(picture) else None
    return recognizer.predict(image)


def _is_light(picture: PictureFile) -> bool:
    """Tell whether a picture takes little time; a longer side would make it differ from the same as bytes."""
    width, height = picture.size
    return width * height * len(picture.getbands()) <= LIGHT_VALUES and max(width, height) <= MAX_SIDE


def load(models: Sequence[str]) -> dict[str, Recognizer]:
    """Open artefacts, by their contracts' names. Raises ArtefactError."""
    recognizers: dict[str, Recognizer] = {}
    for model in models:
        recognizer = Recognizer(model)
        if recognizer.contract.name in recognizers:
            raise ArtefactError(f"{model} is a second model with the name {recognizer.contract.name}.")
        recognizers[recognizer.contract.name] = recognizer
    return recognizers
