"""Networks: frames to logits. Each is one function of the number of classes; `NETWORKS` names them."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import pairwise
from typing import TypeVar

from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Module = TypeVar("Module", bound=nn.Module)


class Network(nn.Module):
    """Turn frames [N, 1, 28, 28] into logits [N, C], and the digitness logit [N], over shared features."""

    def __init__(self, features: nn.Module, width: int, classes: int) -> None:
        super().__init__()
        self.features = features
        self.classify = nn.Linear(width, classes)
        self.detect = nn.Sequential(*hidden(width, 32), nn.Linear(32, 1))

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Classify `frames`, float [N, 1, 28, 28] in 0..1."""
        features = self.features(frames)
        return self.classify(features), self.detect(features).squeeze(1)


def convolution(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    """Build a convolution with batch normalisation (Ioffe, Szegedy 2015) and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, (size - stride + 1) // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),  # its input is needed no more; that takes 4 % of a step's time away
    )


def separable(channels: int, size: int) -> nn.Sequential:
    """Build a convolution in two: of each channel by itself, then of each cell by itself (Howard et al. 2017, 3.1)."""
    return nn.Sequential(
        nn.Conv2d(channels, channels, size, padding=size // 2, groups=channels, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Add what layers make of values to these, and take what is positive (He, Zhang, Ren, Sun 2016)."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, values: Tensor) -> Tensor:
        """Keep the shape [N, C, H, W]."""
        return nn.functional.relu(values + self.body(values))


def residual(channels: int) -> Residual:
    """Build a residual block of two convolutions."""
    first, (second, norm, _) = convolution(channels, channels), convolution(channels, channels)
    return Residual(first, second, norm)


def flagship(classes: int, fine: int = 48, coarse: int = 96, blocks: int = 1) -> Network:
    """Build the shipped network: `fine` channels at 14×14, then residual `blocks` of `coarse` channels at 7×7."""
    features = nn.Sequential(
        convolution(1, fine, 5, stride=2),
        convolution(fine, fine),
        convolution(fine, coarse, stride=2),
        *(residual(coarse) for _ in range(blocks)),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    return Network(features, coarse, classes)


def large(classes: int) -> Network:
    """Build the flagship with four thirds of its channels, for a long time or a machine that multiplies in bfloat16."""
    return flagship(classes, 64, 128)


def small(classes: int) -> Network:
    """Build the flagship with two thirds of its channels, for a short time."""
    return flagship(classes, 32, 64)


def tiny(classes: int) -> Network:
    """Build the flagship with fewer than 20,000 parameters."""
    return flagship(classes, 16, 24)


def lenet5(classes: int) -> Network:
    """Build LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998, section II.B), with the ReLU and max-pooling of today."""
    features = nn.Sequential(
        *stage(1, 6, 5, padding=2), *stage(6, 16, 5), nn.Flatten(), *hidden(16 * 5 * 5, 120), *hidden(120, 84)
    )
    return Network(features, 84, classes)


def conv32_64(classes: int) -> Network:
    """Build two convolutions of 32 and 64 channels, one max-pooling and a hidden layer of 128."""
    features = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), *stage(32, 64, 3), nn.Flatten(), *hidden(64 * 12 * 12, 128)
    )
    return Network(features, 128, classes)


def conv2_pool(classes: int) -> Network:
    """Build two stages of convolution and max-pooling with 16 and 32 channels, and a hidden layer of 128."""
    features = nn.Sequential(
        *stage(1, 16, 3, padding=1), *stage(16, 32, 3, padding=1), nn.Flatten(), *hidden(32 * 7 * 7, 128)
    )
    return Network(features, 128, classes)


def conv8_16_32(classes: int) -> Network:
    """Build three stages of convolution and max-pooling with 8, 16 and 32 channels, and no hidden layer."""
    stages = (*stage(1, 8, 3, padding=1), *stage(8, 16, 3, padding=1), *stage(16, 32, 3, padding=1))
    return Network(nn.Sequential(*stages, nn.Flatten()), 32 * 3 * 3, classes)


def conv2_dropout(classes: int) -> Network:
    """Build two stages of convolution and max-pooling with 32 and 64 channels, a hidden layer of 128, and dropout."""
    stages = (*stage(1, 32, 3, padding=1), *stage(32, 64, 3, padding=1))
    return Network(nn.Sequential(*stages, nn.Flatten(), *hidden(64 * 7 * 7, 128), nn.Dropout(0.3)), 128, classes)


def stage(inputs: int, outputs: int, size: int, padding: int = 0) -> tuple[nn.Module, ...]:
    """Build a convolution with ReLU and 2×2 max-pooling."""
    return nn.Conv2d(inputs, outputs, size, padding=padding), nn.ReLU(), nn.MaxPool2d(2)


def hidden(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    """Build a linear layer with ReLU."""
    return nn.Linear(inputs, outputs), nn.ReLU()


def fused(module: Module) -> Module:
    """Return a faster copy that cannot be trained: batch normalisation is folded into its convolutions."""
    copy = deepcopy(module).eval()
    for layers, place, before, norm in list(normalised(copy)):
        layers[place], layers[place + 1] = fuse_conv_bn_eval(before, norm), nn.Identity()
    return copy


def normalised(module: nn.Module) -> Iterator[tuple[nn.Sequential, int, nn.Conv2d, nn.BatchNorm2d]]:
    """Return every convolution that batch normalisation follows, with that layer, their parent and their index."""
    for layers in module.modules():
        if isinstance(layers, nn.Sequential):
            for place, (layer, norm) in enumerate(pairwise(layers)):
                if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    yield layers, place, layer, norm


NETWORKS: dict[str, Callable[[int], Network]] = {
    "flagship": flagship,
    "large": large,
    "small": small,
    "tiny": tiny,
    "lenet5": lenet5,
    "conv32-64": conv32_64,
    "conv2-pool": conv2_pool,
    "conv8-16-32": conv8_16_32,
    "conv2-dropout": conv2_dropout,
}
