"""How well fields of filled in forms are read: without a constraint, with the true pattern, and with a roster.

    python bench/forms.py [--count 40] [--seed 90] [--data DIR] [--model FILE.onnx] [--sheet DIR]

Each of 40 forms has a printed page of its own with eight fields: a seven-digit code in printed boxes, a date, three
marks, an amount, a meter reading in boxes and a telephone number. It is filled in by one held-out hand of
`handwriting.py` (MNIST's test digits and the test writers' pens), photographed aslant (a homography that moves each
corner by up to 6 % of a side) and half of the time under a shadow, and saved as JPEG. Nothing is shared with training.
The reader gets the blank page as reference and the fields' boxes.

The roster has 500 codes, each of which has neighbours that differ in one or two digits. Codes of a fifth of the forms
are not on it: half of them are random, half differ from an entry in one or two digits. To have enough of them, each
form has four more codes, in rows of boxes of their own. Intervals are Wilson's, of 95 %.

`--seed` other than 90 is for development. Parts of this script changed after its first figures, and errors of seed 90
were seen since: report a seed that nobody has looked at.
"""

import argparse
import string
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter
from scipy.special import expit

from compose import Box, as_jpeg, blank_paper, words
from handwriting import Grey, Hand, Hands, Ink, Piece, Random, font_file, glyph, merged, write
from inkdigit import Recognizer
from inkdigit.evaluation.datasets import mnist
from inkdigit.evaluation.strokes import is_test_writer, pendigits
from inkdigit.forms.fields import AlignedPage, Field, FieldReading, Form, FormReader, align
from inkdigit.image.alignment import Reference
from reading import wilson

SEED, FORMS = 90, 40
WIDTH, HEIGHT = 1700, 2200  # px: a letter page at 200 dpi
SLANT = 0.06  # of a side, by which each corner moves in a photograph
OFF_ROSTER = 0.2
ROSTER, DIGITS = 500, 7
BOXED = {"code", "meter", "code2", "code3", "code4", "code5"}
PATTERNS = {
    "code": r"\d{7}",
    "date": r"\d{2}/\d{2}/\d{4}",
    "mark1": r"1?\d|20",
    "mark2": r"1?\d|20",
    "mark3": r"\d\.5|\d{1,2}",
    "amount": r"\d{1,4}\.\d{2}",
    "meter": r"\d{6}",
    "phone": r"\d{3}-\d{4}",
}
CODES = ("code", "code2", "code3", "code4", "code5")


Limits = dict[str, Any]


@dataclass(frozen=True, eq=False)
class FilledForm:
    """Hold a blank page, its photograph after it was filled in, the fields' boxes in px, and what is written."""

    blank: Grey
    photo: Grey
    boxes: dict[str, Box]
    texts: dict[str, str]


def roster(random: Random) -> list[str]:
    """Return 500 codes in families that differ from one another in one or two digits."""
    codes: set[str] = set()
    while len(codes) < ROSTER:
        first = "".join(map(str, random.integers(0, 10, DIGITS)))
        codes |= {first, *(changed(first, int(random.integers(1, 3)), random) for _ in range(4))}
    return sorted(codes)[:ROSTER]


def changed(code: str, count: int, random: Random) -> str:
    """Return a code in which `count` digits are others."""
    signs = list(code)
    for place in random.choice(len(code), count, replace=False):
        signs[place] = str((int(signs[place]) + random.integers(1, 10)) % 10)
    return "".join(signs)


def code(codes: Sequence[str], random: Random) -> str:
    """Return a code of the roster, or in a fifth of the cases one that is not on it."""
    if random.random() >= OFF_ROSTER:
        return str(random.choice(codes))
    while True:
        near = changed(str(random.choice(codes)), int(random.integers(1, 3)), random)
        other = near if random.random() < 0.5 else "".join(map(str, random.integers(0, 10, DIGITS)))
        if other not in set(codes):
            return other


def texts(codes: Sequence[str], random: Random) -> dict[str, str]:
    """Return what is written into each field."""
    day, month, year = random.integers(1, 29), random.integers(1, 13), random.integers(1950, 2031)
    half = random.random() < 0.5
    return {
        "date": f"{day:02}/{month:02}/{year}",
        "mark1": str(random.integers(0, 21)),
        "mark2": str(random.integers(0, 21)),
        "mark3": f"{random.integers(0, 10)}.5" if half else str(random.integers(0, 100)),
        "amount": f"{random.integers(1, 5000)}.{random.integers(0, 100):02}",
        "meter": "".join(map(str, random.integers(0, 10, 6))),
        "phone": f"{random.integers(100, 1000)}-{random.integers(0, 10000):04}",
        **{name: code(codes, random) for name in CODES},
    }


