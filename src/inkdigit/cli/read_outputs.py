"""What `inkdigit read` writes: text, JSON or CSV on stdout; a table, a review page and annotated copies as files."""

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ..errors import InputError
from ..terminal import fail, say, warn
from .inputs import Input

if TYPE_CHECKING:
    from ..forms.pages import Page
    from ..forms.table import Table
    from ..reading import Number, Reading

PDF_SUFFIX = ".pdf"

Write = Callable[[str, "Reading | InputError"], None]
Save = Callable[[int, Input, "Page"], None]  # takes the place of an image among all


def write_text(name: str, reading: "Reading | InputError") -> None:
    """Print one line per row of numbers; errors go to stderr."""
    if isinstance(reading, InputError):
        warn(f"{name}: {reading}")
        return
    if not reading.numbers:
        say(f"{name}: no number")
    for _, numbers in groupby(reading.numbers, key=lambda number: number.row):
        row = list(numbers)
        text = " ".join(number.text for number in row)
        say(f"{name}: {text}  {math.prod(number.confidence for number in row):.1%}{_doubt(reading, row)}")


def _doubt(reading: "Reading", row: "Sequence[Number]") -> str:
    """Return what is said of a row that is not sure."""
    if not all(number.is_match for number in row):
        return "  no match"
    return "" if all(map(reading.is_sure_of, row)) else "  not sure"


def write_json(name: str, reading: "Reading | InputError") -> None:
    """Print one JSON object: that of `/v1/read`, and the file."""
    if isinstance(reading, InputError):
        answer: dict[str, Any] = {"error": {"detail": str(reading), "code": reading.code}}
    else:
        answer = reading.as_dict()
    say(json.dumps({"file": name, **answer}))


def csv_writer(out: TextIO) -> Write:
    """Write a CSV header to `out`; return a function that writes a line per number. Errors go to stderr."""
    from ..forms.table import COLUMNS, plain, reading_rows  # noqa: PLC0415
    from ..output import FORMULA  # noqa: PLC0415

    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)

    def write(name: str, reading: "Reading | InputError") -> None:
        if isinstance(reading, InputError):
            warn(f"{name}: {reading}")
            return
        file = f"'{name}" if name.startswith(FORMULA) else name  # a number's text may begin with - and is no formula
        for row in reading_rows(file, reading):
            table.writerow(map(plain, row))

    return write


@contextmanager
def tables(xlsx: Path | None, review: Path | None) -> Iterator[Save]:
    """Yield a function that adds an image's numbers to the tables, which are written at the end."""
    from ..files import check_writable  # noqa: PLC0415
    from ..forms.table import COLUMNS, Table, reading_rows  # noqa: PLC0415

    for path in filter(None, (xlsx, review)):
        check_writable(path.parent)
    table = Table([*COLUMNS, "error"])

    def add(_: int, each: Input, page: "Page") -> None:
        if isinstance(page.answer, InputError):
            table.rows.append([each.name, *[None] * (len(COLUMNS) - 1), str(page.answer)])
        elif xlsx or review:
            table.rows.extend([*row, None] for row in reading_rows(each.name, page.answer, page.crops))

    yield add
    save_tables(table, xlsx, review)


def save_tables(table: "Table", xlsx: Path | None, review: Path | None) -> None:
    """Write a table as an Excel file and as a page to review."""
    from ..files import atomic_path  # noqa: PLC0415
    from ..forms.review import review_page  # noqa: PLC0415
    from ..forms.spreadsheet import write_xlsx  # noqa: PLC0415

    if xlsx:
        with atomic_path(xlsx) as draft:
            write_xlsx(table, draft)
    if review:
        with atomic_path(review) as draft:
            draft.write_text(review_page(table, f"{review.stem}.csv"), encoding="utf-8")


@contextmanager
def copies(found: Sequence[Input], target: Path | None) -> Iterator[Save]:
    """Yield a function that saves an image's annotated copy: in a folder, or as a page of a PDF."""
    if target is None:
        yield lambda place, each, page: None
    elif target.suffix.lower() == PDF_SUFFIX:
        with _pdf(target) as save:
            yield save
    else:
        yield _folder(found, target)


def _folder(found: Sequence[Input], folder: Path) -> Save:
    """Return a function that writes copies under names of their own. Exits with code 2 if the folder cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"{folder} cannot be created: {error.strerror}.")
    names: dict[str, int] = {}
    for place, stem in enumerate(each.stem for each in found):
        names.setdefault(next(n for n in _names(stem) if n not in names), place)
    paths = {place: folder / name for name, place in names.items()}

    def save(place: int, _: Input, page: "Page") -> None:
        if page.copy:
            try:
                paths[place].write_bytes(page.copy)
            except OSError as error:
                fail(f"{paths[place]} cannot be written: {error.strerror}.")

    return save


def _names(stem: str) -> Iterator[str]:
    return (f"{stem}.png" if n == 1 else f"{stem}-{n}.png" for n in count(1))


@contextmanager
def _pdf(path: Path) -> Iterator[Save]:
    """Yield a function that adds copies to a PDF, which takes its name at the end."""
    from PIL import Image  # noqa: PLC0415

    from ..files import atomic_path  # noqa: PLC0415

    with atomic_path(path) as draft:

        def save(_: int, __: Input, page: "Page") -> None:
            if page.copy:
                with Image.open(io.BytesIO(page.copy)) as picture:
                    picture.save(draft, "PDF", append=draft.exists())

        yield save
        if not draft.exists():
            fail("No page was read, so there is no copy to write.")
