"""Pen strokes, from the files that record them to drawn pictures. Needs no torch, and knows nothing of networks."""

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ..errors import DataError
from .datasets import Labelled, data_folder

PENDIGITS = "pendigits/pendigits-orig.tra.gz"
PENDIGITS_SHA256 = "a66225d68d7d68591e62944df1ad33b3f5aa608e2df2505844b41f5568a80da4"
OMNIGLOT = "omniglot/omniglot-strokes.json.gz"
NO_DIGIT = -1  # the label of strokes that are no digit
OVERSAMPLE = 4  # a drawing is made this much larger and averaged down, which smooths its edges

Stroke = NDArray[np.float32]  # points [P, 2], x and y, y growing downward


@dataclass(frozen=True, eq=False)
class PenDigit:
    """One digit as a pen wrote it."""

    strokes: tuple[Stroke, ...]
    label: int
    writer: int


def pendigits_path(folder: Path | None) -> Path | None:
    """Return where the pen digits should be in the user's folder, or None if no folder is named. Raises DataError."""
    folder = data_folder(folder)
    return None if folder is None else folder / PENDIGITS


def pendigits(folder: Path | None = None) -> list[PenDigit]:
    """Read the pen digits of Alpaydin and Alimoglu (UCI, data set 81): 7,494 digits of 30 writers. Raises DataError."""
    path = pendigits_path(folder)
    if path is None or not path.is_file():
        raise DataError(
            f"The pen digits are not at {path or PENDIGITS}. The README says where to get them; --set pens=0 does without."
        )
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is truncated or damaged: {error}.") from error
    found = hashlib.sha256(content).hexdigest()
    if found != PENDIGITS_SHA256:
        raise DataError(f"{path} is not the pen digits: its SHA-256 is {found}, not {PENDIGITS_SHA256}.")
    return parse_unipen(content.decode("ascii"))


def is_test_writer(writer: int) -> bool:
    """Return whether a pen writer is kept for the test: 3, 6, 9, … 30."""
    return writer % 3 == 0


def drawn_by_strangers(folder: Path | None = None, seed: int = 0) -> Labelled:
    """Draw the digits of the test writers, 200×200, ink bright on 0, of any size and width and anywhere."""
    digits = [digit for digit in pendigits(folder) if is_test_writer(digit.writer)]
    random = np.random.default_rng(seed)
    images = np.stack([_anywhere(digit, 200, random) for digit in digits])
    return Labelled(images, np.array([digit.label for digit in digits]), {PENDIGITS: PENDIGITS_SHA256})


def omniglot(folder: Path | None = None, seed: int = 0) -> Labelled:
    """Draw the characters of 50 alphabets (Lake and others 2015) as the pen digits are drawn; labels are all 0."""
    folder = data_folder(folder)
    path = Path(OMNIGLOT) if folder is None else folder / OMNIGLOT
    try:
        characters = json.loads(gzip.decompress(path.read_bytes()))
        every = [tuple(np.array(stroke, np.float32) for stroke in each["strokes"]) for each in characters]
    except (OSError, EOFError, ValueError, LookupError, TypeError, zlib.error) as error:
        raise DataError(f"{path} cannot be read as Omniglot's strokes: {error}.") from error
    random = np.random.default_rng(seed)
    images = np.stack([_anywhere(PenDigit(strokes, 0, 0), 200, random) for strokes in every])
    return Labelled(images, np.zeros(len(images), np.int64), {})


def _anywhere(digit: PenDigit, size: int, random: np.random.Generator) -> NDArray[np.uint8]:
    side = random.uniform(0.25, 0.9) * size
    width = side * random.uniform(0.02, 0.12)
    x, y = random.uniform(side / 2, size - side / 2, 2)
    return draw(fitted(digit.strokes, side - width, (x, y)), width, size)


def parse_unipen(text: str) -> list[PenDigit]:
    """Read digits from UNIPEN text (Guyon and others, 1994): one a segment, `.COMMENT label writer sample`."""
    digits = []
    for segment in text.split(".SEGMENT")[1:]:
        comment = re.search(r"\.COMMENT\s+(\d+)\s+(\d+)", segment)
        downs = re.findall(r"\.PEN_DOWN([^.]*)", segment)
        if comment is None or not downs:
            raise DataError("A segment of the pen digits has no writer or no strokes.")
        strokes = tuple(np.array(down.split(), np.float32).reshape(-1, 2) * (1, -1) for down in downs)
        digits.append(PenDigit(strokes, int(comment[1]), int(comment[2])))
    return digits


def fitted(strokes: Sequence[Stroke], side: float, centre: tuple[float, float]) -> list[Stroke]:
    """Scale strokes so that their longest side is `side` px, around a centre in px."""
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    scale = side / max(float((high - low).max()), 1e-6)
    shift = np.array(centre) - (low + high) / 2 * scale
    return [(stroke * scale + shift).astype(np.float32) for stroke in strokes]


def draw(strokes: Sequence[Stroke], width: float, size: int) -> NDArray[np.uint8]:
    """Draw strokes, in px, with a round pen of `width` px: ink 255 on 0, uint8 [size, size]."""
    canvas = Image.new("L", (size * OVERSAMPLE, size * OVERSAMPLE))
    pen = ImageDraw.Draw(canvas)
    radius = width * OVERSAMPLE / 2
    for stroke in strokes:
        points = [(float(x), float(y)) for x, y in stroke * OVERSAMPLE]
        pen.line(points, fill=255, width=max(1, round(2 * radius)), joint="curve")
        for x, y in (points[0], points[-1]):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(canvas.reduce(OVERSAMPLE))
