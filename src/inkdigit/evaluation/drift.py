"""Drift: whether a service's predictions are still distributed like its model's on validation data.

The contract carries the counts of validation, a service's metrics those of what it served. The distance between the two
is the population stability index, the symmetric Kullback–Leibler divergence of the binned shares. Under 0.1 it is taken
for no change and over 0.25 for a large one (Siddiqi 2006, Credit Risk Scorecards, chapter 10). With few answers it is
large by chance alone: over (1/n + 1/m) times the 99 % point of chi-square in one in a hundred cases (Yurdakul, Naranjo
2020, Journal of Risk Model Validation 14(4)). Here two spreads have parted where the index is over both.
"""

import http.client
import math
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from prometheus_client.parser import text_string_to_metric_families

from ..errors import ArtefactError, DataError
from ..model_file import Contract

CONFIDENCE: Final = "confidence"
DIGITNESS: Final = "digitness"
DIGIT: Final = "digit"
# Each bin holds what is over the bound before it, up to its own, as Prometheus counts.
BOUNDS: Final[Mapping[str, tuple[float, ...]]] = {
    CONFIDENCE: (0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.997, 0.998, 0.999, 0.9995, 1.0),
    DIGITNESS: (0.05, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 1.0),
}
# Under which names a service counts its answers.
METRICS: Final = {CONFIDENCE: "inkdigit_confidence", DIGITNESS: "inkdigit_digitness", DIGIT: "inkdigit_predictions"}

LIMIT: Final = 0.1  # of the index, see above; nothing under it matters
SHARE: Final = 0.05  # of validation's answers, the least that a bin has; smaller neighbours are put together
FEWEST: Final = 100  # answers, from which on anything is said
Z_99: Final = 2.326  # the 99 % point of the normal distribution

Spread = Mapping[str, Mapping[str, int]]  # answers counted, by what, then by bin: its upper bound, or the label


@dataclass(frozen=True)
class Distance:
    """The distance of the served predictions from validation in one quantity, and where they differ most."""

    name: str
    index: float
    limit: float
    served: int  # answers
    where: str  # a bin, and its share of the served answers and of validation's
    shares: tuple[float, float]

    @property
    def parted(self) -> bool:
        """Return whether the two differ by more than chance, and by more than does not matter."""
        return self.served >= FEWEST and self.index > self.limit

    def sentence(self) -> str:
        """Return one sentence for a person."""
        if self.served < FEWEST:
            return f"{self.name}: {self.served} answers are too few to tell; {FEWEST} are needed."
        verdict = "has parted from validation" if self.parted else "is as on validation"
        return (
            f"{self.name} {verdict}: stability index {self.index:.3f}, limit {self.limit:.3f}, {self.served} answers; "
            f"most at {self.where} with {self.shares[0]:.1%} of the answers, {self.shares[1]:.1%} on validation."
        )


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


def compare(contract: Contract, served: Spread) -> list[Distance]:
    """Measure what was served against the contract's validation. Raises ArtefactError where that does not fit."""
    validation = contract.validation
    if not validation:
        raise ArtefactError(f"{contract.name} {contract.version} carries no figures of validation: export it again.")
    if other := [name for name in served if validation.get(name, {}).keys() != served[name].keys()]:
        raise ArtefactError(f"{contract.name} {contract.version} counts {' and '.join(other)} by other bins.")
    return [_distance(name, validation[name], served[name]) for name in METRICS]


def _distance(name: str, validation: Mapping[str, int], served: Mapping[str, int]) -> Distance:
    bins = [(f"{label!r}", validation[label], served[label]) for label in validation]
    if name in BOUNDS:
        bins = _merged([(float(label), validation[label], served[label]) for label in served])
    wanted, found = (np.array(counts, float) for counts in list(zip(*bins, strict=True))[1:])
    answers = int(found.sum())
    p, q = ((counts + 0.5) / (counts.sum() + 0.5 * len(bins)) for counts in (found, wanted))  # an empty bin has no log
    terms = (p - q) * np.log(p / q)
    most = int(terms.argmax())
    limit = max(LIMIT, (1 / max(answers, 1) + 1 / wanted.sum()) * _chi_square_99(len(bins) - 1))
    return Distance(name, float(terms.sum()), float(limit), answers, bins[most][0], (float(p[most]), float(q[most])))


