"""Read the fields of forms: `/v1/forms`, and `/v1/forms/sheet` for the page on which they are marked."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from PIL import Image
from starlette.responses import Response

from ..errors import InputError
from ..forms.fields import Form, FormReader, parse_fields, parse_form
from ..forms.pages import FieldsPage, FieldsReader, answer_of
from ..image import READ_SIDE, ImageLike, upright_image
from ..model_file import Contract
from ..number_reader import NumberReader
from ..prediction import data_url
from . import openapi
from .error_responses import RequestError
from .metrics import Metrics
from .multipart import File
from .requests import MAX_BATCH_FILES, Body, read_files
from .responses import Reply
from .routes import ModelQuery, metrics_of, opened, service_of

FIELDS, REFERENCE = "fields", "reference"  # the parts of the body that are no pages
MAX_TEXT: Final = 256 * 1024  # bytes of `fields`
MAX_LINE: Final = 1000  # characters: tomllib takes quadratic time for a key of many parts, which is on one line
MAX_READINGS: Final = 8192  # fields on all pages of a request

CropsQuery = Annotated[bool, Query(description="Add the picture of each field, as a PNG data URL.")]
PictureQuery = Annotated[bool, Query(description="Add the page, as a PNG data URL.")]
PageQuery = Annotated[int, Query(description="The page of a PDF file, from 1 on.", ge=1, le=MAX_BATCH_FILES)]

router = APIRouter(tags=["Forms"])


@dataclass(frozen=True)
class FormBody:
    """The pages of a form, the description of its fields, and the page that others are aligned to."""

    files: Sequence[File]
    fields: str | None
    reference: bytes | None


@dataclass(frozen=True)
class NamedPage:
    """A page with its name."""

    name: str
    image: ImageLike


@router.post(
    "/v1/forms",
    summary="Read the fields of a form on many pages",
    response_model=openapi.FormBatch,
    openapi_extra=openapi.form_body(),
    responses=openapi.form_problems("blank_image"),
)
async def read_forms(request: Request, model: ModelQuery = None, crops: CropsQuery = False) -> Response:
    """Read named boxes on every page; what is written in one is one number. Results are in the pages' order.

    `fields` is the text of the `fields.toml` that `inkdigit read --fields` takes. Pages are aligned to the picture in
    the part `reference`, if there is one, which the extra `forms` does. A PDF counts as its pages, `FILE#PAGE`.
    """
    service, metrics = service_of(request), metrics_of(request)
    reader = service.recognizer(model).reader
    with service.memory.share() as take:
        body = await _read_body(Body(request, request.app.state.settings.body_timeout, take), MAX_BATCH_FILES)

        def work() -> Response:
            form = _form(body, reader)
            with opened(body.files) as (names, images):
                pages = [NamedPage(*each) for each in zip(names, images, strict=True)]
                return Reply({"results": _results(pages, FormReader(reader, form), crops, metrics, reader.contract)})

        return await service.work.run_in_thread(work)


def _results(
    pages: Sequence[NamedPage], reader: FormReader, crops: bool, metrics: Metrics, contract: Contract
) -> list[dict[str, Any]]:
    """Return the answer for each page. One page at a time: its pixels are not kept."""
    if len(pages) * len(reader.form.fields) > MAX_READINGS:
        raise RequestError(f"At most {MAX_READINGS:,} fields are read in a request.", "too_many_parts")
    read = FieldsReader(reader, lambda name: None, crops)
    results = []
    for page in pages:
        (found,) = read([page])
        _count(found, metrics, contract)
        results.append({"file": page.name, **answer_of(found)})
    return results


def _count(page: FieldsPage, metrics: Metrics, contract: Contract) -> None:
    if isinstance(page.answer, InputError):
        metrics.refused(page.answer.code)
    else:
        metrics.read_fields(page.answer, contract)


@router.post(
    "/v1/forms/sheet",
    summary="Show the page on which fields are marked",
    response_model=openapi.SheetBody,
    openapi_extra=openapi.sheet_body(),
    responses=openapi.form_problems("blank_image"),
)
async def show_sheet(
    request: Request, model: ModelQuery = None, page: PageQuery = 1, picture: PictureQuery = False
) -> Response:
    """Return the size of a page in px, and the boxes of `fields` on it: what a program needs to mark fields.

    `picture=true` adds the page itself, which no browser could show of a PDF or TIFF file.
    """
    service = service_of(request)
    reader = service.recognizer(model).reader
    with service.memory.share() as take:
        body = await _read_body(Body(request, request.app.state.settings.body_timeout, take), 1)
        return await service.work.run_in_thread(lambda: Reply(_sheet(body, reader, page, picture)))


def _sheet(body: FormBody, reader: NumberReader, number: int, is_shown: bool) -> dict[str, Any]:
    fields, reference = parse_fields(body.fields, reader, _refuse_file) if body.fields is not None else ((), None)
    with opened(body.files) as (_, images):
        if number > len(images):
            raise RequestError(f"The file has no page {number}: it has {len(images)}.", "bad_parameter")
        picture = upright_image(images[number - 1])
    answer: dict[str, Any] = {
        "width": picture.width,
        "height": picture.height,
        "pages": len(images),
        "fields": [{"name": each.name, "box": each.in_px(*picture.size), **each.limits} for each in fields],
        "reference": reference,
    }
    return answer | {"picture": _png(picture)} if is_shown else answer


def _png(picture: Image.Image) -> str:
    picture.thumbnail((READ_SIDE, READ_SIDE), Image.Resampling.BOX)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return data_url(buffer.getvalue())


async def _read_body(body: Body, max_pages: int) -> FormBody:
    """Read the pages, and beside them the fields, as text or as a file, and the reference. Raises RequestError."""
    form = await read_files(body, max_pages + 2, (FIELDS,))
    beside = {file.part: file for file in form.files if file.part in {FIELDS, REFERENCE}}
    pages = [file for file in form.files if file.part not in beside]
    if not pages:
        raise RequestError("There is no page in the body.", "no_picture")
    if len(pages) > max_pages:
        raise RequestError(f"The body may have at most {max_pages} pages.", "too_many_parts")
    fields = beside[FIELDS].take() if FIELDS in beside else form.texts.get(FIELDS)
    reference = beside[REFERENCE].take() if REFERENCE in beside else None
    return FormBody(pages, None if fields is None else _decoded(fields), reference)


def _decoded(fields: bytes | bytearray) -> str:
    """Return the text of the fields, if parsing it takes little time. Raises RequestError."""
    if len(fields) > MAX_TEXT:
        raise RequestError(f"The fields are larger than {MAX_TEXT // 1024} KiB.", "too_many_bytes")
    try:
        text = fields.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError("The fields are not UTF-8.", "bad_fields") from error
    if max(map(len, text.split("\n"))) > MAX_LINE:
        raise RequestError(f"A line of the fields has more than {MAX_LINE:,} characters.", "bad_fields")
    return text


def _form(body: FormBody, reader: NumberReader) -> Form:
    """Return the form that a body describes. Raises RequestError and InputError."""
    if body.fields is None:
        raise RequestError("The body has no part `fields`, the text of a fields.toml.", "bad_fields")
    return parse_form(body.fields, reader, _refuse_file, body.reference)


def _refuse_file(name: str) -> bytes:
    """Refuse what the description names beside itself: no file of the service is read."""
    raise InputError(
        f"The fields name the file {name}: send the reference as the part `reference`, and choices as a list.",
        "bad_fields",
    )
