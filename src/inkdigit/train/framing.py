"""Framing: pixels to the 28×28 frame that the network sees, as a module that is exported inside the graph.

It looks twice. A glance at the picture, stretched over a 96×96 grid, says what is ink of the digit; a cut of the full
picture around it, cleaned with the glance's mask, is then brought to the frame: longest side 20 px, centre of mass in
the middle, as MNIST's makers did (LeCun, Bottou, Bengio, Haffner 1998, section III.A). Every crop, scale and shift is
two matrices, `Wy @ picture @ Wx.T`, which average exactly the area that a cell covers.

It does not know what a digit looks like beyond what the glance has learnt, and it never thickens or thins a stroke.
"""

import torch
from torch import Tensor, nn

from .glance import GRID, MASK, Glance

PATCH = 42  # cells of the cut
PATCH_INK = 30  # of which the ink's longest side takes these
FRAME = 28
FRAME_INK = 20
HOLD = 20.0 * MASK  # paper seen this far from its middle counts for no slope: it keeps small scraps level
NOISE_FLOOR = 3.0  # what is taken for grain, in mean depths of what is brighter than paper
FAINTEST = 3.0  # grey levels of contrast, under which there is no ink


def overlaps(centres: Tensor, width: Tensor, size: int) -> Tensor:
    """Measure how much of each cell lies on each of `size` px: matrices [..., count, size].

    The cells have their `centres` [..., count] and their `width` [..., 1] in px; one under 1 px counts as 1 px, which
    interpolates linearly. A row sums to the cell's width, or to the part of it that lies on the picture; so
    `rows @ picture @ columns.T`, divided by the cells' `area`, averages the picture over each of them.
    """
    px = torch.arange(size, device=centres.device) + 0.5
    reach = width.clamp(min=1) / 2 + 0.5
    return (reach[..., None] - (centres[..., None] - px).abs()).clamp(0, 1)


def averages(centres: Tensor, width: Tensor, size: int) -> Tensor:
    """Give matrices [..., count, size] that average what lies on the picture of each cell; see `overlaps`."""
    rows = overlaps(centres, width, size)
    return rows / rows.sum(-1, keepdim=True)


def area(width: Tensor) -> Tensor:
    """Give the area [..., 1, 1], in px, of cells whose height and width are [..., 2, 1] or, both alike, [..., 1, 1]."""
    width = width.clamp(min=1)
    return width[..., :1, :] * width[..., -1:, :]


def profiles(ink: Tensor) -> Tensor:
    """Give the strongest ink of every row and of every column of [N, S, S], as [N, 2, S]."""
    return torch.stack([ink.amax(2), ink.amax(1)], 1)


def sums(ink: Tensor) -> Tensor:
    """Give the sum of every row and of every column of [N, S, S], as [N, 2, S]."""
    return torch.stack([ink.sum(2), ink.sum(1)], 1)


def extent(inked: Tensor) -> tuple[Tensor, Tensor]:
    """Give the first index, and the last plus 1, of what is true in bool [N, 2, S], as [N, 2, 1]; S and 0 for none."""
    size = inked.shape[2]
    index = torch.arange(size, device=inked.device, dtype=torch.float32)
    first = torch.where(inked, index, float(size)).amin(2, keepdim=True)
    return first, torch.where(inked, index + 1, 0.0).amax(2, keepdim=True)


class Framing(nn.Module):
    """Frame pictures: uint8 [N, H, W] of any polarity to float [N, 28, 28], 0 paper to 1 ink.

    The second output, float [N], is the contrast of ink to paper in grey levels; it is 0, and the frame empty, where
    there is no ink.
    """

    def __init__(self, glance: Glance) -> None:
        super().__init__()
        self.glance = glance

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Frame `pixels`, uint8 [N, H, W]."""
        picture = pixels.float()
        grid, step = look(picture)
        mask = torch.sigmoid(self.glance(grid))
        ink, contrast = cut(picture, mask, Paper(halved(grid), mask), step)
        return place(ink), contrast


def look(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Stretch [N, H, W] to the grid [N, 96, 96]; also give the px [2, 1] that a cell of the mask takes."""
    _, height, width = picture.shape
    sides = torch.stack([torch.scalar_tensor(height), torch.scalar_tensor(width)])[:, None].to(picture.device)
    cell = sides / GRID
    centres = (torch.arange(GRID, device=picture.device) + 0.5) * cell
    rows, columns = averages(centres[0], cell[0], height), averages(centres[1], cell[1], width)
    return rows @ picture @ columns.T, sides / MASK