def _merged(bins: Sequence[tuple[float, int, int]]) -> list[tuple[str, int, int]]:
    """Merge neighbouring bins, from the lowest on, until each has its share of validation's predictions."""
    least = SHARE * sum(wanted for _, wanted, _ in bins)
    merged: list[tuple[str, int, int]] = []
    low, wanted, found = 0.0, 0, 0
    for bound, more_wanted, more_found in sorted(bins):
        wanted, found = wanted + more_wanted, found + more_found
        if wanted >= least and wanted:
            merged.append((f"{low:g} to {bound:g}", wanted, found))
            low, wanted, found = bound, 0, 0
    if wanted or found:  # what is left at the top goes with the bin before it
        label, last_wanted, last_found = merged.pop()
        merged.append((f"{label.split(' to ')[0]} to {max(bins)[0]:g}", last_wanted + wanted, last_found + found))
    return merged


def _chi_square_99(degrees: int) -> float:
    """Return the 99 % point of chi-square (Wilson, Hilferty 1931)."""
    part = 2 / (9 * degrees)
    return float(degrees * (1 - part + Z_99 * math.sqrt(part)) ** 3)


def served(texts: Sequence[str], contract: Contract) -> Spread:
    """Add up what services counted of a model's answers, each in Prometheus text. Raises DataError."""
    total: dict[str, dict[str, int]] = {name: dict.fromkeys(map(str, bounds), 0) for name, bounds in BOUNDS.items()}
    total[DIGIT] = dict.fromkeys(contract.labels, 0)
    for text in texts:
        for name, key, count in _samples(text, contract):
            total[name][key] = total[name].get(key, 0) + count
    return total


def _samples(text: str, contract: Contract) -> list[tuple[str, str, int]]:
    """Return what each bin holds: Prometheus counts all up to a bound, and what is over the last one as `+Inf`."""
    found: list[tuple[str, str, int]] = []
    try:
        families = {family.name: family for family in text_string_to_metric_families(text)}
    except ValueError as error:
        raise DataError(f"This is no Prometheus text: {error}.") from error
    if not families.keys() & set(METRICS.values()):
        raise DataError("This has no metrics of Inkdigit's answers.")
    for name, metric in METRICS.items():
        below = 0
        for sample in families[metric].samples if metric in families else []:
            if (sample.labels.get("model"), sample.labels.get("version")) != (contract.name, contract.version):
                continue
            if sample.name == f"{metric}_bucket":
                key = str(min(float(sample.labels["le"]), BOUNDS[name][-1]))
                found.append((name, key, int(sample.value) - below))
                below = int(sample.value)
            elif sample.name == f"{metric}_total":
                found.append((name, sample.labels["digit"], int(sample.value)))
    return found


def since(now: Spread, before: Spread) -> Spread:
    """Return what was served after an earlier count. Raises DataError where a service was restarted in between."""
    grown = {name: {key: count - before[name].get(key, 0) for key, count in now[name].items()} for name in now}
    if any(count < 0 for counts in grown.values() for count in counts.values()):
        raise DataError("There were more answers before than now: the service was started again in between.")
    return grown


def read_metrics(source: str) -> str:
    """Read Prometheus text from a file, or an address that begins with http. Raises DataError."""
    try:
        if source.startswith(("http://", "https://")):
            with urllib.request.urlopen(source, timeout=10) as answer:  # noqa: S310  checked above
                return str(answer.read().decode())
        return Path(source).read_text(encoding="utf-8")
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise DataError(f"{source} cannot be read: {error}.") from error
