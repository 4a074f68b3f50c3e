"""Scenes of handwritten numbers: what the number reader is trained on, with the box and class of every symbol.

A scene is drawn at `ZOOM` times its size by one hand: one writer's digits, one pen, one slant, one spacing. Then paper,
printed lines, light and camera are added to many scenes at once. Ink is 0 paper to 1 ink, brightness 0 dark to 1 light.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn import functional

from ...evaluation.strokes import PenDigit, Stroke, fitted
from .camera import blurred, compressed
from .forms import FORMS, OTHERS, invented_signs, write_form
from .letters import PRINTED, draw_letter, printer, random_sign, random_word
from .negatives import blotches, leaves
from .paper import chance, uniform
from .pens import in_style, shaken, with_habits

HEIGHT, WIDTH = 96, 192  # px of a scene
INKED = 100  # of 255: ink that is seen
ZOOM = 3  # a scene is drawn this much larger and averaged down
SYMBOLS = "0123456789.,-/"
SIGNS = 3000  # invented ones that scenes choose from
OTHER = len(SYMBOLS)  # the class of a written mark that is no symbol
SMALLEST, LARGEST = 12.0, 40.0  # px: digits of these heights are found at one level of the pyramid
# Forms that people write in rows of digits, beside those in `forms`: ones with a long upstroke, open and looped digits.
MORE_FORMS = {
    1: ("-40,80 60,0! 60,100", "-70,100 45,0! 55,100", "-30,60 40,0! 20,100", "-55,70 50,2! 40,100 90,70"),
    4: ("20,0 0,60 90,55 | 75,20 60,130", "0,5 10,60 60,60 75,0! 60,110"),
    5: ("100,0 25,0! 20,45 80,50 75,95 0,100", "15,5 10,45 60,45 80,75 40,105 -10,90 | 20,0 130,-15"),
    7: ("0,10 100,0! 30,110 | 10,60 90,50", "5,25 10,0! 100,0! 45,60 25,120"),
    9: ("90,10 40,0 5,30 50,50 90,10! 80,80 40,130 -20,110", "80,30 50,0 5,25 45,55 80,25! 60,120"),
    2: ("10,25 45,0 90,30 30,90 0,85 20,70 100,100", "0,20 50,0 70,40 0,100! 40,85 120,95"),
}
WRITTEN = {label: (*forms, *MORE_FORMS.get(label, ())) for label, forms in FORMS.items()}

Random = np.random.Generator
Ink = NDArray[np.float32]
Box = tuple[float, float, float, float]  # left, top, right, bottom in px
Points = list[tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Sources:
    """Hold what hands write: MNIST's pictures by label and thickness, each writer's pen digits, and signs."""

    images: NDArray[np.uint8]  # [N, 28, 28]
    labels: NDArray[np.int64]
    width: NDArray[np.float32]  # of each picture's lines, px of 28
    writers: tuple[dict[int, list[PenDigit]], ...]
    signs: tuple[PenDigit, ...]  # no digits

    @classmethod
    def of(cls, images: NDArray[np.uint8], labels: NDArray[np.int64], pens: Sequence[PenDigit]) -> "Sources":
        """Measure the pictures' lines and group the pen digits by writer."""
        ink = images.astype(np.float32) / 255
        outline = np.abs(np.diff(ink, axis=1)).sum((1, 2)) + np.abs(np.diff(ink, axis=2)).sum((1, 2))
        writers: dict[int, dict[int, list[PenDigit]]] = {}
        for digit in pens:
            writers.setdefault(digit.writer, {}).setdefault(digit.label, []).append(digit)
        whole = tuple(digits for digits in writers.values() if len(digits) == 10)
        return cls(images, labels, 2 * ink.sum((1, 2)) / outline.clip(1), whole, tuple(invented_signs(SIGNS, seed=1)))


