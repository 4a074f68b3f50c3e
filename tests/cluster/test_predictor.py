"""The stage of a pipeline, without a cluster."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow.fs import LocalFileSystem

from inkdigit import Prediction, Reading, Recognizer
from inkdigit.cluster import Predictor, list_pages
from inkdigit.image import Pdf

from ..pictures import digits, encoded, encrypted_pdf, pdf, seven


def test_a_batch_gets_the_answers_of_the_library(tmp_path: Path) -> None:
    pictures, _ = digits(12)
    for number, picture in enumerate(pictures):
        (tmp_path / f"{number}.png").write_bytes(encoded(picture))
    files = [*sorted(map(str, tmp_path.iterdir())), str(tmp_path / "none.png")]
    rows = Predictor()({"file": np.array(files, object)}).to_pylist()
    assert [row["file"] for row in rows] == files
    assert rows[-1]["error_code"] == "unreadable_file"
    for row, answer in zip(rows, Recognizer().predict_batch(list(map(Path, files[:-1]))), strict=False):
        assert isinstance(answer, Prediction)
        assert (row["digit"], row["confidence"]) == (str(answer.digit), answer.confidence)
        assert row["probabilities"] == list(answer.probabilities)
        assert (row["digitness"], row["model_name"]) == (answer.digitness, answer.model.name)
        assert row["error"] is None


def test_numbers_are_json() -> None:
    picture = seven(200)
    (row,) = Predictor(task="read")({"path": ["a"], "bytes": np.array([encoded(picture)], object)}).to_pylist()
    reading = Recognizer().read(encoded(picture))
    assert isinstance(reading, Reading)
    assert (row["file"], row["text"], row["confidence"]) == ("a", reading.text, reading.confidence)
    assert json.loads(row["symbols"]) == reading.as_dict()["numbers"]
    assert row["model_name"] == "numbers"


def test_arrays_missing_pictures_and_errors_are_rows() -> None:
    read_images = {"image": np.stack([seven(64), 255 - seven(64)])}
    assert Predictor()(read_images)["digit"].to_pylist() == ["7", "7"]
    table = pa.table({"file": ["a", "b"], "bytes": [None, b"x"], "error": [None, "The shard is torn."]})
    assert Predictor()(table)["error"].to_pylist() == ["The row has no picture.", "The shard is torn."]


@pytest.mark.parametrize("filesystem", [None, LocalFileSystem()], ids=["path", "bytes"])
def test_pages_of_pdf_files_are_rows_and_a_pdf_s_bytes_are_not(
    filesystem: LocalFileSystem | None, tmp_path: Path
) -> None:
    pytest.importorskip("pypdfium2", reason="the extra `pdf` is not installed")
    pages = [Image.fromarray(picture) for picture in digits(3)[0]]
    contents = {"a.pdf": pdf(*pages), "b.pdf": encrypted_pdf(), "c.pdf": pdf(pages[1])}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    a, b, c, none = (str(tmp_path / name) for name in [*contents, "none.pdf"])
    listed = pa.concat_tables(list_pages({"file": np.array([a, b, c, none], object)}, filesystem))
    assert listed["file"].to_pylist() == [f"{a}#1", f"{a}#2", f"{a}#3", b, f"{c}#1", none]
    rows = Predictor(filesystem=filesystem)(listed).to_pylist()
    read = [*Pdf(contents["a.pdf"]).pages(3), *Pdf(contents["c.pdf"]).pages(1)]
    answers = [str(each.digit) for each in Recognizer().predict_batch(read) if isinstance(each, Prediction)]
    assert [row["digit"] for row in rows] == [*answers[:3], None, answers[3], None]
    assert [row["error_code"] for row in rows] == [None, None, None, "encrypted_file", None, "unreadable_file"]
    (refused,) = Predictor()({"bytes": np.array([contents["c.pdf"]], object)}).to_pylist()
    assert (refused["error_code"], "page by page" in refused["error"]) == ("unsupported_format", True)
