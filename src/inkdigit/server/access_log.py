"""Access log: request id, metrics and one log line per request. Picture contents are never logged."""

import os
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, Literal

from pydantic_core import to_json
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .metrics import Metrics

ID_HEADER: Final = b"x-request-id"
REFUSED: Final = "inkdigit.refused"  # the scope's key for the code of an error response
METHODS: Final = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS"})
# Polled every few seconds by machines without a token; they would bury the rest of the log.
WATCH_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics", "/health"})

Log = Literal["off", "text", "json"]
_ID = re.compile(rb"[\w.:/+=-]{1,128}", re.ASCII)


class AccessLog:
    """Assign an id to every request, record its duration by route, and log it in one line.

    A client's own id is kept if it looks like one. Nothing else that a client sends is recorded or logged.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, log: Log) -> None:
        self._app = app
        self._metrics = metrics
        self._line = LINES[log] if log != "off" else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        status = 500
        name = request_id(scope)

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (ID_HEADER, name)]
            await send(message)

        self._metrics.open_requests.inc()
        try:
            await self._app(scope, receive, send_noting)
        finally:
            self._metrics.open_requests.dec()
            self._note(scope, name, status, time.perf_counter() - start)

    def _note(self, scope: Scope, name: bytes, status: int, seconds: float) -> None:
        method, route = method_and_route(scope)
        code = scope.get(REFUSED)
        self._metrics.request(method, route, str(status), seconds)
        if code:
            self._metrics.refused(code)
        if self._line and sys.stderr and route not in WATCH_PATHS:
            # One write, so that the lines of several workers do not mix.
            with suppress(OSError):
                os.write(sys.stderr.fileno(), self._line(name.decode("ascii"), method, route, status, seconds, code))


def request_id(scope: Scope) -> bytes:
    """Return the client's id of a request, or a new one."""
    for name, value in scope["headers"]:
        if name == ID_HEADER and _ID.fullmatch(value):
            return bytes(value)
    return os.urandom(16).hex().encode("ascii")


def method_and_route(scope: Scope) -> tuple[str, str]:
    """Return the method and the route's path, as the service names them."""
    method = scope["method"] if scope["method"] in METHODS else "other"
    return method, getattr(scope.get("route"), "path", None) or _mount(scope) or "none"


def _mount(scope: Scope) -> str:
    """Return the mount's path, for requests without a route; empty if there is none."""
    outside = scope.get("app_root_path")  # a mount sets it
    return scope["root_path"].removeprefix(outside) if outside is not None else ""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _text(name: str, method: str, route: str, status: int, seconds: float, code: str | None) -> bytes:
    why = f" {code}" if code else ""
    return f"{_now()} {method} {route} {status}{why} {seconds * 1000:.1f} ms {name}\n".encode()


def _json(name: str, method: str, route: str, status: int, seconds: float, code: str | None) -> bytes:
    line = {
        "time": _now(),
        "id": name,
        "method": method,
        "route": route,
        "status": status,
        "code": code,
        "seconds": round(seconds, 6),
        "worker": os.getpid(),
    }
    return to_json(line) + b"\n"


LINES: Final[dict[str, Callable[[str, str, str, int, float, str | None], bytes]]] = {"text": _text, "json": _json}
