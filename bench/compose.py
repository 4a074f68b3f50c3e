"""Compose pictures of handwritten numbers for `reading.py`: hands, marks, paper, print, light and camera.

Nothing here is shared with training: the digits are MNIST's test digits and those of the test writers' pens, the fonts
Pillow's own and Computer Modern. Every picture is a function of the random generator that it is given.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter
from scipy.special import expit

from handwriting import (
    Grey,
    Hand,
    Hands,
    Ink,
    Piece,
    Random,
    enlarged,
    font_file,
    glyph,
    lettering,
    merged,
    stroked,
    tight,
    write,
)
from inkdigit.evaluation.strokes import PenDigit

Box = tuple[float, float, float, float]  # left, top, right, bottom in px

FONTS = ("cmr10", "cmss10", "cmtt10", "cmb10", "")  # the empty name is Pillow's own font
WORDS = (
    "Name Total Date Amount Item Price Milk Bread Nails Paint Sum Page Unit Cost Paid Sugar Week Rent Water Room Count "
    "Weight Mean Sample Test Group Patient Ward Record Due March June Office"
)


@dataclass(frozen=True)
class Number:
    """Hold what is written at a place: its text and its box in px."""

    text: str
    box: Box


@dataclass(frozen=True, eq=False)
class Picture:
    """Hold a picture, uint8 [H, W], with its numbers."""

    pixels: Grey
    numbers: tuple[Number, ...] = ()


def blank_paper(height: int, width: int, random: Random) -> Ink:
    """Return paper, float32 [H, W] in 0..255: a shade, mottled and with fibres."""
    small = random.normal(0, 1, (height // 40 + 3, width // 40 + 3)).astype(np.float32)
    mottle = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))
    fibre = gaussian_filter(random.normal(0, 1, (height, width)).astype(np.float32), (0.6, 1.2))
    rough = random.choice([0.3, 1.0, 4.0], p=[0.4, 0.4, 0.2])
    return np.asarray(random.uniform(205, 252) + rough * (mottle + 2 * fibre), np.float32)


@dataclass(eq=False)
class Sheet:
    """Hold paper, float32 [H, W] in 0..255, with what is printed and written on it."""

    paper: Ink
    random: Random
    numbers: list[Number] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Choose the ink and the font, which are the same all over the sheet."""
        self._print = Image.new("L", (self.paper.shape[1], self.paper.shape[0]))
        self._lines = ImageDraw.Draw(self._print)
        self._face = str(self.random.choice(FONTS))
        self._density = (
            self.random.uniform(0.45, 0.8) if self.random.random() < 0.25 else self.random.uniform(0.8, 0.97)
        )

    @property
    def size(self) -> tuple[int, int]:
        """Return height and width in px."""
        return self.paper.shape[0], self.paper.shape[1]

    def rule(self, kind: str, pitch: float, first: float | None = None) -> None:
        """Print a ruling: "plain", "ruled" or "squared", with lines `pitch` px apart; `first` is the y of one line."""
        height, width = self.size
        shade, start = int(self.random.uniform(40, 130)), self.random.uniform(0, pitch, 2)
        thick = max(1, round(pitch * self.random.uniform(0.02, 0.045)))
        if kind in {"ruled", "squared"}:
            for y in np.arange(start[0] if first is None else first % pitch, height, pitch):
                self._lines.line((0, y, width, y), fill=shade, width=thick)
        if kind == "squared":
            for x in np.arange(start[1], width, pitch):
                self._lines.line((x, 0, x, height), fill=shade, width=thick)
        if kind == "ruled" and self.random.random() < 0.4:
            x = width * self.random.uniform(0.03, 0.1)
            self._lines.line((x, 0, x, height), fill=shade, width=thick)

    def frame(self, box: Box, thick: int, shade: int) -> None:
        """Print the four sides of a box."""
        self._lines.rectangle(box, outline=shade, width=thick)

    def line(self, start: tuple[float, float], end: tuple[float, float], thick: int, shade: int) -> None:
        """Print a straight line."""
        self._lines.line((*start, *end), fill=shade, width=thick)

    def text(self, x: float, y: float, line: str, height: float) -> None:
        """Print a line of text with the sheet's font, its top left at (x, y)."""
        face = ImageFont.truetype(font_file(self._face), height) if self._face else ImageFont.load_default(height)
        self._lines.text((x, y), line, fill=int(self.random.uniform(150, 245)), font=face)

    def put(self, ink: Ink, x: float, y: float) -> Box:
        """Lay ink on the paper with its top left at (x, y), cut at the edges; return its box."""
        top, left = round(y), round(x)
        height, width = self.size
        ink = ink[max(0, -top) : height - top, max(0, -left) : width - left]
        top, left = max(top, 0), max(left, 0)
        part = self.paper[top : top + ink.shape[0], left : left + ink.shape[1]]
        grain = 1 - 0.15 * self.random.random(ink.shape, np.float32)
        part *= 1 - ink * grain * self._density
        return left, top, left + ink.shape[1], top + ink.shape[0]

    def number(self, one: Hand, text: str, height: float, x: float, y: float) -> Box:
        """Write a number whose first digit's top left is at (x, y)."""
        piece = write(one, text, height, self.random)
        box = self.put(piece.ink, x, y + piece.y)
        self.numbers.append(Number(text, box))
        return box

    def combs(self, one: Hand, text: str, height: float, x: float, y: float) -> Box:
        """Write a number in a row of printed boxes, one digit in each, which begins at (x, y); return the row's box."""
        random = self.random
        wide, tall = height * random.uniform(1.05, 1.4), height * random.uniform(1.3, 1.7)
        gap = random.choice([0.0, 0.15]) * height
        thick, shade = max(1, round(height * 0.04)), int(random.uniform(80, 230))
        pieces = []
        for place, sign in enumerate(text):
            left = x + place * (wide + gap)
            self.frame((left, y, left + wide, y + tall), thick, shade)
            piece = glyph(sign, one, height, random)
            at = left + (wide - piece.ink.shape[1]) / 2 + random.normal(0, 0.05) * height
            pieces.append(Piece(piece.ink, at, y + (tall - height) / 2 + piece.y + random.normal(0, 0.04) * height))
        whole = merged(pieces)
        self.numbers.append(Number(text, self.put(whole.ink, whole.x, whole.y)))
        return x, y, x + len(text) * (wide + gap), y + tall

    def photograph(self, turn: float, detail: float) -> Picture:
        """Return the sheet as a camera or scanner sees it, turned by `turn` degrees.

        `detail` is the height in px of the smallest writing, which blur and JPEG must leave legible.
        """
        printed = gaussian_filter(np.asarray(self._print, np.float32) / 255, 0.5)
        seen = self.paper * (1 - printed)
        image = Image.fromarray(seen.astype(np.float32))
        edge = float(np.median(self.paper))
        image = image.rotate(turn, Image.Resampling.BICUBIC, fillcolor=edge)
        pixels = camera(np.asarray(image), detail, self.random)
        return Picture(pixels, tuple(Number(each.text, turned(each.box, turn, self.size)) for each in self.numbers))


