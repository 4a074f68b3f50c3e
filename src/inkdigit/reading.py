"""The answer to `read`: symbols, numbers and the whole reading, how it is written as JSON, and drawn on the picture.

Knows nothing of models; the code that made the reading opens the picture.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .prediction import Model

Box = tuple[float, float, float, float]  # left, top, right, bottom in px of the original picture, upright
Colour = tuple[int, int, int]

OTHER = "other"  # the label of what is no symbol

# White text on each has a contrast of at least 4.5 (WCAG 2.2, 1.4.3).
SURE, UNSURE, DOUBTFUL = (26, 127, 55), (154, 85, 0), (207, 34, 46)
SMALLEST_TEXT = 11  # px: smaller, Pillow's font cannot be read


@dataclass(frozen=True)
class Symbol:
    """One symbol: `0`–`9`, `.`, `,`, `-` or `/`.

    `confidence` (0..1) is the probability of `text`; `alternatives` has it and the other symbols that are at all
    likely, the most probable first. What is missing from 1 is the probability that no symbol is written there.
    """

    text: str
    confidence: float
    box: Box
    alternatives: Mapping[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return the symbol as JSON values."""
        return {
            "text": self.text,
            "confidence": self.confidence,
            "box": list(self.box),
            "alternatives": dict(self.alternatives),
        }


@dataclass(frozen=True)
class Number:
    """One number: symbols that are written together, from left to right, a fraction's from top to bottom.

    `confidence` (0..1) is the calibrated probability that all of `text` is right; `row` counts from 0, top to bottom.
    `text` is that of the symbols, with a space before the fraction of a mixed number: `6 1/2`. `is_match` is False
    where nothing that the constraint of `read` allows is probable; then `text` is what is written, and not sure.
    """

    text: str
    confidence: float
    box: Box
    row: int
    symbols: tuple[Symbol, ...]
    is_match: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return the number as JSON values; `is_match` only where it is false."""
        return {
            "text": self.text,
            "confidence": self.confidence,
            "box": list(self.box),
            "row": self.row,
            "symbols": [symbol.as_dict() for symbol in self.symbols],
            **({} if self.is_match else {"is_match": False}),
        }


def as_image(image: Any) -> Image.Image:
    """Return a PIL image, or an array uint8 [H, W] or [H, W, 3|4], as a PIL image."""
    return image if isinstance(image, Image.Image) else Image.fromarray(np.asarray(image))


@dataclass(frozen=True)
class Reading:
    """What one picture was read as: numbers in reading order, none where the picture is blank.

    `threshold` (0..1) is the contract's: a number at or over it is sure. `is_truncated` says that the picture has more
    marks than the model keeps, and that numbers may be missing. `open_image` turns what `draw` is given into an upright
    PIL image.
    """

    numbers: tuple[Number, ...]
    threshold: float
    model: Model
    is_truncated: bool = False
    open_image: Callable[[Any], Image.Image] = field(default=as_image, repr=False, compare=False)

    @property
    def text(self) -> str:
        """Return the numbers' texts: rows apart by newlines, numbers in a row by spaces."""
        rows: dict[int, list[str]] = {}
        for number in self.numbers:
            rows.setdefault(number.row, []).append(number.text)
        return "\n".join(" ".join(texts) for texts in rows.values())

    @property
    def confidence(self) -> float:
        """Return the product of the numbers' confidences, 0..1; 1 for an empty reading."""
        return float(np.prod([number.confidence for number in self.numbers]))

    @property
    def is_sure(self) -> bool:
        """Return whether every number is sure."""
        return all(self.is_sure_of(number) for number in self.numbers)

    @property
    def is_match(self) -> bool:
        """Return whether every number is one that the constraint allows."""
        return all(number.is_match for number in self.numbers)

    @property
    def verdict(self) -> str:
        """Return a sentence for a person; `readingVerdict` in server/web/form.js has the same ones."""
        if not self.numbers:
            return "No number."
        if not any(number.is_match for number in self.numbers):
            return "No number matches."
        if len(self.numbers) == 1:
            return f"A clear {self.text}." if self.is_sure else f"Not sure. Perhaps {self.text}."
        return (
            f"{len(self.numbers)} numbers, all clear."
            if self.is_sure
            else f"Not sure of all {len(self.numbers)} numbers."
        )

    def is_sure_of(self, number: Number) -> bool:
        """Return whether one of the numbers is sure."""
        return number.is_match and number.confidence >= self.threshold

    def as_dict(self) -> dict[str, Any]:
        """Return the reading as JSON values, as every interface writes it; `is_truncated` only where it is true."""
        return {
            "text": self.text,
            "confidence": self.confidence,
            "is_sure": self.is_sure,
            "numbers": [number.as_dict() for number in self.numbers],
            "model": {"name": self.model.name, "version": self.model.version},
            **({"is_truncated": True} if self.is_truncated else {}),
        }

    def draw(self, image: Any) -> Image.Image:
        """Draw boxes and texts on the picture that was read, and return it as an RGB image of the same size.

        `image` is what `read` was given: a path, bytes, a PIL image or an array. Green numbers are sure; orange ones
        are not and end in `?`; red ones are more likely wrong than right, or break the constraint. Raises InputError
        where the image cannot be opened.
        """
        picture = self.open_image(image).convert("RGB")
        colours = [self._colour(number) for number in self.numbers]
        _draw_boxes(picture, [number.box for number in self.numbers], colours)
        texts = [number.text if self.is_sure_of(number) else f"{number.text}?" for number in self.numbers]
        _draw_texts(picture, [number.box for number in self.numbers], texts, colours)
        return picture

    def _colour(self, number: Number) -> Colour:
        if self.is_sure_of(number):
            return SURE
        return UNSURE if number.is_match and number.confidence >= 0.5 else DOUBTFUL


