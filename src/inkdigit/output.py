"""Write predictions as text lines, JSON lines or a CSV table."""

import csv
import json
from collections.abc import Callable
from typing import Any, TextIO

from .errors import InputError
from .prediction import Prediction
from .terminal import say, warn

Answer = Prediction | InputError
Write = Callable[[str, Answer], None]

COLUMNS = ["file", "digit", "confidence", "is_digit", "digitness", "is_sure", "error"]
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how one begins; the page's CSV has the same


def write_text(name: str, answer: Answer) -> None:
    """Write a file's answer for a person; what is wrong with a picture goes to stderr."""
    if isinstance(answer, InputError):
        warn(f"{name}: {answer}")
        return
    doubt = "" if answer.is_sure else "  not sure"
    verdict = doubt if answer.is_digit else "  not a digit?"
    say(f"{name}: {answer.digit}  {answer.confidence:.1%}{verdict}")


def write_json(name: str, answer: Answer) -> None:
    """Write a file's answer as one JSON object."""
    say(json.dumps(_row(name, answer)))


def csv_writer(out: TextIO) -> Write:
    """Write the head of a table to `out`; give what writes a file's answer as a row of it."""
    table = csv.DictWriter(out, COLUMNS, extrasaction="ignore", lineterminator="\n")
    table.writeheader()

    def write(name: str, answer: Answer) -> None:
        row = _row(name, answer)
        row |= {"error": row["error"]["detail"]} if "error" in row else {}
        table.writerow({key: _cell(value) for key, value in row.items()})

    return write


def _cell(value: Any) -> Any:
    """Make a text that a spreadsheet would take for a formula one that it takes for text, by an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _row(name: str, answer: Answer) -> dict[str, Any]:
    if isinstance(answer, InputError):
        return {"file": name, "error": {"detail": str(answer), "code": answer.code}}
    return {"file": name, **answer.as_dict()}
