"""Start the service: Granian in front of worker processes, each of which builds its own application."""

import atexit
import contextlib
import gc
import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from ..settings import Settings
from . import corrections
from .launch import MULTIPROCESS, TRACES, announce, need_extra, own_uploads, scratch, with_free_port
from .reload import accepted, ignore_hangup, reload_on_signal, renew_on_signal

if TYPE_CHECKING:
    from fastapi import FastAPI

# Factories by their names: a worker imports its own, and the service without Gradio never imports the demos.
WORKER = "inkdigit.server.serve:worker_app"
WORKER_WITH_GRADIO = "inkdigit.demos.gradio_server:worker_app"
CONNECTIONS = 4096  # open connections of a worker; idle ones cost little, and work has its own limit


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve until a signal ends it; `say` gets the address when it answers.

    Raises SetupError, ArtefactError, and DataError where the store of corrections cannot be opened.
    """
    if settings.gradio:
        need_extra("gradio")
    if os.environ.get(TRACES):
        need_extra("otel", "opentelemetry.exporter.otlp.proto.http")
    if opened := corrections.opened(settings):  # and bring its tables up to date before workers start
        opened.store.close()
    # A worker is a fresh interpreter: ONNX Runtime's state does not survive a fork.
    multiprocessing.set_start_method("spawn", force=True)
    uploads = own_uploads() if settings.gradio else contextlib.nullcontext()
    with accepted(settings.offered) as models, _shared_metrics(settings.workers), uploads:
        settings = with_free_port(settings.model_copy(update={"model": models.models}))
        os.environ.update(settings.environment())
        renew_on_signal(models, say)
        server = _server(settings)
        # Granian's own handler, which is set by then, would end the workers.
        server.on_startup(lambda: signal.signal(signal.SIGHUP, ignore_hangup))
        server.on_startup(lambda: announce("Inkdigit", settings.host, settings.port, "/readyz", say))
        server.serve()


def worker_app() -> "FastAPI":
    """Return the application of one of Granian's workers. Raises ArtefactError."""
    from .app import create_app  # noqa: PLC0415  a third of a second, which the parent of the workers need not wait

    return prepared(create_app)


def prepared(create_app: "Callable[[], FastAPI]") -> "FastAPI":
    """Create an application, and prepare this worker process to run it. Raises ArtefactError."""
    if not sys.warnoptions:
        warnings.filterwarnings("ignore", module="PIL")  # warnings of damaged pictures: the client gets an error
    app = create_app()
    gc.freeze()  # objects from the start live on: collections need not look through them
    reload_on_signal(app.state.service.reload)
    # Granian's threads outlive its loop, and would panic in an interpreter that shuts down.
    atexit.register(_leave)
    return app


def _leave() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _server(settings: Settings) -> Any:  # Granian chooses its class when it is imported
    return Granian(
        WORKER_WITH_GRADIO if settings.gradio else WORKER,
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


@contextlib.contextmanager
def _shared_metrics(workers: int) -> Iterator[None]:
    """Create the folder in which several workers share their metrics."""
    if workers == 1:
        yield
        return
    with scratch("metrics") as folder:
        os.environ[MULTIPROCESS] = folder
        yield
