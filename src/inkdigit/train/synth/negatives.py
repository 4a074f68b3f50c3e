"""What is no digit: frames of drawn scribbles, two digits, digits written over, and noise; pictures of anything."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from ..model.framing import FRAME, PATCH, place
from .paper import axes, chance, texture, uniform

LEAVES = 40
SMALLEST_LEAF = 0.04  # of the picture's side


def negatives(frames: Tensor) -> Tensor:
    """Make as many frames that are no digit as there are `frames` [N, 1, 28, 28] of digits, in four equal kinds."""
    kinds = (scribbles, pairs, crossed, noise)
    made = torch.cat([kind(part) for kind, part in zip(kinds, frames.tensor_split(len(kinds)), strict=True)])
    margin = (PATCH - FRAME) // 2
    return place(functional.pad(made, (margin, margin, margin, margin)))  # no size gives them away


def scribbles(frames: Tensor) -> Tensor:
    """Draw one to four random cubic Bézier curves with a round pen, or a polygon of four straight ones."""
    count, curves, points = len(frames), 4, 48
    control = 14 + torch.randn(count, curves, 4, 2) * 6
    control[:, 1:, 0] = torch.where(torch.rand(count, curves - 1, 1) < 0.5, control[:, :-1, 3], control[:, 1:, 0])
    straight = torch.rand(count, 1, 1, 1) < 0.25
    corners = control[:, :, :1] + (control[:, :, :1].roll(-1, 1) - control[:, :, :1]) * torch.arange(4).view(4, 1) / 3
    control = torch.where(straight, corners, control)
    t = torch.linspace(0, 1, points)[:, None]
    basis = torch.stack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
    curve = (control.permute(2, 0, 1, 3)[:, :, :, None] * basis[:, None, None]).sum(0).clamp(4, 24)
    drawn = (torch.arange(curves) < torch.randint(1, curves + 1, (count, 1))) | straight[:, :, 0, 0]
    curve = torch.where(drawn[:, :, None, None], curve, curve[:, :1]).flatten(1, 2)
    cells = torch.arange(28) + 0.5
    x, y = (curve[:, :, axis, None, None] for axis in (0, 1))
    distance = ((x - cells).square() + (y - cells[:, None]).square()).amin(1, keepdim=True).sqrt()
    width = 0.5 + torch.rand(count, 1, 1, 1) * 1.5
    return (width + 0.5 - distance).clamp(0, 1)


def pairs(frames: Tensor) -> Tensor:
    """Put two digits side by side, as small as a frame makes them."""
    both = torch.cat([frames, frames.roll(1, 0)], 3)[..., 4:52]
    small = functional.interpolate(both, size=(14, 24), mode="area")
    return functional.pad(small, (2, 2, 7, 7))


def crossed(frames: Tensor) -> Tensor:
    """Write another digit, turned, over each."""
    return torch.maximum(frames, frames.roll(1, 0).rot90(1, (2, 3)).flip(3))


def noise(frames: Tensor) -> Tensor:
    """Make specks and blotches of every size."""
    return blotches(len(frames), frames.shape[-1])[:, None]


def blotches(count: int, size: int) -> Tensor:
    """Make noise [N, S, S] in 0..1, fine to coarse, of every level and contrast."""
    parts = []
    for part, cells in zip(torch.arange(count).tensor_split(4), (size, size // 2, size // 4, 4), strict=True):
        level = functional.interpolate(torch.rand(len(part), 1, cells, cells), size=size, mode="bilinear")[:, 0]
        contrast = 1 + 4 * torch.rand(len(part), 1, 1).square()
        parts.append(((level - torch.rand(len(part), 1, 1)) * contrast + 0.3).clamp(0, 1))
    return torch.cat(parts)


def leaves(count: int, size: int) -> Tensor:
    """Make what photographs of anything have in common, [N, S, S] in 0..1: things of all sizes that hide each other.

    The dead leaves model (Lee, Mumford, Huang 2001): sizes by an inverse cubic law. Things are round or angular, in or
    out of focus, smooth or rough, and lit from a side.
    """
    x, y = axes(size)
    rough = texture(count, size)
    pictures = uniform(count, 0, 1).expand(count, size, size)
    for _ in range(LEAVES):
        radius = SMALLEST_LEAF * size / uniform(count, 0.004, 1).sqrt()
        left, top, turn = x - uniform(count, 0, size), y - uniform(count, 0, size), uniform(count, 0, math.pi)
        oblong = torch.exp(0.5 * torch.randn(count, 1, 1))
        along, across = left * turn.cos() + top * turn.sin(), top * turn.cos() - left * turn.sin()
        along, across = along / oblong, across * oblong
        away = torch.where(chance(count, 0.5), along.abs().maximum(across.abs()), torch.hypot(along, across))
        shade = uniform(count, 0, 1) + uniform(count, -0.2, 0.2) * along / radius + uniform(count, 0, 0.15) * rough
        inside = (radius - away) * uniform(count, 0.15, 1.5) + 0.5
        pictures = torch.lerp(pictures, shade, inside.clamp(0, 1))
    return pictures.clamp(0, 1)
