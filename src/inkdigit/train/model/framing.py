"""Framing: pixels to the 28×28 frame that the network sees, as a module that is exported inside the graph.

The localizer sees the picture stretched over a 96×96 grid and marks the ink of the digit. A larger picture is
seen twice: what is around all that may be ink at a first look takes its place, stretched likewise. A cut around the
ink, cleaned with the localizer's mask, is then brought to the frame: longest side 20 px, centre of mass in the middle,
as MNIST's makers did (LeCun, Bottou, Bengio, Haffner 1998, section III.A). Each crop, scale and shift is two matrices,
`Wy @ picture @ Wx.T`, which average exactly the area that a cell covers.

It does not know what a digit looks like beyond what the localizer has learnt, and it never thickens or thins a stroke.
All planes are [N, 1, S, S], and what belongs to rows and columns is [N, 2, …]: for a picture of 28×28 every node of the
exported graph costs as much as its arithmetic, and one rank throughout needs no nodes that only reshape.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .localizer import GRID, MASK, Localizer, standardised

PATCH = 42  # cells of the cut
PATCH_INK = 30  # of which the ink's longest side takes these
UNSURE = 0.6  # of the mask's strongest cell: what is ink where the localizer is sure of none
LEAST = 0.2  # of which less is none; at a first look, more may be ink
SURE = 0.9  # of which less may have missed what a dot alone is to the localizer, or be beside it
NEAR = 8  # cells of the mask: what is around one, from which ink stands out
PROMINENT = 3  # as part of the most that any does: a third is enough to be gone around
BESIDE = 5  # cells of the mask: paper so near to ink is what it is measured against
SURROUNDED = 3  # times as much ink is around as is enough for it
EDGED = 4  # a quarter of the 3×3 cells around one is ink: it is a stroke's soft edge; a third is, beside a straight one
LONE = 6.0  # standard deviations by which no grain stands out from what is around it, and a dot by over 20
FRAME = 28
FRAME_INK = 20
AROUND = 0.75  # of the ink's longest side: how far from its middle any paper is looked at
HOLD = 20.0 * MASK  # paper seen this far from its middle counts for no slope: it keeps small scraps level
CLOSE = 3  # cells of the mask: paper so near tells of a shadow's edge, which no plane does
SCRAP = 0.5  # part of what is so near: with less paper in it, the plane says more of how bright it is
NOISE_FLOOR = 3.0  # what is taken for grain, in mean depths of what is brighter than paper
GRAIN = 0.5  # of the deepest: no more is taken for grain, be as much brighter as may, as paper is within a scribble
FAINTEST = 3.0  # grey levels of contrast, under which there is no ink
FAIR_INK = 0.4  # of the strongest: what is measured, and what is paler may be left of a stain or of printed lines
CLOSER = 1.4  # times as wide as all that may be ink at the first look: what the second one looks at
LEAST_SEEN = 40.0  # px, of which it looks at no fewer

Span = tuple[Tensor, Tensor]  # first cell and last plus 1 of what is inked, each [N, 2, 1]: rows, then columns


def overlaps(centres: Tensor, width: Tensor, size: int) -> Tensor:
    """Measure how much of each cell lies on each of `size` px: matrices [..., count, size].

    The cells have their `centres` [..., count, 1] and their `width` [..., 1, 1] in px; one under 1 px counts as 1 px,
    which interpolates linearly. A row sums to the cell's width, or to the part of it that lies on the picture; so
    `rows @ picture @ columns.mT`, divided by the cells' area, averages the picture over each of them.
    """
    px = torch.arange(size, device=centres.device, dtype=torch.float32) + 0.5
    reach = (width.clamp(min=1) + 1) / 2
    return (reach - (centres - px).abs()).clamp(0, 1)


def profiles(values: Tensor) -> Tensor:
    """Return the strongest of every row and of every column of [N, 1, S, S], as [N, 2, S]."""
    return torch.cat([values.amax(3), values.amax(2)], 1)


def sums(values: Tensor) -> Tensor:
    """Return the sum of every row and of every column of [N, K, S, S], as [N, 2K, S], the rows of all K first."""
    return torch.cat([values.sum(3), values.sum(2)], 1)


def extent(inked: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first true index, and the last plus 1, of bool [N, 2, S], as [N, 2, 1]; S and 0 where none is true."""
    size = inked.shape[2]
    index = torch.arange(size, device=inked.device, dtype=torch.float32)
    first = torch.where(inked, index, float(size)).amin(2, keepdim=True)
    return first, torch.where(inked, index + 1, 0.0).amax(2, keepdim=True)


