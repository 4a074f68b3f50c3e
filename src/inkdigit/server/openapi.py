"""The OpenAPI document's hand-written parts, and `/docs`, which renders with no network."""

import base64
import hashlib
import re
from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from ..corrections.intake import LONGEST
from .error_responses import ERRORS
from .requests import MAX_BATCH_FILES
from .responses import READ

STATIC_URL = "/docs-files"  # where fastapi-offline's copy of Swagger UI is mounted
DESCRIPTION = (
    "Reads handwritten digits and handwritten numbers from drawings, photographs, scans and arrays, with an honest "
    'confidence. Every error is `{"detail": "a sentence for a person", "code": "…"}`.'
)
_FILE: Final = {"type": "string", "format": "binary"}
_MODEL: Final = {"name": "inkdigit", "version": "0.1.0"}
_DIGIT: Final = {
    "digit": 7,
    "confidence": 0.9984,
    "probabilities": [0.0, 0.0002, 0.0001, 0.0002, 0.0001, 0.0, 0.0, 0.9984, 0.0001, 0.0009],
    "is_digit": True,
    "digitness": 0.9995,
    "is_sure": True,
    "model": _MODEL,
}
_NUMBER: Final = {
    "text": "42",
    "confidence": 0.991,
    "is_sure": True,
    "numbers": [
        {
            "text": "42",
            "confidence": 0.991,
            "box": [31.0, 40.5, 118.0, 97.0],
            "row": 0,
            "symbols": [
                {"text": "4", "confidence": 0.997, "box": [31.0, 42.0, 70.0, 97.0], "alternatives": {"4": 0.997}},
                {"text": "2", "confidence": 0.996, "box": [78.0, 40.5, 118.0, 95.0], "alternatives": {"2": 0.996}},
            ],
        }
    ],
    "model": {"name": "numbers", "version": "0.1.0"},
}
_FILLED: Final = {"text": "1041077", "confidence": 0.997, "is_sure": True, "alternatives": ["1041017"]}
_FIELDS: Final = {
    "type": "string",
    "description": "The text of a `fields.toml`: tables `[fields.NAME]`, each with a box in px or parts of the page.",
    "example": "[fields.student]\nbox = [0.12, 0.12, 0.62, 0.15]\npattern = '\\d{7}'\n",
}
_STORED: Final = {
    "id": "5f2b7c0de1a94d7f8f6f0d2f2f6b8a11",
    "secret": "Yx3bV0rPpTz0nq8mS1kQe7uWc2aLd9hJ",
    "until": "2027-03-01T09:00:00Z",
}
_FAILED: Final = {
    "file": "notes.txt",
    "error": {"detail": "This is not a picture in a format that is read.", "code": "unsupported_format"},
}


def _example(value: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"example": value})


class ModelName(BaseModel):
    """The model that answered."""

    name: str
    version: str


class PredictionBody(BaseModel):
    """The prediction for one picture."""

    model_config = _example(_DIGIT)

    digit: int | str
    confidence: float = Field(description="Probability of `digit`, calibrated.", ge=0, le=1)
    probabilities: list[float] = Field(description="One for each label; they sum to 1.")
    is_digit: bool = Field(description="Whether the picture looks like one digit at all.")
    digitness: float = Field(description="Probability that the picture is one digit at all.", ge=0, le=1)
    is_sure: bool = Field(description="Whether the confidence is over the model's threshold.")
    model: ModelName
    frame: str | None = Field(
        None, description="With `frame=true`: the 28×28 that the classifier saw, as a PNG data URL."
    )
    why: str | None = Field(None, description="With `why=true`: the occlusion map, as a PNG data URL.")


class SymbolBody(BaseModel):
    """One symbol of a number."""

    text: str = Field(description="`0`–`9`, `.`, `,`, `-` or `/`.")
    confidence: float = Field(ge=0, le=1)
    box: list[float] = Field(
        description="left, top, right, bottom in px of the picture, upright.", min_length=4, max_length=4
    )
    alternatives: dict[str, float] = Field(description="Likely symbols with their probabilities, the best first.")


class NumberBody(BaseModel):
    """One number: symbols that are written together."""

    text: str
    confidence: float = Field(description="Probability that all of `text` is right, calibrated.", ge=0, le=1)
    box: list[float] = Field(
        description="left, top, right, bottom in px of the picture, upright.", min_length=4, max_length=4
    )
    row: int = Field(description="From 0 on, top to bottom.", ge=0)
    symbols: list[SymbolBody]
    is_match: bool | None = Field(None, description="False if nothing that `pattern` or `choices` allow is probable.")


class ReadingBody(BaseModel):
    """The numbers on one picture."""

    model_config = _example(_NUMBER)

    text: str = Field(description="Rows by newlines, numbers in a row by spaces; empty if there is no number.")
    confidence: float = Field(description="Product of the numbers' confidences; 1 if there is none.", ge=0, le=1)
    is_sure: bool = Field(description="Whether every number is sure.")
    numbers: list[NumberBody]
    model: ModelName
    is_truncated: bool | None = Field(None, description="True if the picture has more marks than the model keeps.")
    annotated: str | None = Field(None, description="With `annotated=true`: the picture with boxes, as a PNG data URL.")


