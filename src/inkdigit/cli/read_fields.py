"""`inkdigit read --fields`: read the fields of forms, one row a page."""

import csv
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from ..errors import InputError
from ..terminal import progress_bar, say, warn, writing
from .inputs import STDIN, Input
from .read_outputs import save_tables

if TYPE_CHECKING:
    from ..forms.pages import FieldsPage
    from ..forms.table import Value
    from ..number_reader import NumberReader

CHUNK = 1  # pages per task


def read_fields(
    found: Sequence[Input],
    reader: "NumberReader",
    path: Path,
    as_json: bool,
    xlsx: Path | None,
    review: Path | None,
    resume: Path | None,
) -> NoReturn:
    """Read the fields that a file describes on each page; print them as CSV or JSON lines, and exit."""
    from ..files import check_writable  # noqa: PLC0415
    from ..forms.fields import FormReader, load_form  # noqa: PLC0415
    from ..forms.pages import FieldsReader, field_columns, field_row  # noqa: PLC0415
    from ..forms.table import Table  # noqa: PLC0415
    from .batch import in_order  # noqa: PLC0415

    form = load_form(path, reader)
    for target in filter(None, (xlsx, review)):
        check_writable(target.parent)
    table = Table(field_columns(form))
    failed = False
    with (
        _journal(resume, reader, path) as (known, keep),
        progress_bar("reading", len(found)) as advance,
        writing(),
    ):
        write = _json_writer() if as_json else _csv_writer(table.columns)
        pages = in_order(FieldsReader(FormReader(reader, form), known, review is not None), found, CHUNK)
        for each, page in zip(found, pages, strict=True):
            if isinstance(page.answer, InputError):
                failed = True
                warn(f"{each.name}: {page.answer}")
            row = field_row(each.name, page, form)
            write(each.name, page, row)
            keep(each, page)
            if xlsx or review:
                table.rows.append(row)
            advance(1)
    save_tables(table, xlsx, review)
    raise typer.Exit(int(failed))


Known = Callable[[str], Any]
Keep = Callable[[Input, "FieldsPage"], None]


@contextmanager
def _journal(path: Path | None, reader: "NumberReader", fields: Path) -> Iterator[tuple[Known, Keep]]:
    """Yield what finds and what keeps the fields of pages; errors, and what comes from stdin, are not kept."""
    if path is None:
        yield lambda name: None, lambda each, page: None
        return
    from ..forms.fields import named_files  # noqa: PLC0415
    from ..forms.journal import Journal, stamp  # noqa: PLC0415
    from ..forms.pages import fields_as_json  # noqa: PLC0415

    contract = reader.contract
    model = [contract.name, contract.version, contract.commit]
    text, beside = fields.read_text(encoding="utf-8"), {str(each): stamp(str(each)) for each in named_files(fields)}
    journal = Journal(path, {"model": model, "fields": text, "files": beside})

    def keep(each: Input, page: "FieldsPage") -> None:
        if each.name != STDIN and not isinstance(page.answer, InputError):
            journal.add(each.name, fields_as_json(page))

    try:
        yield journal.get, keep
    finally:
        journal.close()


Write = Callable[[str, "FieldsPage", "Sequence[Value]"], None]


def _json_writer() -> Write:
    """Return a function that prints a page's fields as one JSON object."""
    from ..forms.pages import answer_of  # noqa: PLC0415

    def write(name: str, page: "FieldsPage", _: "Sequence[Value]") -> None:
        say(json.dumps({"file": name, **answer_of(page)}))

    return write


def _csv_writer(columns: Sequence[str]) -> Write:
    """Print the head of a table; return a function that prints a row."""
    from ..forms.table import plain  # noqa: PLC0415
    from ..output import FORMULA  # noqa: PLC0415

    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(columns)

    def write(name: str, _: "FieldsPage", row: "Sequence[Value]") -> None:
        file = f"'{name}" if name.startswith(FORMULA) else name
        table.writerow([file, *map(plain, row[1:])])
        sys.stdout.flush()

    return write
