"""Run the `inkdigit` command in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from inkdigit.evaluation import datasets


def inkdigit(
    *arguments: object, stdin: bytes = b"", code: int = 0, cwd: Path | None = None, **env: str
) -> tuple[str, str]:
    """Run the command, check its exit code, and return stdout and stderr."""
    command = [sys.executable, "-m", "inkdigit", *map(str, arguments)]
    env = {
        "COLUMNS": "200",
        **{key: value for key, value in os.environ.items() if key != datasets.FOLDER_VARIABLE},
        **env,
    }
    done = subprocess.run(command, input=stdin, capture_output=True, check=False, env=env, cwd=cwd)
    out, err = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == code, err
    assert "Traceback" not in out + err
    return out, err
