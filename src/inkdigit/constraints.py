"""What a caller knows of the numbers beforehand: here, which characters occur."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .reading import OTHER

POSSIBLE = 0.05  # the probability of a symbol under which the model itself reports no candidate


def check_allow(allow: Any, labels: Sequence[str]) -> str:
    """Return the allowed characters if they are one or more of the symbols among `labels`, else raise InputError."""
    symbols = [label for label in labels if label != OTHER]
    if not isinstance(allow, str) or not allow or set(allow) - set(symbols):
        raise InputError(f"The allowed characters must be one or more of {' '.join(symbols)}.", "bad_constraint")
    return allow


def restrict(probabilities: NDArray[np.float32], labels: Sequence[str], allow: str) -> NDArray[np.float32]:
    """Return probabilities [K, C] given that only the characters `allow`, or no symbol, can occur.

    What is not allowed gets 0 and the rest is renormalised. A candidate whose allowed symbols had less than `POSSIBLE`
    together is no symbol: the point between two digits does not become a digit where only digits are allowed.
    """
    is_allowed = np.array([label in allow for label in labels])
    is_other = np.array([label == OTHER for label in labels])
    is_possible = probabilities[:, is_allowed].sum(1) >= POSSIBLE
    kept = np.where(is_allowed | is_other, probabilities, np.float32(0))
    kept[~is_possible] = is_other
    return np.asarray(kept / kept.sum(1, keepdims=True), np.float32)
