"""`inkdigit corrections`: what people corrected, as a list, a sheet of pictures, files, or figures."""

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..files import atomic_path
from ..terminal import fail, say, warn
from .options import CorrectionsOption, require_extra

if TYPE_CHECKING:
    from ..corrections.records import Correction
    from ..corrections.store import Store

app = typer.Typer(
    no_args_is_help=True, help="List, show, export, delete and count what people corrected (see `serve --corrections`)."
)
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON objects, without the pictures.")]


def _store(url: str) -> "Store":
    """Open the store. Raises DataError."""
    require_extra("corrections", "sqlalchemy", "SQLAlchemy")
    if not url:
        fail("Name the store by --corrections sqlite:///FILE, or by INKDIGIT_CORRECTIONS.")
    from ..corrections.store import Store  # noqa: PLC0415  an extra

    return Store(url)


@app.command("list")
def list_all(url: CorrectionsOption = "", as_json: JsonOption = False) -> None:
    """List the corrections, the oldest first."""
    every = _store(url).all(pictures=False)
    if as_json:
        for each in every:
            say(json.dumps(_row(each)))
        return
    from ..evaluation.reports import print_table, table_of  # noqa: PLC0415

    table = table_of("id", "time (UTC)", "of a", "read as", "is", "model")
    for each in every:
        time = each.created.strftime("%Y-%m-%d %H:%M")
        table.add_row(each.id, time, each.task, each.answer, each.label, f"{each.model} {each.version}")
    print_table(table)


def _row(correction: "Correction") -> dict[str, Any]:
    values = {key: value for key, value in vars(correction).items() if key != "picture"}
    return {**values, "created": correction.created.isoformat(timespec="seconds")}


@app.command()
def show(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Only these.")] = None,
    to: Annotated[Path, typer.Option(help="PNG file to write.")] = Path("corrections.png"),
    url: CorrectionsOption = "",
) -> None:
    """Draw a sheet of the pictures, by label and model version."""
    from ..corrections.sheet import sheet  # noqa: PLC0415

    every = _store(url).all()
    missing = set(ids or ()) - {each.id for each in every}
    if missing:
        fail(f"There is no correction {', '.join(sorted(missing))}.")
    chosen = [each for each in every if not ids or each.id in ids]
    with atomic_path(to) as draft:
        sheet(chosen).save(draft, "PNG")
    say(f"{to} shows {len(chosen)} corrections")


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New folder.")], url: CorrectionsOption = ""
) -> None:
    """Write the pictures as files: DIR/digits is what `train --data` reads, DIR/numbers has strips and labels.csv."""
    from ..corrections.export import export as write  # noqa: PLC0415

    every = _store(url).all()
    write(every, folder)
    say(f"{folder} has {len(every)} corrections")


@app.command()
def delete(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="As listed.")],
    url: CorrectionsOption = "",
) -> None:
    """Delete corrections; exit code 1 where one of them is not there."""
    store = _store(url)
    missing = [each for each in ids if not store.delete(each)]
    for each in missing:
        warn(f"There is no correction {each}.")
    say(f"{len(ids) - len(missing)} deleted")
    raise typer.Exit(int(bool(missing)))


@app.command()
def stats(url: CorrectionsOption = "", as_json: JsonOption = False) -> None:
    """Count the corrections by what was read and what is right, per model version."""
    every = _store(url).all(pictures=False)
    counts = Counter((each.model, each.version, each.task, each.answer, each.label) for each in every)
    names = ("model", "version", "task", "answer", "label")
    if as_json:
        for values, count in counts.most_common():
            say(json.dumps({**dict(zip(names, values, strict=True)), "count": count}))
        return
    from ..evaluation.reports import print_table, table_of  # noqa: PLC0415

    table = table_of("model", "of a", "read as", "is", "count")
    for (model, version, task, answer, label), count in counts.most_common():
        table.add_row(f"{model} {version}", task, answer, label, str(count))
    print_table(table)
    say(f"{len(every)} corrections")
