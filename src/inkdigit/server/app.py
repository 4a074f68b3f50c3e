"""The HTTP service: `create_app` is the application factory for any ASGI server."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from ..settings import Settings
from . import compat, corrections, error_responses, forms, openapi, routes
from .access_log import AccessLog
from .launch import TRACES
from .metrics import Metrics
from .middleware import BearerTokens, Cors, SecurityHeaders, WholeFiles
from .service import Service

Mount = Callable[[FastAPI], Mapping[str, str]]


def create_app(settings: Settings | None = None, mount: Mount = lambda app: {}) -> FastAPI:
    """Return the application. Loads the models, and raises ArtefactError if one is refused, DataError if the store is.

    `mount` may add another app under a path; it returns the Content-Security-Policy of each path that it adds.
    """
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
    app.state.corrections = corrections.opened(settings)
    # The first that are tried, and not through `include_router`, which searches twice: 50 µs a request.
    app.router.routes[:0] = [*routes.prediction_router.routes, *compat.router.routes]
    app.include_router(routes.router)
    app.include_router(forms.router)
    app.include_router(corrections.router)
    app.mount("/web", routes.PAGE_FILES, name="web")
    openapi.add_docs(app)
    error_responses.install(app)
    _add_middleware(app, settings, mount(app))
    if os.environ.get(TRACES):
        _add_traces(app)
    return app


def _add_traces(app: FastAPI) -> None:
    from . import tracing  # noqa: PLC0415  an extra

    app.state.traces = tracing.provider()
    tracer = app.state.traces.get_tracer(__name__)
    app.state.service.stage_listeners.append(tracing.Stages(tracer))
    app.add_middleware(tracing.Traced, tracer=tracer)


def _add_middleware(app: FastAPI, settings: Settings, policies: Mapping[str, str]) -> None:
    """Add the middleware, the innermost layer first."""
    app.add_middleware(WholeFiles)
    if settings.tokens:
        app.add_middleware(BearerTokens, tokens=[token.get_secret_value() for token in settings.tokens])
    if settings.cors:
        app.add_middleware(
            Cors,
            allow_origins=settings.cors,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "X-Request-ID", corrections.SECRET_HEADER],
            expose_headers=["Retry-After", "X-Request-ID"],
        )
    app.add_middleware(SecurityHeaders, policies=policies)
    app.add_middleware(AccessLog, metrics=app.state.metrics, log=settings.log_requests)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.service.is_ready = True
    app.state.metrics.ready.set(1)
    async with corrections.kept(app.state.corrections):
        yield
    if traces := getattr(app.state, "traces", None):
        await to_thread.run_sync(traces.shutdown)  # sends the pending spans