def turned(box: Box, degrees: float, size: tuple[int, int]) -> Box:
    """Return the box around a box that is turned with its picture, counterclockwise around the middle."""
    left, top, right, bottom = box
    y0, x0 = (size[0] - 1) / 2, (size[1] - 1) / 2
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    x = np.array([left, right, left, right]) - x0
    y = np.array([top, top, bottom, bottom]) - y0
    across, down = cos * x + sin * y + x0, cos * y - sin * x + y0
    return float(across.min()), float(down.min()), float(across.max()), float(down.max())


def camera(seen: Ink, detail: float, random: Random) -> Grey:
    """Return a page, float [H, W] in 0..255, under uneven light, blurred, noisy, perhaps as a JPEG or inverted."""
    height, width = seen.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    if random.random() < 0.5:
        light = 1 + x * random.normal(0, 0.07) + y * random.normal(0, 0.07) - (x * x + y * y) * random.uniform(0, 0.07)
        if random.random() < 0.3:
            edge = x * random.normal() + y * random.normal() + random.normal(0, 0.3)
            light -= random.uniform(0.1, 0.3) * expit(edge * random.uniform(3, 30))
        seen = np.asarray(seen * light, np.float32)
    seen = gaussian_filter(seen, random.uniform(0, 0.03) * min(detail, 40))
    seen = seen + random.normal(0, random.uniform(0, 4), seen.shape).astype(np.float32)
    if random.random() < 0.1:
        seen = 255 - seen
    pixels = np.clip(seen, 0, 255).astype(np.uint8)
    return as_jpeg(pixels, int(random.integers(55, 95))) if random.random() < 0.5 else pixels


