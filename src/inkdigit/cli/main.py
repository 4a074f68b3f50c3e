"""The `inkdigit` command: the list of its verbs. Each verb imports what it needs only when it runs.

Exit codes: 0 everything succeeded; 1 some input failed; 2 wrong usage or set-up, and nothing was done.
"""

import io
import os
import sys
import warnings
from typing import Annotated

import typer

from ..errors import ArtefactError, ClusterError, DataError
from ..terminal import fail, say
from . import bulk, corrections, evaluate, predict, read, serve, site, train

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Read handwritten digits and numbers.",
)
app.command()(predict.predict)
app.command()(read.read)
app.command()(bulk.bulk)
for command in (serve.serve, serve.gradio, serve.streamlit, serve.up):
    app.command(**serve.SETTINGS_AS_OPTIONS)(command)
app.command()(site.site)
app.command()(train.train)
app.command()(train.export)
app.command()(evaluate.evaluate)
app.command()(evaluate.models)
app.command()(evaluate.drift)
app.add_typer(corrections.app, name="corrections")


@app.callback(invoke_without_command=True)
def options(version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False) -> None:
    """Read handwritten digits and numbers."""
    if version:
        from .. import __version__  # noqa: PLC0415

        say(f"inkdigit {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line. A faulty model file or data set ends in one sentence and exit code 2."""
    if sys.stderr is None:  # closed by the caller: error messages must not end up in stdout instead
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115  stays open until the process ends
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file name may not be valid text
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # Pillow warns about files for which we print an error of our own
    try:
        app()
    except (ArtefactError, ClusterError, DataError) as error:
        fail(str(error))
