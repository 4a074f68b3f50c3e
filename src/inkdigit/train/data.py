"""What is trained on, as tensors: photographed sheets for the localizer, frames for the classifiers."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .model.framing import overlaps
from .model.localizer import GRID, standardised


@dataclass(frozen=True)
class Sheets:
    """Hold pictures uint8 [N, 96, 96], their width and height [N, 2], their digits' ink [N, 96, 96] and labels [N]."""

    pictures: Tensor
    shape: Tensor
    ink: Tensor
    labels: Tensor

    def part(self, index: Tensor) -> "Sheets":
        """Return some of the sheets."""
        return Sheets(self.pictures[index], self.shape[index], self.ink[index], self.labels[index])

    def and_also(self, others: "Sheets") -> "Sheets":
        """Lay others behind them."""
        pairs = zip(vars(self).values(), vars(others).values(), strict=True)
        return Sheets(*(torch.cat(pair) for pair in pairs))

    def stretched(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Return some pictures as the localizer sees them, [B, 1, 96, 96], and their ink masks, [B, 1, 48, 48]."""
        sides = self.shape[index].flip(1)[..., None, None]
        centres = (torch.arange(GRID)[:, None] + 0.5) * (sides / GRID)  # no cell is over 1 px: all is interpolated
        matrices = overlaps(centres.clamp(torch.tensor(0.5), sides - 0.5), torch.ones(1), self.pictures.shape[-1])
        rows, columns = matrices.split(1, dim=1)
        grids = rows @ self.pictures[index][:, None].float() @ columns.mT
        ink = functional.max_pool2d(rows @ self.ink[index][:, None].float() @ columns.mT, 2)
        # Not of the darkest ink: a hairline is twice as dark where it crosses itself, and the rest would be left out.
        usual = ink.square().sum((2, 3), keepdim=True) / ink.sum((2, 3), keepdim=True).clamp(min=1)
        return standardised(grids), (ink > 0.4 * usual).float()


@dataclass(frozen=True)
class Frames:
    """Hold frames uint8 [N, 28, 28] and labels int64 [N], which are `NO_DIGIT` where there is no digit."""

    frames: Tensor
    labels: Tensor

    def batch(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Return some frames as float [B, 1, 28, 28] in 0..1, with their labels."""
        return self.frames[index][:, None].float() / 255, self.labels[index]


def concat(*parts: Frames) -> Frames:
    """Put frames together."""
    return Frames(torch.cat([part.frames for part in parts]), torch.cat([part.labels for part in parts]))