def as_jpeg(pixels: Grey, quality: int) -> Grey:
    """Return pixels after JPEG compression."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def words(count: int, random: Random) -> str:
    """Return random words."""
    return " ".join(random.choice(WORDS.split(), count))


def digits(length: int, random: Random) -> str:
    """Return random digits; a quarter of the longer ones end as amounts and dates do, in zeros or repeated digits."""
    text = "".join(map(str, random.integers(0, 10, length)))
    if length >= 4 and random.random() < 0.25:
        text = text[:-2] + str(random.choice(["00", "50", "99", "11"]))
    return text


def marked_text(random: Random) -> tuple[str, str]:
    """Return a kind and a text with marks: a date, a decimal, a minus sign or a fraction."""
    kind = str(random.choice(["date", "decimal", "minus", "fraction"]))
    if kind == "date":
        day, month = random.integers(1, 29), random.integers(1, 13)
        year = str(random.choice([str(random.integers(1950, 2030)), f"{random.integers(0, 100):02}"]))
        return kind, str(random.choice(["/", "-", "."])).join([f"{day:02}", f"{month:02}", year])
    if kind == "decimal":
        point = str(random.choice([".", ","]))
        return (
            kind,
            f"{random.integers(0, 10 ** random.integers(1, 5))}{point}{digits(int(random.integers(1, 3)), random)}",
        )
    if kind == "minus":
        return kind, f"-{random.integers(1, 10 ** random.integers(1, 5))}{random.choice(['', '.5', ',25'])}"
    lower = int(random.integers(2, 10))
    whole = str(random.choice(["", f"{random.integers(1, 30)} "]))
    return kind, f"{whole}{random.integers(1, lower)}/{lower}"


def page_text(random: Random) -> str:
    """Return what is written at one place of a page: mostly whole numbers, one in four with a mark."""
    return marked_text(random)[1] if random.random() < 0.25 else digits(int(random.integers(1, 8)), random)


def line_picture(one: Hand, text: str, height: float, random: Random) -> Picture:
    """Compose one number on a strip of paper, with margins from narrow to wide."""
    piece = write(one, text, height, random)
    left, right, above, below = random.uniform(0.3, 2.0, 4) * height
    size = round(len(piece.ink) + above + below), round(piece.ink.shape[1] + left + right)
    sheet = Sheet(blank_paper(*size, random), random)
    kind = str(random.choice(["plain", "ruled", "squared"], p=[0.6, 0.2, 0.2]))
    sheet.rule(kind, height * random.uniform(0.6, 1.2 if kind == "squared" else 1.8))
    sheet.numbers.append(Number(text, sheet.put(piece.ink, left, above)))
    turn = random.normal(0, 1.5) * min(1.0, 8 * height / size[1])
    return sheet.photograph(turn, height)


def single_picture(image: Grey, label: int, random: Random) -> Picture:
    """Place one of MNIST's digits, 28×28, of any size and anywhere on a larger plain canvas, of either polarity."""
    scale = float(np.exp(random.uniform(0, np.log(8))))
    ink = enlarged(tight(image.astype(np.float32) / np.float32(255)), scale)
    size = np.array(ink.shape) + np.array(random.uniform(0.25, 2.5, 2) * max(ink.shape)).astype(int)
    top, left = (
        int(random.integers(0.08 * side, room - 0.08 * side + 1))
        for side, room in zip(ink.shape, size - ink.shape, strict=True)
    )
    canvas = np.zeros(size, np.float32)
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    dark, bright = random.uniform(0, 60), random.uniform(200, 255)
    pixels = bright + (dark - bright) * canvas if random.random() < 0.7 else dark + (bright - dark) * canvas
    box = (left, top, left + ink.shape[1], top + ink.shape[0])
    return Picture(pixels.astype(np.uint8), (Number(str(label), box),))


