r"""Fields of forms: what `fields.toml` says, and the reading of each field on a page.

reference = "blank.png"          # optional: pages are aligned to it (extra `forms`)

[fields.student]
box = [120, 240, 620, 300]       # left, top, right, bottom: px of the reference or page, or parts of it (0 to 1)
pattern = '\d{7}'                 # optional, and so are `allow` and `choices` (a list, or a file with one a line)
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..constraints import Constraints
from ..errors import DataError, InputError
from ..image import READ_SIDE, ImageLike, Pixels, open_image, read_file
from ..image.alignment import Reference, cut
from ..number_reader import NumberReader
from ..reading import Number

MARGIN = 0.3  # of a field's height, around it: what is written over its edge
KEYS = {"box", "allow", "pattern", "choices"}
MAX_FIELDS = 200  # of a form
MAX_AREA = 8  # pages that all fields together, with what is around them, may cover: each takes its time to read

GetFile = Callable[[str], bytes]  # Returns the content of a file that `fields.toml` names, or raises InputError.


@dataclass(frozen=True)
class Field:
    """A named box on every page: left, top, right, bottom in parts of the page, or in px where one is over 1.

    `limits` has `allow`, `pattern` and `choices` as they were given.
    """

    name: str
    box: tuple[float, float, float, float]
    constraints: Constraints | None
    limits: Mapping[str, Any] = field(default_factory=dict)

    def in_px(self, width: float, height: float) -> tuple[float, float, float, float]:
        """Return the box in px of a page of that size."""
        left, top, right, bottom = self.box
        if max(self.box) > 1:
            return self.box
        return left * width, top * height, right * width, bottom * height


@dataclass(frozen=True)
class FieldReading:
    """What a field was read as; a blank one has an empty text. `picture` is the field's part of the aligned page.

    It is None where the reading comes from a journal.
    """

    name: str
    text: str
    confidence: float
    is_sure: bool
    number: Number | None
    picture: Pixels | None


@dataclass(frozen=True)
class Form:
    """The fields of a form, and the page that others are aligned to."""

    fields: tuple[Field, ...]
    reference: Reference | None
    size: tuple[int, int] | None  # width and height of the reference in px


class FormReader:
    """Read the fields of pages. Read-only after `__init__`, so threads may share it."""

    def __init__(self, reader: NumberReader, form: Form) -> None:
        self._reader, self.form = reader, form

    def read(self, image: ImageLike) -> list[FieldReading]:
        """Return the reading of every field on a page. Raises InputError where the page cannot be read or aligned."""
        return self.read_aligned(align(image, self.form))

    def read_aligned(self, page: "AlignedPage") -> list[FieldReading]:
        """Return the reading of every field on a page that is aligned. Raises InputError where one lies outside."""
        width, height = page.size
        scale = page.pixels.shape[1] / width
        boxes = [[scale * side for side in field.in_px(width, height)] for field in self.form.fields]
        cuts = [cut(page.pixels, box, MARGIN * (box[3] - box[1])) for box in boxes]
        if sum(part.size for part, _ in cuts) > MAX_AREA * page.pixels.size:
            raise InputError(f"The fields together cover more than {MAX_AREA} pages.", "bad_fields")
        return [self._field(*each) for each in zip(self.form.fields, boxes, cuts, strict=True)]

    def _field(self, field: Field, box: Sequence[float], found: tuple[Pixels, tuple[int, int]]) -> FieldReading:
        (left, top, right, bottom), (part, (x, y)) = box, found
        number, confidence = self._reader.read_field(
            part, (left - x, top - y, right - x, bottom - y), field.constraints
        )
        is_sure = confidence >= self._reader.contract.thresholds.confidence
        is_sure &= number is None or number.is_match
        return FieldReading(field.name, number.text if number else "", confidence, is_sure, number, part)


@dataclass(frozen=True)
class AlignedPage:
    """A page as it lies on the reference: pixels [H, W], and the width and height in which boxes are given."""

    pixels: Pixels
    size: tuple[float, float]


def align(image: ImageLike, form: Form) -> AlignedPage:
    """Return a page aligned to the form's reference, if it has one. Raises InputError."""
    opened = open_image(image)
    pixels = opened.pixels(READ_SIDE)
    if form.reference and form.size:
        return AlignedPage(form.reference.align(pixels), form.size)
    factor = opened.reduction(READ_SIDE)
    return AlignedPage(pixels, (pixels.shape[1] * factor, pixels.shape[0] * factor))


