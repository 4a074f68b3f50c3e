"""How the Gradio app is served, by itself or under a path of the service, with its policy and its looks."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI, HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..image import MAX_BYTES
from ..server import app as service
from ..server import corrections
from ..server import serve as service_server
from ..server.launch import announce, own_uploads, with_free_port
from ..server.loaded_models import load
from ..server.middleware import SecurityHeaders
from ..settings import GradioSettings, Settings
from . import canvas, gradio_app

# Gradio's own page is built of inline scripts and styles; still nothing may come from, or go to, another host.
CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
# Gradio fetches any public address for any client, and decodes films by FFmpeg: the app needs neither.
CLOSED = ("file=http{rest:path}", "file/http{rest:path}", "process_recording")
PATH = "/gradio"  # in the service
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
    """Serve the app until a signal ends it; `say` gets the address. Raises SetupError, ArtefactError, DataError."""
    recognizers = load(settings.offered)
    settings = with_free_port(settings)
    with own_uploads():
        app = FastAPI(openapi_url=None)
        mount(app, lambda: recognizers, "/", corrections.opened(settings))
        app.add_middleware(SecurityHeaders, policies={"/": CSP})
        announce("Gradio", settings.host, settings.port, "/", say)
        uvicorn.run(app, host=settings.host, port=settings.port, log_level="warning")


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the HTTP service with the Gradio app at `/gradio`, for any ASGI server."""
    return service.create_app(settings, _mount_in_service)


def worker_app() -> FastAPI:
    """Return the application of one of the service's workers, with Gradio."""
    return service_server.prepared(create_app)


def _mount_in_service(service_app: FastAPI) -> dict[str, str]:
    """Put the Gradio app under a path of the service, and return the policy of that path."""

    @service_app.get(PATH, include_in_schema=False)
    async def slash() -> Response:
        return RedirectResponse(f".{PATH}/")

    @service_app.get(f"{PATH}/gradio_api/upload_progress", include_in_schema=False)
    async def no_progress() -> Response:
        # Only the worker that reads an upload knows its progress; any other would fail after three seconds. And Granian
        # would break the stream off, because it takes a cancelled `receive()` for a client that has left.
        return Response(status_code=204)  # tells an event stream's client to stop asking

    mount(service_app, lambda: service_app.state.service.recognizers, PATH, service_app.state.corrections)
    service_app.add_middleware(SentAsBytes)
    service_app.add_middleware(SteadyReceive, path=PATH)
    return {PATH: CSP}


def mount(app: FastAPI, models: gradio_app.Models, path: str, opened: corrections.Corrections | None = None) -> None:
    """Put the Gradio app under a path of another; it reads by what `models` gives at the time."""
    theme = gr.themes.Default(primary_hue="indigo", neutral_hue="slate")
    blocks = gradio_app.build(models, opened)
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


class SentAsBytes:
    """Disable `http.response.pathsend`, because Gradio's compression cannot read files that are sent by path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        scope.get("extensions", {}).pop("http.response.pathsend", None)
        await self._app(scope, receive, send)


class SteadyReceive:
    """Allow Gradio, under a path, to cancel `receive()` and call it again without losing a message.

    Granian takes a cancelled `receive()` for a client that has left, and would end the response in the middle.
    """

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app = app
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or not scope["path"].startswith(self._path):
            await self._app(scope, receive, send)
            return
        waiting: asyncio.Future[Message] | None = None

        async def steady() -> Message:
            nonlocal waiting
            waiting = waiting or asyncio.ensure_future(receive())
            message = await asyncio.shield(waiting)
            waiting = None
            return message

        try:
            await self._app(scope, steady, send)
        finally:
            if waiting:
                waiting.cancel()
