"""Calibration: what makes honest probabilities of logits, and from where on an answer counts, fitted on validation."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...prediction import Thresholds
from ..corpus import PAPER
from ..data import Frames, concat
from ..fit.trainers import outputs

COUNTED = 0.991  # of validation's plain digits count as digits
SURE_RIGHT = 0.998  # of validation's sure answers are right
MOST = 4.0  # logarithm of what logits are multiplied by, or divided: more overflows where digitness is extreme


@dataclass(frozen=True)
class Temperature:
    """Divide logits by a temperature that falls as digitness grows; both numbers are logarithms.

    One for all pictures (Guo, Pleiss, Sun, Weinberger 2017, section 4.2) lets what is hard take confidence from what is
    plain. What moves it in Balanya, Maroñas and Ramos 2022 is the answer's entropy; digitness tells the two apart too,
    and is lower still for what is no digit.
    """

    sharpness: float = 0.0
    by_digitness: float = 0.0

    def __call__(self, logits: Tensor, digitness: Tensor) -> Tensor:
        """Return probabilities [N, C] from logits [N, C] and digitness logits [N]."""
        return torch.softmax(sharpened(logits, self.sharpness + self.by_digitness * digitness), 1)


def sharpened(logits: Tensor, sharpness: Tensor) -> Tensor:
    """Return logits [N, C] for softmax, of which the sharpness [N] is the logarithm of a factor."""
    return logits * sharpness.clamp(-MOST, MOST).exp()[:, None]


def fit_temperature(network: nn.Module, kinds: Mapping[str, Frames]) -> Temperature:
    """Return the temperature that makes the labels of all validation frames the likeliest."""
    frames = concat(*kinds.values())
    return likeliest_temperature(*outputs(network, frames), frames.labels)


def choose_thresholds(network: nn.Module, kinds: Mapping[str, Frames], temperature: Temperature) -> Thresholds:
    """Return the first thresholds, chosen on validation frames: see `COUNTED` and `SURE_RIGHT`.

    After the export, `raise_confidence_threshold` may raise the one of the confidence: it reads whole pictures.
    """
    frames = concat(*kinds.values())
    confidence = confidence_threshold(temperature(*outputs(network, frames)), frames.labels)
    _, plain = outputs(network, concat(*(some for kind, some in kinds.items() if kind != PAPER)))
    return Thresholds(round(float(torch.sigmoid(plain).quantile(1 - COUNTED)), 4), round(confidence, 4))


def likeliest_temperature(logits: Tensor, digitness: Tensor, labels: Tensor) -> Temperature:
    """Fit the temperature with which logits [N, C] and digitness logits [N] make `labels` [N] the likeliest."""
    fitted = torch.zeros(2, requires_grad=True)
    # Without a line search, a network that has hardly learnt anything sends it to infinity.
    optimiser = torch.optim.LBFGS([fitted], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = functional.cross_entropy(sharpened(logits, fitted[0] + fitted[1] * digitness), labels)
        loss.backward()
        return loss

    optimiser.step(closure)
    return Temperature(*fitted.tolist())


def confidence_threshold(probabilities: Tensor, labels: Tensor) -> float:
    """Return the lowest confidence threshold at which at least `SURE_RIGHT` of the accepted predictions are correct."""
    confidence, answer = probabilities.max(1)
    order = confidence.argsort(descending=True)
    right = (answer == labels)[order].float().cumsum(0) / torch.arange(1, len(order) + 1)
    enough = (right >= SURE_RIGHT).nonzero()
    return float(confidence[order][int(enough.max())]) if len(enough) else 1.0
