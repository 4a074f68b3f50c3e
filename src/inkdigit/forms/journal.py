"""A journal of what has been read, so that a stopped run goes on where it was: one JSON object a line.

The first line says by which model and with which options; a journal of others is refused.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..files import writing

Stamp = list[int]  # a file's size in bytes, and when it was last changed, in ns


class Journal:
    """Answers by the name of their image. Lines are written as they come; one that was cut off is ignored."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        """Open a journal, or begin one. Raises DataError if it cannot be written, or was made with other settings."""
        self._path = path
        self._head = json.dumps({"settings": settings}, sort_keys=True)
        self._lines: dict[str, dict[str, Any]] = {}
        with writing(path):
            if path.exists() and path.stat().st_size:
                self._load()
            else:
                path.write_text(f"{self._head}\n", encoding="utf-8")
            self._file = path.open("a", encoding="utf-8")

    def _load(self) -> None:
        head, *lines = self._path.read_text(encoding="utf-8", errors="replace").split("\n")
        if head != self._head:
            raise DataError(f"{self._path} is the journal of a run with another model or other options.")
        for line in lines[:-1]:
            try:
                entry = json.loads(line)
                self._lines[entry["file"]] = entry
            except (ValueError, TypeError, KeyError):
                continue
        if lines and lines[-1]:  # cut off: a new line must not go on in it
            with self._path.open("a", encoding="utf-8") as file:
                file.write("\n")

    def get(self, name: str) -> Any:
        """Return the answer for an image that has not changed since, else None."""
        entry = self._lines.get(name)
        return entry["answer"] if entry and entry["stamp"] == stamp(name) else None

    def add(self, name: str, answer: Any) -> None:
        """Add the answer for an image, if it is another one than before."""
        if self.get(name) == answer:
            return
        with writing(self._path):
            line = json.dumps({"file": name, "stamp": stamp(name), "answer": answer})
            self._file.write(f"{line}\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def stamp(name: str) -> Stamp | None:
    """Return the stamp of an image's file, without the page of a PDF; None where there is no such file."""
    path, mark, page = name.rpartition("#")
    try:
        found = Path(path if mark and page.isdecimal() and Path(path).exists() else name).stat()
    except (OSError, ValueError):
        return None
    return [found.st_size, found.st_mtime_ns]
