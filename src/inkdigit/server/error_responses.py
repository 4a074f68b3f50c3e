"""The one table of errors and their status codes. Every error response is `{"detail": sentence, "code": word}`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..errors import InputError
from .access_log import REFUSED
from .responses import Reply

if TYPE_CHECKING:
    from fastapi import FastAPI

# The code of each error, its status, and its meaning for `/docs`. A new error is one more line here
# (and one in `errors.InputCode` if the library raises it).
ERRORS: Final[Mapping[str, tuple[int, str]]] = {
    "bad_body": (400, "The body is not what its content type says."),
    "no_picture": (400, "The body holds no picture."),
    "origin_refused": (400, "A CORS preflight names an origin, method or header that is not allowed."),
    "unauthorized": (401, "Tokens are configured, and the request has none of them."),
    "not_found": (404, "There is no such route or file."),
    "unknown_model": (404, "No model of that name is loaded."),
    "corrections_off": (404, "The service stores no corrections."),
    "unknown_correction": (404, "There is no correction of that id, or the secret is not its own."),
    "method_not_allowed": (405, "The route does not take this method."),
    "body_too_slow": (408, "The body did not arrive in time."),
    "too_many_bytes": (413, "A picture, or the body, is larger than its limit."),
    "too_many_pixels": (413, "A picture has more pixels than the limit."),
    "too_many_pages": (413, "A PDF has more pages than the limit."),
    "too_many_parts": (413, "The body has more files or fields than the limit."),
    "unsupported_content_type": (415, "The route does not take this content type."),
    "unsupported_format": (415, "The file is not a picture in a supported format."),
    "unreadable_file": (422, "The file cannot be opened."),
    "encrypted_file": (422, "The PDF needs a password."),
    "broken_image": (422, "The picture is truncated or damaged."),
    "bad_array": (422, "The array has a wrong shape, type or range."),
    "blank_image": (422, "Nothing is drawn on the picture."),
    "bad_constraint": (422, "`allow`, `pattern` or `choices` cannot be met or read."),
    "bad_fields": (422, "`fields` describes no form, or needs a reference that was not sent."),
    "bad_correction": (422, "The label, the reading or the box of a correction cannot be right."),
    "bad_parameter": (422, "A parameter is missing, or has a value that cannot be read."),
    "too_many_corrections": (429, "More corrections come in than are taken in a minute."),
    "internal": (500, "A bug in the service."),
    "overloaded": (503, "More work is in flight than the limit; try again after `Retry-After` seconds."),
    "not_ready": (503, "The models are still loading."),
    "store_unavailable": (503, "The store of corrections does not answer."),
    "corrections_full": (507, "The store holds as many corrections as it may."),
}
STATUS: Final = {code: status for code, (status, _) in ERRORS.items()}
HEADERS: Final[Mapping[str, Mapping[str, str]]] = {
    "unauthorized": {"WWW-Authenticate": "Bearer"},
    # The rest of the body is not read, so the connection cannot be used again.
    "body_too_slow": {"Connection": "close"},
    "overloaded": {"Retry-After": "1"},
    "not_ready": {"Retry-After": "1"},
    "store_unavailable": {"Retry-After": "5"},
    "too_many_corrections": {"Retry-After": "10"},
}


class RequestError(Exception):
    """A request cannot be answered: one sentence for people, and a `code` that is a key of `STATUS`."""

    def __init__(self, detail: str, code: str) -> None:
        super().__init__(detail)
        self.code = code


class Refusal(Reply):
    """An error response of the table; leaves its code in the scope for the access log."""

    def __init__(self, detail: str, code: str, headers: Mapping[str, str]) -> None:
        super().__init__(body(detail, code), STATUS[code], {**HEADERS.get(code, {}), **headers})
        self._code = code

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        scope[REFUSED] = self._code
        await super().__call__(scope, receive, send)


def refuse(detail: str, code: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error response of the table."""
    return Refusal(detail, code, headers or {})


def body(detail: str, code: str) -> dict[str, str]:
    """Return an error's JSON body."""
    return {"detail": detail, "code": code}


def install(app: "FastAPI") -> None:
    """Install the handlers that answer every exception by the table."""
    from fastapi.exceptions import RequestValidationError  # noqa: PLC0415  only a worker waits for it

    app.add_exception_handler(RequestError, _on_refusal)
    app.add_exception_handler(InputError, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_bad_parameter)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_bug)


async def _on_refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError | InputError)  # noqa: S101  narrows the type that `install` fixes
    return refuse(str(error), error.code)


async def _on_bad_parameter(_: Request, error: Exception) -> Response:
    names = sorted({str(item["loc"][-1]) for item in cast(Any, error).errors()})
    return refuse(f"This parameter has a value that cannot be read: {', '.join(names)}.", "bad_parameter")


async def _on_http(request: Request, error: Exception) -> Response:
    """Answer what the router and static files raise: 405 or 404, which also stands for unreadable files."""
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code == STATUS["method_not_allowed"]:
        return refuse(f"This address does not take {request.method}.", "method_not_allowed", error.headers)
    return refuse("There is nothing at this address.", "not_found", error.headers)


async def _on_bug(_: Request, __: Exception) -> Response:
    return refuse("Something went wrong here, and it was not your request.", "internal")
