"""Metrics for Prometheus. They add up over several workers where `PROMETHEUS_MULTIPROC_DIR` is set."""

import os
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.responses import Response

from ..errors import InputError
from ..evaluation.drift import BOUNDS, CONFIDENCE, DIGIT, DIGITNESS, METRICS
from ..forms.fields import FieldReading
from ..model_file import Contract
from ..prediction import Prediction
from ..reading import Reading
from .launch import MULTIPROCESS

SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
MODEL: Final = ("model", "version")


class Metrics:
    """The counters of one worker."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        # `labels` takes as long as `observe`. Every value of a label is one of ours, so the cache stays small.
        self._labelled = cache(lambda metric, *labels: metric.labels(*labels))
        self._loaded: list[tuple[str, str, str]] = []
        self._request_seconds = self._histogram(
            "inkdigit_request_seconds",
            "Time from a request's head to its response's end.",
            SECONDS,
            ("method", "route", "status"),
        )
        self._decode = self._histogram("inkdigit_decode_seconds", "Time to decode one body to pixels.", SECONDS)
        self._inference = self._histogram("inkdigit_inference_seconds", "Time to predict one picture.", SECONDS)
        self.read_seconds = self._histogram(
            "inkdigit_read_seconds", "Time to decode one body and read its numbers.", SECONDS
        )
        self._digits = self._counter(METRICS[DIGIT], "Predictions, by digit.", (*MODEL, "digit"))
        self._confidence, self._digitness = (
            self._histogram(METRICS[name], f"Predictions, by {name}.", BOUNDS[name], MODEL)
            for name in (CONFIDENCE, DIGITNESS)
        )
        self._numbers = self._counter(
            "inkdigit_numbers", "Numbers that were read, by whether they are sure.", (*MODEL, "sure")
        )
        self._corrections = self._counter(
            "inkdigit_corrections", "Corrections that were stored, by the model that was corrected.", ("model", "task")
        )
        self._refusals = self._counter(
            "inkdigit_refused", "Requests, and pictures of batches, that got an error.", ("code",)
        )
        self.open_requests = self._gauge("inkdigit_requests_open", "Requests without a complete response.")
        self.work = self._gauge("inkdigit_work_in_flight", "Pictures and batches in work.")
        self.ready = self._gauge("inkdigit_workers_ready", "Workers whose models have answered a warm-up.")
        self._info = Gauge(
            "inkdigit_model_info",
            "1 for a model that is loaded, 0 for one that was.",
            (*MODEL, "architecture"),
            registry=self._registry,
            multiprocess_mode="livemax",
        )

    def _histogram(self, name: str, text: str, bounds: Sequence[float], labels: Sequence[str] = ()) -> Histogram:
        return Histogram(name, text, labels, buckets=bounds, registry=self._registry)

    def _counter(self, name: str, text: str, labels: Sequence[str]) -> Counter:
        return Counter(name, text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self._registry, multiprocess_mode="livesum")

    def loaded(self, contracts: Iterable[Contract]) -> None:
        """Record which models are loaded from now on."""
        for gone in self._loaded:
            self._info.labels(*gone).set(0)
        self._loaded = [(each.name, each.version, each.architecture) for each in contracts]
        for here in self._loaded:
            self._info.labels(*here).set(1)

    def stages(self, decoding: float, inference: float) -> None:
        """Record the seconds that one picture took."""
        self._decode.observe(decoding)
        self._inference.observe(inference)

    def request(self, method: str, route: str, status: str, seconds: float) -> None:
        """Record a complete request."""
        self._labelled(self._request_seconds, method, route, status).observe(seconds)

    def refused(self, code: str) -> None:
        """Count a request, or a picture of a batch, that got an error."""
        self._refusals.labels(code).inc()

    def predicted(self, prediction: Prediction | InputError) -> None:
        """Count the prediction for one picture."""
        if isinstance(prediction, InputError):
            self.refused(prediction.code)
            return
        model = prediction.model.name, prediction.model.version
        self._labelled(self._digits, *model, str(prediction.digit)).inc()
        self._labelled(self._confidence, *model).observe(prediction.confidence)
        self._labelled(self._digitness, *model).observe(prediction.digitness)

    def read(self, reading: Reading | InputError) -> None:
        """Count the numbers of one picture."""
        if isinstance(reading, InputError):
            self.refused(reading.code)
            return
        for number in reading.numbers:
            is_sure = number.confidence >= reading.threshold
            self._numbers.labels(reading.model.name, reading.model.version, str(is_sure).lower()).inc()

    def read_fields(self, fields: Iterable[FieldReading], model: Contract) -> None:
        """Count the fields of one page as numbers; those that are blank have none."""
        for field in fields:
            if field.number is not None:
                self._numbers.labels(model.name, model.version, str(field.is_sure).lower()).inc()

    def corrected(self, model: str, task: str) -> None:
        """Count a correction that was stored; `model` is a loaded one's name."""
        self._corrections.labels(model, task).inc()

    def response(self) -> Response:
        """Return the counters, of all workers where they share a folder, as Prometheus text."""
        registry = self._registry
        if MULTIPROCESS in os.environ:
            _forget_the_dead(Path(os.environ[MULTIPROCESS]))
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _forget_the_dead(folder: Path) -> None:
    """Drop the gauges of killed workers, whose work is gone. Their counters stay."""
    for file in folder.glob("gauge_live*.db"):
        try:
            os.kill(int(file.stem.rpartition("_")[2]), 0)
        except ProcessLookupError:
            file.unlink(missing_ok=True)