@dataclass(eq=False)
class Canvas:
    """Hold a scene while it is drawn: written ink, printed ink, and the symbols with their boxes in px."""

    random: Random
    boxes: list[Box] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with empty layers."""
        size = (WIDTH * ZOOM, HEIGHT * ZOOM)
        self.written, self.printed = Image.new("L", size), Image.new("L", size)
        self.pen, self.press = ImageDraw.Draw(self.written), ImageDraw.Draw(self.printed)

    def add(self, box: Box, kind: int, height: float) -> None:
        """Note a symbol of which most lies inside the scene, written by a hand whose digits have this `height`."""
        left, top, right, bottom = box
        inside = max(0, min(right, WIDTH) - max(left, 0)) * max(0, min(bottom, HEIGHT) - max(top, 0))
        if inside >= 0.6 * (right - left) * (bottom - top):
            self.boxes.append((max(left, 0), max(top, 0), min(right, WIDTH), min(bottom, HEIGHT)))
            self.classes.append(kind)
            self.heights.append(height)

    def strokes(self, strokes: Sequence[Stroke], width: float) -> Box:
        """Draw strokes in px with a round pen of `width` px; return their box."""
        draw_strokes(self.pen, strokes, width)
        every = np.concatenate(list(strokes))
        half = max(width, 1) / 2
        (left, top), (right, bottom) = every.min(0) - half, every.max(0) + half
        return float(left), float(top), float(right), float(bottom)

    def picture(self, ink: Image.Image, left: float, top: float) -> None:
        """Lay drawn ink, at ZOOM, over what is written."""
        at = (round(left * ZOOM), round(top * ZOOM))
        self.written.paste(255, (*at, at[0] + ink.width, at[1] + ink.height), ink)

    def beside(self, previous: Box, ink: Image.Image, top: float, gap: float) -> float:
        """Return where ink at ZOOM begins, in px, whose nearest row is `gap` px beside what is written in a box.

        Digits stand so: a 7 reaches over a 4, a slanted 1 under a 7. The first 0.3 of the box stay uncovered.
        """
        left, upper, right, lower = (round(side * ZOOM) for side in previous)
        before = np.asarray(self.written.crop((left, upper, right, lower))) > INKED
        after, shift = np.asarray(ink) > INKED, upper - round(top * ZOOM)
        low = max(0, shift)
        high = max(low, min(len(after), shift + len(before)))
        starts, ends = after[low:high], before[max(0, low - shift) :, ::-1][: high - low]
        both = starts.any(1) & ends.any(1)
        if not both.any():
            return previous[2] + max(gap, 0.0)
        near = float((before.shape[1] - ends[both].argmax(1) - starts[both].argmax(1)).max())
        return max(previous[0] + near / ZOOM + gap, previous[0] + 0.3 * (previous[2] - previous[0]))


def draw_strokes(pen: ImageDraw.ImageDraw, strokes: Sequence[Stroke], width: float) -> None:
    """Draw strokes in px with a round pen of `width` px, at ZOOM."""
    thick = max(1, round(width * ZOOM))
    for stroke in strokes:
        points = [(float(x), float(y)) for x, y in stroke * ZOOM]
        pen.line(points if len(points) > 1 else points * 2, fill=255, width=thick, joint="curve")
        for x, y in (points[0], points[-1]) if thick > 2 else ():
            pen.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=255)


class Hand:
    """Write symbols as one person with one pen does: `height` px tall digits."""

    def __init__(self, sources: Sources, height: float, random: Random) -> None:
        self._sources, self._random, self.height = sources, random, height
        self.width = height * math.exp(random.uniform(math.log(0.025), math.log(0.2)))
        self._kind = random.choice(["mnist", "pen", "forms", "mixed"], p=[0.36, 0.26, 0.26, 0.12])
        self._writer = sources.writers[random.integers(len(sources.writers))] if sources.writers else {}
        self._forms = {label: forms[random.integers(len(forms))] for label, forms in WRITTEN.items()}
        self._matrix = np.array([[math.exp(random.normal(0, 0.13)), random.normal(0.0, 0.22)], [0, 1]])
        self._styled = random.random() < 0.6
        self._thickness = float(sources.width[random.integers(len(sources.width))])
        self.joins = random.random() < 0.15
        self._hollow = random.random() < 0.22  # small zeros

    def digit(
        self, canvas: Canvas, label: int, left: float, base: float, previous: Box | None = None, gap: float = 0.0
    ) -> Box:
        """Write a digit that stands on `base`; return its box.

        It begins at `left`, or with its ink `gap` px beside that of the digit in the `previous` box.
        """
        kind = self._random.choice(["mnist", "pen", "forms"]) if self._kind == "mixed" else self._kind
        height = self.height * math.exp(self._random.normal(0, 0.09))
        if label == 0 and self._hollow:
            height *= self._random.uniform(0.55, 0.9)
        ink = self._image(label, height) if kind == "mnist" else self._strokes(kind, label, height)
        ink = ink.crop(ink.getbbox())
        top = base - ink.height / ZOOM
        if previous:
            left = canvas.beside(previous, ink, top, gap)
        canvas.picture(ink, left, top)
        box = left, top, left + ink.width / ZOOM, base
        canvas.add(box, label, height)
        return box

    def _image(self, label: int, height: float) -> Image.Image:
        """Return one of MNIST's digits at ZOOM, with lines about as thick as the others, cut to its ink."""
        sources = self._sources
        tries = self._random.integers(len(sources.labels), size=400)
        tries = tries[sources.labels[tries] == label]
        place = tries[np.abs(sources.width[tries] - self._thickness).argmin()] if len(tries) else 0
        image = sources.images[place]
        rows, columns = np.flatnonzero(image.max(1) > 60), np.flatnonzero(image.max(0) > 60)
        top, bottom, first, last = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        scale = height / max(bottom - top, 0.5 * (last - first))
        tall, wide = (bottom - top) * scale, (last - first) * scale * self._matrix[0, 0]
        slant = (self._matrix[0, 1] * 0.6 + self._random.normal(0, 0.04)) * tall
        crop = Image.fromarray(image).crop((first - 2, top - 2, last + 2, bottom + 2))
        grow = (round(wide * ZOOM * crop.width / (last - first)), round(tall * ZOOM * crop.height / (bottom - top)))
        crop = crop.resize((max(grow[0], 2), max(grow[1], 2)), Image.Resampling.BICUBIC)
        lean, pad = slant / tall, round(abs(slant) * ZOOM)  # px to the left for each px down
        sheared = (1.0, lean, min(0.0, -lean * crop.height), 0.0, 1.0, 0.0)
        size = (crop.width + pad, crop.height)
        crop = crop.transform(size, Image.Transform.AFFINE, sheared, Image.Resampling.BILINEAR)
        return crop.point([min(255, max(0, round((level - 64) * 2))) for level in range(256)])

    def _strokes(self, kind: str, label: int, height: float) -> Image.Image:
        """Return a digit of a pen or of a form at ZOOM."""
        random = self._random
        if kind == "pen" and self._writer:
            digits = self._writer[label]
            strokes = fitted(digits[random.integers(len(digits))].strokes, 40, (0, 0))
            strokes = with_habits(strokes, label, random)
        else:
            form = (
                self._forms[label] if random.random() < 0.85 else WRITTEN[label][random.integers(len(WRITTEN[label]))]
            )
            strokes = fitted(write_form(form, label, random).strokes, 40, (0, 0))
        if self._styled:
            strokes = [in_style(stroke, random) for stroke in strokes]
        matrix = self._matrix + random.normal(0, 0.03, (2, 2))
        strokes = [shaken((stroke @ matrix.T).astype(np.float32), random) for stroke in strokes]
        points = np.concatenate(strokes)
        low, (wide, tall) = points.min(0), np.ptp(points, axis=0)
        scale = max(height - self.width, 2) / max(float(tall), 0.5 * float(wide), 1e-3)
        margin = self.width / 2 + 1
        size = math.ceil((wide * scale + 2 * margin) * ZOOM), math.ceil((tall * scale + 2 * margin) * ZOOM)
        ink = Image.new("L", size)
        placed = [((stroke - low) * scale + margin).astype(np.float32) for stroke in strokes]
        draw_strokes(ImageDraw.Draw(ink), placed, self.width)
        return ink

    def mark(self, canvas: Canvas, symbol: str, left: float, base: float) -> Box:
        """Write `.`, `,`, `-` or `/`; return its box."""
        random, height = self._random, self.height
        width = self.width
        if symbol in ".,":
            width = max(self.width, 0.06 * height) * random.uniform(0.9, 1.5)
            is_low = random.random() < 0.85
            base += height * (random.normal(0, 0.08) if is_low else -random.uniform(0.2, 0.6))
        path = {".": self._point, ",": self._comma, "-": self._dash, "/": self._slash}[symbol]()
        box = canvas.strokes([(np.array(path) * height + (left, base)).astype(np.float32)], width)
        canvas.add(box, SYMBOLS.index(symbol), height)
        return box

    # Paths of marks, in heights of a digit, from the left end of the baseline.

    def _point(self) -> Points:
        long = self._random.uniform(0.02, 0.1)
        up = self._random.uniform(0.02, 0.1)
        return [(0, -up), (self._random.normal(0, long), long - up)]

    def _comma(self) -> Points:
        up = self._random.uniform(0.02, 0.1)
        return [(0.15, -up), (0.1, 0.1 - up), (0, self._random.uniform(0.18, 0.4) - up)]

    def _dash(self) -> Points:
        wide, up = self._random.uniform(0.25, 0.8), self._random.uniform(0.35, 0.6)
        return [(share * wide, self._random.normal(0, 0.04) - up) for share in (0, 0.5, 1)]

    def _slash(self) -> Points:
        wide, rise, low = self._random.uniform(0.15, 0.6), self._random.uniform(1, 1.5), self._random.uniform(0, 0.25)
        return [(wide, low - rise), (wide / 2 + self._random.normal(0, 0.06), low - rise / 2), (0, low)]

    def colon(self, canvas: Canvas, left: float, base: float) -> Box:
        """Write a colon, which is no symbol; return its box."""
        dot = np.array([[0, 0], [0, 0.02 * self.height]], np.float32)
        places = [
            np.array([left, base - self.height * up], np.float32) for up in self._random.normal((0.6, 0.12), 0.05)
        ]
        box = canvas.strokes([dot + place for place in places], max(self.width, 0.08 * self.height))
        canvas.add(box, OTHER, self.height)
        return box

    def foreign(self, canvas: Canvas, left: float, base: float, size: float = 1.0) -> Box:
        """Write a letter or sign that is no symbol, by a form, as it was invented, or as a font has it; return its box.

        `size` is its height in heights of a digit.
        """
        kind = self._random.choice(3, p=[0.4, 0.25, 0.35])
        if kind == 2:
            return self.lettering(canvas, random_sign(self._random), left, base, size)
        form = OTHERS[self._random.integers(len(OTHERS))]
        signs = self._sources.signs
        drawn = signs[self._random.integers(len(signs))] if kind else write_form(form, -1, self._random)
        strokes = fitted(drawn.strokes, self.height * size, (0, 0))
        points = np.concatenate(strokes)
        shift = np.array([left, base]) - np.array([points[:, 0].min(), points[:, 1].max()])
        box = canvas.strokes([(stroke + shift).astype(np.float32) for stroke in strokes], self.width)
        canvas.add(box, OTHER, self.height)
        return box

    def lettering(self, canvas: Canvas, text: str, left: float, base: float, size: float = 1.0) -> Box:
        """Write letters after a font's, each a little different; return the box around them."""
        random, start, top = self._random, left, base
        name = PRINTED[random.integers(len(PRINTED))]
        thick = round(random.uniform(0, 0.5) * self.width * ZOOM * random.integers(2))
        gap = self.height * size * random.uniform(-0.05, 0.15)
        for letter in text:
            tall = self.height * size * math.exp(random.normal(0, 0.06))
            slant = -float(self._matrix[0, 1]) + random.normal(0, 0.05)
            ink, above = draw_letter(letter, printer(name, tall * ZOOM), thick, slant)
            y = base + random.normal(0, 0.03) * tall - above / ZOOM
            canvas.picture(ink, left, y)
            canvas.add((left, y, left + ink.width / ZOOM, y + ink.height / ZOOM), OTHER, self.height)
            left, top = left + ink.width / ZOOM + gap, min(top, y)
        return start, top, left, base


