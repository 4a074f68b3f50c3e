"""Framing: pixels to the 28×28 frame that the network sees, as a module that is exported inside the graph.

It looks twice. A glance at the picture on a 96×96 grid says what is ink of the digit; a cut of the full picture around
it, cleaned with the glance's mask, is then brought to the frame: longest side 20 px, centre of mass in the middle, as
MNIST's makers did (LeCun, Bottou, Bengio, Haffner 1998, section III.A). Every crop, scale and shift is two matrices,
`Wy @ picture @ Wx.T`, which average exactly the area that a cell covers.

It does not know what a digit looks like beyond what the glance has learnt, and it never thickens or thins a stroke.
"""

import torch
from torch import Tensor, nn

GRID = 96  # cells of the glance, along the longest side
PATCH = 56  # cells of the cut
PATCH_INK = 40  # of which the ink's longest side takes these
FRAME = 28
FRAME_INK = 20


def resampling(start: Tensor, step: Tensor, count: int, size: int) -> Tensor:
    """Give the matrices [N, count, size] that average `size` px to `count` cells.

    Cell i covers `start + i * step` to `start + (i + 1) * step`, in px, both [N]; a step under 1 px interpolates
    linearly. A row sums to 1, or to the part of its cell that lies on the picture.
    """
    cells = torch.arange(count, device=start.device) + 0.5
    px = torch.arange(size, device=start.device) + 0.5
    width = step.clamp(min=1)[:, None, None]
    distance = ((start[:, None] + cells * step[:, None])[..., None] - px).abs()
    return ((width + 1) / 2 - distance).clamp(0, 1) / width


def extent(inked: Tensor) -> tuple[Tensor, Tensor]:
    """Give the first and last+1 index, float [N], of the true entries of [N, L]; 0 and L where there are none."""
    size = inked.shape[1]
    index = torch.arange(size, device=inked.device, dtype=torch.float32)
    first = torch.where(inked, index, float(size)).amin(1)
    last = torch.where(inked, index + 1, 0.0).amax(1)
    some = last > 0
    return torch.where(some, first, 0.0), torch.where(some, last, float(size))


class PlainGlance(nn.Module):
    """Take for ink what differs from the mean of the picture's border."""

    def forward(self, grid: Tensor, valid: Tensor) -> Tensor:
        """Turn a grid [N, 96, 96], 0..1, and its validity [96, 96] to the probability of ink [N, 96, 96]."""
        inside = torch.nn.functional.pad(valid[1:-1, 1:-1], (1, 1, 1, 1))
        inside = inside * valid.roll(1, 0) * valid.roll(-1, 0) * valid.roll(1, 1) * valid.roll(-1, 1)
        ring = valid * (1 - inside)
        paper = (grid * ring).sum((1, 2)) / ring.sum()
        difference = (grid - paper[:, None, None]).abs() * valid
        return (difference > 0.35 * difference.amax((1, 2), keepdim=True)).float()


class Framing(nn.Module):
    """Frame pictures: uint8 [N, H, W] of any polarity to float [N, 28, 28], 0 paper to 1 ink.

    The second output, float [N], is the contrast of ink to paper, 0..1; it is 0, and the frame empty, where there is
    no ink.
    """

    def __init__(self, glance: nn.Module) -> None:
        super().__init__()
        self.glance = glance

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Frame `pixels`, uint8 [N, H, W]."""
        picture = pixels.float() / 255
        grid, valid, step = look(picture)
        mask = self.glance(grid, valid) * valid
        paper, sign = paper_plane(grid, mask, valid)
        ink, contrast = cut(picture, mask, paper, sign, step)
        return place(ink), contrast


def look(picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Reduce [N, H, W] to the grid [N, 96, 96]; also give the grid's validity [96, 96] and its step in px."""
    _, height, width = picture.shape
    step = picture.new_ones(1) * torch.sym_max(height, width) / GRID
    start = picture.new_zeros(1)
    rows = resampling(start, step, GRID, height)[0]
    columns = resampling(start, step, GRID, width)[0]
    cover = rows.sum(1)[:, None] * columns.sum(1)
    valid = (cover > 0.5).float()
    grid = rows @ picture @ columns.T / cover.clamp(min=0.01)
    return grid * valid, valid, step


