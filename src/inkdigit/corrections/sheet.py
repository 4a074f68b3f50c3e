"""A sheet of corrections to look at: pictures in rows by label and model, each with what it was read as."""

import io
from collections.abc import Iterator, Sequence
from itertools import groupby

from PIL import Image, ImageDraw, ImageFont

from .records import Correction

TILE = 112  # px of a picture's box
TEXT = 16  # px of a line of text
COLUMNS = 10
PAPER, INK, MUTED = 255, 0, 96
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def sheet(corrections: Sequence[Correction]) -> Image.Image:
    """Draw corrections as a gray image: a heading for each label and model version, and its pictures below."""
    lines = list(_lines(corrections))
    height = sum(_height(line) for line in lines)
    page = Image.new("L", (COLUMNS * TILE, max(height, TILE)), PAPER)
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(TEXT - 3)
    top = 0
    for line in lines:
        if isinstance(line, str):
            draw.text((4, top + TEXT // 2), line, INK, font)
        else:
            for place, each in enumerate(line):
                _draw_one(page, draw, each, (place * TILE, top), font)
        top += _height(line)
    return page


def _lines(corrections: Sequence[Correction]) -> Iterator[str | list[Correction]]:
    """Yield headings, and rows of corrections."""
    for (label, model, version), group in groupby(sorted(corrections, key=_kind), key=_kind):
        every = list(group)
        yield f"{label}: {len(every)} not read by {model} {version}"
        for start in range(0, len(every), COLUMNS):
            yield every[start : start + COLUMNS]


def _kind(correction: Correction) -> tuple[str, str, str]:
    return correction.label, correction.model, correction.version


def _height(line: str | list[Correction]) -> int:
    return 2 * TEXT if isinstance(line, str) else TILE + TEXT


def _draw_one(
    page: Image.Image, draw: ImageDraw.ImageDraw, correction: Correction, corner: tuple[int, int], font: Font
) -> None:
    left, top = corner
    picture = Image.open(io.BytesIO(correction.picture)).convert("L")
    picture.thumbnail((TILE - 8, TILE - 8))
    page.paste(picture, (left + (TILE - picture.width) // 2, top + (TILE - picture.height) // 2))
    draw.rectangle((left + 2, top + 2, left + TILE - 3, top + TILE - 3), outline=MUTED)
    sure = "" if correction.confidence is None else f", {correction.confidence:.0%}"
    draw.text((left + 4, top + TILE - 1), f"read {correction.answer}{sure}", MUTED, font)
