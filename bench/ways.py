"""How well held-out digits are read in many ways of presenting them: models are chosen by it, not by a test set.

    python bench/ways.py [--data DIR] [--model NAME|FILE.onnx]… [--count 400] [--sheet sheet.png]

Half of the digits are pictures of MNIST's training set, half are of three pen writers, by pens from a hairline to a
marker; every run holds both out. Some ways are those of `geometry.py`; many of the others are hard. All models read the
same pictures.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from scipy.ndimage import uniform_filter1d

from geometry import (
    CANVAS,
    Grey,
    Random,
    boxed,
    clipped,
    cropped,
    drawing,
    enlarged,
    file,
    gradient,
    lit,
    marker,
    on_desk,
    one_of_boxes,
    paper,
    placed,
    printed,
    ringed,
    ruled,
    scanned,
    seen_through,
    shadowed,
    squared,
    thumbnail,
    under_hand,
)
from inkdigit import Prediction, Recognizer
from inkdigit.model_file import DEFAULT_MODEL
from inkdigit.train.corpus import validation_corpus
from inkdigit.train.recipe import Recipe

CHUNK = 50  # pictures read at a time


def smooth(random: Random, cells: int, height: int = CANVAS, width: int = CANVAS) -> NDArray[np.float64]:
    """Return a smooth random field in 0..1 with about `cells` extrema on each side."""
    return enlarged(random.integers(0, 256, (cells, cells)).astype(np.uint8), height, width) / 255


def blurred(page: Grey, radius: float) -> Grey:
    """Blur as an unfocused camera does."""
    return np.asarray(Image.fromarray(page).filter(ImageFilter.GaussianBlur(radius)))


def small(digit: Grey, _: Random, side: int) -> Grey:
    """Shrink black on white, cropped, to a longest side of a few px."""
    ink = cropped(digit)
    height, width = (max(1, round(side * size / max(ink.shape))) for size in ink.shape)
    return 255 - np.asarray(Image.fromarray(ink).resize((width, height), Image.Resampling.BOX))


def thresholded(digit: Grey, random: Random) -> Grey:
    """Fax: coarse, black or white, with the threshold's gaps."""
    page = lit(paper(digit, random), random, 12)
    small_page = np.asarray(Image.fromarray(page).resize((120, 120), Image.Resampling.BOX))
    return np.where(small_page < np.median(small_page) - random.uniform(15, 60), 0, 255).astype(np.uint8)


def tiny(digit: Grey, random: Random) -> Grey:
    """Photograph a digit of 5 to 10 % of the picture's height."""
    page = 0.95 - 0.7 * placed(digit, random, random.uniform(0.05, 0.1), (600, 800)) / 255
    return lit(page, random)


def pencil(digit: Grey, random: Random) -> Grey:
    """Write with a pale, grainy pencil."""
    grain = random.uniform(0.4, 1, (CANVAS, CANVAS))
    return lit(0.92 - random.uniform(0.12, 0.3) * grain * placed(digit, random, 0.5) / 255, random, 4)


def pencil_on_ruled(digit: Grey, random: Random) -> Grey:
    """Write with a pencil on ruled paper."""
    return lit(printed(0.92 - 0.35 * placed(digit, random, 0.5) / 255, False, random), random, 4)


def chalk(digit: Grey, random: Random) -> Grey:
    """Write with chalk on a board that was wiped: grainy light ink with gaps, on dark blotches."""
    grain = random.uniform(0, 1, (CANVAS, CANVAS)) > 0.35
    board = 60 + 50 * smooth(random, 6)
    ink = blurred((placed(digit, random, 0.55) * grain).astype(np.uint8), 0.8) / 255
    return clipped(board + 150 * ink + random.normal(0, 5, board.shape))


def blotchy(digit: Grey, random: Random) -> Grey:
    """Write on old paper with blotches as dark as a third of the ink."""
    page = paper(digit, random) * (1 - 0.3 * smooth(random, 9)) * (1 - 0.2 * smooth(random, 25))
    return lit(page, random)


def crumpled(digit: Grey, random: Random) -> Grey:
    """Photograph paper that was crumpled: planes in other light, with sharp borders."""
    page = paper(digit, random)
    down, across = np.mgrid[-1 : 1 : CANVAS * 1j, -1 : 1 : CANVAS * 1j]
    for _ in range(6):
        angle = random.uniform(0, 2 * np.pi)
        page *= 1 - 0.18 * random.random() * (np.cos(angle) * across + np.sin(angle) * down > random.uniform(-0.8, 0.8))
    return lit(page, random)