def digits(random: Random, low: int, high: int) -> str:
    """Choose from `low` to `high` digits."""
    return "".join(map(str, random.integers(0, 10, random.integers(low, high + 1))))


def grouped(random: Random) -> str:
    """Choose a number whose thousands are set apart."""
    mark = str(random.choice([",", "."]))
    return digits(random, 1, 3) + "".join(mark + digits(random, 3, 3) for _ in range(random.integers(1, 3)))


def date(random: Random) -> str:
    """Choose three numbers with the same mark between them."""
    mark = str(random.choice(["/", "-", ".", "/"]))
    year = ("20" if random.random() < 0.5 else "") + digits(random, 2, 2)
    return mark.join([digits(random, 1, 2), digits(random, 1, 2), year])


def negative(random: Random) -> str:
    """Choose a negative number, some with decimals."""
    decimals = str(random.choice([".", ","])) + digits(random, 1, 2) if random.random() < 0.5 else ""
    return "-" + digits(random, 1, 4) + decimals


AMOUNTS: tuple[tuple[float, Callable[[Random], str]], ...] = (
    (0.33, lambda random: digits(random, 1, 10)),
    (0.09, lambda random: digits(random, 1, 4) + str(random.choice([".", ",", "", ""])) + "0" * random.integers(2, 5)),
    (0.03, lambda random: digits(random, 1, 2) + ":" + digits(random, 2, 2)),
    (0.15, lambda random: digits(random, 1, 4) + str(random.choice([".", ","])) + digits(random, 1, 3)),
    (0.08, grouped),
    (0.09, date),
    (0.09, negative),
    (0.06, lambda random: digits(random, 1, 2) + "/" + digits(random, 1, 3)),
    (0.08, lambda random: digits(random, 1, 3) + "-" + digits(random, 1, 4)),
)


