"""Compose photographed sheets from ink, paper and camera: the pictures that localizer and classifier are trained on.

Everything is in cells of a square of `size`, of which a picture's own height and width take a part. Ink is 0 paper to 1
ink, brightness 0 dark to 1 light. Every random number is drawn from torch's generator, so a seed gives the same paper.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .camera import blurred, coarsened, compressed, glare, sensor, speckled
from .paper import (
    axes,
    chance,
    desk,
    folds,
    gaps,
    grain,
    holes,
    light,
    marks,
    page,
    prints,
    shadows,
    small_print,
    stains,
    things,
    uniform,
)

STEP = 4  # cells: pictures' sides are multiples of it, so that many have the same shape
INKED = 0.1  # what counts as ink when it is measured: a hairline is no darker
PALEST = 0.08  # ink on clean paper: a line of a pixel, of 800, is no darker on the localizer's grid
FILLED = 0.65  # of the box around a digit: a disk, as a 0 would be whose loop is filled, takes more
WHOLE = 0.1  # of its width: a digit whose middle is so far inside an edge is not whole
BOLDER = 10  # cells of the ink by which a pen may be wider, on either side of its line


@dataclass(frozen=True)
class Sheet:
    """Hold pictures [N, S, S] in 0..1, the digit's own ink [N, S, S] in them, and their width and height [N, 2].

    A picture is the first `height` rows and `width` columns of its square, the longer of which is S.
    """

    pictures: Tensor
    ink: Tensor
    shape: Tensor


def sheet(ink: Tensor, size: int, clean: float = 0.4) -> Sheet:
    """Photograph digits [N, 112, 112], each drawn around the middle, on all kinds of paper; `clean` is a plain part."""
    count = len(ink)
    ink = bolder(ink)
    shape, tight = picture_shapes(ink, size)
    inked, centre, side = placed(ink, shape, tight, size)
    plain = chance(count, clean) | (tight[..., None] & chance(count, clean))  # who cuts out the ink has it clean
    trouble = uniform(count, 0, 0.6)  # were more the matter with any paper at once, hardly anybody could read it

    def some(drawn: Tensor, none: float) -> Tensor:
        return torch.where(torch.rand(count, 1, 1) < trouble, drawn, none)

    others = some(torch.maximum(neighbours(ink, shape, side, size), small_print(centre, side, size)), 0)
    form = prints(inked, centre, side, size) * (1 - 0.9 * others)
    shade = torch.where(chance(count, 0.4), shadows(count, size), 1.0)  # oftener than other trouble: phones cast them
    paper = light(count, size) * some(form, 1) * shade
    for laid in (folds, stains, holes):
        paper = paper * some(laid(count, size), 1)
    written = torch.maximum(inked * some(gaps(side, size), 1), some(marks(inked, centre, side, size), 0))
    written = torch.maximum(written, number(ink, shape, centre, side, size))
    written = torch.maximum(written, some(behind(ink, shape, side, size), 0) * inked.amax((1, 2), keepdim=True))
    strength = uniform(count, 0.3, 1.0) * grain(count, size)
    seen, beside = some(page(centre, side, size), 1), desk(count, size)
    photo = paper * torch.lerp(beside, 1 - strength * written, seen)
    level, taken = things(inked, size)
    photo = torch.lerp(photo, level, taken)
    photo = sensor(blurred(glare(photo)), side)
    dark = torch.exp(math.log(PALEST) * uniform(count, 0, 1).square())
    scan = torch.where(chance(count, 0.3), form, torch.ones(())) * (1 - written * dark)
    scan = torch.lerp(beside, scan, seen)
    pictures = torch.where(plain, scan, photo)
    pictures = torch.where(chance(count, 0.4), 1 - pictures, pictures)
    lasting = ~plain | (dark > 0.6)  # fainter ink would not outlive what loses grey levels
    bits = plain & lasting & chance(count, 0.5)
    pictures = torch.where(chance(count, 0.4), coarsened(pictures, side, bits), pictures)
    pictures = torch.where(chance(count, 0.06), speckled(pictures, side), pictures)
    pictures = torch.where(chance(count, 0.25) & lasting, compressed(pictures), pictures)
    return Sheet((pictures.clamp(0, 1) * 255).round() / 255, inked, shape)


def bolder(ink: Tensor) -> Tensor:
    """Write half of the digits [N, 112, 112] with a wider pen, as far as one can still read them.

    That is as far as it fills no loop and joins no lines, or leaves enough of the digit's box empty.
    """
    wider = torch.randint(-BOLDER, BOLDER, ink.shape[:1])
    bold = ink[wider >= 0]
    parts, grown = parts_less_holes(bold), wider_line(bold)
    readable = torch.ones(len(bold), dtype=torch.bool)
    for cells in range(BOLDER):
        readable = readable & ((parts_less_holes(grown) == parts) | (covered(grown) < FILLED))
        bold = torch.where((readable & (wider[wider >= 0] >= cells))[:, None, None], grown, bold)
        grown = wider_line(grown)
    return ink.index_put((wider >= 0,), bold)


def covered(ink: Tensor) -> Tensor:
    """Measure how much of the box around ink [N, S, S] is inked, [N], 0..1."""
    return (ink > INKED).sum((1, 2)) / ink_sides(ink).prod(1)


def wider_line(ink: Tensor) -> Tensor:
    """Draw all lines of [N, S, S] wider by a cell on either side."""
    planes = ink[:, None]  # of none, three dimensions are refused
    tall, wide = functional.max_pool2d(planes, (3, 1), 1, (1, 0)), functional.max_pool2d(planes, (1, 3), 1, (0, 1))
    return torch.maximum(tall, wide)[:, 0]


def parts_less_holes(ink: Tensor) -> Tensor:
    """Count the parts of ink [N, S, S] less the holes in them, [N]: cells - pairs + blocks (Euler's formula)."""
    inked = ink > INKED
    pairs = inked[:, :, 1:] & inked[:, :, :-1]
    above = inked[:, 1:] & inked[:, :-1]
    return inked.sum((1, 2)) - pairs.sum((1, 2)) - above.sum((1, 2)) + (pairs[:, 1:] & pairs[:, :-1]).sum((1, 2))


def ink_sides(ink: Tensor) -> Tensor:
    """Measure the width and height of ink [N, S, S], in its own cells: [N, 2]."""
    inked = ink > INKED
    return torch.stack([inked.any(1).sum(1), inked.any(2).sum(1)], 1).clamp(min=6).float()


def picture_shapes(ink: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Choose every picture's width and height [N, 2], and which are cropped to the ink: bool [N, 1]."""
    count = len(ink)
    strip = torch.rand(count, 1) < 0.12
    aspect = torch.exp(torch.where(strip, torch.rand(count, 1) * 5 - 2.5, torch.randn(count, 1) * 0.3))
    oblong = torch.cat([aspect, 1 / aspect], 1)
    cropped = ink_sides(ink) + torch.rand(count, 2) * 6
    kind = torch.rand(count, 1)
    shape = torch.where(kind < 0.45, torch.ones(count, 2), torch.where(kind < 0.7, oblong, cropped))
    shape = shape / shape.amax(1, keepdim=True) * size
    return (shape / STEP).round().clamp(min=1) * STEP, kind >= 0.7


def placed(ink: Tensor, shape: Tensor, tight: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Lay the digits somewhere into their pictures: ink [N, S, S], centre [N, 2] and sides [N, 2] in cells.

    Some as framing's second look sees them: about in the middle, with what is around them cut by the edges.
    """
    count = len(ink)
    sides = ink_sides(ink)
    room = (shape / sides).amin(1, keepdim=True)  # cells for one of the ink's own
    large, close = tight | (torch.rand(count, 1) < 0.25), torch.rand(count, 1) < 0.3
    small = torch.where(close, 0.5 + 0.35 * torch.rand(count, 1), smaller(count))
    scale = room * torch.where(large, 0.88 + 0.15 * torch.rand(count, 1), small)
    sides = sides * scale
    away = (anywhere(count) - 0.5) * torch.where(close, 0.4, 1.0)
    centre = shape / 2 + away * (shape - sides).clamp(min=0)
    return drawn(ink, centre, scale, torch.randn(count, 1) * 0.1, size), centre, sides


def smaller(count: int) -> Tensor:
    """Choose how much of its picture a digit takes, [N, 1]: from a twentieth up, small ones as often as large."""
    return torch.exp(math.log(0.05) * torch.rand(count, 1))


def anywhere(count: int) -> Tensor:
    """Choose places [N, 2] in 0..1, half of them more often near an edge than not."""
    place = torch.rand(count, 2)
    return torch.where(torch.rand(count, 1) < 0.5, place, (1 - torch.cos(math.pi * place)) / 2)


def drawn(ink: Tensor, centre: Tensor, scale: Tensor, angle: Tensor, size: int) -> Tensor:
    """Draw ink [N, 112, 112] around a centre [N, 2], scaled and turned [N, 1], to [N, S, S]; averaged 2×2.

    The paper may lie a little aslant to the camera: the perspective is the digit's own.
    """
    smooth = ink
    for small in (0.25, 0.125):  # else lines are lost between the cells of a small one
        smooth = functional.avg_pool2d(smooth[:, None], 5, 1, 2)[:, 0]
        ink = torch.where(scale[..., None] < small, smooth, ink)
    x, y = axes(2 * size)
    x, y = (x / 2 - centre[:, :1, None]) / scale[..., None], (y / 2 - centre[:, 1:, None]) / scale[..., None]
    cos, sin = angle.cos()[..., None], angle.sin()[..., None]
    half = ink.shape[-1] / 2
    x, y = (x * cos - y * sin) / half, (x * sin + y * cos) / half
    tilt = torch.randn(2, len(ink), 1, 1) * 0.06
    grid = torch.stack([x, y], 3) / (1 + tilt[0] * x + tilt[1] * y).clamp(min=0.5)[..., None]
    return functional.avg_pool2d(functional.grid_sample(ink[:, None], grid, align_corners=False), 2)[:, 0]


def neighbours(ink: Tensor, shape: Tensor, sides: Tensor, size: int) -> Tensor:
    """Let another digit reach into some pictures over an edge, and scatter specks and holes: ink [N, S, S]."""
    count = len(ink)
    scale = sides.amax(1, keepdim=True) / ink_sides(ink).amax(1, keepdim=True)
    along = torch.rand(count, 2)
    edge = torch.randint(0, 4, (count, 1))
    out = torch.where(edge % 2 == 0, -0.02, 1.02)
    centre = torch.where(torch.arange(2) == edge // 2, out, along) * shape
    some = torch.rand(count) < 0.5
    other = torch.zeros(count, size, size)
    other[some] = drawn(ink.roll(1, 0)[some], centre[some], scale[some], torch.randn(count, 1)[some] * 0.1, size)
    x, y = axes(size)
    specks = torch.zeros_like(other)
    for _ in range(3):
        spot = torch.rand(count, 2, 1) * size
        distance = ((x - spot[:, :1]).square() + (y - spot[:, 1:]).square()).sqrt()
        radius = uniform(count, 0, 2.5).minimum(0.12 * sides.amax(1)[:, None, None])
        specks = torch.maximum(specks, (radius + 0.5 - distance).clamp(0, 1) * chance(count, 0.2))
    return torch.maximum(other, specks)


def number(ink: Tensor, shape: Tensor, centre: Tensor, sides: Tensor, size: int) -> Tensor:
    """Write the digits before and after beside some, as in a number that a digit is cut out of: ink [N, S, S].

    Only where an edge cuts most of them off: of several whole digits nobody could say which is meant.
    """
    scale = sides.amax(1, keepdim=True) / ink_sides(ink).amax(1, keepdim=True)
    written = torch.zeros(len(ink), size, size)
    for side in (-1, 1):
        other = ink.roll(side, 0)
        width = ink_sides(other)[:, :1] * scale
        gap = sides[:, 1:] * (0.35 * torch.rand(len(ink), 1) - 0.05)  # some touch
        away = sides[:, :1] / 2 + gap + width / 2
        place = centre + torch.cat([side * away, 0.06 * torch.randn(len(ink), 1) * sides[:, 1:]], 1)
        beyond = side * (place[:, :1] - shape[:, :1] / 2) - shape[:, :1] / 2  # its middle, over the edge
        some = ((beyond > -WHOLE * width) & (torch.rand(len(ink), 1) < 0.5))[:, 0]
        turn = torch.randn(len(ink), 1) * 0.1
        beside = drawn(other[some], place[some], scale[some], turn[some], size)
        written[some] = torch.maximum(written[some], beside)
    return written


def behind(ink: Tensor, shape: Tensor, sides: Tensor, size: int) -> Tensor:
    """Let another digit be seen through some papers, mirrored, soft and pale, from their other side: ink [N, S, S]."""
    count = len(ink)
    scale = sides.amax(1, keepdim=True) / ink_sides(ink).amax(1, keepdim=True)
    some = torch.rand(count) < 0.25
    seen = torch.zeros(count, size, size)
    place = torch.rand(count, 2) * shape
    seen[some] = drawn(ink.roll(1, 0).flip(2)[some], place[some], scale[some], torch.randn(count, 1)[some] * 0.1, size)
    return functional.avg_pool2d(seen[:, None], 3, 1, 1)[:, 0] * uniform(count, 0.1, 0.45)
