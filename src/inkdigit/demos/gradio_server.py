"""How the Gradio app is served, by itself or under a path of the service, with its policy and its looks."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI, HTTPException

from ..image import MAX_BYTES
from ..server.launch import announce, with_free_port
from ..server.loaded_models import load
from ..server.middleware import SecurityHeaders
from ..settings import GradioSettings
from . import canvas, gradio_app

# Gradio's own page is built of inline scripts and styles; still nothing may come from, or go to, another host.
CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
# Gradio fetches any public address for any client, and decodes films by FFmpeg: the app needs neither.
CLOSED = ("file=http{rest:path}", "file/http{rest:path}", "process_recording")
METHODS = ["GET", "HEAD", "POST"]
CSS = """
.block.frame { flex: 0 0 138px !important; min-height: 150px; }
.frame > div:last-child { padding-top: 26px; }
.frame img { width: 112px; aspect-ratio: 1; image-rendering: pixelated; border-radius: 4px; }
.words textarea { font-size: 20px; border: 0; padding: 0; background: none; box-shadow: none; }
.number textarea { font-size: 40px; font-weight: 600; line-height: 1.2; }
.boxes > div:last-child { padding-top: 26px; }
.boxes img { max-width: 100%; border-radius: 4px; }
.digit .confidence-set { margin-bottom: 0; padding: 2px; }
.digit h2 { font-size: 88px; line-height: 1; padding: 8px 0; }
.doubt h2 { font-weight: 400; color: var(--body-text-color-subdued); }
"""


def serve(settings: GradioSettings, say: Callable[[str], None]) -> None:
    """Serve the app until a signal ends it; `say` gets the address. Raises SetupError and ArtefactError."""
    recognizers = load(settings.offered)
    settings = with_free_port(settings)
    app = FastAPI(openapi_url=None)
    mount(app, lambda: recognizers, "/")
    app.add_middleware(SecurityHeaders, policies={"/": CSP})
    announce("Gradio", settings.host, settings.port, "/", say)
    uvicorn.run(app, host=settings.host, port=settings.port, log_level="warning")


def mount(app: FastAPI, models: gradio_app.Models, path: str) -> None:
    """Put the Gradio app under a path of another; it reads by what `models` gives at the time."""
    theme = gr.themes.Default(primary_hue="indigo", neutral_hue="slate")
    blocks = gradio_app.build(models)
    looks: dict[str, Any] = {"css": CSS, "theme": theme, "footer_links": []}
    for route in CLOSED:
        app.add_api_route(f"{path.rstrip('/')}/gradio_api/{route}", _closed, methods=METHODS, include_in_schema=False)
    if path == "/":  # elsewhere the icon is the other application's
        looks["favicon_path"] = str(canvas.ICON)
    gr.mount_gradio_app(
        app, blocks, path, max_file_size=MAX_BYTES, ssr_mode=False, show_error=False, run_history=False, **looks
    )


async def _closed() -> None:
    raise HTTPException(HTTPStatus.NOT_FOUND)
