"""A printed form and its filled in copies, upright or photographed aslant."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..browser.strokes import DIGITS, placed

SIZE = (900, 700)
CODE, MARK = (300, 200, 620, 280), (300, 400, 620, 480)  # left, top, right, bottom in px of the printed page
# Pillow's coefficients, from a place in the photograph to its place on the page.
ASLANT = (1.02, 0.05, -60.0, -0.04, 0.98, 10.0, 0.00006, 0.00003)


def blank() -> Image.Image:
    """Return a form with a heading, two labels, and a row of printed boxes and a frame."""
    page = Image.new("L", SIZE, 255)
    draw = ImageDraw.Draw(page)
    lines = "Record of marks, winter term", "Department of printed pages", "Write inside the boxes"
    for line, text in enumerate(lines):
        draw.text((60, 40 + 40 * line), text, fill=0, font=ImageFont.load_default(30))
    draw.text((60, 220), "Code", fill=0, font=ImageFont.load_default(34))
    draw.text((60, 420), "Mark", fill=0, font=ImageFont.load_default(34))
    draw.text((60, 600), "Return this page before 12 March to room 7.", fill=0, font=ImageFont.load_default(26))
    for place in range(4):
        draw.rectangle((300 + 80 * place, 200, 380 + 80 * place, 280), outline=90, width=2)
    draw.rectangle(MARK, outline=90, width=2)
    return page


def filled(code: str, mark: str) -> Image.Image:
    """Return the form with a digit in each box of the code, and a mark."""
    page = blank()
    for text, left, pitch in ((code, 322, 80), (mark, 340, 56)):
        top = 212 if text is code else 412
        for place, digit in enumerate(text):
            for stroke in placed(DIGITS[int(digit)], left + pitch * place, top, 36, 56):
                ImageDraw.Draw(page).line(stroke, fill=30, width=6, joint="curve")
    return page


def photographed(page: Image.Image) -> Image.Image:
    """Return a page as seen aslant, on a dark table and under a shadow."""
    wide, tall = 1000, 800
    seen = page.transform((wide, tall), Image.Transform.PERSPECTIVE, ASLANT, Image.Resampling.BICUBIC, fillcolor=70)
    shadow = np.linspace(1, 0.6, wide)[None]
    return Image.fromarray((np.asarray(seen) * shadow).astype(np.uint8))
