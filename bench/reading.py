"""How well `Recognizer.read` reads whole numbers: composed pictures, real ones, its confidence and its speed.

    python bench/reading.py [--only strings] [--count 800] [--data DIR] [--model FILE.onnx] [--sheet DIR]

What is composed is drawn by `compose.py`, which shares nothing with training: digits are MNIST's test digits and those
of the test writers' pens. `--sheet` writes each condition's errors as pictures, and the reliability diagram. The real
numbers (`numbers/` in the data folder) are scored as their README says. Intervals are of 95 %: Wilson's for shares, and
for what is counted in a picture the bootstrap's over pictures.

Written before `read` was measured for the first time, and not changed since.
"""

import argparse
import csv
import gzip
import json
import os
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import compose
from compose import Number, Picture
from handwriting import Grey, Hands, Ink, write
from inkdigit import Recognizer
from inkdigit.evaluation.datasets import data_folder, mnist
from inkdigit.evaluation.strokes import OMNIGLOT, PenDigit, is_test_writer, pendigits

SEED = 40
MARKS = ".,-/"
GROWN = 0.3  # of a number's height: as far around its box a digit belongs to it
OVERLAP = 0.4  # intersection over union from which on a reading's number is that of the picture
BINS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0 + 1e-9)  # of the reliability table


class Reader(Protocol):
    """Read a picture: `Recognizer`, or what stands in for it."""

    def read(self, image: Grey) -> Any:
        """Return a reading, with `text`, `confidence`, `is_sure` and `numbers`."""


@dataclass(frozen=True)
class Figure:
    """Hold one row of the report: a value with its interval, and what is wanted; `scale` 100 prints percents."""

    name: str
    value: float
    low: float
    high: float
    count: int
    want: str = ""
    scale: float = 100

    def row(self) -> str:
        """Return the figure as a row of a Markdown table."""
        digits, unit = (1, " %") if self.scale == 100 else (2, "")
        value, low, high = (f"{each * self.scale:.{digits}f}" for each in (self.value, self.low, self.high))
        return f"| {self.name} | {value}{unit} ({low}–{high}) | {self.want} | {self.count} |"


@dataclass(frozen=True, eq=False)
class Bench:
    """Hold what every condition needs: the reader, the data, and where to write sheets of errors."""

    reader: Reader
    data: Path | None
    count: int | None
    sheet: Path | None

    def random(self, name: str) -> np.random.Generator:
        """Return a condition's own random generator."""
        return np.random.default_rng([SEED, zlib.crc32(name.encode())])

    def hands(self) -> Hands:
        """Return the hands of MNIST's test digits and of the test writers."""
        return Hands(mnist("test", self.data), self.pens())

    def pens(self) -> list[PenDigit]:
        """Return the digits of the test writers."""
        return [digit for digit in pendigits(self.data) if is_test_writer(digit.writer)]

    def size(self, usual: int) -> int:
        """Return how many pictures a condition takes."""
        return min(usual, self.count or usual)

    def show(self, name: str, errors: Sequence[tuple[Grey, str]]) -> None:
        """Write a sheet of pictures under their captions, where sheets are wanted."""
        if self.sheet is not None and errors:
            self.sheet.mkdir(parents=True, exist_ok=True)
            contact_sheet(errors).save(self.sheet / f"{name}.png")


def wilson(name: str, right: Sequence[bool], want: str = "") -> Figure:
    """Return the share that is right, with Wilson's interval (1927)."""
    count = len(right)
    share, z = sum(right) / max(count, 1), 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count) if count else 0.0
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + z * z / (4 * count**2)) if count else 0.0
    return Figure(name, share, max(0.0, middle - half), min(1.0, middle + half), count, want)


def ratio(name: str, parts: Sequence[float], wholes: Sequence[float], want: str = "", scale: float = 100) -> Figure:
    """Return the ratio of two sums over pictures, with the bootstrap's interval over pictures (Efron 1979)."""
    above, below = np.array(parts, float), np.array(wholes, float)
    drawn = np.random.default_rng(SEED).integers(0, len(above), (2000, len(above)))
    low, high = np.percentile(above[drawn].sum(1) / np.maximum(below[drawn].sum(1), 1), [2.5, 97.5])
    return Figure(
        name, float(above.sum() / max(below.sum(), 1)), float(low), float(high), int(below.sum()), want, scale
    )


