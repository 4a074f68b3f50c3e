r"""Fields of forms: what `fields.toml` says, and the reading of each field on a page.

reference = "blank.png"          # optional: pages are aligned to it (extra `forms`)

[fields.student]
box = [120, 240, 620, 300]       # left, top, right, bottom: px of the reference or page, or parts of it (0 to 1)
pattern = '\d{7}'                 # optional, and so are `allow` and `choices` (a list, or a file with one a line)
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Field:
    """A named box on every page: left, top, right, bottom in parts of the page, or in px where one is over 1."""

    name: str
    box: tuple[float, float, float, float]
    constraints: Constraints | None

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
        return [self._field(field, page.pixels, field.in_px(width, height), scale) for field in self.form.fields]

    def _field(self, field: Field, pixels: Pixels, box: Sequence[float], scale: float) -> FieldReading:
        left, top, right, bottom = (scale * side for side in box)
        part, (x, y) = cut(pixels, (left, top, right, bottom), MARGIN * (bottom - top))
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
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        return _form(values, path.parent, reader)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text.") from error
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{path} is no TOML: {error}.") from error
    except (InputError, ValueError) as error:
        raise DataError(f"{path}: {error}") from error


def named_files(path: Path) -> list[Path]:
    """Return the files that a form's description, which can be loaded, names: the reference and lists of choices."""
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    named = [values.get("reference"), *(field.get("choices") for field in values["fields"].values())]
    return [path.parent / name for name in named if isinstance(name, str)]


def _form(values: Mapping[str, Any], folder: Path, reader: NumberReader) -> Form:
    fields = values.get("fields")
    if not isinstance(fields, dict) or not fields or set(values) - {"fields", "reference"}:
        raise ValueError("It must have a table [fields.NAME] for each field, and may name a reference.")
    made = tuple(_field(name, each, folder, reader) for name, each in fields.items())
    if "reference" not in values:
        return Form(made, None, None)
    if not isinstance(values["reference"], str):
        raise ValueError("The reference must be the name of a picture.")
    opened = open_image(folder / values["reference"])
    pixels = opened.pixels(READ_SIDE)
    factor = opened.reduction(READ_SIDE)
    return Form(made, Reference(pixels), (pixels.shape[1] * factor, pixels.shape[0] * factor))


def _field(name: str, values: Any, folder: Path, reader: NumberReader) -> Field:
    if not isinstance(values, dict) or set(values) - KEYS or not _is_box(values.get("box")):
        raise ValueError(
            f"The field {name} must have a box [left, top, right, bottom]; it may have allow, and pattern or choices."
        )
    limits = {key: values[key] for key in KEYS - {"box"} if key in values}
    if isinstance(limits.get("choices"), str):
        limits["choices"] = read_file(folder / limits["choices"]).decode("utf-8-sig").splitlines()
    for key in {"allow", "pattern"} & limits.keys():
        if not isinstance(limits[key], str):
            raise ValueError(f"The field {name} must have a text as its {key}.")
    try:
        return Field(name, tuple(map(float, values["box"])), reader.constraints(**limits))  # type: ignore[arg-type]
    except InputError as error:
        raise ValueError(f"The field {name}: {error}") from error


def _is_box(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 4 or not all(type(side) in {int, float} for side in value):
        return False
    left, top, right, bottom = value
    return bool(0 <= left < right < 1e6 and 0 <= top < bottom < 1e6)
