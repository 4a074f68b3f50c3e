"""What is seen beside digits: things that lie on the paper or that a screen shows, other pages, the desk.

Batched tensor functions in the units of `paper.py`: cells of a square of `size`, brightness 0 dark to 1 light.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from .surface import axes, chance, texture, uniform, waves

THINGS = 4  # at most, that lie beside a digit
SEEN = 40  # cells of ink, of which fewer may be overlooked beside a thing


def things(ink: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Lay up to `THINGS` things on some written papers beside the ink [N, S, S], each over those before it.

    Gives the light that comes from them, and the part that they leave of what comes from elsewhere, [N, S, S]. Nothing
    lies where nobody wrote, or hardly anything: alone, a bar is what somebody has begun to write.
    """
    lit, left = torch.zeros_like(ink), torch.ones_like(ink)
    laid = chance(len(ink), 0.35) & (ink.sum((1, 2), keepdim=True) > SEEN)
    for _ in range(THINGS):
        level, taken = thing(ink, size)
        taken = taken * laid
        lit, left = torch.lerp(lit, level, taken), left * (1 - taken)
        laid = laid & chance(len(ink), 0.6)
    return lit, left


def thing(ink: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Lay a thing beside the ink [N, S, S]: a pen, a coin, the edge of a phone; or a screen's button.

    Gives its brightness and how much of each cell it takes, [N, S, S]. What would touch the ink is not laid.
    """
    count = len(ink)
    x, y = axes(size)
    flat = chance(count, 0.4)  # drawn by a program, which draws straight and even
    turn = torch.where(flat, 0.0, uniform(count, 0, math.pi))
    x, y = x - uniform(count, 0, size), y - uniform(count, 0, size)
    along, across = x * turn.cos() + y * turn.sin(), y * turn.cos() - x * turn.sin()
    wide = torch.exp(uniform(count, math.log(0.015), math.log(0.25))) * size
    long = torch.exp(uniform(count, math.log(0.15), math.log(0.8))) * size  # shorter ones would be a 1
    angular = (wide.maximum(long) - along.abs()).minimum(wide - across.abs())
    rounded = wide.clamp(min=0.05 * size) - torch.hypot(along, across)
    inside = torch.where(chance(count, 0.3), rounded, angular)
    taken = (inside + 0.5).clamp(0, 1)
    near = functional.max_pool2d(ink[:, None], 5, 1, 2)[:, 0]
    beside = (near * taken).amax((1, 2), keepdim=True) == 0
    lit = torch.cos(across / wide * uniform(count, 0, 2)) * uniform(count, -0.3, 0.3)  # round ones shine along a line
    level = uniform(count, 0, 1) + torch.where(flat, 0.0, lit + uniform(count, 0, 0.2) * texture(count, size))
    shadow = uniform(count, 0, 0.5) * (1 + inside / uniform(count, 1, 6)).clamp(0, 1) * (1 - taken)
    level = torch.where(taken > 0, level, 0.0)  # beside it is its shadow alone
    return level, taken.maximum(torch.where(flat, 0.0, shadow)) * beside


def page(centre: Tensor, sides: Tensor, size: int) -> Tensor:
    """Lay some pages so that one sees beyond their edges: 1 where the page is, 0 where the desk is, [N, S, S].

    Or the edge is that of a scanner's glass, or a frame; the digit with its `centre` and `sides` [N, 2] stays on it.
    """
    count = len(centre)
    x, y = axes(size)
    tilt = torch.where(chance(count, 0.4), 0.0, torch.randn(count, 1, 1) * 0.3)
    across, down = x - centre[:, :1, None] + tilt * (y - centre[:, 1:, None]), y - centre[:, 1:, None]
    down = down - tilt * across
    aslant = sides + tilt[:, 0].abs() * sides.flip(1)  # what a digit takes on a page that is turned
    room = aslant.repeat(1, 2) * 0.6 + 1.5 + torch.rand(count, 4).square() * (0.6 * size)
    seen = torch.rand(count, 1).sqrt()  # from one edge to all four, which notes have
    room = torch.where(torch.rand(count, 4) < seen, room, 2 * size)
    right, bottom, left, top = (side[..., None] for side in room.split(1, dim=1))
    inside = (right - across).minimum(left + across).minimum(bottom - down).minimum(top + down)
    on_page = (inside * uniform(count, 0.4, 2) + 0.5).clamp(0, 1)
    return torch.where(chance(count, 0.8), on_page, torch.ones(()))


def desk(count: int, size: int) -> Tensor:
    """Give what is seen beside a page, even, rough or grained, of any brightness: [N, S, S]."""
    rough = uniform(count, 0, 0.4) * texture(count, size) * chance(count, 0.5)
    return uniform(count, 0, 1) * (1 + rough + uniform(count, 0, 0.3) * waves(count, size) * chance(count, 0.4))