def noisy(digit: Grey, random: Random) -> Grey:
    """Photograph in the dark: the noise is a quarter as strong as the ink."""
    return lit(0.9 - 0.5 * placed(digit, random, 0.5) / 255, random, 25)


def salted(digit: Grey, random: Random) -> Grey:
    """Scan with single wrong pixels, on a twentieth of the page."""
    page = drawing(digit, random).copy()
    wrong = random.random(page.shape) < 0.05
    page[wrong] = random.choice([0, 255], int(wrong.sum()))
    return page


def unfocused(digit: Grey, random: Random) -> Grey:
    """Photograph out of focus."""
    return blurred(gradient(digit, random), random.uniform(3, 6))


def washed(digit: Grey, random: Random) -> Grey:
    """Draw with little contrast, light on a bit lighter or dark on a bit darker."""
    ground, depth = random.uniform(60, 220), random.choice([-1, 1]) * random.uniform(10, 25)
    return clipped(ground + depth * placed(digit, random, 0.5) / 255 + random.normal(0, 1, (CANVAS, CANVAS)))


def turned(digit: Grey, random: Random) -> Grey:
    """Photograph aslant: turned by up to 25 degrees."""
    page = Image.fromarray(drawing(digit, random))
    return np.asarray(page.rotate(random.uniform(-25, 25), Image.Resampling.BILINEAR, fillcolor=255))