class Problem(BaseModel):
    """Why there is no answer."""

    model_config = _example({"detail": "Nothing is drawn on the picture.", "code": "blank_image"})

    detail: str = Field(description="A sentence for a person.")
    code: str = Field(description="The same for programs.")


class FileProblem(BaseModel):
    """One file of a batch that failed."""

    file: str
    error: Problem


class FilePrediction(PredictionBody):
    """One file of a batch with its prediction."""

    file: str


class PredictionBatch(BaseModel):
    """The predictions for a batch, in the files' order."""

    model_config = _example({"results": [{"file": "seven.png", **_DIGIT}, _FAILED]})

    results: list[FilePrediction | FileProblem]


class FileReading(ReadingBody):
    """One file of a batch with its reading."""

    file: str


class ReadingBatch(BaseModel):
    """The readings of a batch, in the files' order."""

    model_config = _example({"results": [{"file": "amount.png", **_NUMBER}, _FAILED]})

    results: list[FileReading | FileProblem]


_Short = Annotated[str, Field(max_length=LONGEST, pattern=r"^[^\x00]*$")]  # PostgreSQL stores no NUL


class CorrectedModel(BaseModel):
    """The model that a correction corrects."""

    name: _Short
    version: _Short


class CorrectedPrediction(BaseModel):
    """What a correction needs of an answer of `/v1/predict`; the rest may be there too."""

    digit: int | _Short
    confidence: float = Field(ge=0, le=1)
    model: CorrectedModel


class CorrectedSymbol(BaseModel):
    """What a correction needs of a symbol."""

    text: _Short
    confidence: float = Field(ge=0, le=1)
    box: tuple[float, float, float, float]


class CorrectedNumber(CorrectedSymbol):
    """What a correction needs of a number."""

    symbols: list[CorrectedSymbol]


class CorrectedReading(BaseModel):
    """What a correction needs of an answer of `/v1/read`; the rest may be there too."""

    numbers: list[CorrectedNumber]
    model: CorrectedModel


class FieldBody(BaseModel):
    """What is written in one field of a page."""

    text: str = Field(description="Empty where the field is blank.")
    confidence: float = Field(ge=0, le=1)
    is_sure: bool
    alternatives: list[str] = Field(description="Other texts in which one symbol differs, the most probable first.")
    is_match: bool | None = Field(None, description="False if nothing that `pattern` or `choices` allow is probable.")
    crop: str | None = Field(None, description="With `crops=true`: the field's picture, as a PNG data URL.")


class FilledForm(BaseModel):
    """One page of a form with its fields, by their names."""

    file: str
    fields: dict[str, FieldBody]


class FormBatch(BaseModel):
    """The fields of all pages, in the files' order."""

    model_config = _example({"results": [{"file": "sheet.png", "fields": {"student": _FILLED}}, _FAILED]})

    results: list[FilledForm | FileProblem]


class SheetField(BaseModel):
    """A field as `fields` describes it, with its box in px of the page."""

    name: str
    box: list[float] = Field(description="left, top, right, bottom.", min_length=4, max_length=4)
    allow: str | None = None
    pattern: str | None = None
    choices: list[str] | None = None


class SheetBody(BaseModel):
    """One page on which fields are marked."""

    model_config = _example(
        {
            "width": 1654.0,
            "height": 2339.0,
            "pages": 1,
            "fields": [{"name": "student", "box": [198.5, 280.7, 1025.5, 351.0], "pattern": r"\d{7}"}],
            "reference": None,
        }
    )

    width: float = Field(description="Of the page, in px.")
    height: float
    pages: int = Field(description="How many the file has.")
    fields: list[SheetField]
    reference: str | None = Field(description="The name that `fields` has for the reference page.")
    picture: str | None = Field(None, description="With `picture=true`: the page, as a PNG data URL.")


class CorrectionBody(BaseModel):
    """What the sender of a correction gets."""

    model_config = _example(_STORED)

    id: str
    secret: str = Field(description="Deletes the correction; the service keeps only its hash.")
    until: datetime = Field(description="When the service deletes the correction itself, in UTC.")


class CompatBody(BaseModel):
    """The prediction under the names that other services' clients expect."""

    model_config = _example(
        {
            "prediction": 7,
            "predict": 7,
            "predicted_digit": 7,
            "predicted_class": 7,
            "confidence": 0.9984,
            "probabilities": _DIGIT["probabilities"],
        }
    )

    prediction: int | str
    predict: int | str
    predicted_digit: int | str
    predicted_class: int | str
    confidence: float
    probabilities: list[float]