def amount(random: Random) -> str:
    """Choose the text of a number: plain, with decimals, a date, a negative number, a fraction, a code."""
    return AMOUNTS[random.choice(len(AMOUNTS), p=[share for share, _ in AMOUNTS])][1](random)


def write_line(canvas: Canvas, hand: Hand, text: str, left: float, base: float) -> float:
    """Write a number or several (apart by spaces) from `left` on along a baseline that drifts; return where it ends.

    Some lines are set by the boxes of their digits, the others by their ink, of which some touches.
    """
    random, height = canvas.random, hand.height
    gap = height * (random.uniform(-0.12, 0.3) if random.random() < 0.75 else random.uniform(0.3, 0.7))
    by_ink = random.random() < 0.65
    near, touching = random.uniform(0.03, 0.35), random.uniform(0, 0.7) * (random.random() < 0.6)
    slope, sway = random.normal(0, 0.04), height * abs(random.normal(0, 0.06))
    start = left
    previous: Box | None = None
    last_digit: Box | None = None
    for symbol in text:
        at = base + slope * (left - start) + random.normal(0, sway)
        if symbol == " ":
            left += height * random.uniform(0.6, 1.6)
            previous = last_digit = None
            continue
        if left > WIDTH + height:
            break
        if symbol.isdigit():
            touches = random.random() < touching
            apart = -random.uniform(0, 0.08) if touches else near * random.uniform(0.6, 1.4)
            box = hand.digit(canvas, int(symbol), left, at, last_digit if by_ink else None, apart * height)
        else:
            box = hand.mark(canvas, symbol, left, at) if symbol != ":" else hand.colon(canvas, left, at)
        if previous and random.random() < (0.3 if symbol == "0" and hand.joins else 0.03):  # a ligature
            join = np.array(
                [
                    [previous[2] - height * 0.1, previous[3] - height * 0.1],
                    [box[0] + height * 0.1, (box[1] + box[3]) / 2],
                ]
            )
            canvas.strokes([join.astype(np.float32)], hand.width)
        previous = box
        last_digit = box if symbol.isdigit() else None
        left = (
            box[2] + (gap if symbol.isdigit() else height * random.uniform(0.0, 0.25)) + random.normal(0, 0.05) * height
        )
    return left


def cross_out(canvas: Canvas, first: int, hand: Hand) -> None:
    """Cross out the symbols from number `first` on by lines or a scribble: they are none any more."""
    if len(canvas.boxes) <= first:
        return
    boxes = np.array(canvas.boxes[first:])
    (left, top), (right, bottom) = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    random = canvas.random
    count = random.integers(1, 4)
    if random.random() < 0.5:
        y = (top + bottom) / 2 + random.normal(0, 0.1, (count, 2)) * (bottom - top)
        lines = [np.array([[left - 2, a], [right + 2, b]]) for a, b in y]
    else:
        x = np.linspace(left, right, 2 * random.integers(3, 7))
        lines = [np.stack([x, np.where(np.arange(len(x)) % 2, bottom, top)], 1)]
    canvas.strokes([line.astype(np.float32) for line in lines], hand.width * random.uniform(0.8, 1.6))
    for place in range(first, len(canvas.classes)):
        canvas.classes[place] = OTHER


def flourish(canvas: Canvas, hand: Hand, left: float, base: float) -> float:
    """Write what people put before or after an amount: a currency sign, `=`, `#`, a dash and a curl, a letter."""
    random, height = canvas.random, hand.height
    kind = random.random()
    if kind < 0.35:
        box = hand.foreign(canvas, left, base, random.uniform(0.7, 1.2))
        return box[2] + height * random.uniform(0.0, 0.3)
    if kind < 0.6:  # lines, one to three, long, straight or bowed
        wide = height * random.uniform(0.5, 3)
        path = np.linspace(0, 1, 12)
        lines = []
        for _ in range(random.integers(1, 4)):
            bow = random.normal(0, 0.15) * np.sin(np.pi * path) + random.normal(0, 0.1) * path
            lines.append(np.stack([left + path * wide, base - height * (random.uniform(0.2, 0.7) + bow)], 1))
    elif kind < 0.8:  # a curl
        turn = np.linspace(0, random.uniform(1, 3) * 2 * np.pi, 40)
        wide = height * random.uniform(0.4, 1.2)
        lines = [
            np.stack(
                [
                    left + wide * 0.3 * (1 + np.cos(turn)) + wide * turn / 20,
                    base - height * (0.45 + 0.35 * np.sin(turn)),
                ],
                1,
            )
        ]
    else:  # a dollar sign: an S with bars
        t = np.linspace(0, 1, 30)
        x = np.sin(t * 2 * np.pi * 0.95 + 0.4) * (0.25 * height)
        lines = [np.stack([left + 0.3 * height + x, base - height * (1 - t)], 1)]
        for shift in [0.3] if random.random() < 0.5 else [0.22, 0.38]:
            lines.append(
                np.array([[left + shift * height, base - 1.15 * height], [left + shift * height, base + 0.1 * height]])
            )
    box = canvas.strokes([line.astype(np.float32) for line in lines], hand.width)
    if box[2] - box[0] < 3 * height:
        canvas.add(box, OTHER, height)
    return box[2] + height * random.uniform(0.05, 0.4)