def drawing_picture(digit: PenDigit, random: Random) -> Picture:
    """Draw a pen digit as on the page: dark on a white square of 280 to 480 px, with a round pen."""
    side = int(random.integers(280, 481))
    points = np.concatenate(digit.strokes)
    low, extent = points.min(0), np.ptp(points, axis=0).max()
    scale = side * random.uniform(0.3, 0.75) / extent
    piece = stroked([(stroke - low) * scale for stroke in digit.strokes], side * random.uniform(0.02, 0.055), random)
    ink = piece.ink
    room = side - np.array(ink.shape)
    top, left = (int(random.integers(0, max(each, 0) + 1)) for each in room)
    sheet = np.full((side, side), 255, np.float32)
    sheet[top : top + ink.shape[0], left : left + ink.shape[1]] *= 1 - ink[: side - top, : side - left]
    box = (left, top, left + ink.shape[1], top + ink.shape[0])
    return Picture(sheet.astype(np.uint8), (Number(str(digit.label), box),))


def page_picture(hands: Hands, layout: str, ruling: str, count: int, random: Random) -> Picture:
    """Compose a page of `count` numbers by one hand, 12 to 60 px high, in a layout of `PAGES`."""
    height = float(np.exp(random.uniform(np.log(14), np.log(50))))
    one = hands.any(random, touching=0.1)
    sheet = PAGES[layout](one, height, ruling, count, random)
    return sheet.photograph(random.normal(0, 0.6), height * 0.85)


def empty_page(height: float, size: tuple[float, float], pitch: float, ruling: str, random: Random) -> Sheet:
    """Return a page with room for writing of `size`, rows and columns in px, and margins of twice its height.

    Ruled lines are `pitch` px apart; writing that begins 2 · `height` px below the edge stands on one.
    """
    sheet = Sheet(blank_paper(round(size[0] + 4 * height), round(size[1] + 4 * height), random), random)
    ruled = ruling == "ruled"
    sheet.rule(ruling, pitch if ruled else height * random.uniform(0.7, 1.1), height * random.uniform(3, 3.2))
    if random.random() < 0.6:
        sheet.text(height * 2, height * 0.4, words(2, random), height * random.uniform(0.6, 1))
    return sheet


