"""The command, as a process: what it prints, and its exit codes."""

import csv
import hashlib
import io
import json
import os
import shutil
import struct
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkdigit.evaluation import datasets
from inkdigit.evaluation.scores import NO_DIGITS, SOURCES
from inkdigit.model_file import DEFAULT_MODEL, model_path

from ..pictures import digits, encoded, seven

KEYS = {"file", "digit", "confidence", "probabilities", "is_digit", "digitness", "is_sure", "model"}


def inkdigit(
    *arguments: object, stdin: bytes = b"", code: int = 0, cwd: Path | None = None, **env: str
) -> tuple[str, str]:
    """Run the command; give stdout and stderr."""
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with two pictures, one of them below, a broken one, and a file that is none."""
    (tmp_path / "b").mkdir()
    (tmp_path / "a.PNG").write_bytes(encoded(seven()))
    (tmp_path / "b" / "c.jpg").write_bytes(encoded(255 - seven(), "JPEG"))
    (tmp_path / "b" / "broken.png").write_bytes(encoded(seven())[:100])
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def test_predict_a_picture(folder: Path) -> None:
    out, err = inkdigit("predict", folder / "a.PNG")
    assert out.startswith(f"{folder / 'a.PNG'}: 7  ")
    assert (out.count("\n"), err) == (1, "")


def test_predict_a_folder_as_json_lines(folder: Path) -> None:
    out, err = inkdigit("predict", "--json", folder, code=1)
    rows = [json.loads(line) for line in out.splitlines()]
    assert [Path(row["file"]).name for row in rows] == ["a.PNG", "broken.png", "c.jpg"]
    assert set(rows[0]) == set(rows[2]) == KEYS
    assert [rows[0]["digit"], rows[2]["digit"]] == [7, 7]
    assert rows[1]["error"]["code"] == "broken_image"
    assert err == ""


def test_predict_as_csv_keeps_the_order_and_names_what_failed(folder: Path) -> None:
    out, _ = inkdigit("predict", "--csv", folder / "none.png", folder / "a.PNG", code=1)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["digit"] for row in rows] == ["", "7"]
    assert "cannot be read" in rows[0]["error"]
    assert rows[1]["error"] == ""


def test_no_file_is_a_formula_in_a_spreadsheet(folder: Path) -> None:
    (folder / "a.PNG").rename(folder / "=1+1.png")
    out, _ = inkdigit("predict", "--csv", "=1+1.png", cwd=folder)
    (row,) = csv.DictReader(io.StringIO(out))
    assert (row["file"], row["digit"]) == ("'=1+1.png", "7")


def test_predict_from_stdin_and_what_cannot_be_read_goes_to_stderr() -> None:
    assert inkdigit("predict", "-", stdin=encoded(seven()))[0].startswith("-: 7")
    out, err = inkdigit("predict", "-", "none.png", stdin=encoded(np.full((9, 9), 255, np.uint8)), code=1)
    assert out == ""
    assert [line.split(":")[0] for line in err.splitlines()] == ["-", "none.png"]


def test_what_no_file_can_be_called_is_one_bad_picture(folder: Path) -> None:
    out, err = inkdigit("predict", "a" * 5000, "", folder / "a.PNG", code=1)
    assert (out.count(": 7"), len(err.splitlines())) == (1, 2)


def test_a_folder_stands_for_files_alone(folder: Path) -> None:
    (folder / "b" / "broken.png").unlink()
    (folder / "album.png").mkdir()
    shutil.move(folder / "a.PNG", folder / "album.png")
    os.mkfifo(folder / "pipe.png")  # which nobody writes to
    out, err = inkdigit("predict", folder)
    assert (out.count(": 7"), err) == (2, "")


@pytest.mark.parametrize("form", [[], ["--csv"], ["--json"]])
def test_closed_streams_and_a_full_disk_are_one_sentence(folder: Path, form: list[str]) -> None:
    command = [sys.executable, "-m", "inkdigit", "predict", *form]
    for shell, code in (('"$@" - <&-', 1), ('"$@" a.PNG >&-', 2), ('"$@" a.PNG >/dev/full', 2), ('"$@" a.PNG 2>&-', 0)):
        done = subprocess.run(["sh", "-c", shell, "sh", *command], cwd=folder, capture_output=True, check=False)
        assert done.returncode == code
        assert len(done.stderr.splitlines()) <= 1


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' file names are text")
def test_a_file_whose_name_is_no_text(tmp_path: Path) -> None:
    Path(os.fsdecode(bytes(tmp_path) + b"/\xff.png")).write_bytes(encoded(seven()))
    assert ": 7" in inkdigit("predict", tmp_path)[0]
    assert ": 7" in inkdigit("predict", tmp_path, PYTHONIOENCODING="ascii")[0]


def test_a_model_by_path_and_what_is_no_model(folder: Path) -> None:
    shutil.copy(model_path(DEFAULT_MODEL), folder / "mine.onnx")
    (folder / "bad.onnx").write_bytes(b"bad")
    assert ": 7" in inkdigit("predict", "--model", folder / "mine.onnx", folder / "a.PNG")[0]
    for model in ("best", folder / "bad.onnx"):
        out, err = inkdigit("predict", "--model", model, folder / "a.PNG", code=2)
        assert out == ""
        assert err.startswith("inkdigit: ")
        assert str(model) in err


def test_wrong_usage_is_2(tmp_path: Path) -> None:
    for arguments in (
        ["predict"],
        ["predict", "--json", "--csv", "a.png"],
        ["predict", tmp_path],
    ):
        out, err = inkdigit(*arguments, code=2)
        assert out == ""
        assert err.strip()


def test_help_version_and_models() -> None:
    out, _ = inkdigit("--help")
    assert all(command in out for command in ("predict", "serve", "train", "evaluate", "export", "models"))
    assert inkdigit("--version")[0] == f"inkdigit {version('inkdigit')}\n"


def test_models_lists_what_ships_and_runs_by_name(folder: Path) -> None:
    shutil.copy(model_path(DEFAULT_MODEL), folder / "mine.onnx")
    out, _ = inkdigit("models", DEFAULT_MODEL, folder)
    shipped, mine = (line.split() for line in out.splitlines()[-2:])
    assert (shipped[0], mine[0]) == (DEFAULT_MODEL, str(folder))
    assert shipped[1:] == mine[1:]
    (contract,) = (json.loads(line) for line in inkdigit("models", "--json")[0].splitlines()[:1])
    assert {"name", "version", "recipe", "sources", "scores", "commit"} <= contract.keys()
    assert "artefact" in inkdigit("models", folder / "b", code=2)[1]


def test_a_reader_that_leaves_early_is_no_error(folder: Path) -> None:
    command = [sys.executable, "-m", "inkdigit", "predict", *[str(folder / "a.PNG")] * 300]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert b": 7" in process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


EVALUATE = """
import sys
from inkdigit.cli.main import main
from inkdigit.evaluation import datasets
datasets.MNIST_SHA256 = dict(item.split("=") for item in sys.argv.pop(1).split(","))
main()
"""


def evaluated(folder: Path, *arguments: str, **env: str) -> tuple[str, str, list[int]]:
    """Evaluate on twenty digits as MNIST's test set, and nothing else; give stdout, stderr and the digits."""
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


def test_a_huge_picture_is_one_sentence(tmp_path: Path) -> None:
    Image.new("1", (10_000, 9_500)).save(tmp_path / "huge.png")
    out, err = inkdigit("predict", tmp_path / "huge.png", code=1)
    assert (out, err.count("\n")) == ("", 1)
    assert "megapixels" in err