def print_text(canvas: Canvas, left: float, top: float, size: float, text: str) -> None:
    """Print text in a font: it is no handwriting, and none of its characters is a symbol."""
    font = printer(PRINTED[canvas.random.integers(len(PRINTED))], size * ZOOM)
    canvas.press.text((left * ZOOM, top * ZOOM), text, fill=int(canvas.random.integers(90, 256)), font=font)


def print_lines(canvas: Canvas, hand: Hand) -> None:
    """Print lines of words all over the scene."""
    random = canvas.random
    size = math.exp(random.uniform(math.log(7), math.log(max(8.0, 1.3 * hand.height))))
    left, name, level = random.uniform(-30, 20), PRINTED[random.integers(len(PRINTED))], int(random.integers(90, 256))
    for top in np.arange(random.uniform(-size, size), HEIGHT, size * random.uniform(1.5, 2.5)):
        words = " ".join(random_word(random) for _ in range(random.integers(1, 8)))
        canvas.press.text((left * ZOOM, float(top) * ZOOM), words, fill=level, font=printer(name, size * ZOOM))


def rule(canvas: Canvas, points: Sequence[tuple[float, float]], thick: float, level: int) -> None:
    """Print a line through points in px, whole, dashed or dotted."""
    canvas.press.line([(x * ZOOM, y * ZOOM) for x, y in points], fill=level, width=max(1, round(thick * ZOOM)))


def free_lines(canvas: Canvas, hand: Hand) -> None:
    """Write one to five lines of numbers, of which some are cut by the scene's edges."""
    random, height = canvas.random, hand.height
    pitch = height * random.uniform(1.25, 2.6)
    left = random.uniform(-0.8, 1.5) * height if random.random() < 0.7 else random.uniform(0, 0.7 * WIDTH)
    base = random.uniform(0.9, 1.9) * height if random.random() < 0.7 else random.uniform(0.5, 1.1) * HEIGHT
    ruled = random.random() < 0.35
    thick, level = random.uniform(0.4, 1.6), int(random.integers(60, 220))
    while base < HEIGHT + 0.6 * height:
        if ruled:
            y = base + random.normal(0, 0.06) * height
            rule(canvas, [(-5, y), (WIDTH + 5, y)], thick, level)
        at = left + random.normal(0, 0.3) * height
        if random.random() < 0.2:
            before = (flourish, word, cursive)[random.choice(3, p=[0.6, 0.2, 0.2])]
            at = before(canvas, hand, at, base) + height * random.uniform(0.1, 0.8)
        first = len(canvas.boxes)
        texts = [amount(random) for _ in range(random.integers(1, 3))]
        end = write_line(canvas, hand, " ".join(texts), at, base)
        if random.random() < 0.05:
            cross_out(canvas, first, hand)
        elif random.random() < 0.22:
            after = (flourish, word, cursive)[random.choice(3, p=[0.6, 0.2, 0.2])]
            after(canvas, hand, end + random.uniform(0.1, 0.8) * height, base)
        if random.random() < 0.07:  # underlined
            y = base + random.uniform(0.12, 0.4) * height
            canvas.strokes([np.array([[at, y], [end, y + random.normal(0, 1.5)]], np.float32)], hand.width)
        base += pitch
        if random.random() < 0.35:
            break


def boxes(canvas: Canvas, hand: Hand) -> None:
    """Print a row or grid of boxes, a comb or a table, and write a digit in each box, or a number in each cell."""
    random, height = canvas.random, hand.height
    tall = height * random.uniform(1.05, 2.0)
    one = random.random() < 0.6  # a digit a box
    wide = height * (random.uniform(0.75, 1.5) if one else random.uniform(2, 6))
    left, top = random.uniform(-0.6, 1) * wide, random.uniform(-0.4, 0.8) * tall
    thick, level = random.uniform(0.3, 2.4), int(random.integers(70, 256))
    apart = random.uniform(0, 0.3) * wide if random.random() < 0.3 else 0.0
    comb = random.random() < 0.15
    tilt = random.normal(0, 0.012)
    empty = random.uniform(0, 0.4)
    while top < HEIGHT:
        x = left
        while x < WIDTH:
            y, right, bottom = top + tilt * x, x + wide - apart, top + tilt * x + tall
            upper = y + 0.65 * tall if comb else y
            rule(
                canvas,
                [
                    (x, bottom),
                    (x, upper),
                    *([] if comb else [(right, upper)]),
                    (right, bottom) if not comb else (x, bottom),
                    (x, bottom),
                    (right, bottom),
                ],
                thick,
                level,
            )
            if random.random() > empty:
                base = bottom - random.uniform(0.02, max(0.03, 1 - height / tall)) * tall * 0.8
                if one:
                    label = int(random.integers(10)) if random.random() < 0.8 else 1
                    hand.digit(canvas, label, x + random.uniform(0, 0.45) * wide, base)
                else:
                    write_line(
                        canvas,
                        hand,
                        amount(random)[: max(1, int(wide / height / 0.7))],
                        x + random.uniform(0.05, 0.4) * height,
                        base,
                    )
            x += wide
        top += tall + (0 if random.random() < 0.5 else random.uniform(0, 1) * tall)
        if random.random() < 0.3:
            break


