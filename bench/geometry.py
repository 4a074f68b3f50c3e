"""How well MNIST's test digits are read in the kinds of pictures that people send.

    python bench/geometry.py [--count 1000] [--model NAME|FILE.onnx] [--only WORD] [--sheet sheet.png]

The test digits are drawn, photographed, cropped and stored as each condition says, and read through
`Recognizer.predict_batch`. A condition about a file format is read from that format's real bytes. `wanted` is the part
that should be right, in percent. `--sheet` draws a few pictures of each condition, each above the frame that the
classifier saw.
"""

import argparse
import io
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from inkdigit import InputError, Prediction, Recognizer
from inkdigit.evaluation.datasets import Labelled, mnist

Grey = NDArray[np.uint8]
Random = np.random.Generator
CHUNK = 50  # pictures made, read and forgotten at a time
CANVAS = 280
PHOTO = (3000, 4000)


def enlarged(digit: Grey, height: int, width: int) -> Grey:
    """Enlarge ink [h, w] smoothly to [height, width]."""
    return np.asarray(Image.fromarray(digit).resize((width, height), Image.Resampling.BICUBIC))


def cropped(digit: Grey) -> Grey:
    """Crop to the ink that one sees; it touches all four edges."""
    rows, columns = (np.flatnonzero((digit > 50).any(axis)) for axis in (1, 0))
    return digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def placed(digit: Grey, random: Random, part: float, canvas: tuple[int, int] = (CANVAS, CANVAS)) -> Grey:
    """Put the 28×28 field, enlarged to `part` of the canvas, at a random place on it: ink bright on 0."""
    side = round(min(canvas) * part)
    page = np.zeros(canvas, np.uint8)
    top, left = (int(random.integers(0, size - side + 1)) for size in canvas)
    page[top : top + side, left : left + side] = enlarged(digit, side, side)
    return page


def drawing(digit: Grey, random: Random) -> Grey:
    """Draw in black on white, at half the canvas and anywhere on it."""
    return 255 - placed(digit, random, 0.5)