def rows_page(one: Hand, height: float, ruling: str, count: int, random: Random) -> Sheet:
    """Write a list: one number a row, some after a word, or two far apart."""
    pitch, pairs, named = height * random.uniform(1.7, 2.6), random.random() < 0.4, random.random() < 0.5
    rows, first = -(-count // (1 + pairs)), height * (2 + 9 * named)
    second = first + 14 * height
    sheet = empty_page(height, (rows * pitch, second + pairs * 10 * height), pitch, ruling, random)
    for row in range(rows):
        y = 2 * height + row * pitch + random.normal(0, 0.05) * height
        if named and random.random() < 0.7:
            word = lettering(words(1, random), height * random.uniform(0.8, 1), random)
            sheet.put(word, 2 * height, y + height - len(word))
        x = first + random.uniform(0, 1) * height
        end = sheet.number(one, page_text(random), height * random.uniform(0.9, 1.1), x, y)[2]
        if pairs and 2 * row + 1 < count:
            length = int(random.integers(1, 6))
            sheet.number(one, digits(length, random), height, max(second, end + 3 * height), y)
    return sheet


def columns_page(one: Hand, height: float, ruling: str, count: int, random: Random) -> Sheet:
    """Write two to four columns of numbers, without lines between them."""
    columns = int(random.integers(2, 5))
    rows = -(-count // columns)
    pitch, wide = height * random.uniform(1.6, 2.4), height * random.uniform(10, 12)
    sheet = empty_page(height, (rows * pitch, columns * wide), pitch, ruling, random)
    for place in range(count):
        x = 2 * height + place // rows * wide + random.uniform(0, 0.5) * height
        y = 2 * height + place % rows * pitch + random.normal(0, 0.05) * height
        length = int(random.integers(1, 7))
        sheet.number(one, digits(length, random), height * random.uniform(0.9, 1.1), x, y)
    return sheet


def boxes_page(one: Hand, height: float, ruling: str, count: int, random: Random) -> Sheet:
    """Write a form: each number in a row of printed boxes, with a printed label before it."""
    pitch = height * random.uniform(2.4, 3.2)
    sheet = empty_page(height, (count * pitch, height * 18), pitch, ruling, random)
    for row in range(count):
        y = 2 * height + row * pitch
        sheet.text(2 * height, y + 0.4 * height, words(1, random), height * 0.7)
        sheet.combs(one, digits(int(random.integers(2, 9)), random), height, 7 * height, y)
    return sheet


def table_page(one: Hand, height: float, ruling: str, count: int, random: Random) -> Sheet:
    """Write into the cells of a printed table, whose lines take the place of ruled ones; some cells stay empty."""
    columns = int(random.integers(2, 5))
    rows = 2 + -(-count // columns)  # one holds the headings, one has cells to spare
    wide, tall = height * random.uniform(9, 11), height * random.uniform(1.5, 2.2)
    sheet = empty_page(
        height, (rows * tall, columns * wide), tall, "squared" if ruling == "squared" else "plain", random
    )
    thick, shade, margin = max(1, round(height * random.uniform(0.03, 0.07))), int(random.uniform(90, 240)), 2 * height
    right, bottom = margin + columns * wide, margin + rows * tall
    for y in np.linspace(margin, bottom, rows + 1):
        sheet.line((margin, y), (right, y), thick, shade)
    for x in np.linspace(margin, right, columns + 1):
        sheet.line((x, margin), (x, bottom), thick, shade)
        if x < right:
            sheet.text(x + 0.3 * height, margin + 0.2 * tall, words(1, random), height * 0.8)
    for cell in random.permutation((rows - 1) * columns)[:count]:
        x = margin + cell % columns * wide + random.uniform(0.3, 1) * height
        y = margin + (1 + cell // columns) * tall + (tall - height) * random.uniform(0.3, 0.7)
        length = int(random.integers(1, 7))
        sheet.number(one, digits(length, random), height * random.uniform(0.8, 0.95), x, y)
    return sheet


PAGES = {"rows": rows_page, "columns": columns_page, "boxes": boxes_page, "table": table_page}


def scribble(height: float, random: Random) -> Ink:
    """Draw a mark that is no digit: a long scribble, a zigzag, a cross, hatching, a spiral or an arrow."""
    width, kind = height * random.uniform(0.02, 0.08), random.integers(6)
    if kind == 0:
        turns = np.cumsum(np.cumsum(random.normal(0, 0.12, 160)) * 0.5)
        walk = np.cumsum(np.stack([np.cos(turns) + 0.3, np.sin(turns)], 1), 0)
        strokes = [walk * height * 2 / max(np.ptp(walk, axis=0).max(), 1)]
    elif kind == 1:
        x = np.linspace(0, random.uniform(2, 4), int(random.integers(9, 18)))
        strokes = [np.stack([x, np.arange(len(x)) % 2 * random.uniform(0.4, 1, len(x))], 1) * height]
    elif kind == 2:
        strokes = [np.array([(0, 0), (1, 1)]) * height, np.array([(1, 0), (0, 1)]) * height]
    elif kind == 3:
        strokes = [np.array([(x, 0), (x + 0.6, 1)]) * height for x in np.arange(0, 2, 0.2)]
    elif kind == 4:
        angle = np.linspace(0, random.uniform(4, 7) * np.pi, 120)
        strokes = [np.stack([np.cos(angle), np.sin(angle)], 1) * angle[:, None] / angle[-1] * height * 0.7]
    else:
        strokes = [np.array([(0, 0.5), (2, 0.5)]) * height, np.array([(1.6, 0.1), (2, 0.5), (1.6, 0.9)]) * height]
    tremble = height * 0.01
    return stroked([stroke + random.normal(0, tremble, stroke.shape) for stroke in strokes], width, random).ink


def scattered(draw: Callable[[float], Ink], sheet: Sheet, height: float) -> None:
    """Lay a few drawings on a sheet, in cells of a grid, so that none lies over another."""
    random, cell = sheet.random, (height * 2, height * 5)
    rows, columns = (max(1, int(side // each)) for side, each in zip(sheet.size, cell, strict=True))
    places = random.permutation(rows * columns)[: int(random.integers(2, 9))]
    for place in places:
        ink = draw(height * random.uniform(0.7, 1.2))
        y, x = (
            at * each + random.uniform(0, 0.2) * each for at, each in zip(divmod(place, columns), cell, strict=True)
        )
        sheet.put(ink, x, y)


def no_number(kind: str, characters: list[list[NDArray[np.float32]]], photos: list[Grey], random: Random) -> Picture:
    """Compose a picture without any digit; `kind` is one of `NOTHING`."""
    size = int(random.integers(200, 1000)), int(random.integers(200, 1000))
    height = random.uniform(18, 60)
    if kind == "photo":
        return Picture(cut_out(photos[random.integers(len(photos))], size, random))
    if kind == "texture":
        return Picture(texture(size, random))
    sheet = Sheet(blank_paper(*size, random), random)
    if kind == "ruled":
        sheet.rule(str(random.choice(["ruled", "squared"])), random.uniform(15, 80))
    elif kind == "scribbles":
        scattered(lambda tall: scribble(tall, random), sheet, height)
    elif kind == "words":
        scattered(lambda tall: lettering(words(1, random), tall, random), sheet, height)
    elif kind == "letters":
        scattered(lambda tall: lettering(str(random.choice(list(LETTERS))), tall, random), sheet, height)
    elif kind == "characters":
        scattered(lambda tall: character(characters[random.integers(len(characters))], tall, random), sheet, height)
    elif kind == "print":
        for y in np.arange(height, size[0] - height, height * 1.6):
            sheet.text(height, float(y), words(6, random), height * 0.8)
    return sheet.photograph(random.normal(0, 1), height)


NOTHING = ("blank", "ruled", "scribbles", "words", "letters", "characters", "print", "texture", "photo")
LETTERS = "AEFHKLMNPRWXadefhkmnprwx"  # without those that a person may take for a digit, such as l, O, S and q


def character(strokes: list[NDArray[np.float32]], height: float, random: Random) -> Ink:
    """Draw a character of a foreign alphabet."""
    low = np.concatenate(strokes).min(0)
    scale = height / np.ptp(np.concatenate(strokes), axis=0).max()
    width = height * random.uniform(0.05, 0.12)
    return stroked([(stroke - low) * scale for stroke in strokes], width, random).ink


def cut_out(photo: Grey, size: tuple[int, int], random: Random) -> Grey:
    """Return a part of a photograph, [H, W], at least a third of its sides, enlarged or reduced to `size`."""
    height, width = (int(side * random.uniform(0.34, 1)) for side in photo.shape)
    top, left = random.integers(0, photo.shape[0] - height + 1), random.integers(0, photo.shape[1] - width + 1)
    return np.asarray(Image.fromarray(photo[top : top + height, left : left + width]).resize((size[1], size[0])))


def texture(size: tuple[int, int], random: Random) -> Grey:
    """Draw clouds (noise whose amplitude falls with its frequency), a weave, or wood."""
    kind, (height, width) = random.integers(3), size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    phase = np.exp(2j * np.pi * random.random(frequency.shape)) / (frequency + 1 / max(size)) ** random.uniform(0.8, 2)
    clouds = np.fft.irfft2(phase, size)
    clouds = clouds / clouds.std()
    if kind == 1:
        pitch = random.uniform(4, 16)
        clouds = np.sin(2 * np.pi * x / pitch) * np.sin(2 * np.pi * y / pitch) + 0.3 * clouds
    elif kind == 2:
        clouds = np.sin((np.hypot(x - width / 2, 8 * (y + height)) / random.uniform(15, 60)) + clouds)
    shades: Grey = np.clip(random.uniform(80, 180) + random.uniform(10, 40) * clouds, 0, 255).astype(np.uint8)
    return shades
