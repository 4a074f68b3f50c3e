"""What is seen of a picture: all of it, or what is around its ink, stretched over the glance's grid."""

import torch
from torch import Tensor
from torch.nn import functional

from .glance import GRID, MASK

CLOSER = 1.4  # times as wide as all that may be ink at the first look: what the second one looks at
LEAST_SEEN = 40.0  # px, of which it looks at no fewer


def sides_of(picture: Tensor) -> Tensor:
    """Give the height and width of all pictures [N, 1, H, W], as [1, 2, 1]."""
    return torch.stack([torch.scalar_tensor(side) for side in picture.shape[2:]]).to(picture.device)[None, :, None]


def around_ink(span: tuple[Tensor, Tensor], sides: Tensor) -> tuple[Tensor, Tensor]:
    """Choose a window around the ink's `span` in the mask of pictures with these `sides` [1, 2, 1]; all for no ink.

    Gives where it starts and its size, px [N, 2, 1].
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
    """Average the rows of [N, H, W] as `framing.overlaps` weighs them: [N, 96, W].

    The cells have their `centres` [N, 1, 96] and their `width` [N, 1, 1], of which 96 are no more than all rows, or
    1 px. Only the rows that lie on a cell are taken, which is much sooner than a product with all.
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
