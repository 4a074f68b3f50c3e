"""What is counted, for Prometheus. Right for several workers too where `PROMETHEUS_MULTIPROC_DIR` is set.

A request counts in plain Python, which costs it about two microseconds; prometheus_client is handed the sums when they
are asked for, and where workers share a folder every half second.
"""

import asyncio
import os
from bisect import bisect_left
from collections import Counter as Counts
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.responses import Response

from ..errors import InputError
from ..evaluation.drift import BOUNDS, CONFIDENCE, DIGIT, DIGITNESS, METRICS
from ..model_file import Contract
from ..prediction import Model, Prediction
from .launch import MULTIPROCESS

SHARE_EVERY: Final = 0.5  # seconds
SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Tally:
    """Count values into a histogram's bins; `flush` hands them to the histogram."""

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._bounds: Sequence[float] = histogram._upper_bounds
        self._counts = [0] * len(self._bounds)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def flush(self) -> None:
        """Hand on what was counted: a histogram's own `observe` takes one value at a time."""
        for bucket, count in zip(self._histogram._buckets, self._counts, strict=True):
            if count:
                bucket.inc(count)
        self._histogram._sum.inc(self._sum)
        self._counts = [0] * len(self._bounds)
        self._sum = 0.0


class Answered:
    """Count one model's answers."""

    def __init__(self, digits: Counter, confidence: Histogram, digitness: Histogram, model: Model) -> None:
        self._model = model
        self._digits = digits
        self.digits: Counts[int | str] = Counts()
        self.confidence = Tally(confidence.labels(model.name, model.version))
        self.digitness = Tally(digitness.labels(model.name, model.version))

    def flush(self) -> None:
        """Hand on what was counted."""
        for digit, count in self.digits.items():
            self._digits.labels(self._model.name, self._model.version, str(digit)).inc(count)
        self.digits.clear()
        self.confidence.flush()
        self.digitness.flush()


class Metrics:
    """Hold one worker's counters. They are counted in the event loop alone."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.open = 0
        self.in_flight: Callable[[], int] = lambda: 0
        self._loaded: list[tuple[str, str, str]] = []
        self._refused: Counts[str] = Counts()
        self._requests: dict[tuple[str, str, str], Tally] = {}
        self._answered: dict[Model, Answered] = {}
        self._request_seconds = self._histogram(
            "inkdigit_request_seconds",
            "Time from a request's head to its answer's end.",
            SECONDS,
            ("method", "route", "status"),
        )
        self.decode = Tally(self._histogram("inkdigit_decode_seconds", "Time from one body to pixels.", SECONDS))
        self.inference = Tally(
            self._histogram("inkdigit_inference_seconds", "Time from one picture's pixels to its answer.", SECONDS)
        )
        self._digits = Counter(
            METRICS[DIGIT], "Answers, by digit.", ("model", "version", "digit"), registry=self._registry
        )
        self._confidence, self._digitness = (
            self._histogram(METRICS[name], f"Answers, by {name}.", BOUNDS[name], ("model", "version"))
            for name in (CONFIDENCE, DIGITNESS)
        )
        self._refusals = Counter(
            "inkdigit_refused",
            "Requests, and pictures of batches, without an answer.",
            ("code",),
            registry=self._registry,
        )
        self._open = self._gauge("inkdigit_requests_open", "Requests that are not answered yet.")
        self._work = self._gauge("inkdigit_work_in_flight", "Pictures and batches in work.")
        self.ready = self._gauge("inkdigit_workers_ready", "Workers whose models have answered a warm-up.")
        self._info = Gauge(
            "inkdigit_model_info",
            "1 for a model that is loaded, 0 for one that was.",
            ("model", "version", "architecture"),
            registry=self._registry,
            multiprocess_mode="livemax",
        )

    def _histogram(self, name: str, text: str, bounds: Sequence[float], labels: Sequence[str] = ()) -> Histogram:
        return Histogram(name, text, labels, buckets=bounds, registry=self._registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self._registry, multiprocess_mode="livesum")

    def loaded(self, contracts: Iterable[Contract]) -> None:
        """Name the models that are there from now on."""
        for gone in self._loaded:
            self._info.labels(*gone).set(0)
        self._loaded = [(each.name, each.version, each.architecture) for each in contracts]
        for here in self._loaded:
            self._info.labels(*here).set(1)

    def stages(self, decoding: float, inference: float) -> None:
        """Count the seconds that reading one picture took."""
        self.decode.observe(decoding)
        self.inference.observe(inference)

    def request(self, method: str, route: str, status: str, seconds: float) -> None:
        """Count a request that is over."""
        tally = self._requests.get((method, route, status))
        if tally is None:
            tally = Tally(self._request_seconds.labels(method, route, status))
            self._requests[method, route, status] = tally
        tally.observe(seconds)

    def refused(self, code: str) -> None:
        """Count a request, or a picture of a batch, that got an error."""
        self._refused[code] += 1

    def answered(self, answer: Prediction | InputError) -> None:
        """Count the answer to one picture."""
        if isinstance(answer, InputError):
            self.refused(answer.code)
            return
        counts = self._answered.get(answer.model)
        if counts is None:
            counts = Answered(self._digits, self._confidence, self._digitness, answer.model)
            self._answered[answer.model] = counts
        counts.digits[answer.digit] += 1
        counts.confidence.observe(answer.confidence)
        counts.digitness.observe(answer.digitness)

    def flush(self) -> None:
        """Hand what was counted to prometheus_client."""
        counted: list[Tally | Answered] = [self.decode, self.inference, *self._requests.values()]
        for each in (*counted, *self._answered.values()):
            each.flush()
        for code, count in self._refused.items():
            self._refusals.labels(code).inc(count)
        self._refused.clear()
        self._open.set(self.open)
        self._work.set(self.in_flight())

    def response(self) -> Response:
        """Write the counters, of all workers where they share a folder, as Prometheus text."""
        self.flush()
        registry = self._registry
        if MULTIPROCESS in os.environ:
            _forget_the_dead(Path(os.environ[MULTIPROCESS]))
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Let the other workers see the counters, while this one serves."""
        if MULTIPROCESS not in os.environ:
            yield
            return
        sharing = asyncio.create_task(self._share())
        try:
            yield
        finally:
            sharing.cancel()
            with suppress(asyncio.CancelledError):
                await sharing
            self.flush()

    async def _share(self) -> None:
        while True:
            self.flush()
            await asyncio.sleep(SHARE_EVERY)


def _forget_the_dead(folder: Path) -> None:
    """Drop the gauges of killed workers: what they had in work is no more. Their counters stay."""
    for file in folder.glob("gauge_live*.db"):
        try:
            os.kill(int(file.stem.rpartition("_")[2]), 0)
        except ProcessLookupError:
            file.unlink(missing_ok=True)