def file(picture: Image.Image, kind: str, **options: object) -> bytes:
    """Return a picture as a file's bytes."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **({"compress_level": 1} if kind == "PNG" else {}), **options)
    return buffer.getvalue()


def transparent(digit: Grey, random: Random, ink: int) -> bytes:
    """Draw with one colour on a transparent canvas."""
    alpha = placed(digit, random, 0.5)
    return file(Image.fromarray(np.dstack([np.full((*alpha.shape, 3), ink, np.uint8), alpha])), "PNG")


def sixteen_bit(digit: Grey, random: Random) -> bytes:
    """Store 16 bit a pixel."""
    return file(Image.fromarray(drawing(digit, random).astype(np.uint16) * 257), "PNG")


def palette(digit: Grey, random: Random) -> bytes:
    """Store a palette of 16 colours."""
    return file(Image.fromarray(drawing(digit, random)).convert("RGB").quantize(16), "PNG")


def one_bit(digit: Grey, random: Random) -> bytes:
    """Store 1 bit a pixel, without dither."""
    return file(Image.fromarray(drawing(digit, random) > 127), "PNG")


def jpeg(digit: Grey, random: Random) -> bytes:
    """Store as JPEG of quality 30."""
    return file(Image.fromarray(drawing(digit, random)).convert("RGB"), "JPEG", quality=30)


# What a camera did to the upright picture, by the EXIF orientation that undoes it.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def exif_turned(digit: Grey, random: Random) -> bytes:
    """Store turned or mirrored, with the EXIF orientation that says so."""
    orientation = int(random.choice(list(TURNS)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    return file(Image.fromarray(drawing(digit, random)).transpose(TURNS[orientation]), "JPEG", quality=90, exif=exif)


def red_on_green(digit: Grey, random: Random) -> bytes:
    """Draw with red ink on green paper of the same luminance (0.299 · 255 = 0.587 · 130)."""
    ink = placed(digit, random, 0.5)[..., None] / 255
    page = ink * np.array([255, 0, 0]) + (1 - ink) * np.array([0, 130, 0])
    return file(Image.fromarray(np.rint(page).astype(np.uint8)), "PNG")


def lit(page: NDArray[np.floating], random: Random, noise: float = 6.0) -> Grey:
    """Photograph a page of reflectances 0..1: light falls off to one side, and the sensor adds noise."""
    height, width = page.shape
    angle = random.uniform(0, 2 * np.pi)
    across = np.cos(angle) * np.linspace(-1, 1, width) + np.sin(angle) * np.linspace(-1, 1, height)[:, None]
    light = random.uniform(170, 210) * (1 + 0.2 * across)
    return clipped(light * page + random.normal(0, noise, page.shape))


def clipped(values: NDArray[np.floating]) -> Grey:
    """Round to 8 bit."""
    rounded: Grey = np.rint(np.clip(values, 0, 255)).astype(np.uint8)
    return rounded


def paper(digit: Grey, random: Random, part: float = 0.5) -> NDArray[np.float64]:
    """Return the reflectance of paper with dark ink on it."""
    return 0.95 - 0.75 * (placed(digit, random, part) / 255)


def gradient(digit: Grey, random: Random) -> Grey:
    """Photograph paper in uneven light."""
    return lit(paper(digit, random), random)


def printed(page: NDArray[np.float64], vertical: bool, random: Random) -> NDArray[np.float64]:
    """Print lines on the page, faint to half as dark as ink, every 24 to 40 px, across it or both ways."""
    shade = random.uniform(0.5, 0.8)
    pitch, start = int(random.integers(24, 41)), int(random.integers(0, 24))
    lines = np.ones_like(page)
    for offset in range(2):
        lines[start + offset :: pitch] = shade
        if vertical:
            lines[:, start + offset :: pitch] = shade
    return np.minimum(page, lines)


def ruled(digit: Grey, random: Random) -> Grey:
    """Photograph ruled paper."""
    return lit(printed(paper(digit, random), False, random), random)


def squared(digit: Grey, random: Random) -> Grey:
    """Photograph squared paper."""
    return lit(printed(paper(digit, random), True, random), random)


def boxed(digit: Grey, random: Random) -> Grey:
    """Photograph a form: the digit stands in a printed box, and does not touch it."""
    box = np.zeros((180, 150), np.uint8)
    ink = cropped(digit)
    scale = min(130 / ink.shape[0], 110 / ink.shape[1])
    ink = enlarged(ink, round(ink.shape[0] * scale), round(ink.shape[1] * scale))
    top, left = (int(random.integers(12, size - have - 11)) for size, have in zip(box.shape, ink.shape, strict=True))
    box[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    box[:3], box[-3:], box[:, :3], box[:, -3:] = 255, 255, 255, 255
    page = np.zeros((CANVAS, CANVAS), np.uint8)
    top, left = (int(random.integers(10, CANVAS - size - 9)) for size in box.shape)
    page[top : top + box.shape[0], left : left + box.shape[1]] = box
    return lit(0.95 - 0.75 * (page / 255), random)


def shadowed(digit: Grey, random: Random) -> Grey:
    """Photograph under the shadow of a hand: half the light from a soft edge on, which may cross the digit."""
    angle, shift = random.uniform(0, 2 * np.pi), random.uniform(-0.6, 0.6)
    axis = np.linspace(-1, 1, CANVAS)
    side = np.cos(angle) * axis + np.sin(angle) * axis[:, None] - shift
    shade = 1 - 0.5 / (1 + np.exp(-side / 0.04))
    return lit(paper(digit, random) * shade, random)


def under_hand(digit: Grey, random: Random) -> Grey:
    """Photograph under shadows of any form, as a hand or leaves cast: half the light, from an edge a few px wide on."""
    form = enlarged(random.integers(0, 256, (4, 4)).astype(np.uint8), CANVAS, CANVAS) > 150
    shade = Image.fromarray(form).convert("L").filter(ImageFilter.GaussianBlur(random.uniform(0.8, 4)))
    return lit(paper(digit, random) * (1 - 0.5 * np.asarray(shade) / 255), random)


def one_of_boxes(digit: Grey, random: Random) -> Grey:
    """Scan a form with a row of three boxes, in any of which the digit stands."""
    page, number = np.zeros((120, 280), np.uint8), int(random.integers(3))
    ink = cropped(digit)
    scale = random.uniform(0.7, 1) * min(76 / ink.shape[0], 56 / ink.shape[1])
    ink = enlarged(ink, max(1, round(ink.shape[0] * scale)), max(1, round(ink.shape[1] * scale)))
    room = (90 - ink.shape[0], 72 - ink.shape[1])
    top, left = (int(random.integers(6, side - 5)) for side in room)
    page[15 + top : 15 + top + ink.shape[0], 25 + 75 * number + left : 25 + 75 * number + left + ink.shape[1]] = ink
    form = np.full(page.shape, 0.95)
    form[14:106, 24:252] = 0.4
    for box in range(3):
        form[16:104, 26 + 75 * box : 99 + 75 * box] = 0.95
    return clipped(255 * form * (1 - 0.8 * (page / 255)) + random.normal(0, 2, page.shape))


def seen_through(digit: Grey, random: Random) -> Grey:
    """Scan thin paper: what stands on its back is seen mirrored, soft and pale, anywhere."""
    back = Image.fromarray(placed(digit[:, ::-1], random, 0.5)).filter(ImageFilter.GaussianBlur(2))
    return clipped(
        255 * paper(digit, random) * (1 - 0.2 * np.asarray(back) / 255) + random.normal(0, 3, (CANVAS, CANVAS))
    )


def on_desk(digit: Grey, random: Random) -> Grey:
    """Photograph a sheet that ends in the picture, on one to four sides: beyond it lies a darker desk."""
    page = paper(digit, random, 0.4)
    rows, columns = np.nonzero(page < 0.9)
    room = (columns.min(), CANVAS - columns.max(), rows.min(), CANVAS - rows.max())
    across, down = np.meshgrid(np.arange(CANVAS), np.arange(CANVAS))
    aslant = random.normal(0, 0.03) * np.array([down - CANVAS / 2, across - CANVAS / 2])
    to_edge = (across + aslant[0], CANVAS - across + aslant[0], down + aslant[1], CANVAS - down + aslant[1])
    for side in random.permutation(4)[: random.integers(1, 5)]:
        page[to_edge[side] < random.uniform(0.1, 0.9) * room[side] - 4] = 0.1 + 0.4 * random.random()
    return lit(page, random)


def scanned(digit: Grey, random: Random) -> Grey:
    """Scan a sheet that is smaller than the glass: some dark columns or rows along an edge, or all around."""
    page = drawing(digit, random)
    widths = random.integers(0, 16, (2, 2)) * random.integers(0, 2, (2, 2))
    return np.pad(page, widths, constant_values=int(random.integers(0, 90)))


def marker(digit: Grey, _: Random, margin: int) -> Grey:
    """Draw with a marker: the line is a tenth of the digit's height wider than it was, and its edge is hard."""
    thick = Image.fromarray(np.pad(enlarged(digit, 224, 224), 8) > 90).convert("L").filter(ImageFilter.MaxFilter(17))
    return 255 - np.pad(cropped(np.asarray(thick)), margin)


