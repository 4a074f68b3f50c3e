"""How answers are spread: counts by confidence, by digitness and by digit. The contract carries those of validation."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

CONFIDENCE: Final = "confidence"
DIGITNESS: Final = "digitness"
# Each bin holds what is over the bound before it, up to its own, as Prometheus counts.
BOUNDS: Final[Mapping[str, tuple[float, ...]]] = {
    CONFIDENCE: (0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.997, 0.998, 0.999, 0.9995, 1.0),
    DIGITNESS: (0.05, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 1.0),
}
DIGIT: Final = "digit"
# Under which names a service counts its answers.
METRICS: Final = {CONFIDENCE: "inkdigit_confidence", DIGITNESS: "inkdigit_digitness", DIGIT: "inkdigit_predictions"}

Spread = Mapping[str, Mapping[str, int]]  # answers counted, by what, then by bin: its upper bound, or the label


def spread(labels: Sequence[str], probabilities: NDArray[Any], digitness: NDArray[Any]) -> Spread:
    """Count answers, probabilities [N, C] and digitness [N], by confidence, digitness and digit."""
    digits = np.bincount(probabilities.argmax(1), minlength=len(labels))
    return {
        CONFIDENCE: _by_bound(CONFIDENCE, probabilities.max(1)),
        DIGITNESS: _by_bound(DIGITNESS, digitness),
        DIGIT: dict(zip(labels, digits.tolist(), strict=True)),
    }


def _by_bound(name: str, values: NDArray[Any]) -> dict[str, int]:
    bounds = BOUNDS[name]
    # A sum of float32 may pass 1 by a rounding.
    bins = np.searchsorted(bounds, values.clip(max=bounds[-1]), side="left")
    return dict(zip(map(str, bounds), np.bincount(bins, minlength=len(bounds)).tolist(), strict=True))
