"""What an answer is called in words, for the doors that are written in Python."""

from ..prediction import Prediction

NUMERALS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def verdict(answer: Prediction) -> str:
    """Say in one sentence how far an answer can be trusted."""
    ranked = sorted(zip(answer.probabilities, answer.labels, strict=True), reverse=True)
    first, second = (_spoken(label) for _, label in ranked[:2])
    if not answer.is_digit:
        return f"Not a digit. The nearest would be {first}."
    if not answer.is_sure:
        return f"Not sure. Perhaps {first}, or {second}."
    return f"A clear {first}."


def percent(share: float) -> str:
    """Write a probability as a percentage that never claims to be certain."""
    return f"{share:.1%}" if share < 0.9995 else f"{min(share, 0.9999):.2%}"


def _spoken(label: str) -> str:
    return NUMERALS[int(label)] if label.isdecimal() and int(label) < len(NUMERALS) else label
