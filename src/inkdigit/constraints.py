"""What a caller knows of the numbers beforehand: which characters occur, what each looks like, or a list of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .automaton import SPACE, Automaton, from_pattern, from_texts, of_shape
from .decoding import Match, Slot, decode, total
from .errors import InputError
from .reading import OTHER

POSSIBLE = 0.05  # the probability of a symbol under which the model itself reports no candidate
MAX_CHARACTERS = 400_000  # of all choices
MAX_CHOICE = 64  # characters of one choice
# How much less probable a number that breaks the constraint is than one that keeps it, before anything is seen.
ODDS_OF_PATTERN = 0.001
ODDS_OF_CHOICES = 0.01


@dataclass(frozen=True)
class Constraints:
    """What each number must be: made of the characters `allow`, and accepted by an automaton.

    `shape` accepts all texts that look like the choices, with other digits: what a number that is none of them may be.
    """

    allow: str | None = None
    automaton: Automaton | None = None
    shape: Automaton | None = None

    def decode(self, slots: Sequence[Slot]) -> tuple[Match, float] | None:
        """Return the most probable text that matches, and its probability among all that match and "none of these".

        Returns None where none of these is the most probable. Needs an automaton.
        """
        assert self.automaton is not None  # noqa: S101
        found = decode(slots, self.automaton)
        if found is None:
            return None
        if self.shape is None:
            none = ODDS_OF_PATTERN * max(1 - found.total, 0.0)
        else:
            none = ODDS_OF_CHOICES * max(total(slots, self.shape) - found.total, 0.0)
        return (found, found.probability / (found.total + none)) if found.probability > none else None


def constraints(
    labels: Sequence[str],
    *,
    allow: str | None = None,
    pattern: str | None = None,
    choices: Sequence[str] | None = None,
) -> Constraints | None:
    """Return what numbers must be, None where nothing is asked of them. Raises InputError where it cannot be.

    `allow` has characters, `pattern` is a regular expression, `choices` are texts; a pattern and choices exclude each
    other.
    """
    if allow is None and pattern is None and choices is None:
        return None
    if pattern is not None and choices is not None:
        raise InputError("A pattern and choices cannot be given together.", "bad_constraint")
    symbols = "".join(label for label in labels if label != OTHER)
    kept = None if allow is None else check_allow(allow, labels)
    if choices is not None:
        texts = _check_choices(choices, symbols + SPACE)
        return Constraints(kept, from_texts(texts), of_shape(texts))
    return Constraints(kept, None if pattern is None else from_pattern(pattern, symbols + SPACE))


def _check_choices(choices: Any, characters: str) -> list[str]:
    """Return the choices without the blank ones. Raises InputError."""
    is_list = isinstance(choices, Iterable) and not isinstance(choices, str)
    if not is_list or not all(isinstance(choice, str) for choice in choices):
        raise InputError("The choices must be a list of texts.", "bad_constraint")
    texts = [text for choice in choices if (text := choice.strip())]
    if not texts or sum(map(len, texts)) > MAX_CHARACTERS:
        raise InputError(f"The choices must have 1 to {MAX_CHARACTERS:,} characters together.", "bad_constraint")
    for text in texts:
        if len(text) > MAX_CHOICE or set(text) - set(characters):
            signs = " ".join(characters.strip())
            shown = text if len(text) <= MAX_CHOICE else f"{text[:MAX_CHOICE]}…"
            raise InputError(
                f"The choice {shown!r} must have at most {MAX_CHOICE} characters of {signs}.", "bad_constraint"
            )
    return texts


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