def fraction(canvas: Canvas, hand: Hand) -> None:
    """Write mixed fractions, stacked or aslant, and numbers with raised cents: `6 1/2`, `125 00/100`."""
    random, height = canvas.random, hand.height
    left, base = random.uniform(0, 1) * height, random.uniform(1.3, 2) * height
    while left < WIDTH and base < HEIGHT:
        if random.random() < 0.75:
            left = write_line(
                canvas, hand, "".join(map(str, random.integers(0, 10, random.integers(1, 4)))), left, base
            )
        whole, hand.height = hand.height, hand.height * random.uniform(0.45, 0.8)
        if hand.height >= 6:
            upper, lower = (str(random.integers(1, 100)) for _ in range(2))
            if random.random() < 0.5:  # stacked
                end = write_line(canvas, hand, upper, left, base - 0.55 * whole)
                y = base - 0.45 * whole
                box = canvas.strokes(
                    [np.array([[left - 1, y], [end + 1, y + random.normal(0, 1)]], np.float32)], hand.width
                )
                canvas.add(box, SYMBOLS.index("/"), hand.height)
                end = max(end, write_line(canvas, hand, lower, left, base + 0.25 * whole))
            else:
                middle = write_line(canvas, hand, upper, left, base - 0.35 * whole)
                slash = np.array(
                    [[middle + 0.3 * whole, base - whole], [middle - 0.1 * whole, base + 0.1 * whole]], np.float32
                )
                canvas.add(canvas.strokes([slash], hand.width), SYMBOLS.index("/"), hand.height)
                end = write_line(canvas, hand, lower, middle + 0.15 * whole, base + 0.1 * whole)
            left = end
        hand.height = whole
        left += height * random.uniform(0.8, 2)


def lone(canvas: Canvas, hand: Hand) -> None:
    """Write one digit or one short number somewhere, as drawings and registers have it."""
    random, height = canvas.random, hand.height
    text = str(random.integers(10)) if random.random() < 0.6 else amount(random)[:4]
    left = random.uniform(0, max(1, WIDTH - len(text) * 0.8 * height))
    write_line(canvas, hand, text, left, random.uniform(min(height, HEIGHT), HEIGHT))


def cursive(canvas: Canvas, hand: Hand, left: float, base: float) -> float:
    """Scrawl a word in one line, with loops, hooks and long letters; return where it ends."""
    random, height = canvas.random, hand.height
    letters = random.integers(2, 9)
    t = np.linspace(0, letters, 14 * letters)
    tall = np.interp(t, np.arange(letters + 1), random.choice([0.4, 0.45, 0.5, 1.0, 1.1], letters + 1))
    low = np.interp(t, np.arange(letters + 1), random.choice([0.0, 0.0, 0.0, 0.4], letters + 1))
    turn = 2 * np.pi * t + random.normal(0, 0.5)
    wide, loop = random.uniform(0.3, 0.6), random.uniform(-0.05, 0.35)
    x = t * wide + loop * np.sin(turn) * np.interp(t, np.arange(letters + 1), random.uniform(0.2, 1, letters + 1))
    y = np.where(np.cos(turn) > 0, -tall, low) * np.abs(np.cos(turn)) ** 0.7
    path = np.stack([x - 0.25 * y * random.normal(0.6, 0.4), y], 1) * height + (left, base)
    return canvas.strokes([path.astype(np.float32)], hand.width)[2]


def word(canvas: Canvas, hand: Hand, left: float, base: float) -> float:
    """Write a word in letters that stand close or touch; return where it ends."""
    random = canvas.random
    if random.random() < 0.6:
        return hand.lettering(canvas, random_word(random), left, base, random.uniform(0.6, 1.2))[2]
    gap = hand.height * random.uniform(-0.08, 0.15)
    for _ in range(random.integers(2, 8)):
        left = hand.foreign(canvas, left, base, random.choice([0.55, 0.65, 0.9, 1.0]))[2] + gap
    return left


def sign(canvas: Canvas, hand: Hand, left: float, base: float) -> float:
    """Write one letter or sign that is no symbol; return where it ends."""
    return hand.foreign(canvas, left, base, canvas.random.uniform(0.6, 1.5))[2]


