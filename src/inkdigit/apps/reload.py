"""SIGHUP: the models are read again from their files, and the old ones answer until the new ones have."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable

from ..errors import ArtefactError
from ..settings import Settings
from .service import Service, load


def reload_on_signal(settings: Settings, say: Callable[[str], None]) -> None:
    """Let SIGHUP tell this process's workers to read their models again, once they have proved to be sound here."""

    def pass_on(*_: object) -> None:
        try:
            loaded = load(settings.model)
        except ArtefactError as error:
            _complain(error)
            return
        for worker in multiprocessing.active_children():
            if worker.pid is not None:
                os.kill(worker.pid, signal.SIGHUP)
        say(f"Reading the models again: {', '.join(loaded)}")

    signal.signal(signal.SIGHUP, pass_on)


def reload_when_told(service: Service) -> None:
    """Let SIGHUP, in a worker, read the models again, in a thread while the event loop goes on answering."""
    one_at_a_time = threading.Lock()

    def read_again() -> None:
        with one_at_a_time:
            try:
                service.reload()
            except ArtefactError as error:
                _complain(error)

    signal.signal(signal.SIGHUP, lambda *_: threading.Thread(target=read_again).start())


def _complain(error: ArtefactError) -> None:
    sys.stderr.write(f"inkdigit: The models stay as they were: {error}\n")
    sys.stderr.flush()
