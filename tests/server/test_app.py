"""The application in this process: what no client can bring about from outside."""

import httpx
import pytest
from fastapi import FastAPI

from inkdigit.errors import InputCode
from inkdigit.server.app import create_app
from inkdigit.server.error_responses import STATUS, RequestError
from inkdigit.server.service import BodyMemory
from inkdigit.settings import Settings

from ..asynchronous import run


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Settings())


def get(app: FastAPI, path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path)

    return run(ask())


def test_it_is_not_ready_before_it_is_started(app: FastAPI) -> None:
    response = get(app, "/readyz")
    assert (response.status_code, response.json()["code"]) == (503, "not_ready")
    assert "retry-after" in response.headers
    assert get(app, "/health").json()["model_loaded"] is False
    app.state.service.is_ready = True
    assert get(app, "/readyz").status_code == 200


def test_a_bug_of_ours_shows_nothing_of_itself(app: FastAPI) -> None:
    async def broken() -> None:
        raise RuntimeError("secret")

    app.add_api_route("/broken", broken)
    response = get(app, "/broken")
    assert (response.status_code, response.json()["code"]) == (500, "internal")
    assert "secret" not in response.text


def test_every_code_of_the_library_has_a_status() -> None:
    assert set(InputCode.__args__) <= set(STATUS)  # type: ignore[attr-defined]


def test_bodies_share_a_bounded_memory() -> None:
    memory = BodyMemory(100)
    with memory.share() as take:
        take(60)
        with memory.share() as other:
            other(30)
            with pytest.raises(RequestError):
                other(30)
        assert memory.held == 60
        take(40)
    assert memory.held == 0
