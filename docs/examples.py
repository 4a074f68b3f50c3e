"""Draw the example pictures of the Gradio app: run `python -m docs.examples` in the repository's root."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from tests.browser.strokes import DIGITS, Stroke, placed

FOLDER = Path(__file__).parent.parent / "src/inkdigit/demos/examples"
SIDE = 200
FINE = 4  # pictures are drawn this many times larger and averaged down

Draw = ImageDraw.ImageDraw


def page(
    strokes: list[Stroke], pen: int, paper: int = 255, ink: int = 0, print_on: Callable[[Draw], None] = bool
) -> Image.Image:
    """Draw strokes, in px of the picture, over what `print_on` prints on the paper."""
    picture = Image.new("L", (SIDE * FINE, SIDE * FINE), paper)
    draw = ImageDraw.Draw(picture)
    print_on(draw)
    for stroke in strokes:
        points = [(x * FINE, y * FINE) for x, y in stroke]
        draw.line(points, fill=ink, width=pen * FINE, joint="curve")
        for x, y in (points[0], points[-1]):
            draw.circle((x, y), pen * FINE / 2, fill=ink)
    return picture.reduce(FINE)


def rules(draw: Draw) -> None:
    """Print the lines of an exercise book."""
    for y in range(30, SIDE, 34):
        draw.line([(0, y * FINE), (SIDE * FINE, y * FINE)], fill=170, width=FINE)


def box(draw: Draw) -> None:
    """Print a box to write in."""
    draw.rectangle([30 * FINE, 20 * FINE, 170 * FINE, 180 * FINE], outline=110, width=2 * FINE)


def photograph(picture: Image.Image) -> Image.Image:
    """Add a shadow, and a camera's blur and noise."""
    shade = np.linspace(0.55, 0.95, SIDE)[None] * np.linspace(1, 0.85, SIDE)[:, None]
    grain = np.random.default_rng(0).normal(0, 5, (SIDE, SIDE))
    blurred = np.asarray(picture.filter(ImageFilter.GaussianBlur(1)), np.float32)
    return Image.fromarray((blurred * shade + grain).clip(0, 255).astype(np.uint8))


def examples() -> dict[str, Image.Image]:
    """Return the examples by file name."""
    scribble = [(20 + 10 * step, 40 + 120 * (step % 2)) for step in range(17)]
    return {
        "1-ruled-three": page(placed(DIGITS[3], 70, 50, 60, 100), 5, 245, 40, rules),
        "2-boxed-seven": page(placed(DIGITS[7], 70, 50, 60, 90), 6, 255, 30, box),
        "3-small-five": page(placed(DIGITS[5], 140, 22, 26, 38), 3),
        "4-chalk-eight": page(placed(DIGITS[8], 60, 40, 80, 120), 8, 25, 240),
        "5-photo-four": photograph(page(placed(DIGITS[4], 60, 45, 75, 110), 5, 240, 60)),
        "6-scribble": page([scribble, [(y, x) for x, y in scribble]], 5),
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, picture in examples().items():
        picture.save(FOLDER / f"{name}.png", optimize=True)
