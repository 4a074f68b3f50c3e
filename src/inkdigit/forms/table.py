"""A table of readings: each cell that was read has its picture, its alternatives, and whether it is sure."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from ..reading import Number, Reading

CROP_HEIGHT, CROP_WIDTH = 64, 480  # px of a cell's picture, at most
MARGIN = 0.25  # of a box's height, around it
ALTERNATIVES = 3
COLUMNS = ["file", "row", "text", "confidence", "is_sure", "left", "top", "right", "bottom"]


@dataclass(frozen=True)
class Cell:
    """A cell that was read; `place` says where it is, and `crop` is a PNG of it."""

    text: str
    confidence: float
    is_sure: bool
    alternatives: tuple[str, ...] = ()
    place: str = ""
    crop: bytes = b""


Value = str | float | bool | int | None | Cell


@dataclass
class Table:
    """Rows under `columns`; each row has a value a column."""

    columns: Sequence[str]
    rows: list[Sequence[Value]] = field(default_factory=list)


def plain(value: Value) -> Any:
    """Return a value without its picture."""
    return value.text if isinstance(value, Cell) else value


def reading_rows(file: str, reading: Reading, crops: Sequence[bytes] = ()) -> Iterator[Sequence[Value]]:
    """Yield a row under `COLUMNS` for each number; `crops` are the numbers' pictures, if there are any."""
    for place, number in enumerate(reading.numbers):
        cell = cell_of(number, reading.is_sure_of(number), file, crops[place] if crops else b"")
        yield [file, number.row, cell, number.confidence, cell.is_sure, *number.box]


def cell_of(number: Number, is_sure: bool, place: str, crop: bytes) -> Cell:
    """Return a number as a cell."""
    return Cell(number.text, number.confidence, is_sure, tuple(alternatives(number)), place, crop)


def alternatives(number: Number) -> list[str]:
    """Return the most probable other texts in which one symbol differs, the best first."""
    texts = [symbol.text for symbol in number.symbols]
    if "".join(texts) != number.text:  # a fraction, which has a space
        return []
    changed = [
        (share / max(symbol.confidence, 1e-9), "".join([*texts[:place], other, *texts[place + 1 :]]))
        for place, symbol in enumerate(number.symbols)
        for other, share in symbol.alternatives.items()
        if other != symbol.text
    ]
    return [text for _, text in sorted(changed, reverse=True)[:ALTERNATIVES]]


def crop_of(picture: Image.Image, box: Sequence[float]) -> bytes:
    """Return the part of a picture in a box, with a margin, as a small PNG."""
    left, top, right, bottom = box
    margin = MARGIN * max(bottom - top, 8)
    part = picture.crop(
        (
            max(0, int(left - margin)),
            max(0, int(top - margin)),
            min(picture.width, int(right + margin) + 1),
            min(picture.height, int(bottom + margin) + 1),
        )
    )
    return small_png(part)


def small_png(picture: Image.Image) -> bytes:
    """Return a picture as a PNG of at most `CROP_WIDTH` × `CROP_HEIGHT` px."""
    part = picture.convert("L")
    part.thumbnail((CROP_WIDTH, CROP_HEIGHT))
    buffer = io.BytesIO()
    part.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
