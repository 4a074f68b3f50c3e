"""Corrections as files: folders of pictures by label, which `train --data` reads, and tables of labels."""

import csv
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from ..errors import DataError
from ..files import writing
from .records import Correction

DIGITS, SYMBOLS, NUMBERS, TABLE = "digits", "symbols", "numbers", "labels.csv"
COLUMNS = ["file", "label", "answer", "confidence", "model", "version", "created"]
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how one begins, which a spreadsheet would compute


def export(corrections: Sequence[Correction], folder: Path) -> None:
    """Write corrections to a new folder, or an empty one, in one step.

    `digits/LABEL/ID.png` is what `train --data FOLDER/digits` reads; `symbols` has points, commas, minus signs and
    slashes; `numbers` has strips. Each of the three has a `labels.csv`. Raises DataError.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} is not empty: name a new folder.")
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as parent:
            draft = Path(parent) / "draft"
            draft.mkdir()
            for kind in (DIGITS, SYMBOLS, NUMBERS):
                _write_kind([each for each in corrections if kind_of(each) == kind], draft / kind)
            draft.replace(folder)


def kind_of(correction: Correction) -> str:
    """Return the folder that a correction belongs in."""
    if correction.task == "number":
        return NUMBERS
    is_mark = correction.task == "symbol" and not correction.label.isdecimal()
    return SYMBOLS if is_mark else DIGITS


def _write_kind(corrections: Sequence[Correction], folder: Path) -> None:
    rows = []
    for each in corrections:
        name = f"{each.id}.png" if each.task == "number" else f"{_folder_name(each.label)}/{each.id}.png"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(each.picture)
        rows.append({**vars(each), "file": name, "created": each.created.isoformat(timespec="seconds")})
    if not rows:
        return
    with (folder / TABLE).open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        table.writerows({key: _cell(value) for key, value in row.items()} for row in rows)


def _cell(value: object) -> object:
    """Put an apostrophe before a text that a spreadsheet would compute; a negative number stays."""
    is_formula = isinstance(value, str) and value.startswith(FORMULA)
    return f"'{value}" if is_formula and not str(value)[1:].replace(",", "").replace(".", "").isdecimal() else value


def _folder_name(label: str) -> str:
    """Return a label as a folder's name: one that is neither hidden nor outside."""
    return quote(label, safe=" ").replace(".", "%2E")
