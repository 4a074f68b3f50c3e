"""`inkdigit up`: all servers start together and stop together, and leave no process behind."""

import contextlib
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from ..serving import INKDIGIT, environment

PATIENCE = 120  # seconds, for three starts beside busy neighbours
ADDRESS = re.compile(r"^(\w+) is at http://127\.0\.0\.1:(\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Launcher:
    process: subprocess.Popen[bytes]
    ports: dict[str, int]
    log: Path

    def family(self) -> list[int]:
        """Return all processes that the launcher started, directly or not."""
        found = children(self.process.pid)
        for pid in found:
            found += children(pid)
        return found


def children(pid: int) -> list[int]:
    with contextlib.suppress(FileNotFoundError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    for extra in ("gradio", "streamlit"):
        pytest.importorskip(extra, reason=f"the extra {extra} is not installed")
    with launched(tmp_path / "log") as started:
        yield started


@contextmanager
def launched(log: Path) -> Iterator[Launcher]:
    command = [INKDIGIT, "up", "--streamlit", "--port", "0", "--gradio-port", "0", "--streamlit-port", "0"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment(), stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + PATIENCE
        while len(found := dict(ADDRESS.findall(log.read_text()))) < 3:
            assert time.monotonic() < deadline, log.read_text()
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield Launcher(process, {name: int(port) for name, port in found.items()}, log)
    finally:
        process.terminate()
        process.wait(10)


def is_alive(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    with contextlib.suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def assert_nothing_is_left(family: list[int], ports: dict[str, int]) -> None:
    assert [pid for pid in family if is_alive(pid)] == []
    for port in ports.values():
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_ctrl_c_ends_all_within_two_seconds(launcher: Launcher) -> None:
    assert set(launcher.ports) == {"Inkdigit", "Gradio", "Streamlit"}
    for port in launcher.ports.values():
        assert httpx.get(f"http://127.0.0.1:{port}/", timeout=30).status_code == 200
    family = launcher.family()
    assert len(family) >= 4, "three servers, one of which has a worker"
    start = time.monotonic()
    launcher.process.send_signal(signal.SIGINT)
    assert launcher.process.wait(10) == 0
    assert time.monotonic() - start < 2
    assert_nothing_is_left(family, launcher.ports)
    assert "Traceback" not in launcher.log.read_text()


@pytest.mark.parametrize(("command", "name"), [("serve", "Inkdigit"), ("gradio", "Gradio"), ("streamlit", "Streamlit")])
def test_a_server_that_is_killed_stops_the_others(launcher: Launcher, command: str, name: str) -> None:
    family = launcher.family()
    servers = {Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[3]: pid for pid in children(launcher.process.pid)}
    subprocess.run(["kill", "-9", str(servers[command.encode()])], check=True)
    assert launcher.process.wait(10) not in {0, None}
    assert f"{name} stopped by itself (SIGKILL), so the others are stopped too." in launcher.log.read_text()
    assert_nothing_is_left(family, launcher.ports)


def test_a_taken_port_is_one_sentence_before_anything_starts() -> None:
    pytest.importorskip("gradio", reason="the extra gradio is not installed")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [INKDIGIT, "up", "--port", "0", "--gradio-port", str(port)]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"inkdigit: Cannot listen on 127.0.0.1:{port}: another program uses it.\n"