def scribble(canvas: Canvas, hand: Hand, left: float, base: float) -> float:
    """Scribble back and forth: a zigzag, hatching, or a line that wanders; return where it ends."""
    random, height = canvas.random, hand.height
    count = int(random.integers(4, 20))
    if random.random() < 0.5:
        x = np.linspace(0, random.uniform(0.6, 4), count)
        y = np.arange(count) % 2 * random.uniform(0.2, 1, count)
        path = np.stack([x + y * random.uniform(-0.6, 0.6), y], 1)
        lines = [path] if random.random() < 0.6 else list(path[: count // 2 * 2].reshape(-1, 2, 2))
    else:
        turn = np.cumsum(np.cumsum(random.normal(0, random.uniform(0.05, 0.3), 12 * count)) * 0.5)
        path = np.cumsum(np.stack([np.cos(turn) + random.uniform(0, 0.6), np.sin(turn)], 1), 0)
        path = path - path.min(0)
        lines = [path * random.uniform(0.8, 2.5) / max(float(path.max()), 1)]
    placed = [(line * [1, -1] * height + (left, base)).astype(np.float32) for line in lines]
    return canvas.strokes(placed, hand.width)[2]


def nothing(canvas: Canvas, hand: Hand) -> None:
    """Write letters, words, signs and scribbles without a digit, or print words, or leave the scene empty."""
    random, height = canvas.random, hand.height
    kind = random.random()
    if kind < 0.15:
        return
    if kind < 0.35:
        print_lines(canvas, hand)
        return
    styles = (cursive, word, flourish, sign, scribble)
    usual = styles[random.integers(len(styles))]
    base = random.uniform(0.8, 2) * height
    while base < HEIGHT + height:
        left = random.uniform(-0.5, 2) * height
        while left < WIDTH:
            write = usual if random.random() < 0.7 else styles[random.integers(len(styles))]
            left = write(canvas, hand, left, base) + height * random.uniform(0.2, 1.5)
        base += height * random.uniform(1.3, 3)


def pictures_of_anything(count: int) -> Tensor:
    """Make pictures without writing, brightness [N, H, W] in 0..1: things that hide each other, or mottled ones."""
    things = leaves(count, WIDTH)[:, :HEIGHT]
    mottled = blotches(count, WIDTH)[torch.randperm(count), :HEIGHT]
    return torch.where(chance(count, 0.6), things, mottled)


KINDS: tuple[tuple[Callable[[Canvas, Hand], None], float], ...] = (
    (free_lines, 0.40),
    (boxes, 0.19),
    (fraction, 0.07),
    (lone, 0.12),
    (nothing, 0.22),
)


def distract(canvas: Canvas, hand: Hand) -> None:
    """Print what surrounds numbers: frames, long lines, labels, the dark edge of a page, a stamp."""
    random, height = canvas.random, hand.height
    if random.random() < 0.3:
        thick, level = random.uniform(0.3, 3), int(random.integers(60, 256))
        for _ in range(random.integers(1, 4)):
            tilt = random.normal(0, 2)
            if random.random() < 0.5:
                x = random.uniform(0, WIDTH)
                rule(canvas, [(x, -5), (x + tilt, HEIGHT + 5)], thick, level)
            else:
                y = random.uniform(0, HEIGHT)
                rule(canvas, [(-5, y), (WIDTH + 5, y + tilt)], thick, level)
    if random.random() < 0.2:
        for _ in range(random.integers(1, 4)):
            size = random.uniform(5, max(7, 0.9 * height))
            text = " ".join(random_word(random) for _ in range(random.integers(1, 4)))
            print_text(canvas, random.uniform(-20, WIDTH), random.uniform(-5, HEIGHT), size, text)
    if random.random() < 0.06:  # a page's dark edge
        side, deep = random.integers(4), random.uniform(1, 14)
        box = [
            (0, 0, deep, HEIGHT),
            (WIDTH - deep, 0, WIDTH, HEIGHT),
            (0, 0, WIDTH, deep),
            (0, HEIGHT - deep, WIDTH, HEIGHT),
        ][side]
        canvas.press.rectangle([value * ZOOM for value in box], fill=int(random.integers(120, 256)))
    if random.random() < 0.1:
        print_waves(canvas)


def print_waves(canvas: Canvas) -> None:
    """Print fine waves, as security print has them."""
    random = canvas.random
    x = np.linspace(0, WIDTH, 120)
    pitch, swing = random.uniform(3, 12), random.uniform(0.5, 6)
    wave = swing * np.sin(2 * np.pi * x / random.uniform(10, 80))
    level, thick = int(random.integers(30, 130)), random.uniform(0.3, 1)
    for base in np.arange(-swing, HEIGHT + swing, pitch):
        rule(canvas, list(zip(x, base + wave * random.uniform(0.7, 1.3), strict=True)), thick, level)


@dataclass(frozen=True, eq=False)
class Scene:
    """Hold a scene's written and printed ink, uint8 [H, W], and its symbols: boxes [S, 4] px, classes, heights [S].

    The picture is `part` of it (left, top, right, bottom in px): around every picture lies an empty plane.
    """

    written: NDArray[np.uint8]
    printed: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]
    heights: NDArray[np.float32]
    part: tuple[int, int, int, int] = (0, 0, WIDTH, HEIGHT)


def part_of(boxes: NDArray[np.float32], random: Random) -> tuple[int, int, int, int]:
    """Choose how much of a scene is its picture: all, or a part that holds every symbol, however close to its edges."""
    if random.random() < 0.6:
        return 0, 0, WIDTH, HEIGHT
    size = np.array([WIDTH, HEIGHT])
    low, high = (boxes[:, :2].min(0), boxes[:, 2:].max(0)) if len(boxes) else (size / 3, size * 2 / 3)
    start = low * random.uniform(0, 1, 2) * (random.random(2) < 0.7)
    end = size - (size - high) * random.uniform(0, 1, 2) * (random.random(2) < 0.7)
    left, top, right, bottom = map(int, [*np.floor(start), *np.ceil(end)])
    return left, top, right, bottom


def draw_scene(sources: Sources, random: Random) -> Scene:
    """Draw a scene in one hand; digits are 7 to 110 px high, most of them of the heights that one level finds."""
    canvas = Canvas(random)
    usual = random.random() < 0.86
    low, high = (SMALLEST, LARGEST) if usual else ((6.0, SMALLEST) if random.random() < 0.35 else (LARGEST, 130.0))
    hand = Hand(sources, math.exp(random.uniform(math.log(low), math.log(high))), random)
    distract(canvas, hand)
    draw = KINDS[random.choice(len(KINDS), p=[share for _, share in KINDS])][0]
    draw(canvas, hand)
    written, printed = (np.asarray(layer.reduce(ZOOM)) for layer in (canvas.written, canvas.printed))
    boxes = np.array(canvas.boxes, np.float32).reshape(-1, 4)
    classes, heights = np.array(canvas.classes, np.int64), np.array(canvas.heights, np.float32)
    return Scene(written, printed, boxes, classes, heights, part_of(boxes, random))


@dataclass(frozen=True, eq=False)
class NumberPicture:
    """Hold a picture of one number, uint8 [H, W], its text and its symbols: boxes [S, 4] px and classes [S]."""

    pixels: NDArray[np.uint8]
    text: str
    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]