def edits(first: str, second: str) -> int:
    """Return the edit distance of two texts (Levenshtein 1966)."""
    row = list(range(len(second) + 1))
    for place, sign in enumerate(first, 1):
        last, row[0] = row[0], place
        for other, against in enumerate(second, 1):
            last, row[other] = row[other], min(row[other] + 1, row[other - 1] + 1, last + (sign != against))
    return row[-1]


def only(signs: str, text: str) -> str:
    """Return a text's characters that are among `signs`."""
    return "".join(sign for sign in text if sign in signs)


def digits_of(text: str) -> str:
    """Return a text's digits."""
    return only("0123456789", text)


def contact_sheet(errors: Sequence[tuple[Grey, str]], columns: int = 5, rows: int = 16) -> Image.Image:
    """Draw pictures in a grid, each with its caption below."""
    width, height, font = 320, 170, ImageFont.load_default(13)
    shown = errors[: columns * rows]
    sheet = Image.new("L", (columns * width, -(-len(shown) // columns) * height), 128)
    draw = ImageDraw.Draw(sheet)
    for place, (pixels, caption) in enumerate(shown):
        x, y = place % columns * width, place // columns * height
        picture = Image.fromarray(pixels)
        picture.thumbnail((width - 6, height - 24))
        sheet.paste(picture, (x, y))
        draw.text((x + 2, y + height - 20), caption, fill=255, font=font)
    return sheet


def read_lines(bench: Bench, name: str, pictures: Iterable[Picture]) -> list[tuple[Picture, Any]]:
    """Read pictures of one number each, and write a sheet of those that are wrong."""
    read = [(picture, bench.reader.read(picture.pixels)) for picture in pictures]
    bench.show(name, [(each.pixels, caption(each, reading)) for each, reading in read if not is_right(each, reading)])
    return read


def is_right(picture: Picture, reading: Any) -> bool:
    """Return whether a picture's only number was read, and nothing else."""
    return bool(reading.text == picture.numbers[0].text)


def caption(picture: Picture, reading: Any) -> str:
    """Return what is written and what was read."""
    sure = "sure " if reading.is_sure else ""
    return f"{picture.numbers[0].text} {sure}read {reading.text!r} {reading.confidence:.2f}"


def digit_accuracy(name: str, read: Sequence[tuple[Picture, Any]], want: str = "") -> Figure:
    """Return one minus the edit distance of the digits over their number."""
    texts = [(digits_of(picture.numbers[0].text), digits_of(reading.text)) for picture, reading in read]
    right = [max(0, len(true) - edits(true, found)) for true, found in texts]
    return ratio(name, right, [len(true) for true, _ in texts], want)


def strings(bench: Bench) -> list[Figure]:
    """Measure strings of 2 to 10 digits, 30 % of the neighbours touching."""
    random, hands = bench.random("strings"), bench.hands()

    def one() -> Picture:
        text = compose.digits(int(random.integers(2, 11)), random)
        return compose.line_picture(hands.any(random), text, height(random, 14, 80), random)

    read = read_lines(bench, "strings", (one() for _ in range(bench.size(800))))
    return [
        wilson("strings of 2–10 digits: exactly right", [is_right(*each) for each in read], "≥ 96 %"),
        digit_accuracy("strings: digits right", read, "≥ 99.4 %"),
    ]


def height(random: np.random.Generator, low: float, high: float) -> float:
    """Return a height in px; each octave is as likely."""
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def singles(bench: Bench) -> list[Figure]:
    """Measure MNIST's test digits off-centre on a larger canvas."""
    random, digits = bench.random("singles"), mnist("test", bench.data)
    places = np.linspace(0, len(digits) - 1, bench.size(2000)).astype(int)
    pictures = (compose.single_picture(digits.images[place], int(digits.labels[place]), random) for place in places)
    read = read_lines(bench, "singles", pictures)
    return [
        wilson("single digits: exactly that digit", [is_right(*each) for each in read], "≥ 99 %"),
        wilson("single digits: exactly one symbol", [len(only_digits(reading)) == 1 for _, reading in read]),
    ]


def only_digits(reading: Any) -> str:
    """Return what was read, when it is one number; else a text of another length than a digit's."""
    return str(reading.text) if len(reading.numbers) == 1 else ""


def two_strokes(bench: Bench) -> list[Figure]:
    """Measure digits of two strokes or more, drawn as on the page."""
    random = bench.random("two_strokes")
    pens = [digit for digit in bench.pens() if len(digit.strokes) > 1]
    chosen = [pens[place] for place in np.linspace(0, len(pens) - 1, bench.size(600)).astype(int)]
    read = read_lines(bench, "two_strokes", (compose.drawing_picture(digit, random) for digit in chosen))
    return [
        wilson(
            "digits of two strokes: exactly one symbol", [len(only_digits(found)) == 1 for _, found in read], "≥ 99 %"
        ),
        wilson("digits of two strokes: exactly that digit", [is_right(*each) for each in read]),
    ]


def marks(bench: Bench) -> list[Figure]:
    """Measure dates, decimals, minus signs and fractions."""
    random, hands = bench.random("marks"), bench.hands()
    kinds: list[str] = []

    def one() -> Picture:
        kind, text = compose.marked_text(random)
        kinds.append(kind)
        return compose.line_picture(hands.any(random, 0.15), text, height(random, 20, 80), random)

    read = read_lines(bench, "marks", (one() for _ in range(bench.size(600))))
    figures = [wilson("with marks: exactly right", [is_right(*each) for each in read])]
    for kind in sorted(set(kinds)):
        own = [each for each, named in zip(read, kinds, strict=True) if named == kind]
        figures.append(wilson(f"with marks, {kind}: exactly right", [is_right(*each) for each in own]))
    same = [only(MARKS, picture.numbers[0].text) == only(MARKS, reading.text) for picture, reading in read]
    return [*figures, wilson("with marks: all marks right", same), digit_accuracy("with marks: digits right", read)]


def overlap(first: compose.Box, second: Sequence[float]) -> float:
    """Return the intersection over the union of two boxes."""
    wide = min(first[2], second[2]) - max(first[0], second[0])
    tall = min(first[3], second[3]) - max(first[1], second[1])
    common = max(wide, 0.0) * max(tall, 0.0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return common / max(areas - common, 1e-9)


def is_found(number: Number, reading: Any) -> bool:
    """Return whether the reading's number that overlaps one most has its text."""
    best = max(reading.numbers, key=lambda read: overlap(number.box, read.box), default=None)
    return best is not None and overlap(number.box, best.box) >= OVERLAP and best.text == number.text


def invented(picture: Picture, reading: Any) -> int:
    """Return how many digits were read whose middle lies in no number's box, grown by `GROWN` of its height."""
    count = 0
    for symbol in (symbol for number in reading.numbers for symbol in number.symbols if symbol.text.isdecimal()):
        x, y = (symbol.box[0] + symbol.box[2]) / 2, (symbol.box[1] + symbol.box[3]) / 2
        count += not any(is_near(x, y, number.box) for number in picture.numbers)
    return count


def is_near(x: float, y: float, box: compose.Box) -> bool:
    """Return whether a place lies in a grown box."""
    left, top, right, bottom = box
    grow = GROWN * (bottom - top)
    return left - grow <= x <= right + grow and top - grow <= y <= bottom + grow


def pages(bench: Bench) -> list[Figure]:
    """Measure pages of 5 to 20 numbers in four layouts, on three papers."""
    random, hands, layouts, rulings = (
        bench.random("pages"),
        bench.hands(),
        list(compose.PAGES),
        ("plain", "ruled", "squared"),
    )
    read, kinds = [], []
    for place in range(bench.size(60)):
        kinds.append(layouts[place % len(layouts)])
        ruling = rulings[place // len(layouts) % len(rulings)]
        picture = compose.page_picture(hands, kinds[-1], ruling, int(random.integers(5, 21)), random)
        read.append((picture, bench.reader.read(picture.pixels)))
        if bench.sheet is not None:
            bench.sheet.mkdir(parents=True, exist_ok=True)
            marked_page(*read[-1]).save(bench.sheet / f"page{place:02}_{kinds[-1]}_{ruling}.png")
    found = [sum(is_found(number, reading) for number in picture.numbers) for picture, reading in read]
    wholes = [len(picture.numbers) for picture, _ in read]
    extra = [invented(*each) for each in read]
    figures = [
        ratio("pages: numbers found and right", found, wholes, "≥ 95 %"),
        ratio("pages: invented digits a page", extra, [1] * len(extra), "≤ 0.05", 1),
    ]
    for kind in layouts:
        own = [place for place, named in enumerate(kinds) if named == kind]
        if own:
            figures.append(ratio(f"pages, {kind}: found and right", [found[i] for i in own], [wholes[i] for i in own]))
    return figures


def marked_page(picture: Picture, reading: Any) -> Image.Image:
    """Draw a page: what was read in blue, and in red what was missed or misread."""
    page = Image.fromarray(picture.pixels).convert("RGB")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(12)
    for number in reading.numbers:
        draw.rectangle(tuple(number.box), outline="blue")
        draw.text((number.box[0], number.box[3]), number.text, fill="blue", font=font)
    for number in picture.numbers:
        if not is_found(number, reading):
            draw.rectangle(number.box, outline="red", width=2)
            draw.text((number.box[0], number.box[1] - 14), number.text, fill="red", font=font)
    return page


def photographs() -> list[Grey]:
    """Return photographs that show no digit, gray, from scikit-image and scikit-learn."""
    from skimage import data  # noqa: PLC0415  only this condition needs them
    from sklearn.datasets import load_sample_images  # noqa: PLC0415

    taken = [*load_sample_images().images, data.chelsea(), data.coffee(), data.gravel(), data.grass(), data.brick()]
    return [np.asarray(Image.fromarray(each).convert("L")) for each in taken]


def characters(data: Path | None) -> list[list[NDArray[np.float32]]]:
    """Return Omniglot's characters of four strokes or more, which nobody takes for digits."""
    folder = data_folder(data)
    every = json.loads(gzip.decompress(((folder or Path()) / OMNIGLOT).read_bytes()))
    return [[np.array(stroke, np.float32) for stroke in each["strokes"]] for each in every if len(each["strokes"]) >= 4]


def nothing(bench: Bench) -> list[Figure]:
    """Measure pictures without a digit."""
    random, foreign, photos = bench.random("nothing"), characters(bench.data), photographs()
    kinds = [compose.NOTHING[place % len(compose.NOTHING)] for place in range(bench.size(270))]
    pictures = [compose.no_number(kind, foreign, photos, random) for kind in kinds]
    readings = [bench.reader.read(picture.pixels) for picture in pictures]
    extra = [invented(*each) for each in zip(pictures, readings, strict=True)]
    shown = [(pictures[i].pixels, f"{kinds[i]}: {readings[i].text!r}") for i in np.flatnonzero(extra)]
    bench.show("nothing", shown)
    figures = [ratio("nothing to read: invented digits a picture", extra, [1] * len(extra), "≤ 0.1", 1)]
    for kind in compose.NOTHING:
        own = [count for count, named in zip(extra, kinds, strict=True) if named == kind]
        if own:
            figures.append(ratio(f"nothing, {kind}: invented", own, [1] * len(own), "", 1))
    return figures


def confidence(bench: Bench) -> list[Figure]:
    """Measure the confidence on numbers of held-out writers, of 1 to 8 symbols, one in five with marks."""
    random, hands = bench.random("confidence"), bench.hands()
    asked: list[tuple[bool, bool, float]] = []
    wrong: list[tuple[Grey, str]] = []
    for _ in range(bench.size(5000)):
        text = compose.marked_text(random)[1] if random.random() < 0.2 else ""
        text = text or compose.digits(int(random.integers(1, 9)), random)
        picture = compose.line_picture(hands.any(random, 0.2), text, height(random, 14, 60), random)
        reading = bench.reader.read(picture.pixels)
        asked.append((is_right(picture, reading), is_sure(reading), reading.confidence if reading.numbers else 0.0))
        if reading.numbers and reading.is_sure and not asked[-1][0]:
            wrong.append((picture.pixels, caption(picture, reading)))
    bench.show("confidence", wrong)
    return certainty("composed numbers", asked, bench.sheet, ("≥ 99.5 %", "≥ 80 %"))


def is_sure(reading: Any) -> bool:
    """Return whether something was read, and surely."""
    return bool(reading.numbers) and bool(reading.is_sure)


def certainty(
    name: str, asked: Sequence[tuple[bool, bool, float]], sheet: Path | None, want: tuple[str, str] = ("", "")
) -> list[Figure]:
    """Return the shares of (right, sure, confidence) that are wanted, print the reliability table and plot it."""
    right, sure, certain = (np.array(column) for column in zip(*asked, strict=True))
    print(f"\n{name}: reliability\n\n| confidence | count | mean | right |\n|---|---|---|---|")
    points = []
    for low, high in pairwise(BINS):
        inside = (certain >= low) & (certain < high)
        if inside.any():
            points.append((certain[inside].mean(), right[inside].mean(), int(inside.sum())))
            print(f"| {low:g}–{min(high, 1):g} | {points[-1][2]} | {points[-1][0]:.3f} | {points[-1][1]:.3f} |")
    error = sum(abs(mean - share) * count for mean, share, count in points) / len(right)
    print(f"\nexpected calibration error {error:.4f}, Brier score {np.mean((certain - right) ** 2):.4f}\n")
    if sheet is not None:
        plot_reliability(name, points, sheet)
    return [
        wilson(f"{name}: right among the sure", right[sure].tolist(), want[0]),
        wilson(f"{name}: sure among the right", sure[right].tolist(), want[1]),
    ]


def plot_reliability(name: str, points: Sequence[tuple[float, float, int]], sheet: Path) -> None:
    """Draw the reliability diagram (DeGroot and Fienberg 1983)."""
    from matplotlib.figure import Figure as Canvas  # noqa: PLC0415

    sheet.mkdir(parents=True, exist_ok=True)
    canvas = Canvas(figsize=(5, 5))
    axes = canvas.subplots()
    axes.plot([0, 1], [0, 1], color="0.7")
    mean, share, count = zip(*points, strict=True)
    axes.plot(mean, share, "o-")
    for x, y, label in zip(mean, share, count, strict=True):
        axes.annotate(str(label), (x, y), textcoords="offset points", xytext=(4, -10), fontsize=7)
    axes.set(title=name, xlabel="confidence", ylabel="share right", xlim=(0, 1.02), ylim=(0, 1.02))
    canvas.savefig(sheet / f"reliability_{name.replace(' ', '_')}.png", dpi=120)


def amount(text: str) -> str:
    """Return a cheque's amount as `orand_dev` is scored: the digits alone."""
    return digits_of(text)


def cell(text: str) -> str:
    """Return a log-book's cell as `meza_dev` is scored: comma as point, and no mark at the end."""
    return "".join(text.split()).replace(",", ".").rstrip(".-/")


REAL = {"orand_dev": (amount, "≥ 80 %, goal 88 %"), "meza_dev": (cell, "≥ 70 %, goal 83 %")}


def real(bench: Bench) -> list[Figure]:
    """Measure the two folders of real numbers."""
    folder, figures = data_folder(bench.data), []
    for name, (simple, want) in REAL.items():
        where = (folder or Path()) / "numbers" / name
        with (where / "labels.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))[: bench.count]
        asked, wrong, pairs = [], [], []
        for row in rows:
            pixels = np.asarray(Image.open(where / "images" / row["file"]).convert("L"))
            reading = bench.reader.read(pixels)
            true, found = simple(row["label"]), simple(reading.text)
            asked.append((true == found, is_sure(reading), reading.confidence if reading.numbers else 0.0))
            pairs.append((digits_of(true), digits_of(found)))
            if true != found:
                wrong.append((pixels, f"{true} read {reading.text!r} {reading.confidence:.2f}"))
        bench.show(name, wrong)
        figures.append(wilson(f"{name}: exactly right", [right for right, _, _ in asked], want))
        if simple is cell:
            figures.append(wilson(f"{name}: digits alone right", [true == found for true, found in pairs]))
        figures += certainty(name, asked, bench.sheet)
    return figures


def speed(bench: Bench) -> list[Figure]:
    """Measure milliseconds on one core, the median and the 5th and 95th percentile of several calls."""
    random, hands = bench.random("speed"), bench.hands()
    number = np.full((300, 1000), 240, np.uint8)
    ink = write(hands.pen(random), compose.digits(10, random), 90, random).ink[:300, :960]
    lay(number, ink, (100, 20))
    page = np.full((2200, 1600), 240, np.uint8)
    one = hands.mnist(random)
    for place in range(100):
        ink = write(one, compose.digits(int(random.integers(2, 6)), random), 34, random).ink
        lay(page, ink, (60 + place // 5 * 106, 40 + place % 5 * 310))
    drawing = compose.drawing_picture(bench.pens()[0], random).pixels
    wanted = {
        "≤ 80": [
            ("1000×300, one number", number),
            *((f"drawing of {side}×{side}", square(drawing, side)) for side in (280, 480)),
        ]
    }
    wanted["≤ 800"] = [("1600×2200, 100 numbers", page)]
    kept = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(kept)})
    try:
        return [timed(bench.reader, *each, want) for want, group in wanted.items() for each in group]
    finally:
        os.sched_setaffinity(0, kept)


def lay(pixels: Grey, ink: Ink, at: tuple[int, int]) -> None:
    """Darken pixels by ink whose top left is at (row, column)."""
    part = pixels[at[0] : at[0] + ink.shape[0], at[1] : at[1] + ink.shape[1]]
    part[:] = part * (1 - 0.9 * ink)


def square(pixels: Grey, side: int) -> Grey:
    """Return a square picture in another size."""
    return np.asarray(Image.fromarray(pixels).resize((side, side)))


def timed(reader: Reader, name: str, pixels: Grey, want: str) -> Figure:
    """Return the milliseconds that reading one picture takes."""
    for _ in range(3):
        reader.read(pixels)
    taken = []
    for _ in range(15):
        start = time.perf_counter()
        reader.read(pixels)
        taken.append((time.perf_counter() - start) * 1000)
    low, middle, high = np.percentile(taken, [5, 50, 95])
    return Figure(f"{name}: milliseconds", float(middle), float(low), float(high), len(taken), want, 1)


CONDITIONS: dict[str, Callable[[Bench], list[Figure]]] = {
    "strings": strings,
    "singles": singles,
    "two_strokes": two_strokes,
    "marks": marks,
    "pages": pages,
    "nothing": nothing,
    "real": real,
    "confidence": confidence,
    "speed": speed,
}


def report(bench: Bench, names: Iterable[str]) -> None:
    """Print the figures of some conditions as a Markdown table."""
    rows = []
    for name in names:
        start = time.perf_counter()
        rows += [figure.row() for figure in CONDITIONS[name](bench)]
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
    print("\n| measured | value (95 % interval) | wanted | count |\n|---|---|---|---|")
    print("\n".join(rows))


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=CONDITIONS, action="append", help="a condition; may be repeated")
    parser.add_argument("--count", type=int, default=None, help="pictures a condition at most")
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--model", default=None, help="a model file instead of the shipped one")
    parser.add_argument("--sheet", type=Path, default=None, help="a folder for pictures of errors")
    options = parser.parse_args()
    reader = Recognizer() if options.model is None else Recognizer(options.model)
    report(Bench(reader, options.data, options.count, options.sheet), options.only or CONDITIONS)


if __name__ == "__main__":
    main()
