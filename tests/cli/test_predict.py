"""`inkdigit predict`, as a process: what it prints, and its exit codes."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkdigit.model_file import DEFAULT_MODEL, model_path

from ..pictures import encoded, seven
from .command import inkdigit

KEYS = {"file", "digit", "confidence", "probabilities", "is_digit", "digitness", "is_sure", "model"}


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


def test_a_reader_that_leaves_early_is_no_error(folder: Path) -> None:
    command = [sys.executable, "-m", "inkdigit", "predict", *[str(folder / "a.PNG")] * 300]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert b": 7" in process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_huge_picture_is_one_sentence(tmp_path: Path) -> None:
    Image.new("1", (10_000, 9_500)).save(tmp_path / "huge.png")
    out, err = inkdigit("predict", tmp_path / "huge.png", code=1)
    assert (out, err.count("\n")) == ("", 1)
    assert "megapixels" in err