def _pen(picture: Image.Image) -> int:
    """Return a line width in px that is seen when the whole picture is shown."""
    return max(1, round(max(picture.size) / 500))


def _draw_boxes(picture: Image.Image, boxes: Sequence[Box], colours: Sequence[Colour]) -> None:
    """Draw the outline of each box just outside of it, between two white lines, which part it from dark and light."""
    draw, pen = ImageDraw.Draw(picture), _pen(picture)
    halo = (pen + 1) // 2
    for (left, top, right, bottom), colour in zip(boxes, colours, strict=True):
        for grow, width, fill in ((pen + 2 * halo, pen + 2 * halo, (255, 255, 255)), (pen + halo, pen, colour)):
            outline = (left - grow, top - grow, right + grow, bottom + grow)
            draw.rounded_rectangle(outline, radius=2 * pen, outline=fill, width=width)


def _draw_texts(picture: Image.Image, boxes: Sequence[Box], texts: Sequence[str], colours: Sequence[Colour]) -> None:
    """Draw each text, white on its colour, above its box or where else it hides the least of other numbers."""
    if not boxes:
        return
    draw, pen = ImageDraw.Draw(picture), _pen(picture)
    usual = 0.45 * float(np.median([bottom - top for _, top, _, bottom in boxes]))
    font = ImageFont.load_default(max(SMALLEST_TEXT, min(usual, 40 * pen), 6 * pen))
    taken = np.array(boxes, float)
    for box, text, colour in zip(boxes, texts, colours, strict=True):
        ink = font.getbbox(text)
        size = ink[2] - ink[0] + 4 * pen + 4, ink[3] - ink[1] + 2 * pen + 4
        left, top = _free_place(box, size, picture.size, taken, 2 * pen + 1)
        taken = np.append(taken, [(left, top, left + size[0], top + size[1])], 0)
        draw.rounded_rectangle((left, top, left + size[0], top + size[1]), radius=2 * pen, fill=colour)
        middle = left + size[0] / 2 - (ink[0] + ink[2]) / 2, top + size[1] / 2 - (ink[1] + ink[3]) / 2
        draw.text(middle, text, fill=(255, 255, 255), font=font)


def _free_place(
    box: Box, size: tuple[float, float], picture: tuple[int, int], taken: np.ndarray[Any, Any], gap: int
) -> tuple[float, float]:
    """Return the top left corner of a label of `size` px around a box: above, below, right or left of it.

    The first of the places that hides the least of the `taken` boxes [N, 4] is chosen, moved into the picture.
    """
    left, top, right, bottom = box
    wide, tall = size
    places = np.array(
        [(left, top - tall - gap), (left, bottom + gap), (right + gap, top), (left - wide - gap, top)], float
    )
    room = np.maximum(np.array(picture) - size, 0)
    places = np.clip(places, 0, room)
    common = np.minimum(places[:, None] + size, taken[None, :, 2:]) - np.maximum(places[:, None], taken[None, :, :2])
    hidden = common.clip(0).prod(2).sum(1)
    x, y = places[int(hidden.argmin())]
    return float(x), float(y)
