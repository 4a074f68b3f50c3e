"""Reload on SIGHUP: the service reads its model files again; the previous models answer until the new ones are ready.

The parent process checks the files and keeps copies of those that it accepted. Workers read only the copies, so a
worker that starts later has the models that were accepted last, whatever happened to the files meanwhile.
"""

import contextlib
import multiprocessing
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ..errors import ArtefactError
from ..model_file import SUFFIX, split_name
from .launch import scratch
from .loaded_models import load


class Accepted:
    """Copies, in a folder, of the model files that were accepted last; shipped models need none."""

    def __init__(self, models: Sequence[str], folder: Path) -> None:
        self._given = models
        self._fresh, self.models = (
            tuple(_copy_of(model, folder / f"{place}-{part}") for place, model in enumerate(models))
            for part in ("fresh", "accepted")
        )

    def renew(self) -> list[str]:
        """Accept the files as they are now, and return the models' names.

        Raises ArtefactError if one is refused, and then keeps all previous copies.
        """
        try:
            _put(shutil.copyfile, self._given, self._fresh)
            loaded = load(self._fresh)
            _put(os.replace, self._fresh, self.models)
        except ArtefactError:
            load(self._given)  # raises with the names that the user gave
            raise
        except OSError as error:
            load(self._given)  # raises with the user's names if a file is missing
            raise ArtefactError(f"The model files cannot be copied: {error}.") from error
        return list(loaded)


def _copy_of(model: str, folder: Path) -> str:
    """Return a model's name with the path of its copy; a shipped one stays as it is."""
    name, file = split_name(model)
    if not str(file).endswith(SUFFIX):
        return model
    copy = folder / Path(file).name
    return f"{name}={copy}" if name else str(copy)


def _put(how: Callable[[Path, Path], object], sources: Sequence[str], targets: Sequence[str]) -> None:
    """Copy or move model files."""
    for source, target in zip(sources, targets, strict=True):
        if source != target:
            file = Path(split_name(target)[1])
            file.parent.mkdir(exist_ok=True)
            how(Path(split_name(source)[1]), file)


@contextlib.contextmanager
def accepted(models: Sequence[str]) -> Iterator[Accepted]:
    """Accept models for as long as the service runs. Raises ArtefactError if one is refused, and SetupError."""
    has_files = any(str(split_name(model)[1]).endswith(SUFFIX) for model in models)
    with scratch("models") if has_files else contextlib.nullcontext("") as folder:
        keeper = Accepted(models, Path(folder))
        keeper.renew()
        yield keeper


def renew_on_signal(models: Accepted, say: Callable[[str], None]) -> None:
    """On SIGHUP, renew the models and tell this process's workers to reload them."""

    def renew() -> None:
        names = models.renew()
        for worker in multiprocessing.active_children():
            if worker.pid is not None:
                with contextlib.suppress(ProcessLookupError):  # it has just ended, and its successor reads the new ones
                    os.kill(worker.pid, signal.SIGHUP)
        say(f"Reading the models again: {', '.join(names)}")

    _on_hangup(renew, _wait_by_wakeup())


def reload_on_signal(reload: Callable[[], object]) -> None:
    """Call `reload` in a worker after each SIGHUP, which all of its threads have blocked."""
    _on_hangup(reload, lambda: signal.sigwait({signal.SIGHUP}))


def ignore_hangup(*_: object) -> None:
    """Do nothing on SIGHUP: it has already woken the waiting thread."""


def _wait_by_wakeup() -> Callable[[], object]:
    """Return a function that waits for the parent's SIGHUP, whichever thread receives it.

    NumPy's threads start before SIGHUP is blocked, so sigwait could miss it.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.signal(signal.SIGHUP, ignore_hangup)
    signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)  # for as long as the process lives

    def wait() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        while reader.recv(1)[0] != signal.SIGHUP:
            pass

    return wait


def _say(line: str) -> None:
    """Write a line to stderr; a closed stderr must not end the thread."""
    with contextlib.suppress(OSError):
        if sys.stderr:
            sys.stderr.write(line)
            sys.stderr.flush()


def _on_hangup(act: Callable[[], object], wait_for_it: Callable[[], object]) -> None:
    """Call `act` in its own thread after each SIGHUP, one at a time; an ArtefactError leaves the models as they were.

    Threads and child processes that start later have the signal blocked: a worker that is not ready yet receives it
    when it is, and does not end.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})

    def wait() -> None:
        while True:
            wait_for_it()
            try:
                act()
            except ArtefactError as error:
                _say(f"inkdigit: The models stay as they were: {error}\n")

    threading.Thread(target=wait, daemon=True).start()