class Framing(nn.Module):
    """Frame pictures: uint8 [N, H, W] of any polarity to float [N, 1, 28, 28], 0 paper to 1 ink.

    The second output, float [N, 1, 1, 1], is the contrast of ink to paper in grey levels; it is 0, and the frame empty,
    where there is no ink.
    """

    def __init__(self, localizer: Localizer) -> None:
        super().__init__()
        # On a processor this takes an eighth of its time away.
        self.localizer: Localizer = localizer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Frame `pixels`, uint8 [N, H, W]."""
        picture = pixels[:, None].float()
        large = torch.sym_max(*picture.shape[2:]) > GRID  # else one sees no more from near
        view, grid, size = torch.cond(large, self.from_near, self.from_afar, (picture,))
        mask, span, paper = self.found(grid)
        ink, contrast = cut(view, size, mask, span, paper)
        return place(ink), contrast

    def from_afar(self, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return all of a picture [N, 1, H, W], the same as a grid [N, 1, 96, 96], and its size in px [N, 2, 1]."""
        return picture.clone(), look(picture), sides_of(picture).repeat(len(picture), 1, 1)

    def from_near(self, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what is around all that may be ink at a first look at a picture, as a grid twice, and its size in px.

        From afar the tail of a 6 looks like its neighbour; what is not looked at from near is lost.
        """
        mask, _ = self.mask(look(picture))
        start, size = around_ink(extent(profiles(mask) > LEAST), sides_of(picture))
        view = look_closer(picture, start, size)
        return view, view.clone(), size

    def mask(self, grid: Tensor) -> tuple[Tensor, Tensor]:
        """Look at a grid [N, 1, 96, 96]: the ink's mask, and how far what is there stands out, both [N, 1, 48, 48]."""
        mask = torch.sigmoid(self.localizer(standardised(grid)))
        cells = every_second(grid)
        apart = cells - around(cells, NEAR)
        doubtful = mask.amax((2, 3), keepdim=True) < SURE
        return torch.where(doubtful, torch.maximum(mask, lone(apart)), mask), apart

    def found(self, grid: Tensor) -> tuple[Tensor, Span, "Paper"]:
        """Look at a grid [N, 1, 96, 96]: the ink's mask [N, 1, 48, 48] and span, and the paper beside it."""
        mask, apart = self.mask(grid)
        span = spanned(prominent(apart, mask))
        return mask, span, Paper(every_second(grid), mask, span)


def spanned(mask: Tensor) -> Span:
    """Return the span of the ink in a mask [N, 1, 48, 48]; the last is before the first where there is none."""
    seen = profiles(mask)
    return extent(seen > (UNSURE * seen.amax((1, 2), keepdim=True)).clamp(LEAST, 0.5))


def lone(apart: Tensor) -> Tensor:
    """Return the cells, 0 or 1 [N, 1, 48, 48], that stand out so far from the rest that they must be ink."""
    return (standardised(apart).abs() > LONE).float()


def every_second(grid: Tensor) -> Tensor:
    """Return the mask's cells of a grid [N, 1, 96, 96] as [N, 1, 48, 48]; faster than slicing."""
    cells: Tensor = functional.max_pool2d(grid, 1, 2)
    return cells


def prominent(apart: Tensor, mask: Tensor) -> Tensor:
    """Weigh a mask by how far each cell stands out from what is around it, both [N, 1, 48, 48].

    Beside a stroke, be it a hairline, blotches of the paper and soft shadows hardly do, which may look like ink to the
    localizer where the digit is small. The middle of a broad stroke does not either, but its edges do.
    """
    apart = apart.abs()
    enough = (apart * mask).amax((2, 3), keepdim=True).clamp(min=1e-3) / PROMINENT
    return mask * (apart / enough).clamp(max=1)


def around(values: Tensor, reach: int) -> Tensor:
    """Average [N, K, S, S] over the square around each cell, `reach` cells to every side."""
    cells = torch.arange(values.shape[-1], device=values.device)
    near = ((cells - cells[:, None]).abs() <= reach).float()
    near = near / near.sum(1, keepdim=True)
    return near @ values @ near.mT


class Paper:
    """Hold the paper's brightness under and beside the ink, as a plane fitted to what the mask leaves around it.

    From the `grid` at the mask's cells and `mask`, [N, 1, 48, 48], and the ink's `span` in that. Only what is beside
    ink counts: what is farther away may be a desk that a note lies on, or a hand that holds it. Weighted least squares
    along each axis by itself, the slopes held back where little paper is seen. What paper close to a cell lies off the
    plane comes on top: under a shadow it does.
    """

    def __init__(self, grid: Tensor, mask: Tensor, span: Span) -> None:
        cells = torch.arange(MASK, device=grid.device) + 0.5 - MASK / 2  # from the middle, which rounds less
        powers = torch.stack([torch.ones_like(cells), cells, cells * cells], 1)
        first, last = span
        reach = AROUND * (last - first).amax(1, keepdim=True) + 2
        down, across = (reach - (cells + MASK / 2 - (first + last) / 2).abs()).clamp(0, 1).split(1, dim=1)
        beside = (around(mask, BESIDE) * SURROUNDED).clamp(max=1)
        edged = (around(mask, 1) * EDGED).clamp(max=1)
        paper = (1 - edged) * beside * down[..., None] * across[:, :, None]
        weight = paper * paper + 1e-6
        moments = sums(torch.cat([weight, weight * grid], 1)) @ powers
        total, first, second, light, slant, _ = moments.view(-1, 2, 6).split(1, dim=2)
        self.centre: Tensor = first / total
        self.slope: Tensor = (slant - self.centre * light) / (second - self.centre * first + HOLD)
        self.level: Tensor = light / total
        seen = 1 - edged
        above = grid - self.at(torch.stack([cells, cells])[None])
        near, much = around(torch.cat([seen * above, seen], 1), CLOSE).split(1, dim=1)
        self.off: Tensor = near / (much + SCRAP)

    def at(self, cells: Tensor) -> Tensor:
        """Return the brightness [N, 1, S, S] at the rows and columns `cells` [N, 2, S], from the mask's middle."""
        down, across = (self.level / 2 + self.slope * (cells - self.centre)).split(1, dim=1)
        brightness: Tensor = down[..., None] + across[:, :, None]
        return brightness


def cut(view: Tensor, size: Tensor, mask: Tensor, span: Span, paper: Paper) -> tuple[Tensor, Tensor]:
    """Cut the ink out of a view [N, 1, H, W] of so many px [N, 2, 1], which it may be stretched from.

    With the `mask` [N, 1, 48, 48] of all of it, the ink's `span` in that, and the `paper`. Returns the ink
    [N, 1, 42, 42] in 0..1, and its contrast to the paper [N, 1, 1, 1] in grey levels.
    """
    height, width = view.shape[2:]
    first, last = span
    step = size / MASK  # px of a mask's cell
    cell = ((last - first) * step).amax(1, keepdim=True).clamp(min=1) / PATCH_INK / step  # of the patch, in the mask's
    middle = (first + last) / 2
    cells = middle + (torch.arange(PATCH, device=view.device) + 0.5 - PATCH / 2) * cell
    over, beside = overlaps(cells[..., None], cell[..., None], MASK).split(1, dim=1)
    tall, wide = cell[..., None].clamp(min=1).split(1, dim=1)
    allowed = (over @ mask @ beside.mT * 3 / (tall * wide)).clamp(max=1)
    bright = paper.at(cells - MASK / 2) + over @ paper.off @ beside.mT / (tall * wide)
    fine = sides_of(view) / MASK
    down, across = (cells * fine)[..., None].split(1, dim=1)
    tall, wide = (cell * fine)[..., None].split(1, dim=1)
    rows, columns = overlaps(down, tall, height), overlaps(across, wide, width)
    # Not by sums, nor by products with one column, which round differently for one picture and for several.
    cover = rows @ view.new_ones(height, 2) @ (columns @ view.new_full((width, 2), 0.5)).mT
    depth = (bright * cover - rows @ view @ columns.mT) / (tall.clamp(min=1) * wide.clamp(min=1))
    return inked(depth, allowed)


def inked(depth: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor]:
    """Turn the depth below paper [N, 1, S, S], in grey levels, to ink where `allowed`, in 0..1, and its contrast.

    Ink that is brighter than paper lies above it: then all is turned over.
    """
    dark = (depth * allowed).sum((2, 3), keepdim=True) >= 0
    depth = depth * torch.where(dark, 1.0, -1.0)
    bright = depth.clamp(max=0).mean((2, 3), keepdim=True)
    grain = torch.minimum(-NOISE_FLOOR * bright, GRAIN * depth.amax((2, 3), keepdim=True))
    depth = torch.relu(depth - grain) * allowed
    contrast = strongest(depth)
    faint = contrast < FAINTEST
    ink = (depth / torch.where(faint, torch.inf, contrast)).clamp(max=1)
    return ink, torch.where(faint, 0.0, contrast)


def strongest(depth: Tensor) -> Tensor:
    """Return the level [N, 1, 1, 1] of strong ink of [N, 1, S, S]: a ratio of powers, steadier than a maximum."""
    square = depth * depth
    fourth = square * square
    return (fourth * depth).sum((2, 3), keepdim=True) / fourth.sum((2, 3), keepdim=True).clamp(min=1e-12)


def place(ink: Tensor) -> Tensor:
    """Bring ink [N, 1, 42, 42] to frames [N, 1, 28, 28]: longest side 20 px, centre of mass in the middle."""
    first, last = extent(profiles(ink) > FAIR_INK)
    step = (last - first).amax(1, keepdim=True).clamp(min=1) / FRAME_INK
    cells = torch.arange(PATCH, device=ink.device) + 0.5
    powers = torch.stack([torch.ones_like(cells), cells])
    # Not by sums either, see `cut`.
    mass, across, down, _ = (powers @ ink @ powers.mT).view(-1, 4, 1).split(1, dim=1)
    half = step * (FRAME / 2)  # a long tail must not leave the frame
    centre = (torch.cat([down, across], 1) / mass.clamp(min=1e-6)).clamp(min=last - half, max=first + half)
    target = centre + (torch.arange(FRAME, device=ink.device) + 0.5 - FRAME / 2) * step
    rows, columns = overlaps(target[..., None], step[..., None], PATCH).split(1, dim=1)
    frame: Tensor = rows @ ink @ columns.mT / step[..., None].clamp(min=1) ** 2
    return frame.clamp(max=1)  # by rounding it may be over, and floats over 1 are levels of 0..255 to who reads them


def sides_of(picture: Tensor) -> Tensor:
    """Return the height and width of all pictures [N, 1, H, W], as [1, 2, 1]."""
    return torch.stack([torch.scalar_tensor(side) for side in picture.shape[2:]]).to(picture.device)[None, :, None]


def around_ink(span: tuple[Tensor, Tensor], sides: Tensor) -> tuple[Tensor, Tensor]:
    """Choose a window around the ink's `span` in the mask of pictures with these `sides` [1, 2, 1]; all for no ink.

    Returns where it starts and its size, px [N, 2, 1].
    """
    first, last = (edge * (sides / MASK) for edge in span)
    half = ((last - first).amax(1, keepdim=True) * CLOSER).clamp(min=LEAST_SEEN) / 2
    middle = (first + last) / 2
    inked = last > first
    start = torch.where(inked, (middle - half).clamp(min=0), 0.0)
    return start, torch.where(inked, (middle + half).minimum(sides), sides) - start


def look_closer(picture: Tensor, start: Tensor, size: Tensor) -> Tensor:
    """Stretch a window, px [N, 2, 1], of [N, 1, H, W] to [N, 1, 96, 96]; what is larger is smoothed as `look` does."""
    cell = size / GRID
    down, across = (start + (torch.arange(GRID, device=picture.device) + 0.5) * cell).split(1, dim=1)
    tall, wide = cell.clamp(min=1).split(1, dim=1)
    grid: Tensor = averaged(averaged(picture.squeeze(1), down, tall).mT, across, wide).mT.contiguous()[:, None]
    return grid


def averaged(picture: Tensor, centres: Tensor, width: Tensor) -> Tensor:
    """Average the rows of [N, H, W] as `overlaps` weighs them: [N, 96, W].

    The cells have their `centres` [N, 1, 96] and their `width` [N, 1, 1], of which 96 are no more than all rows, or
    1 px. Only the rows that lie on a cell are taken, which is much faster than a product with all.
    """
    height, columns = picture.shape[1:]
    most = torch.sym_max(height, GRID) // GRID + 2
    centres, reach = centres.clamp(0.5, height - 0.5).mT, (width + 1) / 2
    px = (centres - reach + 0.5).floor() + torch.arange(most, device=picture.device)
    weights = (reach - (centres - px - 0.5).abs()).clamp(0, 1) / width
    place = px.clamp(0, height - 1).long() + height * torch.arange(len(picture), device=picture.device)[:, None, None]
    rows = functional.embedding(place, picture.reshape(-1, columns))
    return (weights[:, :, None] @ rows).squeeze(2)


def look(picture: Tensor) -> Tensor:
    """Stretch [N, 1, H, W] to the grid [N, 1, 96, 96]; what is larger is smoothed as much as it shrinks."""
    grid: Tensor = functional.interpolate(picture, size=(GRID, GRID), mode="bilinear", antialias=True)
    return grid
