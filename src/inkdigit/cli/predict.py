"""`inkdigit predict`: read the digit on each of many images."""

import sys
from typing import Annotated

import typer

from ..errors import InputError
from ..model_file import DEFAULT_MODEL
from ..terminal import fail, progress_bar, writing
from .inputs import InputsArgument, inputs_of
from .options import ModelOption

CHUNK = 64  # images per task

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
    found = inputs_of(inputs)
    failed = False
    with progress_bar("reading", len(found)) as advance, writing():
        write = write_json if as_json else csv_writer(sys.stdout) if as_csv else write_text
        images = (each.image for each in found)
        for each, answer in zip(found, in_order(recognizer.predict_batch, images, CHUNK), strict=True):
            failed |= isinstance(answer, InputError)
            write(each.name, answer)
            advance(1)
    raise typer.Exit(int(failed))


def check_output(as_json: bool, as_csv: bool) -> None:
    """Check that one output format is chosen and that stdout is open. Exits with code 2 otherwise."""
    if as_json and as_csv:
        raise typer.BadParameter("choose one of --json and --csv")
    if sys.stdout is None:
        fail("stdout is closed, so the results cannot be written.")
