"""`inkdigit site`: write the static site."""

from pathlib import Path
from typing import Annotated

import typer

from ..terminal import say


def site(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write: empty, or an earlier site.")],
    model: Annotated[
        list[str] | None,
        typer.Option("--model", help="Name or path of a model; repeatable, the first of each task is the default."),
    ] = None,
    runtime: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Unpacked npm package onnxruntime-web; default: fetched with npm."),
    ] = None,
) -> None:
    """Write the page as static files that read in the browser, offline too: for any web server."""
    from ..site.build import build_site  # noqa: PLC0415
    from ..site.runtime import find_runtime  # noqa: PLC0415

    with find_runtime(runtime) as folder:
        build_site(out, folder, model or [])
    say(f"{out} is ready: publish it on any web server, or try it with: python -m http.server --directory {out}")
