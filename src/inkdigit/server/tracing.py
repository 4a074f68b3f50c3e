"""OpenTelemetry traces, if a collector's address is set: a span for each request, with its two stages inside.

Spans have method, route, status and request id, and nothing else that a client sends. Needs the extra `otel`.
"""

import os
import time
from typing import Final

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode, Tracer
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .. import __version__
from .access_log import ID_HEADER, WATCH_PATHS, method_and_route

NAME: Final = "inkdigit"


def provider() -> TracerProvider:
    """Return a provider that sends spans in batches from its own thread, as the `OTEL_*` variables say."""
    named = {} if "OTEL_SERVICE_NAME" in os.environ else {SERVICE_NAME: NAME}
    sender = TracerProvider(resource=Resource.create({**named, SERVICE_VERSION: __version__}))
    sender.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return sender


class Traced:
    """Record a span for every request in the trace of its `traceparent`, except for health checks and scrapes."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"] in WATCH_PATHS:
            await self._app(scope, receive, send)
            return
        context = propagate.extract(Headers(scope=scope))
        with self._tracer.start_as_current_span("request", context, SpanKind.SERVER, record_exception=False) as span:

            async def send_noting(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    names = [value.decode("ascii") for name, value in message["headers"] if name == ID_HEADER]
                    span.set_attribute("inkdigit.request_id", names[0] if names else "")
                    if message["status"] >= 500:
                        span.set_status(StatusCode.ERROR)
                await send(message)

            try:
                await self._app(scope, receive, send_noting)
            finally:
                method, route = method_and_route(scope)
                span.update_name(f"{method} {route}")
                span.set_attributes({"http.request.method": method, "http.route": route})


class Stages:
    """Add the two stages of a prediction to the request's span."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def __call__(self, decoding: float, inference: float) -> None:
        """Record the seconds of both stages; the second has just ended."""
        if not trace.get_current_span().is_recording():
            return
        end = time.time_ns()
        middle = end - int(inference * 1e9)
        for name, begin, done in (("decode", middle - int(decoding * 1e9), middle), ("inference", middle, end)):
            self._tracer.start_span(name, start_time=begin).end(done)
