"""Framing: pixels to the 28×28 frame that the network sees, as a module that is exported inside the graph.

It looks twice. A glance at the picture, stretched over a 96×96 grid, says what is ink of the digit; a cut of the full
picture around it, cleaned with the glance's mask, is then brought to the frame: longest side 20 px, centre of mass in
the middle, as MNIST's makers did (LeCun, Bottou, Bengio, Haffner 1998, section III.A). Every crop, scale and shift is
two matrices, `Wy @ picture @ Wx.T`, which average exactly the area that a cell covers.

It does not know what a digit looks like beyond what the glance has learnt, and it never thickens or thins a stroke.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .glance import GRID, MASK, Glance

PATCH = 56  # cells of the cut
PATCH_INK = 40  # of which the ink's longest side takes these
FRAME = 28
FRAME_INK = 20
NOISE_FLOOR = 3.0  # what is taken for grain, in mean depths of what is brighter than paper
FAINTEST = 3.0  # grey levels of contrast, under which there is no ink


def resampling(centres: Tensor, width: Tensor, size: int) -> Tensor:
    """Give matrices [..., count, size] that average `size` px to cells.

    The cells have their `centres` [..., count] and their `width` [..., 1] in px; a width under 1 px interpolates
    linearly. A row sums to 1, or to the part of its cell that lies on the picture.
    """
    width = width.clamp(min=1)[..., None]
    px = torch.arange(size, device=centres.device) + 0.5
    return ((width / 2 + 0.5) - (centres[..., None] - px).abs()).clamp(0, 1) / width


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
        ink, contrast = cut(picture, mask, Paper(functional.avg_pool2d(grid, 2), mask), step)
        return place(ink), contrast


def look(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Stretch [N, H, W] to the grid [N, 96, 96]; also give the px [2, 1] that a cell of the mask takes."""
    _, height, width = picture.shape
    sides = torch.stack([torch.scalar_tensor(height), torch.scalar_tensor(width)])[:, None].to(picture.device)
    centres, cell = (torch.arange(GRID, device=picture.device) + 0.5) * (sides / GRID), sides / GRID
    rows, columns = resampling(centres[0], cell[0], height), resampling(centres[1], cell[1], width)
    return rows @ picture @ columns.T, sides / MASK


class Paper:
    """Hold the paper's brightness under and beside the ink, as planes fitted to what the mask leaves.

    From `grid` and `mask` [N, 48, 48]. Weighted least squares along each axis by itself, the slopes held back where
    little paper is seen. `sign` [N, 1, 1] is 1 where ink is darker than paper, else -1.
    """

    def __init__(self, grid: Tensor, mask: Tensor) -> None:
        weight = (1 - mask).square() + 1e-3
        lines = sums(weight)
        total = weight.sum((1, 2), keepdim=True)
        cells = torch.arange(MASK, device=grid.device) + 0.5
        self.centre = (lines * cells).sum(2, keepdim=True) / total
        offset = cells - self.centre
        weighted = weight * grid
        self.level = weighted.sum((1, 2), keepdim=True) / total
        spread = (lines * offset.square()).sum(2, keepdim=True) + 20.0 * MASK
        self.slope = (sums(weighted) * offset).sum(2, keepdim=True) / spread
        below = (self.at(cells) - grid) * mask
        self.sign = torch.where(below.sum((1, 2), keepdim=True) < 0, -1.0, 1.0)

    def at(self, cells: Tensor) -> Tensor:
        """Give the brightness [N, S, S] at the rows and columns `cells`, [N, 2, S] or [S]."""
        rise = self.slope * (cells - self.centre)
        return self.level + rise[:, 0, :, None] + rise[:, 1, None, :]


def cut(picture: Tensor, mask: Tensor, paper: Paper, step: Tensor) -> tuple[Tensor, Tensor]:
    """Cut the ink out of the full picture: ink [N, 56, 56] in 0..1, and its contrast to the paper [N].

    `mask` [N, 48, 48] and the paper are in cells of `step` [2, 1] px.
    """
    _, height, width = picture.shape
    first, last = extent(profiles(mask) > 0.5)
    first, last = first * step, last * step
    cell = (last - first).amax(1, keepdim=True).clamp(min=1) / PATCH_INK  # of the patch, in px
    centres = (first + last) / 2 + (torch.arange(PATCH, device=picture.device) - (PATCH - 1) / 2) * cell
    rows = resampling(centres[:, 0], cell[:, 0], height)
    columns = resampling(centres[:, 1], cell[:, 0], width).mT
    cover = rows.sum(2, keepdim=True) * columns.sum(1, keepdim=True)
    across = resampling(centres / step, cell / step, MASK)
    allowed = (across[:, 0] @ mask @ across[:, 1].mT * 3).clamp(max=1)
    depth = (paper.at(centres / step) * cover - rows @ picture @ columns) * paper.sign
    grain = NOISE_FLOOR * (-depth).clamp(min=0).mean((1, 2), keepdim=True)
    depth = (depth - grain).clamp(min=0) * allowed
    contrast = strongest(depth)
    faint = contrast < FAINTEST
    ink = torch.where(faint, 0.0, depth / contrast.clamp(min=FAINTEST)).clamp(max=1)
    return ink, torch.where(faint, 0.0, contrast)[:, 0, 0]


def strongest(depth: Tensor) -> Tensor:
    """Give the level [N, 1, 1] of the strongest ink of [N, S, S], steadier than a maximum: a ratio of powers' sums."""
    fourth = depth.square().square()
    return (fourth * depth).sum((1, 2), keepdim=True) / fourth.sum((1, 2), keepdim=True).clamp(min=1e-12)


def place(ink: Tensor) -> Tensor:
    """Bring ink [N, 56, 56] to frames [N, 28, 28]: longest side 20 px, centre of mass in the middle."""
    first, last = extent(profiles(ink) > 0.2)
    step = (last - first).amax(1, keepdim=True).clamp(min=1) / FRAME_INK
    cells = torch.arange(PATCH, device=ink.device) + 0.5
    lines = sums(ink)
    centre = (lines * cells).sum(2, keepdim=True) / lines.sum(2, keepdim=True).clamp(min=1e-6)
    target = centre + (torch.arange(FRAME, device=ink.device) - (FRAME - 1) / 2) * step
    both = resampling(target, step, PATCH)
    return both[:, 0] @ ink @ both[:, 1].mT