def ringed(digit: Grey, random: Random) -> Grey:
    """Draw, and ring the digit closely with a thick pen: a ring that wobbles, and ends before or after it closes."""
    ink = cropped(digit)
    side = random.uniform(60, 100) / max(ink.shape)
    ink = enlarged(ink, *(max(1, round(side * size)) for size in ink.shape))
    page = np.zeros((CANVAS, CANVAS), np.uint8)
    middle = random.uniform(100, CANVAS - 100, 2)
    top, left = (round(at - size / 2) for at, size in zip(middle, ink.shape, strict=True))
    page[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    angle = random.uniform(0, 2 * np.pi) + np.linspace(0, random.uniform(0.95, 1.08) * 2 * np.pi, 60)
    radius = np.hypot(*ink.shape) / 2 * random.uniform(0.95, 1.4) + 8
    radii = radius * (1 + random.uniform(0, 0.08) * np.cos(2 * angle + random.uniform(0, 2 * np.pi)))
    rows, columns = middle[:, None] + radii * [np.sin(angle), np.cos(angle)]
    ring, path = Image.fromarray(page), list(zip(columns.tolist(), rows.tolist(), strict=True))
    ImageDraw.Draw(ring).line(path, fill=255, width=8, joint="curve")
    return 255 - np.asarray(ring)


@cache
def sensor() -> NDArray[np.int16]:
    """Return one noise image for all large photographs; each starts at another row and column of it."""
    return np.random.default_rng(0).normal(0, 6, (PHOTO[0] + 64, PHOTO[1] + 64)).astype(np.int16)


def photograph(digit: Grey, random: Random) -> bytes:
    """Photograph with 12 megapixels a page whose digit has 15 % of the picture's height, as JPEG."""
    ink = cropped(digit)
    size = (round(0.15 * PHOTO[0]), round(0.15 * PHOTO[0] * ink.shape[1] / ink.shape[0]))
    light = Image.fromarray(lit(np.full((75, 100), 0.95), random, 0)).resize(PHOTO[::-1], Image.Resampling.BILINEAR)
    page = np.asarray(light).astype(np.int16)
    top, left = (int(random.integers(0, whole - part + 1)) for whole, part in zip(PHOTO, size, strict=True))
    under = page[top : top + size[0], left : left + size[1]]
    under -= (under * (0.78 / 255) * enlarged(ink, *size)).astype(np.int16)
    row, column = random.integers(0, 64, 2)
    page += sensor()[row : row + PHOTO[0], column : column + PHOTO[1]]
    return file(Image.fromarray(page.clip(0, 255).astype(np.uint8)), "JPEG", quality=85)


class Condition(NamedTuple):
    """Hold one condition: what is wanted, in percent, and how a digit [28, 28], ink bright on 0, becomes a picture."""

    name: str
    wanted: float
    picture: Callable[[Grey, Random], Grey | bytes]


CONDITIONS = [
    Condition("black on white, 40 % size, off-centre", 98.5, lambda digit, random: 255 - placed(digit, random, 0.4)),
    Condition("black on white, full size", 98.5, lambda digit, random: 255 - placed(digit, random, 1)),
    Condition("white on black, 40 % size, off-centre", 98.5, lambda digit, random: placed(digit, random, 0.4)),
    Condition("raw MNIST, 28×28", 99.5, lambda digit, _: digit),
    Condition("cropped to the ink, as small as it is", 98.5, lambda digit, _: 255 - cropped(digit)),
    Condition(
        "cropped to the ink, enlarged 10 times",
        98.5,
        lambda digit, _: 255 - enlarged(cropped(digit), *(10 * side for side in cropped(digit).shape)),
    ),
    Condition("transparent PNG, black ink", 98.5, partial(transparent, ink=0)),
    Condition("transparent PNG, white ink", 98.5, partial(transparent, ink=255)),
    Condition("16-bit PNG", 98.5, sixteen_bit),
    Condition("palette PNG", 98.5, palette),
    Condition("1-bit PNG", 98.5, one_bit),
    Condition("JPEG, quality 30", 98.5, jpeg),
    Condition("JPEG, turned by EXIF", 98.5, exif_turned),
    Condition("red ink on green paper", 98.5, red_on_green),
    Condition("marker, with a margin", 95, partial(marker, margin=60)),
    Condition("marker, cropped to the ink", 95, partial(marker, margin=0)),
    Condition("ringed by a thick pen", 95, ringed),
    Condition("light gradient and noise", 97.5, gradient),
    Condition("ruled lines", 97.5, ruled),
    Condition("squared paper", 97.5, squared),
    Condition("printed box", 97.5, boxed),
    Condition("under a shadow", 97.5, shadowed),
    Condition("under the shadow of a hand", 97.5, under_hand),
    Condition("one of a row of printed boxes", 97.5, one_of_boxes),
    Condition("seen through from the back", 97.5, seen_through),
    Condition("sheet on a darker desk", 97.5, on_desk),
    Condition("scanned, dark at the edges", 97.5, scanned),
    Condition("12-megapixel photo, digit 15 % high", 97.5, photograph),
]


def pictures(
    condition: Condition, data: Labelled, count: int
) -> Iterator[tuple[list[Grey | bytes], NDArray[np.int64]]]:
    """Make the condition's pictures, spread over the whole test set, a chunk at a time with their labels."""
    random = np.random.default_rng(sum(condition.name.encode()))
    chosen = np.linspace(0, len(data) - 1, count).round().astype(int)
    for start in range(0, count, CHUNK):
        part = chosen[start : start + CHUNK]
        yield [condition.picture(digit, random) for digit in data.images[part]], data.labels[part]


def right(condition: Condition, data: Labelled, count: int, recognizer: Recognizer) -> int:
    """Count the pictures that are read right."""
    total = 0
    for images, labels in pictures(condition, data, count):
        answers = recognizer.predict_batch(images)
        total += sum(
            isinstance(answer, Prediction) and answer.digit == label
            for answer, label in zip(answers, labels, strict=True)
        )
    return total


def thumbnail(image: Grey | bytes) -> Image.Image:
    """Show a picture as it is stored, transparency too."""
    picture = Image.open(io.BytesIO(image)) if isinstance(image, bytes) else Image.fromarray(image)
    if picture.mode.startswith("I;16"):
        picture = Image.fromarray((np.asarray(picture) // 257).astype(np.uint8))
    return picture.convert("RGBA")


def sheet(
    conditions: list[Condition], data: Labelled, recognizer: Recognizer, target: Path, examples: int = 10
) -> None:
    """Draw a few pictures of each condition, each over the frame that the network saw and what it answered."""
    side, row = 112, 260
    page = Image.new("RGB", ((side + 8) * examples, row * len(conditions)), (150, 170, 190))
    draw = ImageDraw.Draw(page)
    for place, condition in enumerate(conditions):
        draw.text((4, place * row + 4), condition.name, "black")
        images, labels = next(pictures(condition, data, examples))
        for column, (image, label) in enumerate(zip(images, labels, strict=True)):
            left, top = column * (side + 8), place * row + 20
            shown = thumbnail(image)
            shown.thumbnail((side, side))
            page.paste(shown, (left, top), shown)
            (answer,) = recognizer.predict_batch([image])
            if isinstance(answer, InputError):
                draw.text((left, top + side + 8), answer.code, "red")
                continue
            page.paste(Image.fromarray(clipped(answer.frame * 255)).resize((side, side), 0), (left, top + side + 4))
            verdict = f"{label} read {answer.digit} {answer.confidence:.0%} {answer.digitness:.2f}"
            draw.text((left, top + 2 * side + 6), verdict, "black" if answer.digit == label else "red")
    page.save(target)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description="Read MNIST's test digits in the kinds of pictures that people send.")
    parser.add_argument("--data", type=Path, help="folder of the data sets (else $INKDIGIT_DATA, else downloaded)")
    parser.add_argument("--model", default="inkdigit", help="a shipped model's name, or an .onnx file")
    parser.add_argument("--count", type=int, default=10_000, help="digits a condition (default: all 10,000)")
    parser.add_argument("--photos", type=int, default=300, help="digits of the 12-megapixel condition (default: 300)")
    parser.add_argument("--only", default="", help="only the conditions with this word in their name")
    parser.add_argument("--sheet", type=Path, help="draw a contact sheet to this file, and measure nothing")
    arguments = parser.parse_args()
    data, recognizer = mnist("test", arguments.data), Recognizer(arguments.model)
    conditions = [condition for condition in CONDITIONS if arguments.only in condition.name]
    if arguments.sheet:
        sheet(conditions, data, recognizer, arguments.sheet)
        return
    print(f"{'condition':40} {'right':>8} {'of':>6} {'wanted':>7}")
    for condition in conditions:
        count = min(len(data), arguments.count)
        if condition.picture is photograph:
            count = min(count, arguments.photos)
        start = time.perf_counter()
        part = 100 * right(condition, data, count, recognizer) / count
        under = "  under" if part < condition.wanted else ""
        print(f"{condition.name:40} {part:6.2f} % {count:6} {condition.wanted:5.1f} %{under}", flush=True)
        print(f"  {1000 * (time.perf_counter() - start) / count:.1f} ms a picture", file=sys.stderr)


if __name__ == "__main__":
    main()