def draw_number(sources: Sources, random: Random) -> NumberPicture:
    """Draw one number in one hand on paper, whole and at any size, to calibrate and to validate on."""
    while True:
        canvas = Canvas(random)
        height = math.exp(random.uniform(math.log(SMALLEST), math.log(LARGEST)))
        hand = Hand(sources, height, random)
        text = amount(random)
        if ":" in text:
            continue
        if random.random() < 0.4:
            distract(canvas, hand)
        left, base = random.uniform(0.1, 1) * height, random.uniform(height, HEIGHT - 0.3 * height)
        write_line(canvas, hand, text, left, base)
        if len(canvas.classes) == len(text) and max(box[2] for box in canvas.boxes) < WIDTH - 1:
            break
    layers = (
        torch.as_tensor(np.array(layer.reduce(ZOOM)))[None].float() / 255 for layer in (canvas.written, canvas.printed)
    )
    shown = photograph(*layers)
    right = min(WIDTH, int(max(box[2] for box in canvas.boxes) + random.uniform(0.1, 2) * height))
    grow = math.exp(random.uniform(math.log(0.8), math.log(4)))
    shown = functional.interpolate(shown[:, None, :, :right], scale_factor=grow, mode="bilinear", antialias=True)[0, 0]
    pixels = (shown * 255).round().clamp(0, 255).to(torch.uint8).numpy()
    return NumberPicture(pixels, text, np.array(canvas.boxes, np.float32) * np.float32(grow), np.array(canvas.classes))


def photograph(written: Tensor, printed: Tensor) -> Tensor:
    """Photograph ink [N, H, W], 0..1, on paper of all kinds: brightness [N, H, W], 0..1."""
    count, height, width = written.shape
    plain = chance(count, 0.45)
    paper = torch.where(plain, 1.0, lit_paper(count, height, width))
    strength = torch.where(plain & chance(count, 0.6), 1.0, uniform(count, 0.4, 1.0))
    pencil = 1 - uniform(count, 0, 0.5) * chance(count, 0.3) * torch.rand(count, height, width)
    shown = paper * (1 - strength * pencil * written) * (1 - uniform(count, 0.15, 1.0) * printed)
    shown = torch.where(chance(count, 0.45), blurred(shown), shown)
    coarse = functional.interpolate(shown[:, None], scale_factor=0.5, mode="area")
    coarse = functional.interpolate(coarse, scale_factor=2.0, mode="bilinear")[:, 0]
    shown = torch.where(chance(count, 0.18), coarse, shown)
    noise = torch.randn(count, height, width)
    soft = functional.avg_pool2d(noise[:, None], 3, 1, 1)[:, 0] * 2
    noise = torch.where(chance(count, 0.5), noise, soft) * uniform(count, 0, 0.22).square()
    shown = torch.where(plain & chance(count, 0.7), shown, shown + noise)
    low = uniform(count, 0, 0.5) * chance(count, 0.5)  # a low contrast
    shown = low + shown * (uniform(count, 0.35, 1.0) * (1 - low))
    shown = torch.where(chance(count, 0.3), compressed(shown.clamp(0, 1)), shown)
    bits = plain & chance(count, 0.25)
    middle = (shown.amax((1, 2), keepdim=True) + shown.amin((1, 2), keepdim=True)) / 2
    shown = torch.where(bits, (shown > middle).float(), shown)
    return torch.where(chance(count, 0.35), 1 - shown, shown).clamp(0, 1)


def lit_paper(count: int, height: int, width: int) -> Tensor:
    """Light paper: a slope, soft patches, a shadow's edge, roughness and fine patterns, [N, H, W]."""
    x = torch.linspace(-0.5, 0.5, width)[None, None]
    y = torch.linspace(-0.25, 0.25, height)[None, :, None]
    turn = uniform(count, 0, 2 * math.pi)
    along = x * turn.cos() + y * turn.sin()
    slope = 1 + uniform(count, 0, 0.6) * along
    shadow = 1 - uniform(count, 0, 0.6) * torch.sigmoid(
        (along - uniform(count, -0.4, 0.4)) * uniform(count, 3, 200)
    ) * chance(count, 0.3)
    rough = torch.zeros(count, height, width)
    for cell, most in ((32, 0.15), (8, 0.08), (3, 0.06)):
        patch = torch.randn(count, 1, height // cell + 2, width // cell + 2)
        patch = functional.interpolate(patch, size=(height, width), mode="bilinear")[:, 0]
        rough = rough + patch * uniform(count, 0, most) * chance(count, 0.5)
    bend = functional.interpolate(torch.randn(count, 1, 4, 6), size=(height, width), mode="bicubic")[:, 0]
    turn = uniform(count, 0, 2 * math.pi)
    wave = torch.cos(
        (x * width * turn.cos() + y * 2 * height * turn.sin() + bend * uniform(count, 0, 6))
        * (2 * math.pi)
        / uniform(count, 3, 30)
    )
    pattern = wave * uniform(count, 0, 0.16) * chance(count, 0.3)
    return (uniform(count, 0.5, 1.0) * slope * shadow * (1 + rough + pattern)).clamp(0, 1)
