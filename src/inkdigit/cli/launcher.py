"""`inkdigit up`: run several servers in processes of their own, and stop them together. Nothing is restarted."""

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
GRACE = 1.2  # seconds that a server gets to stop; then it is killed
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Server:
    """One server: its name, its `inkdigit` command, its port, and a path that answers 200 once it is ready."""

    name: str
    command: str
    port: int
    ready: str


Running = dict[Server, subprocess.Popen[bytes]]


def serve(settings: UpSettings, say: Callable[[str], None]) -> None:
    """Run all servers until a signal arrives. Raises SetupError if one cannot start or stops by itself."""
    servers = _servers(settings)
    running: Running = {}
    with _record_stop_signals() as received:
        try:
            for server in servers:
                running[server] = _start(server, settings.environment())
                announce(server.name, settings.host, server.port, server.ready, say)
            _wait(running, received)
        finally:
            _stop(running)


def _servers(settings: UpSettings) -> list[Server]:
    """Return the servers to run, each with a free port. Raises SetupError."""
    need_extra("gradio")
    servers = [
        Server("Inkdigit", "serve", settings.port, "/readyz"),
        Server("Gradio", "gradio", settings.gradio_port, "/"),
    ]
    if settings.streamlit:
        need_extra("streamlit")
        servers.append(Server("Streamlit", "streamlit", settings.streamlit_port, "/_stcore/health"))
    ports = (free_address(settings.host, server.port)[1] for server in servers)
    return [replace(server, port=port) for server, port in zip(servers, ports, strict=True)]


def _start(server: Server, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own: Ctrl-C reaches only us, and its workers can be signalled with it."""
    command = [sys.executable, "-m", "inkdigit", server.command]
    variables = {**os.environ, **environment, PREFIX + "PORT": str(server.port)}
    return subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, start_new_session=True)  # noqa: S603


@contextmanager
def _record_stop_signals() -> Iterator[list[int]]:
    """Yield a list to which each stop signal is appended when it arrives."""
    received: list[int] = []

    def record(number: int, _: FrameType | None) -> None:
        received.append(number)

    previous = {number: signal.signal(number, record) for number in STOP_SIGNALS}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _wait(running: Running, received: list[int]) -> None:
    """Wait for a stop signal. Raises SetupError where a server stops by itself."""
    while not received:
        for server, process in running.items():
            if (code := process.poll()) is not None:
                raise SetupError(f"{server.name} stopped by itself ({_describe(code)}), so the others are stopped too.")
        time.sleep(POLL)


def _describe(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _stop(running: Running) -> None:
    """Ask every server to stop, then kill what is left of it, workers included."""
    for process in running.values():
        _signal_group(process, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline and any(_signal_group(process, 0) for process in running.values()):
        time.sleep(POLL)
    for process in running.values():
        _signal_group(process, signal.SIGKILL)
        process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: int) -> bool:
    """Send a signal to a server's process group; return whether any process of it is left."""
    process.poll()  # reaps the child if it has ended, so that it no longer counts
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
        return True
    return False
