"""SIGHUP: the models are read again from their files, and the old ones answer until the new ones have.

The parent of the workers reads the files, and keeps copies of those that proved to be sound. Workers read the copies
alone: one that starts has the models that were accepted last, whatever has become of the files meanwhile.
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
    """Keep copies, in a folder, of the model files that were accepted last; a shipped model needs none."""

    def __init__(self, models: Sequence[str], folder: Path) -> None:
        self._given = models
        self._fresh, self.models = (
            tuple(_copy_of(model, folder / f"{place}-{part}") for place, model in enumerate(models))
            for part in ("fresh", "accepted")
        )

    def renew(self) -> list[str]:
        """Take the files as they are now, and give the models' names.

        Raises ArtefactError where one is refused, and then keeps all as they were.
        """
        try:
            _put(shutil.copyfile, self._given, self._fresh)
            loaded = load(self._fresh)
            _put(os.replace, self._fresh, self.models)
        except ArtefactError:
            load(self._given)  # says what is wrong, by the names that the user gave
            raise
        except OSError as error:
            load(self._given)  # likewise, where there is no file to copy
            raise ArtefactError(f"The model files cannot be copied: {error}.") from error
        return list(loaded)


def _copy_of(model: str, folder: Path) -> str:
    """Name a model by its copy in a folder; a shipped one stays what it is."""
    name, file = split_name(model)
    if not str(file).endswith(SUFFIX):
        return model
    copy = folder / Path(file).name
    return f"{name}={copy}" if name else str(copy)


def _put(how: Callable[[Path, Path], object], sources: Sequence[str], targets: Sequence[str]) -> None:
    """Copy or move the files of models to those of others."""
    for source, target in zip(sources, targets, strict=True):
        if source != target:
            file = Path(split_name(target)[1])
            file.parent.mkdir(exist_ok=True)
            how(Path(split_name(source)[1]), file)


@contextlib.contextmanager
def accepted(models: Sequence[str]) -> Iterator[Accepted]:
    """Accept models, for as long as the service runs. Raises ArtefactError where one is refused, and SetupError."""
    has_files = any(str(split_name(model)[1]).endswith(SUFFIX) for model in models)
    with scratch("models") if has_files else contextlib.nullcontext("") as folder:
        keeper = Accepted(models, Path(folder))
        keeper.renew()
        yield keeper


def renew_on_signal(models: Accepted, say: Callable[[str], None]) -> None:
    """Let SIGHUP renew the models, and tell this process's workers to read them."""

    def renew() -> None:
        names = models.renew()
        for worker in multiprocessing.active_children():
            if worker.pid is not None:
                with contextlib.suppress(ProcessLookupError):  # it has just ended, and the next one reads the new ones
                    os.kill(worker.pid, signal.SIGHUP)
        say(f"Reading the models again: {', '.join(names)}")

    _on_hangup(renew, _wakened())


def reload_on_signal(reload: Callable[[], object]) -> None:
    """Call `reload` in a worker after each SIGHUP; the parent blocked it, and so does each of the worker's threads."""
    _on_hangup(reload, lambda: signal.sigwait({signal.SIGHUP}))


def let_hangup_be(*_: object) -> None:
    """Do nothing at SIGHUP, which has wakened the thread that waits for it."""


def _wakened() -> Callable[[], object]:
    """Give what waits in a thread for the parent's SIGHUP, whichever thread it comes to.

    NumPy's threads are older than the parent's main part and do not block it, so sigwait would miss it.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.signal(signal.SIGHUP, let_hangup_be)
    signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)  # for as long as the process lives

    def wait() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        while reader.recv(1)[0] != signal.SIGHUP:
            pass

    return wait


def _say(line: str) -> None:
    """Write a line to stderr, if anything takes it: that it does not must not end the thread."""
    with contextlib.suppress(OSError):
        if sys.stderr:
            sys.stderr.write(line)
            sys.stderr.flush()


def _on_hangup(act: Callable[[], object], wait_for_it: Callable[[], object]) -> None:
    """Call `act` in a thread of its own after each SIGHUP, one at a time; an ArtefactError leaves things as they were.

    Other threads, and child processes, that are started from now on have the signal blocked: to a worker that is not
    ready it comes when it is, and does not end it.
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
