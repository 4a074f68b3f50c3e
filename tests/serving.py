"""A started service: a real process on a free port of the loopback."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

INKDIGIT = str(Path(sys.executable).with_name("inkdigit"))
COMMAND = [INKDIGIT, "serve", "--port", "0"]
STARTED = re.compile(r"^\w+ is at (\S+)$", re.MULTILINE)
PATIENCE = 120  # seconds; a busy machine starts slowly


@dataclass(frozen=True)
class Service:
    url: str
    http: httpx.Client
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def address(self) -> tuple[str, int]:
        url = httpx.URL(self.url)
        assert url.port is not None
        return url.host, url.port


def environment(**variables: str) -> dict[str, str]:
    """Return this process's environment without Inkdigit's variables, and with those given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("INKDIGIT_") and name != "PORT"}
    return {**kept, **variables}


@contextmanager
def serving(*flags: str, command: str = "serve", **variables: str) -> Iterator[Service]:
    """Start `inkdigit serve`, or another server command, with flags and variables; stop it by SIGTERM."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as out:
            line = [INKDIGIT, command, "--port", "0", *flags]
            process = subprocess.Popen(line, env=environment(**variables), stdout=out, stderr=out)
        try:
            url = _address(process, log)
            with httpx.Client(base_url=url, timeout=30) as client:
                yield Service(url, client, process, log)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        assert "panic" not in log.read_text(), log.read_text()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if found := STARTED.search(log.read_text()):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"the service did not start: {log.read_text()}")


def workers(service: Service) -> list[int]:
    """Return the worker processes of a service; its other child is multiprocessing's resource tracker."""
    parent = service.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