def halved(grid: Tensor) -> Tensor:
    """Average [N, 96, 96] to [N, 48, 48]; as sums, which ONNX Runtime does faster than it pools."""
    rows: Tensor = grid.reshape(-1, MASK, 2, GRID).sum(2)
    return rows.reshape(-1, MASK, MASK, 2).sum(3) / 4


class Paper:
    """Hold the paper's brightness under and beside the ink, as planes fitted to what the mask leaves.

    From `grid` and `mask` [N, 48, 48]. Weighted least squares along each axis by itself, the slopes held back where
    little paper is seen. `sign` [N, 1, 1] is 1 where ink is darker than paper, else -1.
    """

    def __init__(self, grid: Tensor, mask: Tensor) -> None:
        cells = torch.arange(MASK, device=grid.device) - (MASK - 1) / 2  # from the middle, which rounds less
        moments = torch.stack([torch.ones_like(cells), cells, cells * cells], 1)
        weight = (1 - mask).square() + 1e-3
        total, first, second = (sums(weight) @ moments).split(1, dim=2)
        light, slant = (sums(weight * grid) @ moments[:, :2]).split(1, dim=2)
        self.centre: Tensor = first / total
        self.slope: Tensor = (slant - self.centre * light) / (second - self.centre * first + HOLD)
        self.level: Tensor = (light / total)[:, :1]
        below = (self.at(cells) - grid) * mask
        self.sign = torch.where(below.sum((1, 2), keepdim=True) < 0, -1.0, 1.0)

    def at(self, cells: Tensor) -> Tensor:
        """Give the brightness [N, S, S] at the rows and columns `cells`, [N, 2, S] or [S], from the grid's middle."""
        rise = self.slope * (cells - self.centre)
        return rise[:, 0, :, None] + (self.level + rise[:, 1:])


def cut(picture: Tensor, mask: Tensor, paper: Paper, step: Tensor) -> tuple[Tensor, Tensor]:
    """Cut the ink out of the full picture: ink [N, 42, 42] in 0..1, and its contrast to the paper [N].

    `mask` [N, 48, 48] and the paper are in cells of `step` [2, 1] px.
    """
    _, height, width = picture.shape
    first, last = extent(profiles(mask) > 0.5)
    first, last = first * step, last * step
    cell = (last - first).amax(1, keepdim=True).clamp(min=1) / PATCH_INK  # of the patch, in px
    centres = (first + last) / 2 + (torch.arange(PATCH, device=picture.device) - (PATCH - 1) / 2) * cell
    rows = overlaps(centres[:, 0], cell[:, 0], height)
    columns = overlaps(centres[:, 1], cell[:, 0], width).mT
    cover = rows.sum(2, keepdim=True) * columns.sum(1, keepdim=True)
    across = overlaps(centres / step, cell / step, MASK)
    allowed = (across[:, 0] @ mask @ across[:, 1].mT * (3 / area(cell / step))).clamp(max=1)
    level = paper.at(centres / step - MASK / 2)
    depth = (level * cover - rows @ picture @ columns) * (paper.sign / area(cell))
    grain = NOISE_FLOOR * torch.relu(-depth).mean((1, 2), keepdim=True)
    depth = torch.relu(depth - grain) * allowed
    contrast = strongest(depth)
    faint = contrast < FAINTEST
    ink = (depth * torch.where(faint, 0.0, 1 / contrast.clamp(min=FAINTEST))).clamp(max=1)
    return ink, torch.where(faint, 0.0, contrast)[:, 0, 0]


def strongest(depth: Tensor) -> Tensor:
    """Give the level [N, 1, 1] of the strongest ink of [N, S, S], steadier than a maximum: a ratio of powers' sums."""
    fourth = depth.square().square()
    return (fourth * depth).sum((1, 2), keepdim=True) / fourth.sum((1, 2), keepdim=True).clamp(min=1e-12)


def place(ink: Tensor) -> Tensor:
    """Bring ink [N, 42, 42] to frames [N, 28, 28]: longest side 20 px, centre of mass in the middle."""
    first, last = extent(profiles(ink) > 0.2)
    step = (last - first).amax(1, keepdim=True).clamp(min=1) / FRAME_INK
    cells = torch.arange(PATCH, device=ink.device) + 0.5
    lines = sums(ink)
    centre = (lines * cells).sum(2, keepdim=True) / lines.sum(2, keepdim=True).clamp(min=1e-6)
    half = step * (FRAME / 2)
    centre = centre.clamp(min=last - half, max=first + half)  # a long tail must not leave the frame
    target = centre + (torch.arange(FRAME, device=ink.device) - (FRAME - 1) / 2) * step
    both = overlaps(target, step, PATCH)
    return both[:, 0] @ ink @ both[:, 1].mT / area(step)
