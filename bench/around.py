"""How well held-out digits are read inside something else: a screen, a frame, a plot, a pattern.

    python bench/around.py [--data DIR] [--model NAME|FILE.onnx]… [--count 400] [--sheet sheet.png]

The digits are those of `ways.py`. Nothing was trained on pictures of these kinds.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from geometry import CANVAS, Grey, Random, clipped, cropped, lit, paper, placed
from ways import Ways, measured, raster, smooth

WORDS = ["now", "and", "then", "some", "of", "the", "words", "that", "stand", "in", "every", "newspaper"]


def app(digit: Grey, random: Random) -> Grey:
    """Capture the screen of a telephone: a bar with a title, the paper in a frame, and two buttons."""
    page = Image.new("L", (360, 640), 245)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(16)
    draw.rectangle((0, 0, 360, 40), 60)
    draw.text((10, 12), "Draw a digit", 255, font)
    draw.rectangle((30, 80, 330, 380), 255, 120, 2)
    page.paste(Image.fromarray(255 - placed(digit, random, 0.6)).resize((290, 290)), (35, 85))
    for left, level, label in ((30, 90, "Clear"), (200, 40, "Predict")):
        draw.rounded_rectangle((left, 420, left + 130, 470), 10, level)
        draw.text((left + 32, 435), label, 255, font)
    return np.asarray(page)


def plotted(digit: Grey, random: Random) -> Grey:
    """Plot 28×28 cells with axes and ticks, as every tutorial does."""
    cells = np.pad(np.asarray(Image.fromarray(cropped(digit)).resize((20, 20))), 4)
    page, cell = Image.new("L", (420, 320), 255), 8
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(11)
    shown = Image.fromarray(cells if random.random() < 0.6 else 255 - cells)
    page.paste(shown.resize((28 * cell, 28 * cell), Image.Resampling.NEAREST), (100, 40))
    draw.rectangle((100, 40, 100 + 28 * cell, 40 + 28 * cell), outline=0)
    for tick in range(0, 28, 5):
        draw.line((100 + tick * cell, 264, 100 + tick * cell, 268), 0)
        draw.text((96 + tick * cell, 270), str(tick), 0, font)
        draw.line((96, 40 + tick * cell, 100, 40 + tick * cell), 0)
        draw.text((78, 34 + tick * cell), str(tick), 0, font)
    return np.asarray(page)


def framed(digit: Grey, random: Random) -> Grey:
    """Draw in a dark frame."""
    wide, level = int(random.integers(8, 40)), int(random.integers(0, 120))
    return np.pad(255 - placed(digit, random, 0.6), wide, constant_values=level)


def letterboxed(digit: Grey, random: Random) -> Grey:
    """Photograph paper, with black bars at two sides."""
    wide = int(random.integers(30, 120))
    sides = ((wide, wide), (0, 0)) if random.random() < 0.5 else ((0, 0), (wide, wide))
    return np.pad(lit(paper(digit, random), random), sides)


def instant(digit: Grey, random: Random) -> Grey:
    """Lay an instant photograph of paper, with its white frame, on a dark table."""
    photo = np.pad(lit(paper(digit, random), random), ((14, 60), (14, 14)), constant_values=250)
    return np.pad(photo, 20, constant_values=90)


def noted(digit: Grey, random: Random) -> Grey:
    """Stick a small note somewhere on a large rough table, aslant."""
    table = random.uniform(30, 200) + 40 * (smooth(random, 70, 480, 640) - 0.5)
    note = Image.fromarray(lit(0.85 * paper(digit, random), random)).resize((170, 170)).convert("LA")
    note = note.rotate(random.uniform(-15, 15), expand=True)
    page = Image.fromarray(clipped(table)).convert("LA")
    page.paste(note, (int(random.integers(20, 400)), int(random.integers(20, 240))), note)
    return np.asarray(page.convert("L"))


def wooden(digit: Grey, random: Random) -> Grey:
    """Write on wood: its grain is bent, and a fifth as dark as it is."""
    down = np.mgrid[:CANVAS, :CANVAS][0] + 90 * smooth(random, 4)
    grain = np.sin(down / random.uniform(3, 8)) + 0.6 * np.sin(down / 2.1)
    return lit((0.7 + 0.1 * grain) * (1 - 0.75 * placed(digit, random, 0.5) / 255), random, 4)


def on_bricks(digit: Grey, random: Random) -> Grey:
    """Write on a wall of bricks, with chalk or with paint."""
    wide = random.uniform(30, 60)
    down, across = np.mgrid[:CANVAS, :CANVAS] * (2 / wide)
    joints = np.minimum(away(down) / 2, away(across / 2 + np.floor(down) / 2)) * wide < 2
    wall = np.where(joints, 0.85, 0.55) + 0.06 * smooth(random, 60)
    ink = placed(digit, random, 0.6) / 255
    return lit(np.maximum(wall, 0.98 * ink) if random.random() < 0.5 else wall * (1 - 0.8 * ink), random, 4)


def away(position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance to the nearest whole number."""
    return np.minimum(position % 1, -position % 1)


def on_plaid(digit: Grey, random: Random) -> Grey:
    """Write on cloth with stripes along and across."""
    lines, upright = raster(random, random.uniform(40, 90))
    cloth = 0.75 + 0.12 * np.sin(lines / 4) + 0.12 * np.cos(upright / 5)
    return lit(cloth * (1 - 0.8 * placed(digit, random, 0.5) / 255), random, 4)


def on_newsprint(digit: Grey, random: Random) -> Grey:
    """Write with a marker over a page of small, pale print."""
    page = Image.new("L", (CANVAS, CANVAS), 235)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(int(random.integers(9, 14)))
    for top in range(0, CANVAS, 15):
        draw.text((int(random.integers(-20, 3)), top), " ".join(random.choice(WORDS, 16)), 150, font)
    seen: Grey = np.minimum(np.asarray(page), 255 - placed(digit, random, 0.6))
    return seen


def transparent(digit: Grey, random: Random) -> Grey:
    """Capture an editor's screen, which shows by a chequered pattern where nothing is drawn."""
    down, across = np.mgrid[:CANVAS, :CANVAS] // int(random.integers(6, 24))
    chequered = 255 - (down + across) % 2 * random.integers(15, 60)
    return clipped(np.where(placed(digit, random, 0.5) > 100, 0.0, chequered))


def on_leaves(digit: Grey, random: Random) -> Grey:
    """Paint over a photograph of things that overlap."""
    page = Image.new("L", (CANVAS, CANVAS), 150)
    draw = ImageDraw.Draw(page)
    for _ in range(150):
        (x, y), size = random.uniform(0, CANVAS, 2), random.uniform(5, 30)
        draw.ellipse((x - size, y - 0.6 * size, x + size, y + 0.6 * size), int(random.integers(90, 200)))
    return lit(np.where(placed(digit, random, 0.65) > 100, 0.02, np.asarray(page) / 255), random)


AROUND: Ways = [
    ("an app's screen", app),
    ("a plot", plotted),
    ("a frame", framed),
    ("black bars", letterboxed),
    ("an instant photograph", instant),
    ("a note on a table", noted),
    ("wood", wooden),
    ("bricks", on_bricks),
    ("plaid", on_plaid),
    ("newsprint", on_newsprint),
    ("an editor's chequers", transparent),
    ("leaves", on_leaves),
]


if __name__ == "__main__":
    measured(AROUND, str(__doc__))
