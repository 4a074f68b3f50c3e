"""`inkdigit evaluate` and `models`, as a process."""

import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np

from inkdigit.evaluation.scores import NO_DIGITS, SOURCES
from inkdigit.model_file import DEFAULT_MODEL, model_path

from ..pictures import digits
from .command import inkdigit


def test_models_lists_what_ships_and_runs_by_name(folder: Path) -> None:
    shutil.copy(model_path(DEFAULT_MODEL), folder / "mine.onnx")
    out, _ = inkdigit("models", DEFAULT_MODEL, folder)
    shipped, mine = (line.split() for line in out.splitlines()[-2:])
    assert (shipped[0], mine[0]) == (DEFAULT_MODEL, str(folder))
    assert shipped[1:] == mine[1:]
    (contract,) = (json.loads(line) for line in inkdigit("models", "--json")[0].splitlines()[:1])
    assert {"name", "version", "recipe", "sources", "scores", "commit"} <= contract.keys()
    assert "artefact" in inkdigit("models", folder / "b", code=2)[1]


EVALUATE = """
import sys
from inkdigit.cli.main import main
from inkdigit.evaluation import datasets
datasets.MNIST_SHA256 = dict(item.split("=") for item in sys.argv.pop(1).split(","))
main()
"""


def evaluated(folder: Path, *arguments: str, **env: str) -> tuple[str, str, list[int]]:
    """Evaluate on twenty digits as MNIST's test set, and nothing else; return stdout, stderr and the labels."""
    images, labels = digits(20, 28)
    pages = np.stack(images)
    content = {
        "t10k-images-idx3-ubyte": struct.pack(">HBBIII", 0, 8, 3, *pages.shape) + pages.tobytes(),
        "t10k-labels-idx1-ubyte": struct.pack(">HBBI", 0, 8, 1, len(labels)) + bytes(labels),
    }
    for name, body in content.items():
        (folder / name).write_bytes(body)
    sums = ",".join(f"{name}={hashlib.sha256(body).hexdigest()}" for name, body in content.items())
    command = [sys.executable, "-c", EVALUATE, sums, "evaluate", "--data", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **env})
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr, labels


def test_evaluate_scores_a_source_and_passes_over_what_is_not_there(tmp_path: Path) -> None:
    out, err, labels = evaluated(tmp_path)
    assert [line.split(":")[0] for line in err.splitlines()] == [
        name for name in (*SOURCES, *NO_DIGITS) if name != "mnist-test"
    ]
    table, confusion = out.split("\nmnist-test\n")
    assert "mnist-test" in table
    rows = [[0 if cell == "·" else int(cell) for cell in row.split()[1:]] for row in confusion.splitlines()[1:11]]
    assert [sum(row) for row in rows] == np.bincount(labels, minlength=10).tolist()


def test_evaluate_puts_runs_and_models_side_by_side(tmp_path: Path) -> None:
    for run, copies in {"one": ("a",), "two": ("b", "c")}.items():
        (tmp_path / run).mkdir()
        for name in copies:
            shutil.copy(model_path(DEFAULT_MODEL), tmp_path / run / f"{name}.onnx")
    one, two = str(tmp_path / "one"), tmp_path / "two"
    out, _, _ = evaluated(tmp_path, one, str(two), "--model", DEFAULT_MODEL, COLUMNS="40")
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines()[-5:]}
    names = [one, str(two / "b.onnx"), str(two / "c.onnx"), DEFAULT_MODEL]
    assert list(rows) == ["mnist-test", *names]
    assert rows["mnist-test"] == ["20"]
    assert len({tuple(rows[name]) for name in names}) == 1


def test_evaluate_without_what_it_was_asked_for_is_2(tmp_path: Path) -> None:
    assert str(tmp_path) in inkdigit("evaluate", "--data", tmp_path, "--source", "mnist-test", code=2)[1]
    assert "mnist-test" in inkdigit("evaluate", "--source", "none", code=2)[1]
