"""The HTTP service: `create_app` for any ASGI server. Its answers are `Prediction.as_dict`, its errors `errors.STATUS`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from ..settings import Settings
from . import compat, docs, errors, routes
from .metrics import Measured, Metrics
from .service import Service
from .shell import BearerTokens, Cors, SecurityHeaders


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the service. Loads the models, and raises ArtefactError where one is refused."""
    settings = settings or Settings()
    app = FastAPIOffline(
        docs_url=None,
        redoc_url=None,
        static_url=docs.STATIC_URL,
        title="Inkdigit",
        version="1",
        description=docs.DESCRIPTION,
        lifespan=_lifespan,
    )
    app.state.settings = settings
    app.state.service = Service(settings.model, settings.in_flight)
    app.state.metrics = Metrics()
    app.include_router(routes.router)
    app.include_router(compat.router)
    app.mount("/web", routes.PAGE_FILES, name="web")
    docs.add_docs(app)
    errors.install(app)
    _surround(app, settings)
    return app


def _surround(app: FastAPI, settings: Settings) -> None:
    """Put the shell around the routes, the innermost layer first."""
    if settings.tokens:
        app.add_middleware(BearerTokens, tokens=[token.get_secret_value() for token in settings.tokens])
    if settings.cors:
        headers = ["Authorization", "Content-Type"]
        app.add_middleware(Cors, allow_origins=settings.cors, allow_methods=["GET", "POST"], allow_headers=headers)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Measured, metrics=app.state.metrics)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.service.warm_up()
    yield
