"""`inkdigit read`: read the numbers on each of many images."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InputError
from ..model_file import DEFAULT_MODEL
from ..terminal import fail, progress_bar, writing
from .inputs import STDIN, Input, InputsArgument, inputs_of
from .options import ModelOption, require_extra
from .predict import CsvOption, JsonOption, check_output
from .read_fields import read_fields
from .read_outputs import copies, csv_writer, tables, write_json, write_text

if TYPE_CHECKING:
    from ..image import ImageLike
    from ..reading import Reading
    from ..recognizer import Recognizer

CHUNK = 1  # images per task: a page takes up to a second


def read(
    inputs: InputsArgument,
    model: ModelOption = DEFAULT_MODEL,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    allow: Annotated[
        str | None, typer.Option(help="The only characters that may occur, e.g. 0123456789 for digits alone.")
    ] = None,
    pattern: Annotated[
        str | None, typer.Option(help=r"Regular expression that each number matches, e.g. '\d{2}/\d{2}/\d{4}'.")
    ] = None,
    choices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File of all that a number may be, one a line.")
    ] = None,
    xlsx: Annotated[Path | None, typer.Option(metavar="FILE", help="Write an Excel table too.")] = None,
    review: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page to check and correct the table, as HTML.")
    ] = None,
    annotate: Annotated[
        Path | None,
        typer.Option(metavar="DIR|PDF", help="Folder for copies with boxes and text, as PNG; or one PDF of them."),
    ] = None,
    fields: Annotated[
        Path | None,
        typer.Option(metavar="TOML", help="Named boxes of a form: one row a page, as CSV, with a column for each."),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Journal of what has been read: a run that was stopped goes on with it."),
    ] = None,
) -> None:
    """Read the numbers on each image: any layout, several rows."""
    from ..forms.pages import PageReader  # noqa: PLC0415
    from ..recognizer import Recognizer  # noqa: PLC0415
    from .batch import in_order  # noqa: PLC0415

    check_output(as_json, as_csv)
    if xlsx:
        require_extra("xlsx", "xlsxwriter", "XlsxWriter")
    recognizer = Recognizer(model)
    found = inputs_of(inputs)
    if fields:
        _refuse_beside_fields(allow=allow, pattern=pattern, choices=choices, annotate=annotate)
        read_fields(found, recognizer.reader, fields, as_json, xlsx, review, resume)
    limits = {"allow": allow, "pattern": pattern, "choices": _read_choices(choices) if choices else None}
    read_batch = partial(recognizer.read_batch, **limits)  # type: ignore[arg-type]
    _check_constraints(read_batch)
    failed = False
    with ExitStack() as stack:
        known, keep = stack.enter_context(_journal(resume, recognizer, limits))
        saves = [stack.enter_context(copies(found, annotate)), stack.enter_context(tables(xlsx, review))]
        advance = stack.enter_context(progress_bar("reading", len(found)))
        stack.enter_context(writing())
        write = write_json if as_json else csv_writer(sys.stdout) if as_csv else write_text
        reader = PageReader(read_batch, known, review is not None, annotate is not None)
        for place, (each, page) in enumerate(zip(found, in_order(reader, found, CHUNK), strict=True)):
            failed |= isinstance(page.answer, InputError)
            write(each.name, page.answer)
            for save in saves:
                save(place, each, page)
            keep(each, page.answer)
            advance(1)
    raise typer.Exit(int(failed))


def _refuse_beside_fields(**options: object) -> None:
    """Exit with code 2 where an option is given that a form's fields have themselves, or do not take."""
    given = [f"--{name}" for name, value in options.items() if value is not None]
    if given:
        raise typer.BadParameter(f"--fields and {given[0]} cannot be given together")


def _read_choices(path: Path) -> list[str]:
    """Return the lines of a file. Exits with code 2 if it cannot be read."""
    from ..image import read_file  # noqa: PLC0415

    try:
        return read_file(path).decode("utf-8-sig").splitlines()
    except InputError as error:
        fail(str(error))
    except UnicodeDecodeError:
        fail(f"The file {path} is not UTF-8 text.")


def _check_constraints(read_batch: "Callable[[Sequence[ImageLike]], list[Reading | InputError]]") -> None:
    """Read an empty image, so that a wrong constraint ends with exit code 2 before any file is read."""
    from PIL import Image  # noqa: PLC0415

    try:
        (answer,) = read_batch([Image.new("L", (8, 8), 255)])
    except InputError as error:
        answer = error
    if isinstance(answer, InputError):
        fail(str(answer))


Known = Callable[[str], "Reading | None"]
Keep = Callable[[Input, "Reading | InputError"], None]


@contextmanager
def _journal(path: Path | None, recognizer: "Recognizer", limits: Mapping[str, Any]) -> Iterator[tuple[Known, Keep]]:
    """Yield what finds and what keeps the readings of images; errors, and what comes from stdin, are not kept."""
    if path is None:
        yield lambda name: None, lambda each, answer: None
        return
    from ..forms.journal import Journal  # noqa: PLC0415
    from ..forms.pages import reading_from  # noqa: PLC0415

    contract = recognizer.reader.contract
    journal = Journal(path, {"model": [contract.name, contract.version, contract.commit], **limits})

    def known(name: str) -> "Reading | None":
        values = journal.get(name)
        return None if values is None else reading_from(values, contract.thresholds.confidence)

    def keep(each: Input, answer: "Reading | InputError") -> None:
        if each.name != STDIN and not isinstance(answer, InputError):
            journal.add(each.name, answer.as_dict())

    try:
        yield known, keep
    finally:
        journal.close()
