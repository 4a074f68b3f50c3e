"""The most probable text of a number under a constraint, by dynamic programming over the symbols' probabilities.

The candidates of a number are taken from left to right. Each is one symbol, or none; one symbol more or less than was
detected is allowed, at its cost. Sums over all ways give the probability that the constraint holds at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .automaton import SPACE, START, Automaton, from_texts

MISSED = 0.002  # the probability that a symbol is written where there is no candidate, shared by those that may follow
SPURIOUS = 0.001  # the least probability that a candidate is no symbol
NEGLIGIBLE = 1e-7  # the share of the most probable way under which another one is dropped


@dataclass(frozen=True)
class Slot:
    """A candidate: the probability of each symbol, and that it is none.

    `SPACE` is a slot of its own, which is always read.
    """

    shares: Mapping[str, float]
    none: float

    @property
    def lead(self) -> float:
        """Return how much more probable any symbol is than the most probable one.

        Whether there is a symbol is decided by all of them together, as without a constraint.
        """
        return sum(self.shares.values()) / max(self.shares.values(), default=1.0)

    @property
    def is_space(self) -> bool:
        """Return whether this is the space of a mixed fraction."""
        return SPACE in self.shares


@dataclass(frozen=True)
class Link:
    """The last symbol of a way through the slots: its slot (None where none was detected) and the link before it."""

    symbol: str
    slot: int | None
    before: "Link | None"


@dataclass(slots=True)
class Way:
    """All ways to a state: their probabilities summed, and the one that is preferred, with what it is preferred by."""

    total: float
    best: float
    last: Link | None


@dataclass(frozen=True)
class Match:
    """The most probable text: its symbols with their slots (None where none was detected), and its probability.

    `total` is the probability of all texts that match.
    """

    symbols: tuple[tuple[str, int | None], ...]
    probability: float
    total: float

    @property
    def text(self) -> str:
        """Return the text."""
        return "".join(symbol for symbol, _ in self.symbols)


Ways = dict[tuple[int, bool], Way]  # by state, and whether a symbol more or less than was detected has been allowed


def decode(slots: Sequence[Slot], automaton: Automaton) -> Match | None:
    """Return the most probable text of the slots that the automaton accepts, None where none is possible."""
    found = _accepted(slots, automaton)
    if found is None or found.last is None:
        return None
    symbols: list[tuple[str, int | None]] = []
    link: Link | None = found.last
    while link is not None:
        symbols.append((link.symbol, link.slot))
        link = link.before
    symbols.reverse()
    whole = _accepted(slots, from_texts(["".join(symbol for symbol, _ in symbols)]))
    return Match(tuple(symbols), whole.total if whole else found.best, found.total)


def total(slots: Sequence[Slot], automaton: Automaton) -> float:
    """Return the probability of all texts that the automaton accepts."""
    found = _accepted(slots, automaton)
    return found.total if found else 0.0


def _accepted(slots: Sequence[Slot], automaton: Automaton) -> Way | None:
    """Return the ways through all slots to an accepting state."""
    ways: Ways = {(START, False): Way(1.0, 1.0, None)}
    have, need = len(slots), sum(slot.none < SPURIOUS for slot in slots)  # symbols that may come, and that must
    for place, slot in enumerate(slots):
        if not slot.is_space:
            _add_missed(ways, automaton)
        have, need = have - 1, need - (slot.none < SPURIOUS)
        ways = _pruned(_after(ways, place, slot, automaton), automaton, have, need)
    _add_missed(ways, automaton)
    end: Ways = {}
    for (state, _), way in ways.items():
        if state in automaton.accepting:
            _add(end, (START, False), way.total, way.best, way.last)
    return end.get((START, False))


def _after(ways: Ways, place: int, slot: Slot, automaton: Automaton) -> Ways:
    """Return the ways after one more slot, which is a symbol or none."""
    following: Ways = {}
    lead = slot.lead
    for (state, is_changed), way in ways.items():
        after = automaton.after[state]
        for symbol, share in slot.shares.items():
            if symbol in after:
                link = Link(symbol, place, way.last)
                _add(following, (after[symbol], is_changed), way.total * share, way.best * share * lead, link)
        none = slot.none
        if none < SPURIOUS and not slot.is_space and not is_changed:
            _add(following, (state, True), way.total * SPURIOUS, way.best * SPURIOUS, way.last)
        elif none > 0:
            _add(following, (state, is_changed), way.total * none, way.best * none, way.last)
    return following


def _add_missed(ways: Ways, automaton: Automaton) -> None:
    """Add the ways on which a symbol is written here that was not detected."""
    for (state, is_changed), way in list(ways.items()):
        if not is_changed:
            after = automaton.after[state]
            cost = MISSED / max(len(after), 1)
            for symbol, target in after.items():
                if symbol != SPACE:
                    _add(ways, (target, True), way.total * cost, way.best * cost, Link(symbol, None, way.last))


def _add(ways: Ways, key: tuple[int, bool], total: float, best: float, last: Link | None) -> None:
    """Add ways to those that lead to the same state."""
    if key not in ways:
        ways[key] = Way(total, best, last)
        return
    way = ways[key]
    way.total += total
    if best > way.best:
        way.best, way.last = best, last


def _pruned(ways: Ways, automaton: Automaton, have: int, need: int) -> Ways:
    """Leave out what cannot end with the `need` to `have` symbols that follow, or is far from the most probable way."""
    least = NEGLIGIBLE * max((way.best for way in ways.values()), default=0.0)
    lengths = automaton.lengths
    kept = {}
    for (state, is_changed), way in ways.items():
        shortest, longest = lengths[state]
        spare = 0 if is_changed else 1
        if way.best > least and shortest <= have + spare and longest >= need - spare:
            kept[state, is_changed] = way
    return kept
