"""Middleware: tokens, security headers and ranges, each around a plain application."""

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from inkdigit.server.middleware import SECURITY, BearerTokens, Cors, SecurityHeaders, WholeFiles

from ..asynchronous import run


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the `Range` header that arrives."""
    names = dict(scope["headers"])
    headers = {"accept-ranges": "bytes", "content-security-policy": "of the application"}
    await PlainTextResponse(names.get(b"range", b"none"), headers=headers)(scope, receive, send)


def ask(app: ASGIApp, path: str = "/", method: str = "GET", **headers: str) -> httpx.Response:
    """Send one request to an application."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.request(method, path, headers=headers)

    return run(send())


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer one"}, 200),
        ({"Authorization": "bearer  two "}, 200),
        ({"Authorization": "Bearer three"}, 401),
        ({"Authorization": "Basic one"}, 401),
        ({"Authorization": "Bearer onetwo"}, 401),
        ({"Authorization": ""}, 401),
    ],
)
def test_one_of_the_tokens_is_needed(header: dict[str, str], status: int) -> None:
    answer = ask(BearerTokens(echo, ["one", "two"]), **header)
    assert answer.status_code == status
    if status == 401:
        assert answer.json()["code"] == "unauthorized"
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_checks_need_no_token(path: str) -> None:
    assert ask(BearerTokens(echo, ["one"]), path).status_code == 200


def test_security_headers_are_added_but_replace_none() -> None:
    answer = ask(SecurityHeaders(echo))
    added = {name.lower(): text for name, text in SECURITY.items()} | {"content-security-policy": "of the application"}
    assert {name: answer.headers[name] for name in added} == added


def test_a_path_may_have_its_own_policy() -> None:
    app = SecurityHeaders(echo, {"/gradio": "other"})
    assert ask(app, "/gradio/x").headers.get_list("content-security-policy") == ["other"]
    assert ask(app, "/").headers.get_list("content-security-policy") == ["of the application"]


def test_files_are_whole_and_offer_no_ranges() -> None:
    answer = ask(WholeFiles(echo), Range="bytes=0-1")
    assert answer.text == "none"
    assert "accept-ranges" not in answer.headers
    assert ask(WholeFiles(echo), method="POST", Range="bytes=0-1").text == "bytes=0-1"


def test_a_failed_preflight_is_answered_by_the_error_table() -> None:
    app = Cors(echo, allow_origins=["https://example.org"], allow_methods=["POST"])
    preflight = {"Access-Control-Request-Method": "POST"}
    assert ask(app, method="OPTIONS", Origin="https://example.org", **preflight).status_code == 200
    refused = ask(app, method="OPTIONS", Origin="https://example.com", **preflight)
    assert (refused.status_code, refused.json()["code"]) == (400, "origin_refused")
    assert "access-control-allow-origin" not in refused.headers
