"""Augmentation of frames, as batched tensor functions."""

import functools

import torch
from torch import Tensor
from torch.nn import functional

BENDS = 5  # cells along a side, by which a frame is bent


def augment(frames: Tensor, strength: float = 1) -> Tensor:
    """Distort frames [N, 1, 28, 28] as pens and hands do, more or less strongly."""
    return weight(warp(frames, strength), strength) if strength else frames


def warp(frames: Tensor, strength: float = 1) -> Tensor:
    """Move, turn, scale, squeeze, slant and bend each frame, in one resampling.

    The bend is a smooth random displacement (Simard, Steinkraus, Platt 2003).
    """
    count = len(frames)
    angle = torch.randn(count) * (0.11 * strength) * (1 + (torch.rand(count) < 0.2))  # some write far aslant
    scale = torch.exp(torch.randn(count, 2) * (0.08 * strength)) / lengthened(frames, strength)
    slant = torch.randn(count) * (0.12 * strength)
    shift = torch.randn(count, 2) * (0.05 * strength)
    cos, sin = angle.cos(), angle.sin()
    first = torch.stack([cos * scale[:, 0], (slant * cos - sin) * scale[:, 0], shift[:, 0]], 1)
    second = torch.stack([sin * scale[:, 1], (slant * sin + cos) * scale[:, 1], shift[:, 1]], 1)
    grid = positions(torch.stack([first, second], 1), frames.shape[-1])
    rows = smooth(BENDS, frames.shape[-1])
    bend = rows @ (torch.randn(count, 2, BENDS, BENDS) * (0.055 * strength)) @ rows.T
    return functional.grid_sample(frames, (grid + bend).permute(0, 2, 3, 1), align_corners=False)


def positions(matrices: Tensor, size: int) -> Tensor:
    """Map the cells of frames by matrices [N, 2, 3] to [N, 2, S, S], as affine_grid does, in a tenth of its time."""
    cells = (torch.arange(size) + 0.5) * (2 / size) - 1
    across, down, shift = (matrices[:, :, part, None, None] for part in range(3))
    return across * cells + (down * cells[:, None] + shift)


def lengthened(frames: Tensor, strength: float) -> Tensor:
    """Choose how much longer the ink of each frame becomes along x and y, [N, 2]; its longest side stays as it is.

    Some people write narrow or wide, and scans may be stretched to their boxes, even to a square.
    """
    inked = frames[:, 0] > 0.4
    sides = torch.stack([inked.any(1).sum(1), inked.any(2).sum(1)], 1).clamp(min=1)
    to_square = (sides[:, 1:] / sides[:, :1]).log() / 2
    kind = torch.rand(len(frames), 1)
    hand = torch.randn(len(frames), 1) * (0.35 * strength) * (kind < 0.3)
    aspect = torch.where(kind < 0.15 * strength, to_square * torch.rand(len(frames), 1), hand)
    longer = torch.exp(torch.cat([aspect, -aspect], 1))
    return longer * (sides.amax(1, keepdim=True) / (sides * longer).amax(1, keepdim=True))


@functools.cache
def smooth(cells: int, size: int) -> Tensor:
    """Return the matrix [size, cells] that interpolates bicubically along a side, faster than torch does it."""
    return functional.interpolate(torch.eye(cells)[None, None], (size, cells), mode="bicubic", align_corners=True)[0, 0]


def weight(frames: Tensor, strength: float = 1) -> Tensor:
    """Make the pen of each frame a little wider or finer, darker or paler, and the edges of some as hard as a bit's."""
    count = len(frames)
    wide, fine = widened(frames), -widened(-frames)
    amount = torch.randn(count, 1, 1, 1) * (0.2 * strength)
    changed = frames + amount.clamp(0, 0.6) * (wide - frames) - (-amount).clamp(0, 0.6) * (frames - fine)
    changed = changed.clamp(0, 1) ** torch.exp(torch.randn(count, 1, 1, 1) * (0.2 * strength))
    hardness = 1 + 4 * torch.rand(count, 1, 1, 1) * (torch.rand(count, 1, 1, 1) < 0.25 * strength)
    level = 0.3 + 0.3 * torch.rand(count, 1, 1, 1)
    return torch.lerp(level, changed, hardness).clamp(0, 1)


def widened(frames: Tensor) -> Tensor:
    """Return the maximum of the 3×3 cells around each, a tenth of the time of max-pooling."""
    edged = functional.pad(frames, (1, 1, 1, 1), mode="replicate")
    rows = torch.maximum(torch.maximum(edged[..., :-2, :], edged[..., 1:-1, :]), edged[..., 2:, :])
    return torch.maximum(torch.maximum(rows[..., :-2], rows[..., 1:-1]), rows[..., 2:])