def load_form(path: Path, reader: NumberReader) -> Form:
    """Return the form that a file describes. Raises DataError with one sentence where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
        return parse_form(text, reader, lambda name: read_file(path.parent / name))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text.") from error
    except InputError as error:
        raise DataError(f"{path}: {error}") from error


def parse_form(text: str, reader: NumberReader, get_file: GetFile, reference: bytes | None = None) -> Form:
    """Return the form that the text of a `fields.toml` describes.

    `reference` takes the place of the one that the text names. Raises InputError.
    """
    fields, named = parse_fields(text, reader, get_file)
    if reference is None and named is not None:
        reference = get_file(named)
    if reference is None:
        return Form(fields, None, None)
    opened = open_image(reference)
    pixels = opened.pixels(READ_SIDE)
    factor = opened.reduction(READ_SIDE)
    return Form(fields, Reference(pixels), (pixels.shape[1] * factor, pixels.shape[0] * factor))


def parse_fields(text: str, reader: NumberReader, get_file: GetFile) -> tuple[tuple[Field, ...], str | None]:
    """Return the fields that the text of a `fields.toml` describes, and the reference's name. Raises InputError."""
    try:
        values = tomllib.loads(text)
        fields = tuple(_field(name, each, get_file, reader) for name, each in _tables(values).items())
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"The fields are no TOML: {error}.", "bad_fields") from error
    except InputError:
        raise
    except RecursionError as error:
        raise InputError("The fields are no TOML that is read: it is nested too deeply.", "bad_fields") from error
    except ValueError as error:
        raise InputError(str(error), "bad_fields") from error
    return fields, values.get("reference")


def named_files(path: Path) -> list[Path]:
    """Return the files that a form's description, which can be loaded, names: the reference and lists of choices."""
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    named = [values.get("reference"), *(field.get("choices") for field in values["fields"].values())]
    return [path.parent / name for name in named if isinstance(name, str)]


def _tables(values: Mapping[str, Any]) -> Mapping[str, Any]:
    fields = values.get("fields")
    if not isinstance(fields, dict) or not fields or set(values) - {"fields", "reference"}:
        raise ValueError("The fields must be tables [fields.NAME], one for each; beside them may be a reference.")
    if len(fields) > MAX_FIELDS:
        raise ValueError(f"A form may have at most {MAX_FIELDS} fields.")
    if not isinstance(values.get("reference", ""), str):
        raise ValueError("The reference must be the name of a picture.")
    return fields


def _field(name: str, values: Any, get_file: GetFile, reader: NumberReader) -> Field:
    if not isinstance(values, dict) or set(values) - KEYS or not _is_box(values.get("box")):
        raise ValueError(
            f"The field {name} must have a box [left, top, right, bottom]; it may have allow, and pattern or choices."
        )
    limits = {key: values[key] for key in KEYS - {"box"} if key in values}
    if isinstance(limits.get("choices"), str):
        limits["choices"] = get_file(limits["choices"]).decode("utf-8-sig").splitlines()
    for key in {"allow", "pattern"} & limits.keys():
        if not isinstance(limits[key], str):
            raise ValueError(f"The field {name} must have a text as its {key}.")
    try:
        return Field(name, tuple(map(float, values["box"])), reader.constraints(**limits), limits)  # type: ignore[arg-type]
    except InputError as error:
        raise InputError(f"The field {name}: {error}", error.code) from error


def _is_box(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 4 or not all(type(side) in {int, float} for side in value):
        return False
    left, top, right, bottom = value
    return bool(0 <= left < right < 1e6 and 0 <= top < bottom < 1e6)