def underlined(digit: Grey, random: Random) -> Grey:
    """Write with a line under it, by a pen of its own."""
    ink = cropped(enlarged(digit, 150, 150))
    page = np.zeros((CANVAS, CANVAS), np.uint8)
    top, left = (int(random.integers(20, CANVAS - 50 - size)) for size in ink.shape)
    page[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    below, pen = top + ink.shape[0] + int(random.integers(10, 22)), int(random.integers(4, 9))
    draw = Image.fromarray(page)
    ImageDraw.Draw(draw).line((left - 20, below, left + ink.shape[1] + 20, below + 6), 255, pen)
    return 255 - np.asarray(draw)


def labelled(digit: Grey, random: Random) -> Grey:
    """Scan a form's field: a printed label above a box in which the digit stands."""
    page = Image.fromarray(boxed(digit, random))
    font = ImageFont.load_default(16)
    ImageDraw.Draw(page).text((int(random.integers(5, 120)), 2), random.choice(["Amount", "Zip code", "No."]), 60, font)
    return np.asarray(page)


def strip(digit: Grey, random: Random) -> Grey:
    """Draw on a strip, four to eight times as long as it is wide."""
    sides = (80, int(random.integers(320, 640)))
    return 255 - placed(digit, random, 0.9, sides if random.random() < 0.5 else sides[::-1])


def cut_from_number(digit: Grey, random: Random) -> Grey:
    """Cut a digit out of a number: strokes of its neighbours are left at both edges."""
    ink = cropped(enlarged(digit, 120, 120))
    gap = int(random.integers(2, 14))
    left, right = (int(random.integers(2, 12)) for _ in range(2))
    beside = ink[::-1, ::-1]  # turned about, it is still strokes of that pen
    row = np.hstack([beside[:, -left:], ink[:, :gap] * 0, ink, ink[:, :gap] * 0, beside[:, :right]])
    return 255 - np.pad(row, ((8, 8), (0, 0)))


def cropped_shadow(digit: Grey, random: Random) -> Grey:
    """Crop a photograph under the shadow of a hand to the ink."""
    ink = np.pad(cropped(enlarged(digit, 140, 140)), 6) / 255
    form = Image.fromarray(smooth(random, 4, *ink.shape) > 0.6).convert("L")
    shade = np.asarray(form.filter(ImageFilter.GaussianBlur(random.uniform(0.8, 4)))) / 255
    return lit((0.95 - 0.75 * ink) * (1 - 0.5 * shade), random)


def whiteboard(digit: Grey, random: Random) -> Grey:
    """Photograph a whiteboard: a lamp's reflection brightens it, and old writing shines through."""
    page = 0.8 - 0.5 * placed(digit, random, 0.4) / 255
    page -= 0.05 * placed(digit[::-1, ::-1], random, 0.6) / 255
    down, across = np.mgrid[:CANVAS, :CANVAS] - random.uniform(0, CANVAS, (2, 1, 1))
    return clipped(210 * page + 120 * np.exp(-(down**2 + across**2) / random.uniform(20, 60) ** 2))


def repacked(digit: Grey, random: Random) -> Grey:
    """Shrink to 64 px and store as a bad JPEG."""
    page = Image.fromarray(drawing(digit, random)).resize((64, 64), Image.Resampling.BILINEAR)
    return np.asarray(thumbnail(file(page, "JPEG", quality=15)).convert("L"))


def raster(random: Random, pitch: float, degrees: float = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distance of every px from the nearest horizontal and vertical line, `pitch` px apart."""
    down, across = np.mgrid[:CANVAS, :CANVAS] / pitch
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turned = down * cos - across * sin, across * cos + down * sin
    lines, upright = (np.abs((each + random.random()) % 1 - 0.5) * pitch for each in turned)
    return lines, upright


def on_form(page: NDArray[np.float64], away: NDArray[np.float64], random: Random) -> Grey:
    """Photograph a page on which is printed, faint to half as dark as ink, what is a px from here or nearer."""
    return lit(np.minimum(page, 1 - random.uniform(0.2, 0.5) * (1.5 - away).clip(0, 1)), random)


def aslant(digit: Grey, random: Random) -> Grey:
    """Write upright on ruled or squared paper that lies 5 to 20 degrees aslant."""
    degrees = random.uniform(5, 20) * random.choice([-1, 1])
    lines, upright = raster(random, random.uniform(24, 42), degrees)
    return on_form(paper(digit, random), lines if random.random() < 0.5 else np.minimum(lines, upright), random)


def finely_squared(digit: Grey, random: Random) -> Grey:
    """Write on squares of a thirtieth to a fourteenth of the picture."""
    return on_form(paper(digit, random), np.minimum(*raster(random, random.uniform(9, 20))), random)


def dotted(digit: Grey, random: Random) -> Grey:
    """Write on paper with a dot at every corner of such squares, or of larger ones."""
    return on_form(paper(digit, random), np.hypot(*raster(random, random.uniform(14, 40))), random)


def small_on_squared(digit: Grey, random: Random) -> Grey:
    """Write a digit of two squares' height, in a picture of five to seven digits'."""
    part = random.uniform(0.14, 0.22)
    pitch = 0.7 * part * CANVAS * random.uniform(0.4, 0.7)
    return on_form(paper(digit, random, part), np.minimum(*raster(random, pitch)), random)


def moved(digit: Grey, random: Random) -> Grey:
    """Photograph while the hand moves: every point is a line of up to 9 px."""
    degrees, length, edge = random.uniform(0, 180), int(random.integers(3, 10)), CANVAS // 2
    page = Image.fromarray(np.pad(gradient(digit, random), edge, "edge"))
    along = np.asarray(page.rotate(degrees, Image.Resampling.BILINEAR), np.float64)
    trace = Image.fromarray(clipped(uniform_filter1d(along, length)))
    return np.asarray(trace.rotate(-degrees, Image.Resampling.BILINEAR))[edge:-edge, edge:-edge]


def on_screen(digit: Grey, random: Random) -> Grey:
    """Photograph a screen: its pixels and the camera's make waves."""
    lines, upright = raster(random, random.uniform(3, 30), random.uniform(0, 90))
    waves = np.cos(lines * random.uniform(0.2, 2)) * np.cos(upright * random.uniform(0.2, 2))
    return lit(paper(digit, random) * (1 + random.uniform(0.05, 0.2) * waves), random, 4)


def on_kraft(digit: Grey, random: Random) -> Grey:
    """Write on brown wrapping paper, whose fibres are seen."""
    fibres = smooth(random, 90) + enlarged(random.integers(0, 256, (140, 25)).astype(np.uint8), CANVAS, CANVAS) / 255
    return lit(paper(digit, random) * (0.5 + 0.2 * fibres), random)


def beside_a_thing(digit: Grey, random: Random) -> Grey:
    """Photograph a pen, a coin or a box that lies beside the digit, and its shadow."""
    ink = placed(digit, random, random.uniform(0.25, 0.5))
    near = blurred(ink, 5) > 5
    thing = np.ones_like(ink)
    while (near & (thing > 0)).any():
        thing = lying(random)
    shadow = blurred(np.roll(thing, (4, 3), (0, 1)), 3) / 255
    page = (0.95 - 0.75 * ink / 255) * (1 - 0.35 * shadow)
    grain = 0.1 * smooth(random, 60)
    return lit(np.where(thing > 0, random.uniform(0.05, 0.75) + grain, page), random)


def lying(random: Random) -> Grey:
    """Lay a thing anywhere: 255 where it is. A round one, or one with four corners, long or not."""
    picture = Image.new("L", (CANVAS, CANVAS))
    draw, middle = ImageDraw.Draw(picture), random.uniform(0, CANVAS, 2)
    if random.random() < 1 / 3:
        draw.circle(tuple(middle), random.uniform(0.06, 0.18) * CANVAS, 255)
    else:
        long, wide, turn = random.uniform(0.1, 0.5), random.uniform(0.02, 0.12), random.uniform(0, np.pi)
        along, across = CANVAS * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        corners = [middle + i * long * along + j * wide * across for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        draw.polygon([tuple(corner) for corner in corners], 255)
    return np.asarray(picture)


Ways = list[tuple[str, Callable[[Grey, Random], Grey]]]

WAYS: Ways = [
    ("black on white, off-centre", drawing),
    ("white on black, 40 % size", lambda digit, random: placed(digit, random, 0.4)),
    ("cropped, large", lambda digit, _: 255 - cropped(enlarged(digit, 280, 280))),
    ("marker", partial(marker, margin=60)),
    ("marker, cropped", partial(marker, margin=0)),
    ("ringed", ringed),
    ("gradient", gradient),
    ("ruled", ruled),
    ("squared", squared),
    ("box", boxed),
    ("shadow", shadowed),
    ("shadow of a hand", under_hand),
    ("row of boxes", one_of_boxes),
    ("seen through", seen_through),
    ("desk", on_desk),
    ("scan", scanned),
    ("20 px", partial(small, side=20)),
    ("12 px", partial(small, side=12)),
    ("fax", thresholded),
    ("tiny in a photo", tiny),
    ("pencil", pencil),
    ("pencil on ruled paper", pencil_on_ruled),
    ("chalk", chalk),
    ("blotchy paper", blotchy),
    ("crumpled paper", crumpled),
    ("noise", noisy),
    ("wrong pixels", salted),
    ("out of focus", unfocused),
    ("little contrast", washed),
    ("turned", turned),
    ("underlined", underlined),
    ("labelled box", labelled),
    ("strip", strip),
    ("cut out of a number", cut_from_number),
    ("cropped, under a hand", cropped_shadow),
    ("whiteboard", whiteboard),
    ("small bad JPEG", repacked),
    ("paper aslant", aslant),
    ("fine squares", finely_squared),
    ("dots", dotted),
    ("small, on squares", small_on_squared),
    ("moved", moved),
    ("screen", on_screen),
    ("kraft paper", on_kraft),
    ("beside a thing", beside_a_thing),
]


def digits(folder: Path | None, count: int) -> tuple[list[Grey], list[int]]:
    """Draw held-out digits, half of each source: ink uint8 [112, 112], and their labels."""
    drawn, labels = [], []
    for source in validation_corpus(Recipe(), folder).sources.values():
        chosen = torch.linspace(0, len(source.labels) - 1, count // 2).round().long()
        drawn += list((source.ink(chosen) * 255).round().byte().numpy())
        labels += source.labels[chosen].tolist()
    return drawn, labels


def shown(ways: Ways, target: Path, drawn: list[Grey]) -> None:
    """Draw some pictures of every way."""
    side, examples = 90, 14
    page = Image.new("RGB", (side * examples, side * len(ways)), (150, 170, 190))
    for row, (name, way) in enumerate(ways):
        random = np.random.default_rng(sum(name.encode()))
        for column, digit in enumerate(drawn[:: len(drawn) // examples][:examples]):
            picture = Image.fromarray(way(digit, random))
            picture.thumbnail((side - 4, side - 4))
            page.paste(picture, (column * side, row * side))
    page.save(target)


def measured(ways: Ways, description: str) -> None:
    """Print how many are read right in every way, by every model."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--model", action="append")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--sheet", type=Path, help="draw some pictures of each way to this file, and measure nothing")
    options = parser.parse_args()
    drawn, labels = digits(options.data, options.count)
    if options.sheet:
        shown(ways, options.sheet, drawn)
        return
    recognizers = [Recognizer(name) for name in options.model or [DEFAULT_MODEL]]
    parts = []
    for name, way in ways:
        random = np.random.default_rng(sum(name.encode()))
        right = np.zeros(len(recognizers))
        for start in range(0, len(drawn), CHUNK):
            pictures = [way(digit, random) for digit in drawn[start : start + CHUNK]]
            for place, recognizer in enumerate(recognizers):
                answers = recognizer.predict_batch(pictures)
                known = zip(answers, labels[start : start + CHUNK], strict=True)
                right[place] += sum(isinstance(each, Prediction) and each.digit == label for each, label in known)
        parts.append(100 * right / len(drawn))
        print(f"{name:28}" + "".join(f"{part:8.2f}" for part in parts[-1]), flush=True)
    print(f"{'mean':28}" + "".join(f"{part:8.2f}" for part in np.mean(parts, 0)))


if __name__ == "__main__":
    measured(WAYS, str(__doc__))
