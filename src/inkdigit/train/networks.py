"""Networks: frames to logits. Each is one function of the number of classes; `NETWORKS` names them."""

from collections.abc import Callable

from torch import Tensor, nn


class Network(nn.Module):
    """Turn frames [N, 1, 28, 28] into logits [N, C], and the digitness logit [N], over shared features."""

    def __init__(self, features: nn.Module, width: int, classes: int) -> None:
        super().__init__()
        self.features = features
        self.classify = nn.Linear(width, classes)
        self.detect = nn.Sequential(nn.Linear(width, width // 2), nn.ReLU(), nn.Linear(width // 2, 1))

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Classify `frames`, float [N, 1, 28, 28] in 0..1."""
        features = self.features(frames)
        return self.classify(features), self.detect(features)[:, 0]


def convolution(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    """Build a convolution with batch normalisation (Ioffe, Szegedy 2015) and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, (size - stride + 1) // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class Residual(nn.Module):
    """Add two convolutions to what they take in (He, Zhang, Ren, Sun 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            convolution(channels, channels),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, values: Tensor) -> Tensor:
        """Keep the shape [N, C, H, W]."""
        return nn.functional.relu(values + self.body(values))


def flagship(classes: int, fine: int = 32, coarse: int = 64, blocks: int = 1) -> Network:
    """Build the shipped network: `fine` channels at 14×14, then residual `blocks` of `coarse` channels at 7×7."""
    features = nn.Sequential(
        convolution(1, fine, 5, stride=2),
        convolution(fine, fine),
        convolution(fine, coarse, stride=2),
        *(Residual(coarse) for _ in range(blocks)),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    return Network(features, coarse, classes)


NETWORKS: dict[str, Callable[[int], Network]] = {"flagship": flagship}
