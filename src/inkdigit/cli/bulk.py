"""`inkdigit bulk`: read pictures by the million on a Ray cluster, and write a table of Parquet files."""

from enum import StrEnum
from typing import Annotated

import typer

from ..model_file import DEFAULT_MODEL
from ..terminal import say
from .options import ModelOption, require_extra


class TaskName(StrEnum):
    """What is read of each picture."""

    PREDICT = "predict"
    READ = "read"


def bulk(
    source: Annotated[
        str,
        typer.Argument(help="Folder, glob or object-store URL of pictures, PDFs, Parquet or WebDataset shards."),
    ],
    dest: Annotated[str, typer.Argument(help="Folder or URL for the Parquet files; new or empty.")],
    task: Annotated[TaskName, typer.Option(help="One digit of each picture, or its numbers.")] = TaskName.PREDICT,
    address: Annotated[
        str | None,
        typer.Option(
            envvar="RAY_ADDRESS", metavar="HOST:PORT", help="The Ray cluster, or auto; without it, this machine alone."
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted job in DEST.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that read, each on one core; default: all of the cluster's.")
    ] = None,
    model: ModelOption = DEFAULT_MODEL,
) -> None:
    """Read pictures by the million on a Ray cluster."""
    require_extra("ray", "ray", "Ray")
    from ..cluster.bulk import Job, run  # noqa: PLC0415

    result = run(Job(source, dest, task.value, model, resume, workers), address)
    say(f"{result.rows} rows, {result.errors} of them errors.")
    raise typer.Exit(int(result.errors > 0))
