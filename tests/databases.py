"""Databases for tests: SQLite in a file, and Debian's PostgreSQL in a process of its own, run by an ordinary user."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from .serving import wait_for

OWNER = "nobody"  # PostgreSQL does not run as root


def postgres_program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs, which Debian keeps out of PATH; skip where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    program = str(found[-1]) if found else shutil.which(name)
    if program is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    return program


@contextmanager
def postgres() -> Iterator[str]:
    """Start a PostgreSQL server that listens on a socket in a temporary folder only; yield its URL."""
    initdb, server = postgres_program("initdb"), postgres_program("postgres")
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        who: dict[str, Any] = {}
        if os.getuid() == 0:
            owner = pwd.getpwnam(OWNER)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            who = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        data = f"{folder}/data"
        setup = [initdb, "-D", data, "-U", "inkdigit", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions"]
        subprocess.run(setup, check=True, capture_output=True, cwd=folder, **who)
        command = [server, "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=folder, **who)
        try:
            wait_for(lambda: "ready" in _status(Path(data)))
            yield f"postgresql://inkdigit@/postgres?host={folder}"
        finally:
            process.send_signal(signal.SIGINT)  # a fast shutdown
            process.wait(30)


def _status(data: Path) -> str:
    """Return the last line of the server's lock file, which says whether it accepts connections."""
    lock = data / "postmaster.pid"
    return lock.read_text() if lock.exists() else ""
