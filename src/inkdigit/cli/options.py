"""Options and checks that several commands share."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from ..terminal import fail

ModelOption = Annotated[str, typer.Option("--model", help="Name of a shipped model, or path of an .onnx model file.")]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="Folder of the data sets; default: $INKDIGIT_DATA, else downloaded.")
]
CorrectionsOption = Annotated[
    str,
    typer.Option("--corrections", metavar="URL", envvar="INKDIGIT_CORRECTIONS", help="The store of corrections."),
]


def require_extra(extra: str, module: str, name: str) -> None:
    """Exit with code 2 and a sentence that names the extra where `module`, of the product `name`, is not installed."""
    if find_spec(module) is None:
        fail(f"{name} is not installed: pip install 'inkdigit[{extra}]'.")
