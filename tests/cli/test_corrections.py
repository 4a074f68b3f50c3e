"""`inkdigit corrections`: list, show, export, delete and stats."""

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from inkdigit.corrections.records import NewCorrection
from inkdigit.corrections.store import Limits, Store

from ..pictures import digits, encoded
from .command import inkdigit

LIMITS = Limits(30, 10_000, 10_000)


@pytest.fixture
def stored(tmp_path: Path) -> tuple[str, list[str]]:
    """A store with digits, a mark and numbers, and their ids."""
    url = f"sqlite:///{tmp_path / 'corrections.db'}"
    pictures = [encoded(picture) for picture in digits(16)[0]]
    labels = [("digit", "7", "1")] * 12 + [("symbol", ",", "1"), ("symbol", "1", "7")]
    labels += [("number", "-7,5", "1"), ("number", "12", "72")]
    store = Store(url)
    made = [NewCorrection(*labels[place], "inkdigit", "0.1.0", pictures[place], 0.9) for place in range(16)]  # type: ignore[arg-type]
    ids = [store.add(each, LIMITS).id for each in made]
    store.close()
    return url, ids


def test_list_and_stats(stored: tuple[str, list[str]], tmp_path: Path) -> None:
    url, ids = stored
    out, _ = inkdigit("corrections", "list", "--json", INKDIGIT_CORRECTIONS=url)
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["id"] for row in rows] == ids
    assert {key: value for key, value in rows[0].items() if key not in {"id", "created"}} == {
        "task": "digit",
        "label": "7",
        "answer": "1",
        "model": "inkdigit",
        "version": "0.1.0",
        "confidence": 0.9,
    }
    assert ids[15] in inkdigit("corrections", "list", "--corrections", url)[0]
    assert inkdigit("corrections", "stats", "--corrections", url)[0].splitlines()[1].split()[-3:] == ["1", "7", "12"]


def test_show_draws_a_sheet(stored: tuple[str, list[str]], tmp_path: Path) -> None:
    url, ids = stored
    inkdigit("corrections", "show", "--corrections", url, "--to", tmp_path / "all.png")
    inkdigit("corrections", "show", ids[0], "--corrections", url, "--to", tmp_path / "one.png")
    with Image.open(tmp_path / "all.png") as all_of_them, Image.open(tmp_path / "one.png") as one:
        assert all_of_them.height > 4 * one.height
        assert one.width == all_of_them.width
        assert one.convert("L").getextrema() == (0, 255)


def test_export_writes_what_training_reads(stored: tuple[str, list[str]], tmp_path: Path) -> None:
    from inkdigit.train.custom_dataset import files_of

    url, ids = stored
    target = tmp_path / "new" / "files"
    inkdigit("corrections", "export", target, "--corrections", url)
    files = files_of(target / "digits")
    assert files.labels == ("1", "7")
    assert len(files.paths) == 13
    assert [path.name for path in (target / "symbols").iterdir() if path.is_dir()] == ["%2C"]
    with (target / "numbers" / "labels.csv").open(newline="") as file:
        rows = {row["file"]: row["label"] for row in csv.DictReader(file)}
    assert rows == {f"{ids[14]}.png": "-7,5", f"{ids[15]}.png": "12"}
    assert all((target / "numbers" / name).is_file() for name in rows)
    _, err = inkdigit("corrections", "export", target, "--corrections", url, code=2)
    assert "is not empty" in err


def test_delete(stored: tuple[str, list[str]]) -> None:
    url, ids = stored
    out, err = inkdigit("corrections", "delete", ids[0], "nothing", "--corrections", url, code=1)
    assert "1 deleted" in out
    assert "no correction nothing" in err
    assert ids[0] not in inkdigit("corrections", "list", "--corrections", url)[0]


def test_without_a_store_a_sentence_says_how_to_name_one(tmp_path: Path) -> None:
    assert "Name the store" in inkdigit("corrections", "list", code=2)[1]
    assert "is no URL" in inkdigit("corrections", "stats", "--corrections", "here", code=2)[1]
