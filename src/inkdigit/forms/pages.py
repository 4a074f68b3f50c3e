"""Read pages for the command: their numbers, the pictures of these, and copies with boxes."""

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from PIL import Image

from ..errors import InputError
from ..image import ImageLike, upright_image
from ..prediction import Model, data_url
from ..reading import Number, Reading, Symbol
from .fields import FieldReading, Form, FormReader
from .table import Cell, Value, alternatives, cell_of, crop_of, small_png

FIELD_SUFFIX = " confidence"


class Named(Protocol):
    """An image with the name that it has in the output."""

    @property
    def name(self) -> str:
        """Return the name."""

    @property
    def image(self) -> ImageLike:
        """Return what `Recognizer` takes."""


@dataclass(frozen=True)
class Page:
    """What was read on a page, the pictures of its numbers, and a copy of the page with boxes, as a PNG."""

    answer: Reading | InputError
    crops: Sequence[bytes] = ()
    copy: bytes = b""


@dataclass(frozen=True)
class PageReader:
    """Read pages.

    `read_batch` is `Recognizer.read_batch`; `known` returns the answer for a page that was read before, or None.
    """

    read_batch: Callable[[Sequence[ImageLike]], list[Reading | InputError]]
    known: Callable[[str], Reading | None]
    needs_crops: bool
    needs_copy: bool

    def __call__(self, pages: Sequence[Named]) -> list[Page]:
        """Return what is read on each page."""
        return [self._page(page) for page in pages]

    def _page(self, page: Named) -> Page:
        answer: Reading | InputError | None = self.known(page.name)
        if answer is None:
            (answer,) = self.read_batch([page.image])
        if isinstance(answer, InputError) or not (self.needs_crops or self.needs_copy):
            return Page(answer)
        try:
            picture = upright_image(page.image)
        except InputError as error:
            return Page(error)
        crops = [crop_of(picture, number.box) for number in answer.numbers] if self.needs_crops else []
        return Page(answer, crops, _png(answer, picture) if self.needs_copy else b"")


def _png(reading: Reading, picture: Any) -> bytes:
    buffer = io.BytesIO()
    reading.draw(picture).save(buffer, "PNG")
    return buffer.getvalue()


@dataclass(frozen=True)
class FieldsPage:
    """The fields that were read on a page, or why there are none; `crops` are their pictures."""

    answer: Sequence[FieldReading] | InputError
    crops: Sequence[bytes] = ()


@dataclass(frozen=True)
class FieldsReader:
    """Read the fields of pages, with their pictures where these are needed.

    `known` returns what `fields_as_json` made of a page that was read before, or None.
    """

    reader: FormReader
    known: Callable[[str], Any]
    needs_crops: bool

    def __call__(self, pages: Sequence[Named]) -> list[FieldsPage]:
        """Return the fields of each page."""
        return [self._page(page) for page in pages]

    def _page(self, page: Named) -> FieldsPage:
        values = self.known(page.name)
        if values is not None and (values["crops"] or not self.needs_crops):
            return fields_from_json(values)
        try:
            fields = self.reader.read(page.image)
        except InputError as error:
            return FieldsPage(error)
        pictures = [Image.fromarray(each.picture) for each in fields if each.picture is not None]
        return FieldsPage(fields, [small_png(picture) for picture in pictures] if self.needs_crops else [])


def answer_of(page: FieldsPage) -> dict[str, Any]:
    """Return the fields of a page by their names, with their pictures if it has them, or its error: as users get it."""
    if isinstance(page.answer, InputError):
        return {"error": {"detail": str(page.answer), "code": page.answer.code}}
    fields = {field.name: _answer_of_field(field) for field in page.answer}
    for values, crop in zip(fields.values(), page.crops, strict=False):
        values["crop"] = data_url(crop)
    return {"fields": fields}


def _answer_of_field(field: FieldReading) -> dict[str, Any]:
    others = alternatives(field.number) if field.number else []
    answer = {"text": field.text, "confidence": field.confidence, "is_sure": field.is_sure, "alternatives": others}
    return answer if field.number is None or field.number.is_match else answer | {"is_match": False}


def fields_as_json(page: FieldsPage) -> dict[str, Any]:
    """Return the fields of a page, which has no error, as JSON values."""
    assert not isinstance(page.answer, InputError)  # noqa: S101
    fields = [
        {
            "name": field.name,
            "text": field.text,
            "confidence": field.confidence,
            "is_sure": field.is_sure,
            "number": field.number.as_dict() if field.number else None,
        }
        for field in page.answer
    ]
    return {"fields": fields, "crops": [base64.b64encode(crop).decode() for crop in page.crops]}


def fields_from_json(values: Mapping[str, Any]) -> FieldsPage:
    """Return the fields that `fields_as_json` wrote."""
    fields = [
        FieldReading(**{**field, "number": number_from(field["number"]) if field["number"] else None, "picture": None})
        for field in values["fields"]
    ]
    return FieldsPage(fields, [base64.b64decode(crop) for crop in values["crops"]])


def field_columns(form: Form) -> list[str]:
    """Return the columns of a form's table: a field and its confidence, what to check, and the error of a page."""
    names = [column for field in form.fields for column in (field.name, f"{field.name}{FIELD_SUFFIX}")]
    return ["file", *names, "check", "error"]


def field_row(file: str, page: FieldsPage, form: Form) -> Sequence[Value]:
    """Return a page's row; `check` names the fields that are not sure."""
    if isinstance(page.answer, InputError):
        return [file, *[None] * (2 * len(form.fields) + 1), str(page.answer)]
    values: list[Value] = []
    for place, field in enumerate(page.answer):
        values += [_cell(file, field, page.crops[place] if page.crops else b""), field.confidence]
    return [file, *values, " ".join(field.name for field in page.answer if not field.is_sure), None]


def _cell(file: str, field: FieldReading, crop: bytes) -> Cell:
    if field.number:
        return cell_of(field.number, field.is_sure, f"{file} {field.name}", crop)
    return Cell("", field.confidence, field.is_sure, (), f"{file} {field.name}", crop)


def reading_from(values: Mapping[str, Any], threshold: float) -> Reading:
    """Return the reading that `Reading.as_dict` wrote."""
    numbers = tuple(map(number_from, values["numbers"]))
    return Reading(numbers, threshold, Model(**values["model"]), values.get("is_truncated", False), upright_image)


def number_from(values: Mapping[str, Any]) -> Number:
    """Return the number that `Number.as_dict` wrote."""
    symbols = tuple(Symbol(**{**symbol, "box": tuple(symbol["box"])}) for symbol in values["symbols"])
    return Number(**{**values, "box": tuple(values["box"]), "symbols": symbols})
