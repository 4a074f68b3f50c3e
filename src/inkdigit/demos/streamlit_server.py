"""Start Streamlit's server with the app."""

import os
from collections.abc import Callable

from streamlit.web import cli

from ..image import MAX_BYTES
from ..server.corrections import opened
from ..server.launch import announce, with_free_port
from ..server.loaded_models import load
from ..settings import StreamlitSettings
from . import streamlit_app

DARK_ACCENT = "#8f98f5"


def serve(settings: StreamlitSettings, say: Callable[[str], None]) -> None:
    """Serve the app until a signal stops it; `say` gets the address. Raises SetupError, ArtefactError, DataError."""
    load(settings.offered)  # a faulty model file, or store, is reported before the server starts
    if corrections := opened(settings):
        corrections.store.close()
    settings = with_free_port(settings)
    os.environ.update(settings.environment())
    options = {
        "server.address": settings.host,
        "server.port": settings.port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.maxUploadSize": MAX_BYTES // 1024**2,
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "minimal",
        "theme.light.primaryColor": streamlit_app.ACCENT,
        "theme.dark.primaryColor": DARK_ACCENT,
        "logger.hideWelcomeMessage": True,
        "logger.level": "warning",
    }
    announce("Streamlit", settings.host, settings.port, "/_stcore/health", say)
    cli.main(["run", streamlit_app.__file__, *(f"--{name}={value}" for name, value in options.items())])