def paper_plane(grid: Tensor, mask: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Fit the paper's brightness under and beside the ink by a plane; give its coefficients [N, 3] and ink's sign [N].

    The coefficients are for 1, x, y in cells from the grid's corner. Weighted least squares, the slopes held back where
    little paper is seen. The sign is 1 where ink is darker than paper, else -1.
    """
    weight = (1 - mask) ** 2 * valid + 1e-4 * valid
    cells = torch.arange(GRID, device=grid.device) + 0.5
    total = weight.sum((1, 2))
    x0 = (weight.sum(1) * cells).sum(1) / total
    y0 = (weight.sum(2) * cells).sum(1) / total
    level = (weight * grid).sum((1, 2)) / total
    x = (cells[None, None, :] - x0[:, None, None]) * weight
    y = (cells[None, :, None] - y0[:, None, None]) * weight
    hold = 100.0 * GRID
    xx = (x * (cells[None, None, :] - x0[:, None, None])).sum((1, 2)) + hold
    yy = (y * (cells[None, :, None] - y0[:, None, None])).sum((1, 2)) + hold
    xy = (x * (cells[None, :, None] - y0[:, None, None])).sum((1, 2))
    xg = (x * grid).sum((1, 2))
    yg = (y * grid).sum((1, 2))
    determinant = xx * yy - xy * xy
    slope_x = (xg * yy - yg * xy) / determinant
    slope_y = (yg * xx - xg * xy) / determinant
    plane = torch.stack([level - slope_x * x0 - slope_y * y0, slope_x, slope_y], 1)
    below = ((on_plane(plane, cells[None], cells[None]) - grid) * mask).sum((1, 2))
    return plane, torch.where(below < 0, -1.0, 1.0)


def on_plane(plane: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Evaluate planes [N, 3] at x [N, A] and y [N, B]: [N, B, A]."""
    return plane[:, 0, None, None] + plane[:, 1, None, None] * x[:, None, :] + plane[:, 2, None, None] * y[:, :, None]


def cut(picture: Tensor, mask: Tensor, paper: Tensor, sign: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
    """Cut the ink out of the full picture: ink [N, 56, 56] in 0..1 and its contrast to the paper [N]."""
    _, height, width = picture.shape
    inked = mask > 0.5
    left, right = extent(inked.any(1))
    top, bottom = extent(inked.any(2))
    cell = torch.maximum(right - left, bottom - top).clamp(min=1) / PATCH_INK  # of the patch, in cells of the grid
    x = (left + right) / 2 - cell * PATCH / 2
    y = (top + bottom) / 2 - cell * PATCH / 2
    rows = resampling(y * step, cell * step, PATCH, height)
    columns = resampling(x * step, cell * step, PATCH, width).mT
    cover = rows.sum(2)[:, :, None] * columns.sum(1)[:, None, :]
    allowed = resampling(y, cell, PATCH, GRID) @ mask @ resampling(x, cell, PATCH, GRID).mT
    cells = (torch.arange(PATCH, device=picture.device) + 0.5)[None] * cell[:, None]
    plane = on_plane(paper, x[:, None] + cells, y[:, None] + cells)
    depth = sign[:, None, None] * (plane * cover - rows @ picture @ columns)
    depth = depth.clamp(min=0) * (allowed * 4).clamp(max=1)
    contrast = strongest(depth)
    contrast = torch.where(contrast > 0.012, contrast, 0.0)
    return (depth / contrast.clamp(min=0.012)[:, None, None]).clamp(max=1) * (contrast > 0)[:, None, None], contrast


def strongest(depth: Tensor) -> Tensor:
    """Give the level [N] of the strongest ink of [N, H, W], steadier than a maximum: a ratio of two powers' sums."""
    return depth.pow(5).sum((1, 2)) / depth.pow(4).sum((1, 2)).clamp(min=1e-12)


def place(ink: Tensor) -> Tensor:
    """Bring ink [N, 56, 56] to frames [N, 28, 28]: longest side 20 px, centre of mass in the middle."""
    inked = ink > 0.2
    left, right = extent(inked.any(1))
    top, bottom = extent(inked.any(2))
    step = torch.maximum(right - left, bottom - top) / FRAME_INK
    cells = torch.arange(PATCH, device=ink.device) + 0.5
    total = ink.sum((1, 2)).clamp(min=1e-6)
    x = (ink.sum(1) * cells).sum(1) / total
    y = (ink.sum(2) * cells).sum(1) / total
    rows = resampling(y - step * FRAME / 2, step, FRAME, PATCH)
    columns = resampling(x - step * FRAME / 2, step, FRAME, PATCH)
    return rows @ ink @ columns.mT
