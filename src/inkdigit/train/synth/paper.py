"""Draw paper: every kind of paper, its light, folds, stains, print and marks, the ink's grain, and the desk beside it.

Batched tensor functions in the units of `sheet.py`: cells of a square of `size`, brightness 0 dark to 1 light.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

GAPS = (1, 2, 4)  # cells: how large they may be, and
GAPPED = 10  # times as large is what has them
BOLDEST = 6  # times as wide as what is written on a form may be what is printed there


def uniform(count: int, low: float, high: float) -> Tensor:
    """Draw one number per picture, [N, 1, 1]."""
    return low + (high - low) * torch.rand(count, 1, 1)


def chance(count: int, probability: float) -> Tensor:
    """Toss a coin per picture, bool [N, 1, 1]."""
    return torch.rand(count, 1, 1) < probability


def axes(size: int) -> tuple[Tensor, Tensor]:
    """Return the centres of cells, x [1, 1, S] and y [1, S, 1]."""
    cells = torch.arange(size) + 0.5
    return cells[None, None], cells[None, :, None]


def light(count: int, size: int) -> Tensor:
    """Light paper [N, S, S]: its brightness, a slope, darker corners, patches, patterns."""
    x, y = axes(size)
    x, y = x / size - 0.5, y / size - 0.5
    angle = uniform(count, 0, 2 * math.pi)
    slope = 1 + uniform(count, 0, 0.5) * (x * angle.cos() + y * angle.sin())
    corners = 1 - uniform(count, 0, 0.5) * (x**2 + y**2) * chance(count, 0.3)
    patches = functional.interpolate(torch.randn(count, 1, 6, 6), size=size, mode="bicubic")[:, 0]
    pattern = waves(count, size) * chance(count, 0.2)  # as cheques and patterned tables have
    unevenness = uniform(count, 0, 0.08) * patches + uniform(count, 0, 0.12) * pattern
    rough = uniform(count, 0, 0.25) * texture(count, size) * chance(count, 0.15)
    return uniform(count, 0.45, 1.0) * slope * corners * (1 + unevenness + rough)


def shadows(count: int, size: int) -> Tensor:
    """Cast a shadow with a straight edge on some papers, one of any form, as hands have, on some: the part of light.

    [N, S, S]. Some shade little of the paper, and some leave little of it in the sun.
    """
    x, y = axes(size)
    turn = uniform(count, 0, 2 * math.pi)
    straight = (x / size - 0.5) * turn.cos() + (y / size - 0.5) * turn.sin() - uniform(count, -0.4, 0.4)
    form = -uniform(count, -0.2, 0.2)
    for cells, most in ((2, 0.25), (4, 0.2), (7, 0.12)):  # from near, it has fewer turns
        rough = functional.interpolate(torch.randn(count, 1, cells, cells), size=size, mode="bicubic")[:, 0]
        form = form + uniform(count, 0, most) * rough
    lit = torch.ones(count, size, size)
    for within in (straight, form):  # about as far from its edge, in parts of the size
        sharp = torch.exp(uniform(count, math.log(4), math.log(400)))  # a lamp's is soft, the sun's is a cell wide
        lit = lit * (1 - uniform(count, 0.1, 0.65) * (within * sharp).sigmoid() * chance(count, 0.75))
    return lit


def texture(count: int, size: int) -> Tensor:
    """Return what is rough or mottled about cloth, stone or cork, [N, S, S] around 0: patches of one to eight cells."""
    mottled = torch.zeros(count, size, size)
    for cell in (1, 3, 8):
        patches = torch.randn(count, 1, size // cell, size // cell)
        mottled = mottled + uniform(count, 0, 1) * functional.interpolate(patches, size=size, mode="bilinear")[:, 0]
    return mottled


def waves(count: int, size: int) -> Tensor:
    """Return parallel waves, straight ones or bent as the grain of wood is: [N, S, S] in -1..1."""
    x, y = axes(size)
    turn = uniform(count, 0, 2 * math.pi)
    bent = functional.interpolate(torch.randn(count, 1, 6, 6), size=size, mode="bicubic")[:, 0]
    along = (x * turn.cos() + y * turn.sin()) / size + bent * uniform(count, 0, 0.06)
    return torch.cos(along * (2 * math.pi) / uniform(count, 0.03, 0.2))


def folds(count: int, size: int) -> Tensor:
    """Fold or crumple some papers, so that their parts are lit differently: the part of light, [N, S, S]."""
    x, y = axes(size)
    lit = torch.ones(count, size, size)
    for _ in range(4):
        turn = uniform(count, 0, 2 * math.pi)
        beyond = (x - size / 2) * turn.cos() + (y - size / 2) * turn.sin() - uniform(count, -0.5, 0.5) * size
        lit = lit * (1 + torch.randn(count, 1, 1) * 0.08 * (beyond * uniform(count, 0.3, 1.5)).sigmoid())
    return torch.where(chance(count, 0.25), lit, torch.ones(()))


def stains(count: int, size: int) -> Tensor:
    """Stain some papers with a spot that dried, darkest at its edge, or lay a finger there: part of light [N, S, S]."""
    x, y = axes(size)
    x, y = x - uniform(count, 0, size), y - uniform(count, 0, size)
    turn = uniform(count, 0, 2 * math.pi)
    along = (x * turn.cos() + y * turn.sin()).clamp(min=0) * chance(count, 0.4)  # a finger comes from outside
    away = (x - along * turn.cos()).square() + (y - along * turn.sin()).square()
    uneven = functional.interpolate(torch.randn(count, 1, 5, 5), size=size, mode="bicubic")[:, 0]
    beyond = away.sqrt() - uniform(count, 0.05, 0.4) * size + uneven * uniform(count, 0, 0.03) * size
    edge = torch.exp(-(beyond / uniform(count, 0.7, 3)).square()) * uniform(count, 0, 0.4)
    within = (0.5 - beyond).clamp(0, 1) * uniform(count, -0.1, 0.6)
    return 1 - (edge + within).clamp(max=0.9) * chance(count, 0.35)


def holes(count: int, size: int) -> Tensor:
    """Punch a row of holes along an edge of some papers, through which one sees the dark: part of light [N, S, S]."""
    x, y = axes(size)
    upright, mirrored = chance(count, 0.5), chance(count, 0.5)
    across, along = torch.where(upright, x, y), torch.where(upright, y, x)
    across = torch.where(mirrored, size - across, across) - uniform(count, 0, 0.12) * size
    pitch = uniform(count, 0.06, 0.5) * size
    along = ((along / pitch + uniform(count, 0, 1)) % 1 - 0.5) * pitch
    inside = uniform(count, 0.5, 3) + 0.5 - (across.square() + along.square()).sqrt()
    return 1 - inside.clamp(0, 1) * uniform(count, 0.2, 1) * chance(count, 0.15)


def things(ink: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Lay a thing on some papers beside the ink [N, S, S]: a pen, a coin, an eraser, the edge of a phone.

    Returns its brightness and how much of each cell it takes, [N, S, S]. What would touch the ink is not laid.
    """
    count = len(ink)
    x, y = axes(size)
    x, y, turn = x - uniform(count, 0, size), y - uniform(count, 0, size), uniform(count, 0, math.pi)
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
    level = uniform(count, 0, 1) + lit + uniform(count, 0, 0.2) * texture(count, size)
    shadow = uniform(count, 0, 0.5) * (1 + inside / uniform(count, 1, 6)).clamp(0, 1) * (1 - taken)
    level = torch.where(taken > 0, level, 0.0)  # beside it is its shadow alone
    return level, taken.maximum(shadow) * (beside & chance(count, 0.3))


