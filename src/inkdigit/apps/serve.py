"""Start the service: Granian in front of worker processes, each of which builds its own application."""

import atexit
import contextlib
import http.client
import multiprocessing
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fastapi import FastAPI
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from pydantic import ValidationError
from pydantic_settings import CliApp

from ..settings import Settings, explain
from .api import create_app
from .metrics import MULTIPROCESS
from .service import load

WORKER = "inkdigit.apps.serve:worker_app"
CONNECTIONS = 4096  # open ones a worker; those that only wait cost little, and work has its own limit
READY_POLL = 0.1  # seconds


class SetupError(Exception):
    """Say in one sentence why the service cannot start."""


def read_settings(flags: Sequence[str]) -> Settings:
    """Read the command's flags, whose names, help and defaults are the settings' own. Raises SetupError."""
    try:
        return CliApp.run(Settings, cli_args=list(flags))
    except ValidationError as error:
        raise SetupError(explain(error)) from error


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve until a signal ends it; `say` gets the address when it answers. Raises SetupError and ArtefactError."""
    load(settings.model)
    settings = settings.model_copy(update={"port": _free_port(settings.host, settings.port)})
    os.environ.update(settings.environment())
    # A worker is a fresh interpreter: ONNX Runtime's state does not survive a fork.
    multiprocessing.set_start_method("spawn", force=True)
    with _shared_metrics(settings.workers):
        server = _server(settings)
        server.on_startup(lambda: _announce(settings, say))
        server.serve()


def worker_app() -> FastAPI:
    """Build the application of one of Granian's workers. Raises ArtefactError."""
    app = create_app()
    # Granian's threads outlive its loop; one that meets an interpreter taken down would abort with a panic in the log.
    atexit.register(_leave)
    return app


def _leave() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _server(settings: Settings) -> Any:  # Granian chooses its class when it is imported
    return Granian(
        WORKER,
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=int(settings.header_timeout * 1000)),
        websockets=False,
        workers=settings.workers,
        backpressure=CONNECTIONS,
        backlog=CONNECTIONS,
        respawn_failed_workers=True,
        respawn_interval=1.0,
        workers_kill_timeout=settings.drain_timeout,
        log_level=LogLevels(settings.log_level),
    )


def _free_port(host: str, port: int) -> int:
    """Take the port for a moment: Granian would share it with whoever has it. Raises SetupError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as taken:
            return int(taken.getsockname()[1])
    except OSError as error:
        raise SetupError(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from error


@contextlib.contextmanager
def _shared_metrics(workers: int) -> Iterator[None]:
    """Give several workers a folder in which they count together."""
    if workers == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="inkdigit-metrics-") as folder:
        os.environ[MULTIPROCESS] = folder
        yield


def _announce(settings: Settings, say: Callable[[str], None]) -> None:
    threading.Thread(target=_say_when_ready, args=(settings, say), daemon=True).start()


def _say_when_ready(settings: Settings, say: Callable[[str], None]) -> None:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    while not _is_ready(host, settings.port):
        time.sleep(READY_POLL)
    say(f"Inkdigit is at http://{f'[{host}]' if ':' in host else host}:{settings.port}")


def _is_ready(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    return False
