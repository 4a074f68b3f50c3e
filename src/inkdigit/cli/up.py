"""Start several doors together, each in a process of its own, and end them together. Restarts none."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from types import FrameType

from ..server.launch import SetupError, announce, free_address, need_extra
from ..settings import PREFIX, UpSettings

POLL = 0.05  # seconds
GRACE = 1.2  # seconds in which a door may end by itself; what is left after it is killed
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Door:
    """Name one door: its command, where it will be, and the path on which it answers."""

    name: str
    command: str
    port: int
    ready: str


def serve(settings: UpSettings, say: Callable[[str], None]) -> None:
    """Serve until a signal comes, which ends all doors. Raises SetupError, also where a door ends by itself."""
    doors = _doors(settings)
    running: dict[Door, subprocess.Popen[bytes]] = {}
    with _told_to_end() as told:
        try:
            for door in doors:
                running[door] = _start(door, settings.environment())
                announce(door.name, settings.host, door.port, door.ready, say)
            _watch(running, told)
        finally:
            _end(running)


def _doors(settings: UpSettings) -> list[Door]:
    """Choose the doors, with ports that are free. Raises SetupError."""
    need_extra("gradio")
    wanted = [
        Door("Inkdigit", "serve", settings.port, "/readyz"),
        Door("Gradio", "gradio", settings.gradio_port, "/"),
    ]
    if settings.streamlit:
        need_extra("streamlit")
        wanted.append(Door("Streamlit", "streamlit", settings.streamlit_port, "/_stcore/health"))
    ports = (free_address(settings.host, door.port)[1] for door in wanted)
    return [replace(door, port=port) for door, port in zip(wanted, ports, strict=True)]


def _start(door: Door, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a door in a session of its own, so that Ctrl-C reaches us alone, and it and its workers end together."""
    command = [sys.executable, "-m", "inkdigit", door.command]
    variables = {**os.environ, **environment, PREFIX + "PORT": str(door.port)}
    return subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, start_new_session=True)  # noqa: S603


@contextmanager
def _told_to_end() -> Iterator[list[int]]:
    """Yield a list to which the signals that end us are added."""
    told: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        told.append(number)

    before = {number: signal.signal(number, note) for number in ENDS}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _watch(running: Mapping[Door, subprocess.Popen[bytes]], told: list[int]) -> None:
    """Wait until a signal comes. Raises SetupError where a door ends by itself."""
    while not told:
        for door, process in running.items():
            if (code := process.poll()) is not None:
                raise SetupError(f"{door.name} ended by itself ({_how(code)}), so the others are stopped.")
        time.sleep(POLL)


def _how(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _end(running: Mapping[Door, subprocess.Popen[bytes]]) -> None:
    """Ask all doors to end, and kill what has not: each with everything that it started."""
    for process in running.values():
        _signal(process, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline and any(_signal(process, 0) for process in running.values()):
        time.sleep(POLL)
    for process in running.values():
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> bool:
    """Signal a door's whole group; tell whether any of it is left."""
    process.poll()  # a child that has ended is one no more
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
        return True
    return False