def small_print(centre: Tensor, sides: Tensor, size: int) -> Tensor:
    """Write lines of words over or under some digits, much smaller than they are: ink [N, S, S]."""
    count = len(centre)
    _, y = axes(size)
    tall = sides.amax(1)[:, None, None]
    pitch = uniform(count, 3, 9).minimum(tall * 0.6)
    below = y - centre[:, 1:, None]
    away = below.abs() - sides[:, 1:, None] / 2 - 1 - uniform(count, 0, 0.15) * size
    row = (away > 0) & (away < pitch * uniform(count, 1, 4)) & (away % pitch < pitch * 0.55)
    side = uniform(count, 0, 3)
    row = row & ((side < 1) | ((side < 2) == (below > 0)))
    fine, coarse = (torch.rand(count, 1, size // cell, size // cell) > 0.5 for cell in (1, 2))
    large = functional.interpolate(coarse.float(), size=size)[:, 0]
    letters = torch.where(pitch > 5, large, fine[:, 0].float())
    words = functional.interpolate(torch.rand(count, 1, size // 6), size=size)
    return letters * row * (words > 0.25) * (chance(count, 0.3) & (tall > 8)) * uniform(count, 0.4, 1)


def prints(ink: Tensor, centre: Tensor, sides: Tensor, size: int) -> Tensor:
    """Print lines, squares, dots, or boxes around the digits [N, S, S]: the part of light that is left, [N, S, S].

    Nobody has a form printed in far wider lines than those that are to be written on it.
    """
    count = len(centre)
    x, y = axes(size)
    x, y = x - centre[:, :1, None], y - centre[:, 1:, None]
    tilt = torch.where(chance(count, 0.3), uniform(count, -0.4, 0.4), torch.randn(count, 1, 1) * 0.03)
    across, down = x + tilt * y, y - tilt * x
    spacing = torch.exp(uniform(count, math.log(0.04), math.log(0.6))) * size
    written = torch.where(ink.amax((1, 2), keepdim=True) > 0, line_width(ink), size)
    from_near = (0.06 * sides.amax(1)[:, None, None]).clamp(min=2.2)  # who is close to a form sees its lines wide
    thick = (uniform(count, 0.1, 1) * from_near).minimum(torch.exp(uniform(count, -0.7, math.log(BOLDEST))) * written)
    fine = thick.minimum(spacing / 3)
    lines, upright = (stripes(along, spacing, fine, uniform(count, 0, 1)) for along in (down, across))
    ruled = torch.where(chance(count, 0.2), lines.minimum(upright), lines.maximum(upright * chance(count, 0.45)))
    ruled = ruled * chance(count, 0.5)
    margin = 1 + uniform(count, 0.1, 0.9) ** 2 + torch.rand(count, 2, 1) * 0.2
    half = (sides[..., None] * margin).amax(1, keepdim=True) / 2 * torch.exp(torch.randn(count, 2, 1) * 0.1)
    middle = torch.randn(count, 2, 1) * half * 0.06
    wide = 2 * half[:, :1]
    place = (across - middle[:, :1]) / wide + 0.5  # 0..1 in the digit's own box
    before, after = torch.randint(0, 5, (2, count, 1, 1)) * chance(count, 0.4)  # others in a row, as forms have
    inside_x = wide * (place + before).minimum(after + 1 - place)
    inside_y = half[:, 1:] - (down - middle[:, 1:]).abs()
    between = wide * ((place + 0.5) % 1 - 0.5).abs()
    box = torch.maximum(line(between, thick) * (inside_y > -thick), line(inside_y.abs(), thick)) * (inside_x > -thick)
    boxed = chance(count, 0.55) & (tilt.abs() < 0.12)  # else they would cross what is written in them
    return 1 - uniform(count, 0.1, 0.95) * torch.maximum(ruled, box * boxed)


def marks(ink: Tensor, centre: Tensor, sides: Tensor, size: int) -> Tensor:
    """Ring, bracket or underline some digits [N, S, S] by hand, with a pen like the one that wrote them: ink [N, S, S].

    A ring is as long as the digit, round or between, and may end before it closes; brackets are what is left of one
    without its top and bottom. One by a far bolder pen would be seen around what cannot be, and teach that a 0 is a
    ring around nothing; only what underlines may be bolder.
    """
    count = len(centre)
    x, y = axes(size)
    x, y = x - centre[:, :1, None], y - centre[:, 1:, None]
    half = sides[..., None] / 2
    thick = (line_width(ink) * torch.exp(uniform(count, -0.5, 0.6))).clamp(0.4, 6)
    radii = half + half.amax(1, keepdim=True) * uniform(count, 0, 0.9) + thick
    radii = torch.lerp(radii, radii.amax(1, keepdim=True).expand_as(radii), uniform(count, 0, 1))
    direction = torch.atan2(y / radii[:, 1:], x / radii[:, :1])
    wobble = sum(uniform(count, 0, 0.06) * torch.cos(k * direction + uniform(count, 0, 2 * math.pi)) for k in (1, 2, 3))
    away = ((x / radii[:, :1]).square() + (y / radii[:, 1:]).square()).sqrt() - 1 - wobble
    closed = torch.cos(direction - uniform(count, 0, 2 * math.pi)) < uniform(count, 0.9, 1.3)
    sideways = direction.cos().abs() > uniform(count, 0.6, 0.8)
    ring = line(away.abs() * radii.amin(1, keepdim=True), thick) * torch.where(chance(count, 0.2), sideways, closed)
    below = y - torch.randn(count, 1, 1) * 0.06 * x - half[:, 1:] - thick - uniform(count, 0.1, 0.8) * half[:, 1:]
    twice = torch.where(chance(count, 0.3), below.abs().minimum((below - 3 * thick).abs()), below.abs())
    bolder = thick * torch.exp(uniform(count, -0.7, 1.4))
    under = line(twice, bolder) * ((x - torch.randn(count, 1, 1) * 0.3 * half[:, :1]).abs() < half[:, :1] + 3 * thick)
    drawn = torch.where(chance(count, 0.7), ring, under) * uniform(count, 0.6, 1.2).clamp(max=1)
    written = line_width(ink) > 0  # what is around nothing is a 0
    return drawn * (chance(count, 0.8) & (half.amax(1, keepdim=True) > 4) & written)


def grain(count: int, size: int) -> Tensor:
    """Return the pen's texture [N, S, S], 0..1: even for most, rough for pencil and chalk."""
    rough = uniform(count, 0, 0.6) * chance(count, 0.35)
    return 1 - rough * torch.rand(count, size, size)


def gaps(sides: Tensor, size: int) -> Tensor:
    """Leave gaps in some inks, as dry pens, worn chalk and a scanner's threshold do: what is left of it, [N, S, S].

    From the digits' `sides` [N, 2] in cells, of which a gap takes a tenth at most.
    """
    count = len(sides)
    patches = [torch.randn(count, 1, size // cell, size // cell) for cell in GAPS]
    rough = torch.cat([functional.interpolate(patch, size=size, mode="bilinear") for patch in patches], 1)
    allowed = (sides.amax(1, keepdim=True) >= GAPPED * torch.tensor(GAPS)).sum(1).clamp(min=1)
    kind = (torch.rand(count) * allowed).long()
    left = (rough[torch.arange(count), kind] + uniform(count, 0.4, 1.6)) * uniform(count, 2, 10)
    return torch.where(chance(count, 0.3), left.clamp(0, 1), torch.ones(()))


def line_width(ink: Tensor) -> Tensor:
    """Estimate how wide the lines of ink [N, S, S] are, in cells: twice their area to their outline, [N, 1, 1]."""
    outline = ink.diff(dim=1).abs().sum((1, 2)) + ink.diff(dim=2).abs().sum((1, 2))
    return (2 * ink.sum((1, 2)) * ink.amax((1, 2)) / outline.clamp(min=1))[:, None, None]


def page(centre: Tensor, sides: Tensor, size: int) -> Tensor:
    """Lay some pages so that one sees beyond their edges: 1 where the page is, 0 where the desk is, [N, S, S].

    Or the edge is that of a scanner's glass, or a frame; the digit with its `centre` and `sides` [N, 2] stays on it.
    """
    count = len(centre)
    x, y = axes(size)
    tilt = torch.randn(count, 1, 1) * 0.3
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
    """Return what is seen beside a page, even, rough or grained, of any brightness: [N, S, S]."""
    rough = uniform(count, 0, 0.4) * texture(count, size) * chance(count, 0.5)
    return uniform(count, 0, 1) * (1 + rough + uniform(count, 0, 0.3) * waves(count, size) * chance(count, 0.4))


def stripes(position: Tensor, spacing: Tensor, thick: Tensor, phase: Tensor) -> Tensor:
    """Draw lines at every `spacing` along a position [N, S, S]."""
    return line(((position / spacing + phase) % 1 - 0.5).abs() * spacing, thick)


def line(distance: Tensor, thick: Tensor) -> Tensor:
    """Draw where the distance to a line is under half its thickness, with a smooth edge; hairlines grow pale."""
    return (thick / 2 + 0.5 - distance).clamp(0, 1).minimum(thick)
