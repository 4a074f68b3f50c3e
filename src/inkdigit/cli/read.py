"""`inkdigit read`: read the numbers on each of many images."""

import csv
import json
import math
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from ..errors import InputError
from ..model_file import DEFAULT_MODEL
from ..terminal import fail, progress_bar, say, warn, writing
from .inputs import Input, InputsArgument, inputs_of
from .options import ModelOption
from .predict import CsvOption, JsonOption, check_output

if TYPE_CHECKING:
    from ..image import ImageLike
    from ..reading import Number, Reading

CHUNK = 4  # images per task: a page takes up to a second
COLUMNS = ["file", "row", "text", "confidence", "is_sure", "left", "top", "right", "bottom"]

Write = Callable[[str, "Reading | InputError"], None]


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
    annotate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for copies of the images with boxes and text, as PNG.")
    ] = None,
) -> None:
    """Read the numbers on each image: any layout, several rows."""
    from ..recognizer import Recognizer  # noqa: PLC0415
    from .batch import in_order  # noqa: PLC0415

    check_output(as_json, as_csv)
    recognizer = Recognizer(model)
    found = inputs_of(inputs)
    read_batch = partial(
        recognizer.read_batch, allow=allow, pattern=pattern, choices=_read_choices(choices) if choices else None
    )
    _check_constraints(read_batch)
    copies = _copies(found, annotate) if annotate else {}
    failed = False
    with progress_bar("reading", len(found)) as advance, writing():
        write = _write_json if as_json else _csv_writer(sys.stdout) if as_csv else _write_text
        images = (each.image for each in found)
        for place, (each, reading) in enumerate(zip(found, in_order(read_batch, images, CHUNK), strict=True)):
            failed |= isinstance(reading, InputError)
            write(each.name, reading)
            if copies and not isinstance(reading, InputError):
                _save_copy(reading, each.image, copies[place])
            advance(1)
    raise typer.Exit(int(failed))


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


def _copies(found: list[Input], folder: Path) -> dict[int, Path]:
    """Return a path of its own for each image's annotated copy. Exits with code 2 if the folder cannot be created."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"{folder} cannot be created: {error.strerror}.")
    taken: set[str] = set()
    paths = {}
    for place, stem in enumerate(each.stem for each in found):
        name = next(name for n in count(1) if (name := f"{stem}.png" if n == 1 else f"{stem}-{n}.png") not in taken)
        taken.add(name)
        paths[place] = folder / name
    return paths


def _save_copy(reading: "Reading", image: "ImageLike", path: Path) -> None:
    """Write the image with boxes and text. Exits with code 2 where it cannot be written."""
    try:
        reading.draw(image).save(path)
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}.")


def _write_text(name: str, reading: "Reading | InputError") -> None:
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


def _write_json(name: str, reading: "Reading | InputError") -> None:
    """Print one JSON object: that of `/v1/read`, and the file."""
    if isinstance(reading, InputError):
        answer = {"error": {"detail": str(reading), "code": reading.code}}
    else:
        answer = reading.as_dict()
    say(json.dumps({"file": name, **answer}))


def _csv_writer(out: TextIO) -> Write:
    """Write a CSV header to `out`; return a function that writes a line per number. Errors go to stderr."""
    from ..output import FORMULA  # noqa: PLC0415

    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)

    def write(name: str, reading: "Reading | InputError") -> None:
        if isinstance(reading, InputError):
            warn(f"{name}: {reading}")
            return
        for number in reading.numbers:
            is_sure = reading.is_sure_of(number)
            file = f"'{name}" if name.startswith(FORMULA) else name  # number.text may begin with - and is no formula
            table.writerow([file, number.row, number.text, number.confidence, is_sure, *number.box])

    return write
