"""The localizer: a small network that says, on a coarse grid, what is ink of the digit.

It does not know which digit it is. Paper, printed lines, boxes, shadows, specks and neighbours are what it leaves out.
"""

from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn import functional

from .classifiers import Residual, convolution, separable

GRID = 96  # cells that it looks at, along either side
MASK = 48  # cells of its answer
FLAT = 0.25  # variance of grey levels that is not enlarged: half a level


class Localizer(nn.Module):
    """Turn standardised grids [N, 1, 96, 96] into the ink mask's logits [N, 1, 48, 48].

    An encoder and decoder whose levels add what the encoder saw to what the decoder makes of it (after U-Net:
    Ronneberger, Fischer, Brox 2015). Four cells of the mask are four channels until the end, so that nothing costs
    more than 24×24; all widths are multiples of 16, which is what a processor's vector holds. Where a convolution keeps
    size and width it is separable, which sees farther in less time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fine = convolution(1, 16, 6, stride=4)  # 24×24
        self.middle = convolution(16, 32, stride=2)  # 12×12
        self.coarse = nn.Sequential(convolution(32, 48, stride=2), separable(48, 3), *deeper(48, 3, 3))  # 6×6
        self.to_middle = nn.Conv2d(48, 32, 1)
        self.join_middle = nn.Sequential(separable(32, 5), *deeper(32, 5, 1))
        self.to_fine = nn.Conv2d(32, 16, 1)
        self.join_fine = nn.Sequential(separable(16, 5), separable(16, 5))
        self.head = nn.Sequential(nn.Conv2d(16, 4, 1), nn.PixelShuffle(2))

    def forward(self, level: Tensor) -> Tensor:
        """Look at grids that `standardised` made."""
        fine = self.fine(level)
        middle = self.middle(fine)
        middle = self.join_middle(middle + doubled(self.to_middle(self.coarse(middle))))
        fine = self.join_fine(fine + doubled(self.to_fine(middle)))
        logits: Tensor = self.head(fine)
        return logits


def deeper(channels: int, size: int, blocks: int) -> Iterator[Residual]:
    """Build residual blocks of separable convolutions, which on so few cells cost little."""
    for _ in range(blocks):
        *layers, _relu = separable(channels, size)
        yield Residual(*layers)


def standardised(grid: Tensor) -> Tensor:
    """Take the mean from each grid [N, 1, S, S], of any brightness, and divide by the standard deviation."""
    return functional.layer_norm(grid, grid.shape[1:], eps=FLAT)


def doubled(values: Tensor) -> Tensor:
    """Repeat every cell of [N, C, S, S] twice along both sides."""
    return functional.interpolate(values, scale_factor=2.0, mode="nearest")
