"""`inkdigit serve`, `gradio`, `streamlit` and `up`: start a server. Their options are the fields of `settings.py`."""

from importlib import import_module
from typing import Annotated, Any

import typer

from ..terminal import fail, say
from .options import require_extra

# pydantic-settings parses the options and prints the help, so Typer hands all arguments on.
SETTINGS_AS_OPTIONS: Any = {"context_settings": {"ignore_unknown_options": True, "help_option_names": []}}
Flags = Annotated[list[str] | None, typer.Argument(metavar="[OPTIONS]")]


def serve(flags: Flags = None) -> None:
    """Serve the page and the HTTP API."""
    _serve("Settings", flags, "inkdigit.server.serve")


def gradio(flags: Flags = None) -> None:
    """Serve the Gradio app: draw a digit, or open an image."""
    require_extra("gradio", "gradio", "Gradio")
    _serve("GradioSettings", flags, "inkdigit.demos.gradio_server")


def streamlit(flags: Flags = None) -> None:
    """Serve the Streamlit app: draw a digit, or open many images as a table."""
    require_extra("streamlit", "streamlit", "Streamlit")
    _serve("StreamlitSettings", flags, "inkdigit.demos.streamlit_server")


def up(flags: Flags = None) -> None:
    """Serve the page, Gradio and, with --streamlit, Streamlit together; when one stops, all do."""
    _serve("UpSettings", flags, "inkdigit.cli.launcher")


def _serve(settings: str, flags: list[str] | None, module: str) -> None:
    """Parse the flags into a class of `settings.py` and call `module.serve`; a wrong set-up ends with exit code 2."""
    require_extra("serve", "fastapi", "FastAPI")
    from .. import settings as kinds  # noqa: PLC0415
    from ..server.launch import SetupError, read_settings  # noqa: PLC0415

    try:
        import_module(module).serve(read_settings(getattr(kinds, settings), flags or []), say)
    except SetupError as error:
        fail(str(error))
