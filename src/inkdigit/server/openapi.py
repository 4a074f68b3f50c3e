"""The OpenAPI document's hand-written parts, and `/docs`, which renders with no network."""

import base64
import hashlib
import re
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from pydantic import BaseModel, Field
from starlette.responses import Response

from .error_responses import STATUS
from .requests import MAX_BATCH_FILES
from .responses import READ

STATIC_URL = "/docs-files"  # where fastapi-offline's copy of Swagger UI is mounted
DESCRIPTION = "Reads handwritten digits from drawings, photographs, scans and arrays, with an honest confidence."
_FILE: Final = {"type": "string", "format": "binary"}


class ModelName(BaseModel):
    """Name the artefact that answered."""

    name: str
    version: str


class Answer(BaseModel):
    """What one picture was read as."""

    digit: int | str
    confidence: float = Field(description="Probability of `digit`, calibrated.", ge=0, le=1)
    probabilities: list[float] = Field(description="One for each label; they sum to 1.")
    is_digit: bool = Field(description="Whether the picture looks like one digit at all.")
    digitness: float = Field(description="Probability that the picture is one digit at all.", ge=0, le=1)
    is_sure: bool = Field(description="Whether the confidence is over the model's threshold.")
    model: ModelName
    frame: str | None = Field(None, description="With `frame=true`: the 28×28 that the network saw, as a PNG data URL.")
    why: str | None = Field(None, description="With `why=true`: what the answer rests on, as a PNG data URL.")


class Problem(BaseModel):
    """Why there is no answer."""

    detail: str = Field(description="A sentence for a person.")
    code: str = Field(description="The same for programs.")


class FileProblem(BaseModel):
    """One file of a batch without an answer."""

    file: str
    error: Problem


class FileAnswer(Answer):
    """One file of a batch with its answer."""

    file: str


class BatchAnswer(BaseModel):
    """The answers to a batch, in the order of its files."""

    results: list[FileAnswer | FileProblem]


class CompatAnswer(BaseModel):
    """The answer under the names that other services' clients expect."""

    prediction: int | str
    predict: int | str
    predicted_digit: int | str
    predicted_class: int | str
    confidence: float
    probabilities: list[float]


def image_body() -> dict[str, Any]:
    """Describe a body with one picture, by hand: FastAPI does not read it, so it cannot know it."""
    number = {"type": "number", "minimum": 0, "maximum": 255}
    pixel = {"anyOf": [number, {"type": "array", "items": number, "minItems": 1, "maxItems": 4}]}
    row = {"type": "array", "items": pixel, "minItems": 1}
    array = {
        "type": "object",
        "required": ["data"],
        "properties": {"data": {"type": "array", "items": row, "minItems": 1}},
        "example": {"data": [[0, 0, 0, 0], [0, 255, 255, 0], [0, 0, 255, 0], [0, 0, 0, 0]]},
    }
    return _body(
        {
            "multipart/form-data": _form({"file": {**_FILE, "description": "A picture: PNG, JPEG, WebP, …"}}),
            "image/*": {"schema": _FILE},
            "application/json": {"schema": array},
        }
    )


def batch_body() -> dict[str, Any]:
    """Describe a body with many pictures."""
    files = {"type": "array", "items": _FILE, "minItems": 1, "maxItems": MAX_BATCH_FILES}
    return _body({"multipart/form-data": _form({"files": files})})


def _form(properties: dict[str, Any]) -> dict[str, Any]:
    return {"schema": {"type": "object", "properties": properties, "required": list(properties)}}


def _body(content: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": content}}


def problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Describe the error statuses of a route by their codes."""
    grouped: dict[int | str, list[str]] = {}
    for code in codes:
        grouped.setdefault(STATUS[code], []).append(code)
    return {status: {"model": Problem, "description": ", ".join(names)} for status, names in grouped.items()}


WORK_PROBLEMS: Final = tuple(
    code
    for code in STATUS
    if code not in {"not_found", "method_not_allowed", "origin_refused", "internal", "not_ready"}
)


def add_docs(app: FastAPI) -> None:
    """Serve Swagger UI at `/docs`, from this service alone."""

    @app.api_route("/docs", methods=READ, include_in_schema=False)
    async def docs(request: Request) -> Response:
        root = request.scope.get("root_path", "")
        response = get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=app.title,
            swagger_js_url=f"{root}{STATIC_URL}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{STATIC_URL}/swagger-ui.css",
            swagger_favicon_url=f"{root}{STATIC_URL}/favicon.png",
            swagger_ui_parameters={"validatorUrl": None},  # else it asks a host of its makers'
        )
        response.headers["Content-Security-Policy"] = _csp(bytes(response.body).decode())
        return response


def _csp(html: str) -> str:
    """Allow exactly the one script that the page carries, by its hash."""
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{value}'" for value in hashes)
    return (
        f"default-src 'self'; script-src 'self' {allowed}; style-src 'self'; img-src 'self' data:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
