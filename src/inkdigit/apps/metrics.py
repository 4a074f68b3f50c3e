"""What is counted, for Prometheus. Right for several workers too where `PROMETHEUS_MULTIPROC_DIR` is set."""

import os
import time
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds


class Metrics:
    """Hold one worker's counters."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.seconds = Histogram(
            "inkdigit_request_seconds",
            "Time from a request's head to its answer's end.",
            ("method", "route", "status"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self.open = self._gauge("inkdigit_requests_open", "Requests that are not answered yet.")
        self.work = self._gauge("inkdigit_work_in_flight", "Pictures and batches in work.")
        self.ready = self._gauge("inkdigit_workers_ready", "Workers whose models have answered a warm-up.")

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self._registry, multiprocess_mode="livesum")

    def response(self) -> Response:
        """Write the counters, of all workers where they share a folder, as Prometheus text."""
        registry = self._registry
        if MULTIPROCESS in os.environ:
            _forget_the_dead(Path(os.environ[MULTIPROCESS]))
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _forget_the_dead(folder: Path) -> None:
    """Drop the gauges of killed workers: what they had in work is no more. Their counters stay."""
    for file in folder.glob("gauge_live*.db"):
        try:
            os.kill(int(file.stem.rpartition("_")[2]), 0)
        except ProcessLookupError:
            file.unlink(missing_ok=True)


class Measured:
    """Count and time every request by the route that it found, never by what a client made up."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        status = 500

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._metrics.open.track_inprogress():
            try:
                await self._app(scope, receive, send_noting)
            finally:
                self._metrics.seconds.labels(*_route(scope), str(status)).observe(time.perf_counter() - start)


def _route(scope: Scope) -> tuple[str, str]:
    method = scope["method"] if scope["method"] in {"GET", "HEAD", "POST", "OPTIONS"} else "other"
    return method, getattr(scope.get("route"), "path", None) or "none"
