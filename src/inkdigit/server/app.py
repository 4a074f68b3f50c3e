"""The HTTP service: `create_app` is the application factory for any ASGI server."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.responses import RedirectResponse, Response

from ..settings import Settings
from . import compat, error_responses, openapi, routes
from .access_log import AccessLog
from .launch import TRACES
from .metrics import Metrics
from .middleware import BearerTokens, Cors, SecurityHeaders, SentAsBytes, SteadyReceive, WholeFiles
from .service import Service

GRADIO_PATH = "/gradio"


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the service. Loads the models, and raises ArtefactError where one is refused."""
    settings = settings or Settings()
    app = FastAPIOffline(
        docs_url=None,
        redoc_url=None,
        static_url=openapi.STATIC_URL,
        title="Inkdigit",
        version="1",
        description=openapi.DESCRIPTION,
        lifespan=_lifespan,
        redirect_slashes=False,  # a redirect would carry whatever host the client claimed
        telemetry={"tracing": False, "metrics": False, "logs": False},  # `tracing` and `metrics` are our own
    )
    app.state.settings = settings
    app.state.metrics = Metrics()
    app.state.service = Service(settings, app.state.metrics)
    app.include_router(routes.prediction_router)
    app.include_router(routes.router)
    app.include_router(compat.router)
    app.mount("/web", routes.PAGE_FILES, name="web")
    openapi.add_docs(app)
    error_responses.install(app)
    _add_middleware(app, settings, _add_gradio(app) if settings.gradio else {})
    if os.environ.get(TRACES):
        _add_traces(app)
    return app


def _add_traces(app: FastAPI) -> None:
    from . import tracing  # noqa: PLC0415  an extra

    app.state.traces = tracing.provider()
    tracer = app.state.traces.get_tracer(__name__)
    app.state.service.stage_listeners.append(tracing.Stages(tracer))
    app.add_middleware(tracing.Traced, tracer=tracer)


def _add_gradio(app: FastAPI) -> Mapping[str, str]:
    """Serve the Gradio app besides; give the policy that its paths need."""
    from ..demos import gradio_server  # noqa: PLC0415  an extra

    @app.get(GRADIO_PATH, include_in_schema=False)
    async def slash() -> Response:
        return RedirectResponse(f".{GRADIO_PATH}/")

    @app.get(f"{GRADIO_PATH}/gradio_api/upload_progress", include_in_schema=False)
    async def no_progress() -> Response:
        # Only the worker that reads an upload knows how far it is: any other would fail after three seconds. And
        # Granian breaks the stream off, as it takes a `receive` that Gradio gives up for a client that has left.
        return Response(status_code=204)  # by which an event stream's client asks no more

    service: Service = app.state.service
    gradio_server.mount(app, lambda: service.recognizers, GRADIO_PATH)
    app.add_middleware(SentAsBytes)
    app.add_middleware(SteadyReceive, path=GRADIO_PATH)
    return {GRADIO_PATH: gradio_server.CSP}


def _add_middleware(app: FastAPI, settings: Settings, policies: Mapping[str, str]) -> None:
    """Add the middleware, the innermost layer first."""
    app.add_middleware(WholeFiles)
    if settings.tokens:
        app.add_middleware(BearerTokens, tokens=[token.get_secret_value() for token in settings.tokens])
    if settings.cors:
        app.add_middleware(
            Cors,
            allow_origins=settings.cors,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-Request-ID"],
            expose_headers=["Retry-After", "X-Request-ID"],
        )
    app.add_middleware(SecurityHeaders, policies=policies)
    app.add_middleware(AccessLog, metrics=app.state.metrics, log=settings.log_requests)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.service.is_ready = True
    app.state.metrics.ready.set(1)
    yield
    if traces := getattr(app.state, "traces", None):
        await to_thread.run_sync(traces.shutdown)  # sends the pending spans
