"""Letters and signs that stand beside numbers and are none: printed, or drawn by hand after those of a font."""

from functools import cache

import numpy as np
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont

from .glyphs import font_file, is_no_digit

PRINTED = (  # matplotlib brings them along
    "DejaVuSans.ttf",
    "DejaVuSans-Oblique.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSerif-Italic.ttf",
    "DejaVuSansMono.ttf",
    "STIXGeneral.ttf",
    "STIXGeneralItalic.ttf",
    "STIXGeneralBol.ttf",
)
CAPITALS, SMALL = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
USUAL = "eeeeeetttttaaaaaooooiiiinnnnsssshhhrrrddlllcummwfgypbvkz"  # about as often as English has them
DISTINCT = "AEFHKLMNPRTVWXYadefhkmnprtwxyw?@#&%€$£*+"  # alone, no person takes these for a digit

Random = np.random.Generator


@cache
def foreign_signs() -> tuple[str, ...]:
    """Return the letters and symbols of other scripts that are no digits and that the first font has."""
    return tuple(chr(code) for code in sorted(FT2Font(font_file(PRINTED[0])).get_charmap()) if is_no_digit(chr(code)))


def random_word(random: Random) -> str:
    """Choose letters that look like a word: most are small, some begin with a capital or have capitals only."""
    letters = "".join(random.choice(list(USUAL), random.integers(2, 9)))
    kind = random.random()
    return letters.upper() if kind < 0.2 else letters.capitalize() if kind < 0.6 else letters


def random_sign(random: Random) -> str:
    """Choose one letter or sign that is like no digit, of any script."""
    if random.random() < 0.5:
        return str(random.choice(list(DISTINCT)))
    signs = foreign_signs()
    return signs[random.integers(len(signs))]


def printer(name: str, size: float) -> ImageFont.FreeTypeFont:
    """Return a font whose capitals are about `size` px tall."""
    return ImageFont.truetype(font_file(name), max(4, round(size / 0.72)))


def draw_letter(letter: str, font: ImageFont.FreeTypeFont, thick: int, slant: float) -> tuple[Image.Image, float]:
    """Draw a letter with lines that are `thick` px thicker than the font's, leaning right by `slant` px for each px up.

    Returns the ink, cropped, and how far its top lies above the baseline in px; an empty picture for a blank letter.
    """
    left, top, right, bottom = (round(side) for side in font.getbbox(letter, anchor="ls", stroke_width=thick))
    pad = 2 + round(abs(slant) * max(abs(top), abs(bottom)))
    size = (max(1, right - left + 2 * pad), max(1, bottom - top + 4))
    ink = Image.new("L", size)
    ImageDraw.Draw(ink).text(
        (pad - left, 2 - top), letter, fill=255, font=font, anchor="ls", stroke_width=thick, stroke_fill=255
    )
    base = 2 - top
    ink = ink.transform(size, Image.Transform.AFFINE, (1, slant, -slant * base, 0, 1, 0), Image.Resampling.BILINEAR)
    inked = ink.getbbox()
    if inked is None:
        return Image.new("L", (1, 1)), 0.0
    return ink.crop(inked), float(base - inked[1])
