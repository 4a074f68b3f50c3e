"""Camera, scanner and file effects: glare, blur, noise, coarse cells, lost pixels, JPEG.

Batched tensor functions in the units of `sheet.py`: cells of a square of `size`, brightness 0 dark to 1 light.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from .paper import axes, chance, uniform

COARSE = (2, 3, 6, 12)  # how many cells one of a coarse picture's takes
PIXELS = (1, 2, 3, 4)  # how many cells a pixel may take that is black or white by mistake


def glare(pictures: Tensor) -> Tensor:
    """Let a lamp shine from some boards [N, S, S]: where it does, all is bright."""
    count, size, _ = pictures.shape
    x, y = axes(size)
    away = (x - uniform(count, 0, size)).square() + (y - uniform(count, 0, size)).square()
    bright = torch.exp(-away / (uniform(count, 0.06, 0.25) * size).square()) * uniform(count, 0.2, 0.8)
    return torch.lerp(pictures, torch.ones(()), bright * chance(count, 0.08))


def blurred(pictures: Tensor) -> Tensor:
    """Blur [N, S, S] by a Gaussian of its own for each picture."""
    sigma = uniform(len(pictures), 0.15, 1.1)
    offsets = torch.arange(-3, 4)
    kernel = torch.exp(-(offsets**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum(2, keepdim=True))[:, :, None]
    padded = functional.pad(pictures[None], (3, 3, 3, 3), mode="replicate")
    across = functional.conv2d(padded, kernel, groups=len(pictures))
    return functional.conv2d(across, kernel.mT, groups=len(pictures))[0]


def sensor(pictures: Tensor, sides: Tensor) -> Tensor:
    """Add a sensor's noise, fine or coarse, of a strength of its own for each picture.

    Less where a digit with `sides` [N, 2] is small: it was photographed with more pixels, or nobody could read it.
    """
    count, size, _ = pictures.shape
    coarse = functional.interpolate(torch.randn(count, 1, size // 2, size // 2), size=size, mode="bilinear")[:, 0]
    noise = torch.where(chance(count, 0.5), torch.randn(count, size, size), coarse)
    large = (sides.amax(1)[:, None, None] / (0.3 * size)).clamp(max=1)
    return pictures + noise * uniform(count, 0, 0.28).square() * large


def coarsened(pictures: Tensor, sides: Tensor, bits: Tensor) -> Tensor:
    """Show [N, S, S] as if made at a fraction of its resolution, though a digit with `sides` [N, 2] keeps 7 cells.

    Some are enlarged smoothly, some cell by cell. Those of `bits`, bool [N, 1, 1], are black and white alone.
    """
    size = pictures.shape[-1]
    smooth = chance(len(pictures), 0.5)
    factor = torch.tensor(COARSE)[torch.randint(0, len(COARSE), (len(pictures), 1, 1))]
    for number in COARSE:
        chosen = (factor == number) & (sides.amax(1)[:, None, None] >= 7 * number)
        coarse = functional.interpolate(pictures[:, None], size=size // number, mode="area")
        coarse = torch.where(bits[..., None], (coarse > 0.5).float(), coarse)
        even, blocky = (functional.interpolate(coarse, size=size, mode=mode)[:, 0] for mode in ("bilinear", "nearest"))
        pictures = torch.where(chosen, torch.where(smooth, even, blocky), pictures)
    return pictures


def speckled(pictures: Tensor, sides: Tensor) -> Tensor:
    """Turn some pixels of [N, S, S] black or white, as bad scans and sensors do; a digit with `sides` [N, 2] keeps 14.

    A pixel is one cell, or several along each side.
    """
    count, size, _ = pictures.shape
    pixel = torch.tensor(PIXELS)[torch.randint(0, len(PIXELS), (count, 1, 1))]
    often = uniform(count, 0, 0.1)
    for number in PIXELS:
        chosen = (pixel == number) & (sides.amax(1)[:, None, None] >= 14 * number)
        level = torch.rand(count, 1, -(-size // number), -(-size // number))
        level = functional.interpolate(level, scale_factor=number, mode="nearest")[:, 0, :size, :size]
        pictures = torch.where(chosen & (level < often), 0.0, pictures)
        pictures = torch.where(chosen & (level > 1 - often), 1.0, pictures)
    return pictures


def compressed(pictures: Tensor) -> Tensor:
    """Store [N, S, S] as JPEG does: round the cosine transform of every 8×8 block (Wallace 1991), each as coarsely."""
    k = torch.arange(8)
    cosines = torch.cos(math.pi / 8 * (k + 0.5) * k[:, None]) * torch.where(k == 0, 0.125, 0.25).sqrt()[:, None]
    basis = torch.einsum("ux,vy->uvxy", cosines, cosines).reshape(64, 1, 8, 8)
    step = (1 + k[:, None] + k).reshape(64, 1, 1) * uniform(len(pictures), 0.005, 0.06)[..., None]
    waves = functional.conv2d(pictures[:, None], basis, stride=8)
    return functional.conv_transpose2d((waves / step).round() * step, basis, stride=8)[:, 0]
