"""Glyphs: letters and symbols of a font, thinned to the middle of their lines and written by a hand, as no digits.

Omniglot's scripts but Latin, and the figures that `bench/digitness.py` draws but squares, are left out: both are what
digitness is scored by. So is what a hand would write like a digit.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.ft2font import FT2Font
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from skimage.morphology import skeletonize

from ...evaluation.strokes import Stroke, fitted
from .pens import BROAD, HAND, INK, SIDE, along, pen, proportioned, slanted

FONTS = ("DejaVuSans.ttf", "STIXGeneral.ttf")  # matplotlib brings them along
KINDS = ("Lu", "Ll", "Lo", "Lt", "Sm", "Sc", "So")  # letters and symbols, by Unicode's general category
LARGE = 160  # px: about twice what is drawn, so that no line falls apart that a hand draws longer
LEFT_OUT = (  # words in Unicode's names
    *("ARABIC", "ARMENIAN", "CANADIAN", "CYRILLIC", "GEORGIAN", "GREEK", "HEBREW", "NKO", "TIFINAGH"),  # scored by
    *("ARROW", "STAR", "HEART", "SPIRAL", "TRIANGLE", "PENTAGON", "HEXAGON"),  # scored by, too
    *("CIRCLE", "RING", "ELLIPSE", "BULLET", "FISHEYE", "DEGREE", "EMPTY SET", "DIAMETER", "STROKE", "SUN"),  # a 0
    *("BOX DRAWINGS", "BRACKET", "PARENTHESIS", "DIVISION SLASH", "DIAGONAL", "INTEGRAL", "HARPOON", "TACK"),  # a 1
    *("DIGIT", "TONE", "EZH", "YOGH", "ESH", "COPTIC", "LISU", "RADIO"),  # others
    *("GRAM FOR", "DOMINO", "PLAYING CARD"),  # by the hundred, and nobody writes them
)
ALIKE = frozenset(  # the letters that carry accents, and what else is no digit by its name alone
    "BDGIJOQSZbgiloqszɜᴈꜢꜣȥꜱ𐌚ʇȣɿȢᴢı⧸ʖꟻɓ℥ᴟ☡ງ⁄ⱬɕʮƂ𐌁♭⦢⌝ßຣẟꜩɋȷ⅂ᴑƍ⫖⧵Ꞁᵷꟼɞȴʯ⧶ʐʕᴏɺⱿເȤ𐌜ᚆ⅁❜ʘᴃᶊ∂𐌏ƃɪʑʙ⌍ɥາ⟂ᶅʚɭ"
    "∖Ɓ⦂ℸɘ≀⟌␢⧹ɡ⧯ẞ▢ວ⧱❛ðɩᶎȾⱬໃʂ𐌆☌⩉ɝɾƖɢຯ⫾Ƌ⩇ɼ⏨ɹɀƌຽຮʠໂ⌕ȿ⎔◜◎"
)


def glyph_ink(numbers: Iterable[int], seed: int) -> NDArray[np.uint8]:
    """Write a glyph for each of N numbers, whatever they are, with another pen each: uint8 [N, 112, 112]."""
    random = np.random.default_rng(seed)
    lines = [points for name in FONTS for points in middles(name)]
    return np.stack([written(lines[random.integers(len(lines))], random) for _ in numbers])


def middles(name: str) -> Iterator[Stroke]:
    """Return the middle of every glyph's lines, as points in no order, but for glyphs too solid to have one."""
    font = font_file(name)
    printer = ImageFont.truetype(font, LARGE)
    for code in sorted(FT2Font(font).get_charmap()):
        if is_no_digit(chr(code)):
            left, top, right, bottom = (int(side) for side in printer.getbbox(chr(code)))
            canvas = Image.new("L", (right - left + 2, bottom - top + 2))
            ImageDraw.Draw(canvas).text((1 - left, 1 - top), chr(code), fill=255, font=printer)
            wide = np.asarray(canvas) > 127
            line = skeletonize(wide)
            rows, columns = line.nonzero()
            oblong = min(np.ptp(rows), np.ptp(columns)) < 0.12 * LARGE if len(rows) else True
            if not oblong and wide.sum() < 2 * BROAD * line.sum():
                yield np.stack([columns, rows], 1).astype(np.float32)


def font_file(name: str) -> Path:
    """Return where one of matplotlib's fonts lies."""
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name


def font_sources(names: Iterable[str] = FONTS) -> dict[str, str]:
    """Return the SHA-256 of every font's file."""
    return {name: hashlib.sha256(font_file(name).read_bytes()).hexdigest() for name in names}


def is_no_digit(glyph: str) -> bool:
    """Return whether a glyph is trained on as no digit: a letter or symbol that is neither scored by nor like one."""
    if glyph.isascii() or unicodedata.category(glyph) not in KINDS:
        return False
    parts = unicodedata.normalize("NFKD", glyph)  # a letter and its accents, or the letter that an italic one is
    names = [unicodedata.name(part, "") for part in glyph + parts]
    return ALIKE.isdisjoint(parts) and not any(word in name for word in LEFT_OUT for name in names)


def written(points: Stroke, random: np.random.Generator) -> NDArray[np.uint8]:
    """Write points along lines as a hand does: bent, slanted, in other proportions, and with any pen."""
    (within,) = fitted([points], HAND, (0, 0))
    shaped = slanted(proportioned([bent(within, random)], random), random)
    width = pen(random)
    column, row = fitted(shaped, INK - width / 2, (SIDE / 2, SIDE / 2))[0].round().astype(int).T
    line = np.zeros((SIDE, SIDE), bool)
    line[row, column] = True
    return along(line, width)


def bent(points: Stroke, random: np.random.Generator) -> Stroke:
    """Move points around (0, 0) by three waves of any direction and of about their own size."""
    for _ in range(3):
        phase = points @ random.normal(0, 0.1, 2) + random.uniform(0, 2 * np.pi)
        points = (points + np.cos(phase)[:, None] * random.normal(0, 1, 2)).astype(np.float32)
    return points
