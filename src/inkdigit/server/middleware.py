"""Middleware: tokens, CORS, security headers. Plain ASGI, because each layer costs every request time."""

import hmac
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .access_log import WATCH_PATHS
from .error_responses import refuse
from .responses import READ

CSP = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
SECURITY: Final = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}
CSP_NAME: Final = b"content-security-policy"


class SecurityHeaders:
    """Add the security headers to every response that does not set its own.

    `policies` maps path prefixes to their own Content-Security-Policy.
    """

    def __init__(self, app: ASGIApp, policies: Mapping[str, str] | None = None) -> None:
        self._app = app
        self._headers = [(name.lower().encode(), value.encode()) for name, value in SECURITY.items()]
        self._policies = {start: (CSP_NAME, policy.encode()) for start, policy in (policies or {}).items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [policy for start, policy in self._policies.items() if scope["path"].startswith(start)]
                headers = [header for header in message["headers"] if not own or header[0] != CSP_NAME] + own
                names = {name for name, _ in headers}
                message["headers"] = [*headers, *(header for header in self._headers if header[0] not in names)]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class WholeFiles:
    """Ignore `Range` and offer no ranges: files are small, and Starlette's range errors are not in the error table."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] not in READ:
            await self._app(scope, receive, send)
            return

        async def send_without_offer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [header for header in message["headers"] if header[0] != b"accept-ranges"]
            await send(message)

        scope["headers"] = [header for header in scope["headers"] if header[0] != b"range"]
        await self._app(scope, receive, send_without_offer)


class BearerTokens:
    """Require one of the tokens for every request but health checks."""

    def __init__(self, app: ASGIApp, tokens: Sequence[str]) -> None:
        self._app = app
        self._tokens = [token.encode() for token in tokens]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"] in WATCH_PATHS or self._fits(Headers(scope=scope)):
            await self._app(scope, receive, send)
        else:
            await refuse("This service asks for a bearer token.", "unauthorized")(scope, receive, send)

    def _fits(self, headers: Headers) -> bool:
        """Compare with all tokens in constant time, so that timing reveals nothing."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        sent = given.encode("latin-1").strip()  # the bytes that were sent
        matches = [hmac.compare_digest(sent, token) for token in self._tokens]
        return scheme.lower() == "bearer" and any(matches)


class Cors(CORSMiddleware):
    """Allow pages of some origins to call the service; a failed preflight is answered by the error table."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer an OPTIONS request."""
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        kept = {name: value for name, value in response.headers.items() if name == "vary"}
        return refuse("This origin, method or header may not be used here.", "origin_refused", kept)
