"""What the README shows works as it stands there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from .pictures import seven

README = (Path(__file__).parent.parent / "README.md").read_text()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the pictures that the README speaks of."""
    (tmp_path / "scans").mkdir()
    for name in ("seven.png", "scans/one.png", "scans/two.png"):
        Image.fromarray(seven()).save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("code", blocks("python"))
def test_python(desk: Path, code: str) -> None:
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    assert names["answer"].digit == 7  # type: ignore[attr-defined]


COMMANDS = [line.split("#")[0].strip() for block in blocks("sh") for line in block.splitlines()]


@pytest.mark.parametrize("line", [line for line in COMMANDS if re.match(r"inkdigit (predict|models)", line)])
def test_commands(desk: Path, line: str) -> None:
    done = subprocess.run([sys.executable, "-m", *shlex.split(line)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_every_command_exists() -> None:
    shown = {words[1] for line in COMMANDS if (words := line.split())[:1] == ["inkdigit"]}
    done = subprocess.run([sys.executable, "-m", "inkdigit", "--help"], check=True, capture_output=True, text=True)
    assert shown <= set(re.findall(r"\w+", done.stdout))
