"""`inkdigit predict`: read the digit on each of many images."""

import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from ..model_file import DEFAULT_MODEL
from ..terminal import fail, progress_bar, writing
from .options import ModelOption

CHUNK = 64  # images per task

InputsArgument = Annotated[
    list[str], typer.Argument(metavar="FILE|FOLDER|-", help="Images; - reads one image from stdin.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="Print a CSV table with a header.")]


def predict(
    inputs: InputsArgument, model: ModelOption = DEFAULT_MODEL, as_json: JsonOption = False, as_csv: CsvOption = False
) -> None:
    """Read the digit on each image."""
    from ..output import csv_writer, write_json, write_text  # noqa: PLC0415
    from ..recognizer import Recognizer  # noqa: PLC0415
    from .batch import in_order  # noqa: PLC0415

    check_output(as_json, as_csv)
    recognizer = Recognizer(model)
    files = files_to_read(inputs)
    failed = False
    with progress_bar("reading", len(files)) as advance, writing():
        write = write_json if as_json else csv_writer(sys.stdout) if as_csv else write_text
        for name, answer in zip(files, in_order(recognizer.predict_batch, map(image_of, files), CHUNK), strict=True):
            failed |= isinstance(answer, InputError)
            write(name, answer)
            advance(1)
    raise typer.Exit(int(failed))


def check_output(as_json: bool, as_csv: bool) -> None:
    """Check that one output format is chosen and that stdout is open. Exits with code 2 otherwise."""
    if as_json and as_csv:
        raise typer.BadParameter("choose one of --json and --csv")
    if sys.stdout is None:
        fail("stdout is closed, so the results cannot be written.")


def files_to_read(inputs: list[str]) -> list[str]:
    """Return the name of every file, where a folder stands for its images; exit with code 2 without any."""
    files = [name for each in inputs for name in _expand(each)]
    if not files:
        fail("The folders hold no images.")
    return files


def _expand(name: str) -> list[str]:
    """Return a folder's images, at any depth and sorted by path; anything else is a file."""
    from ..image.formats import picture_suffixes  # noqa: PLC0415

    if name == "-" or not os.path.isdir(name):  # noqa: PTH112  Path.is_dir raises where access is denied
        return [name]
    found = sorted(path for path in Path(name).rglob("*") if path.suffix.lower() in picture_suffixes())
    return [str(path) for path in found if not _is_special(path)]


def _is_special(path: Path) -> bool:
    """Return whether this is a folder, or a pipe, from which reading would block."""
    return os.path.exists(path) and not os.path.isfile(path)  # noqa: PTH110, PTH113  Path's raise where access is denied


def image_of(name: str) -> Path | bytes:
    """Return a file's path; for `-`, the bytes of stdin."""
    return _read_stdin() if name == "-" else Path(name)


@cache
def _read_stdin() -> bytes:
    """Return what is on stdin, up to one byte over the size limit; nothing if stdin is closed or unreadable."""
    from ..image import MAX_BYTES  # noqa: PLC0415

    with suppress(OSError):
        return sys.stdin.buffer.read(MAX_BYTES + 1) if sys.stdin else b""
    return b""