MODELS_EXAMPLE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The loaded models.",
        "content": {
            "application/json": {
                "example": {
                    "models": [{"name": "inkdigit", "version": "0.1.0", "task": "digit", "labels": ["0", "1"]}],
                    "corrections": {"days": 90},
                }
            }
        },
    }
}


def image_body() -> dict[str, Any]:
    """Describe a body with one picture by hand, because FastAPI does not parse it."""
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
            "multipart/form-data": _form(
                {
                    "file": {
                        **_FILE,
                        "description": "A picture file, as `curl -F file=@seven.png` sends it.",
                    }
                }
            ),
            "image/*": {
                "schema": {
                    **_FILE,
                    "description": "The file alone: `curl --data-binary @seven.png -H 'Content-Type: image/png'`.",
                }
            },
            "application/json": {"schema": array},
        }
    )


def batch_body() -> dict[str, Any]:
    """Describe a body with many pictures."""
    files = {
        "type": "array",
        "items": _FILE,
        "minItems": 1,
        "maxItems": MAX_BATCH_FILES,
        "description": "Pictures and PDF files, as `curl -F a=@one.png -F b=@two.jpg` sends them.",
    }
    return _body({"multipart/form-data": _form({"files": files})})


def form_body() -> dict[str, Any]:
    """Describe the body of a batch of a form's pages."""
    files = {
        "type": "array",
        "items": _FILE,
        "minItems": 1,
        "maxItems": MAX_BATCH_FILES,
        "description": "Pages: pictures and PDF files, as `curl -F a=@one.png -F b=@two.pdf` sends them.",
    }
    reference = {**_FILE, "description": "The page that others are aligned to; the extra `forms` does that."}
    return _body({"multipart/form-data": _form({"fields": _FIELDS, "files": files, "reference": reference}, "fields")})


def sheet_body() -> dict[str, Any]:
    """Describe the body with one page of a form."""
    file = {**_FILE, "description": "A picture or a PDF file."}
    return _body({"multipart/form-data": _form({"file": file, "fields": _FIELDS}, "file")})


def correction_body() -> dict[str, Any]:
    """Describe the form of a correction."""
    edges = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
    properties: dict[str, Any] = {
        "file": {**_FILE, "description": "The picture that was read."},
        "label": {"type": "string", "minLength": 1, "maxLength": LONGEST, "example": "7"},
        "reading": {
            "type": "object",
            "description": "The answer to the picture, as `/v1/predict` or `/v1/read` gave it, as JSON.",
            "example": {"digit": 1, "confidence": 0.97, "model": _MODEL},
        },
        "box": {**edges, "description": "The box of the number or the symbol that is corrected, as JSON."},
    }
    form = _form(properties, "file", "label", "reading")
    json_parts = {name: {"contentType": "application/json"} for name in ("reading", "box")}
    return _body({"multipart/form-data": {**form, "encoding": json_parts}})


def _form(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"schema": {"type": "object", "properties": properties, "required": list(required or properties)}}


def _body(content: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": content}}


OF_FORMS: Final = {"bad_fields"}
OF_NO_ROUTE: Final = {"not_found", "method_not_allowed", "origin_refused", "internal", "not_ready"}
OF_CORRECTIONS: Final = {
    "corrections_off",
    "unknown_correction",
    "bad_correction",
    "too_many_corrections",
    "store_unavailable",
    "corrections_full",
}


def problems(*others: str) -> dict[int | str, dict[str, Any]]:
    """Describe the errors of a route that takes pictures: all but `others`, grouped by their status."""
    return described(ERRORS.keys() - OF_NO_ROUTE - OF_CORRECTIONS - OF_FORMS - set(others))


def form_problems(*others: str) -> dict[int | str, dict[str, Any]]:
    """Describe the errors of a route for forms: all but `others`."""
    return described(ERRORS.keys() - OF_NO_ROUTE - OF_CORRECTIONS - set(others))


def correction_problems(*others: str) -> dict[int | str, dict[str, Any]]:
    """Describe the errors of a route for corrections: all but `others`."""
    return described(ERRORS.keys() - OF_NO_ROUTE - OF_FORMS - set(others))


def described(codes: Collection[str]) -> dict[int | str, dict[str, Any]]:
    """Describe errors, grouped by their status."""
    meanings: dict[int, list[str]] = {}
    for code, (status, meaning) in ERRORS.items():
        if code in codes:
            meanings.setdefault(status, []).append(f"`{code}`: {meaning}")
    return {status: {"model": Problem, "description": "\n\n".join(lines)} for status, lines in meanings.items()}


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
            swagger_ui_parameters={"validatorUrl": None},  # else it asks a host of its makers
        )
        response.headers["Content-Security-Policy"] = _csp(bytes(response.body).decode())
        return response


def _csp(html: str) -> str:
    """Return a policy that allows exactly the script that the page carries, by its hash."""
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{value}'" for value in hashes)
    return (
        f"default-src 'self'; script-src 'self' {allowed}; style-src 'self'; img-src 'self' data:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