def blank_page(texts: dict[str, str], random: Random) -> tuple[Ink, dict[str, Box], float]:
    """Print a form: ink [H, W] in 0..1, the fields' boxes, and the height of the digits that fit."""
    page = Image.new("L", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(page)
    digit = random.uniform(40, 56)
    face = str(random.choice(["cmr10", "cmss10", "cmb10"]))
    font, small = (ImageFont.truetype(font_file(face), size) for size in (digit * 1.1, digit * 0.55))
    draw.text((120, 90), words(3, random), fill=230, font=font)
    for line in range(3):
        draw.text((120, 190 + 40 * line), words(9, random), fill=200, font=small)
    boxes = {}
    pitch = (HEIGHT - 480) / len(texts)
    for row, name in enumerate(random.permutation(sorted(texts))):
        y = 380 + row * pitch
        draw.text((120, y), f"{string.ascii_uppercase[row]}. {words(2, random)}", fill=220, font=small)
        left, tall = 620 + random.uniform(0, 60), digit * random.uniform(1.5, 1.8)
        if name in BOXED:
            wide = digit * random.uniform(1.15, 1.4)
            for place in range(len(texts[name])):
                draw.rectangle((left + place * wide, y, left + (place + 1) * wide, y + tall), outline=160, width=3)
            boxes[str(name)] = (left, y, left + len(texts[name]) * wide, y + tall)
        else:
            right = left + digit * random.uniform(9, 11)
            if random.random() < 0.5:
                draw.rectangle((left, y, right, y + tall), outline=200, width=3)
            else:
                draw.line((left, y + tall, right, y + tall), fill=200, width=3)
            boxes[str(name)] = (left, y, right, y + tall)
    return gaussian_filter(np.asarray(page, np.float32) / 255, 0.6), boxes, digit


def filled(codes: Sequence[str], hands: Hands, random: Random) -> FilledForm:
    """Return a form that one hand has filled in."""
    written = texts(codes, random)
    printed, boxes, digit = blank_page(written, random)
    paper = blank_paper(HEIGHT, WIDTH, random)
    one, density = hands.any(random, touching=0.1), random.uniform(0.7, 0.97)
    ink = np.zeros_like(printed)
    for name, box in boxes.items():
        hand = boxed if name in BOXED else free
        lay(ink, hand(one, written[name], digit, box, random))
    seen = paper * (1 - printed) * (1 - density * ink)
    blank = np.clip(245 * (1 - printed), 0, 255).astype(np.uint8)
    return FilledForm(blank, photographed(np.asarray(seen, np.float32), random), boxes, written)


def boxed(one: Hand, text: str, digit: float, box: Sequence[float], random: Random) -> Piece:
    """Write a number with one digit in each printed box."""
    left, top, right, bottom = box
    wide, pieces = (right - left) / len(text), []
    for place, sign in enumerate(text):
        piece = glyph(sign, one, digit, random)
        x = left + place * wide + (wide - piece.ink.shape[1]) / 2 + random.normal(0, 0.05) * digit
        y = top + (bottom - top - digit) / 2 + piece.y + random.normal(0, 0.05) * digit
        pieces.append(replace(piece, x=x, y=y))
    return merged(pieces)


def free(one: Hand, text: str, digit: float, box: Sequence[float], random: Random) -> Piece:
    """Write a number into an open field."""
    left, top, _, bottom = box
    piece = write(one, text, digit * random.uniform(0.85, 1), random)
    x, y = left + random.uniform(0.3, 1.2) * digit, top + (bottom - top - digit) * random.uniform(0.4, 0.7)
    return replace(piece, x=piece.x + x, y=piece.y + y)


def lay(ink: Ink, piece: Piece) -> None:
    """Lay a piece over the ink of a page."""
    y, x = round(piece.y), round(piece.x)
    part = ink[y : y + piece.ink.shape[0], x : x + piece.ink.shape[1]]
    np.maximum(part, piece.ink[: part.shape[0], : part.shape[1]], out=part)


def photographed(seen: Ink, random: Random) -> Grey:
    """Return a page as a phone sees it: aslant on a dark or light table, perhaps under a shadow, blurred, as a JPEG."""
    wide, tall = round(WIDTH * 1.15), round(HEIGHT * 1.15)
    margin = np.array([wide - WIDTH, tall - HEIGHT]) / 2
    corners = np.array([(0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)], float)
    moved = corners + margin + random.uniform(-SLANT, SLANT, (4, 2)) * (WIDTH, HEIGHT)
    image = Image.fromarray(seen).transform(
        (wide, tall),
        Image.Transform.PERSPECTIVE,
        perspective(moved, corners),
        Image.Resampling.BICUBIC,
        fillcolor=float(random.choice([60, 130, 220])),
    )
    pixels = np.asarray(image, np.float32)
    if random.random() < 0.5:
        y, x = np.mgrid[-1 : 1 : tall * 1j, -1 : 1 : wide * 1j].astype(np.float32)
        edge = x * random.normal() + y * random.normal() + random.normal(0, 0.3)
        pixels = pixels * (1 - random.uniform(0.2, 0.45) * expit(edge * random.uniform(3, 30)))
    pixels = gaussian_filter(pixels, random.uniform(0.3, 1.2)) + random.normal(0, random.uniform(0, 4), pixels.shape)
    return as_jpeg(np.clip(pixels, 0, 255).astype(np.uint8), int(random.integers(60, 92)))


def perspective(source: NDArray[np.float64], target: NDArray[np.float64]) -> list[float]:
    """Return Pillow's eight coefficients of the homography that takes places `source` [4, 2] to `target` [4, 2]."""
    rows, values = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return [float(value) for value in np.linalg.solve(np.array(rows), np.array(values))]


def conditions(codes: list[str]) -> dict[str, dict[str, Limits]]:
    """Return the constraints of the fields by condition."""
    return {
        "no constraint": {name: {} for name in PATTERNS},
        "pattern": {name: {"pattern": pattern} for name, pattern in PATTERNS.items()},
        "roster": {name: {"choices": codes} for name in CODES},
    }


def read(recognizer: Recognizer, form: FilledForm, page: AlignedPage, limits: dict[str, Limits]) -> list[FieldReading]:
    """Read the fields in `limits` on an aligned page, each under its constraint."""
    reader = recognizer.reader
    fields = tuple(Field(name, form.boxes[name], reader.constraints(**limit)) for name, limit in limits.items())
    return FormReader(reader, Form(fields, None, None)).read_aligned(page)


def score(recognizer: Recognizer, form: FilledForm, codes: list[str], right: dict[str, list[bool]]) -> list[str]:
    """Add which fields are read right under each condition to `right`; return the errors as lines."""
    errors = []
    page = align(form.photo, Form((), Reference(form.blank), (WIDTH, HEIGHT)))
    for condition, limits in conditions(codes).items():
        for field in read(recognizer, form, page, limits):
            name, text = field.name, form.texts[field.name]
            is_match = field.number is not None and field.number.is_match
            if condition == "roster" and text not in codes:
                right["none"].append(not is_match)
            else:
                right[condition].append(field.text == text and (is_match or condition != "roster"))
            if not right["none" if condition == "roster" and text not in codes else condition][-1]:
                errors.append(f"{name}, {condition}: {text} was read as {field.text or 'nothing'}")
    return errors


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=FORMS, help="forms")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--model", default=None, help="a model file instead of the shipped one")
    parser.add_argument("--sheet", type=Path, default=None, help="a folder for the photographs")
    options = parser.parse_args()
    recognizer = Recognizer() if options.model is None else Recognizer(options.model)
    pens = [digit for digit in pendigits(options.data) if is_test_writer(digit.writer)]
    hands, codes = Hands(mnist("test", options.data), pens), roster(np.random.default_rng(options.seed))
    right: dict[str, list[bool]] = {condition: [] for condition in ("no constraint", "pattern", "roster", "none")}
    for place in range(options.count):
        form = filled(codes, hands, np.random.default_rng([options.seed, place]))
        if options.sheet:
            options.sheet.mkdir(parents=True, exist_ok=True)
            Image.fromarray(form.photo).save(options.sheet / f"{place:02}.jpg")
        for error in score(recognizer, form, codes, right):
            print(f"form {place} {error}", flush=True)
    print("\n| measured | value (95 % interval) | wanted | count |\n|---|---|---|---|")
    print(wilson("fields without a constraint", right["no constraint"], "≥ 97 %").row())
    print(wilson("fields with the true pattern", right["pattern"], "≥ 99 %").row())
    print(wilson("codes on a roster of 500", right["roster"], "≥ 99 %").row())
    print(wilson("codes that are not on it: none of these", right["none"], "≥ 95 %").row())


if __name__ == "__main__":
    main()
