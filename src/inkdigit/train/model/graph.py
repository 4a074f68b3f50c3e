"""The whole digit model as one module: framing, classifier and calibration, as it is exported."""

import torch
from torch import Tensor, nn

from .calibration import Temperature
from .classifiers import Network
from .framing import Framing


class Graph(nn.Module):
    """Join framing, network and calibration: pixels uint8 [N, H, W] to probabilities, frame and digitness."""

    def __init__(self, framing: Framing, network: Network, temperature: Temperature) -> None:
        super().__init__()
        self.framing = framing
        self.network = network
        self.temperature = temperature

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read `pixels`; digitness is 0 where there is no ink, and only there."""
        frame, contrast = self.framing(pixels)
        logits, digitness = self.network(frame)
        probability = torch.sigmoid(digitness).clamp(min=1e-6)
        inked = contrast.flatten() > 0
        return self.temperature(logits, digitness), frame.squeeze(1), torch.where(inked, probability, 0.0)
