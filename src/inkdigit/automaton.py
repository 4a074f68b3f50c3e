"""Finite automata over the symbols of numbers: from a regular expression, or from a list of texts.

The states of a regular expression are what is left of it to match (the partial derivatives of Antimirov 1996), so that
counted repetitions are never written out and only the states that the symbols reach are built.
"""

import math
import re
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from .errors import InputError

if TYPE_CHECKING:
    from greenery import Pattern

SPACE = " "  # which stands in a mixed fraction alone
MAX_LENGTH = 500  # characters of a regular expression
MAX_STATES = 2000
MAX_SECONDS = 0.1  # of processor time that building an automaton takes
START = 0

# A set, an escape, or one character; `{,` starts a repetition from 0 on.
_PARTS = re.compile(r"\[\^?\]?(?:\\.|[^\\\]])*\]|\\.|\{,|.", re.DOTALL)
_NESTED = re.compile(r"(?<!\\)(?:\[|--|&&|\|\||~~)")  # in a set: what a later Python may take for sets of sets
_CLASSES = "dDsSwW"


@dataclass(frozen=True)
class Automaton:
    """A deterministic automaton: the next state by symbol for each state, of which `START` is the first.

    From each state an accepting one can be reached.
    """

    after: Sequence[dict[str, int]]
    accepting: Collection[int]

    @cached_property
    def lengths(self) -> Sequence[tuple[int, float]]:
        """Return the lengths of the shortest and the longest text that leads from each state to an accepting one."""
        count = len(self.after)
        is_ordered = all(target > state for state, row in enumerate(self.after) for target in row.values())
        least, most = [count] * count, [0.0 if is_ordered else math.inf] * count
        for state in reversed(range(count)):
            row = self.after[state].values()
            least[state] = 0 if state in self.accepting else 1 + min((least[target] for target in row), default=count)
            most[state] = max((1 + most[target] for target in row), default=0)
        return list(zip(least if is_ordered else [0] * count, most, strict=True))

    def matches(self, text: str) -> bool:
        """Return whether the automaton accepts a text."""
        state: int | None = START
        for symbol in text:
            state = None if state is None else self.after[state].get(symbol)
        return state in self.accepting


def from_texts(texts: Iterable[str]) -> Automaton:
    """Return the automaton of a list of texts, a prefix tree."""
    after: list[dict[str, int]] = [{}]
    accepting = set()
    for text in texts:
        state = START
        for symbol in text:
            row = after[state]
            state = row.get(symbol, len(after))
            if state == len(after):
                row[symbol] = state
                after.append({})
        accepting.add(state)
    return Automaton(after, accepting)


def of_shape(texts: Iterable[str]) -> Automaton:
    """Return the automaton of all texts that look like one of a list, with any digits in the places of its digits."""
    shapes = from_texts(sorted({re.sub(r"\d", "0", text) for text in texts}))
    after = [row | dict.fromkeys("0123456789", row["0"]) if "0" in row else row for row in shapes.after]
    return Automaton(after, shapes.accepting)


def from_pattern(pattern: str, symbols: str) -> Automaton:
    """Return the automaton of a regular expression over `symbols`.

    Takes what Python's `re` and automata share: sets, groups, alternatives and repetitions; `^` and `$` at the ends
    change nothing. Raises InputError for anything else, and where there would be too many states.
    """
    end = time.thread_time() + MAX_SECONDS
    states = _States(_parse(pattern, symbols), symbols, end)
    found = [states.start]
    numbers = {states.start: START}
    after: list[dict[str, int]] = []
    for state in found:  # which grows meanwhile
        after.append({})
        for reached, following in states.steps(state):
            if following not in numbers:
                numbers[following] = len(found)
                found.append(following)
            after[-1] |= dict.fromkeys(reached, numbers[following])
        if len(found) > MAX_STATES:
            raise _too_complex()
    return _useful(after, {place for place, state in enumerate(found) if states.is_accepting(state)})


def _useful(after: Sequence[dict[str, int]], accepting: set[int]) -> Automaton:
    """Leave out the states from which no accepting one can be reached. Raises InputError where none is left."""
    before: dict[int, set[int]] = {}
    for state, row in enumerate(after):
        for target in row.values():
            before.setdefault(target, set()).add(state)
    useful, waiting = set(accepting), list(accepting)
    while waiting:
        waiting.extend(found := before.get(waiting.pop(), set()) - useful)
        useful |= found
    kept = [{symbol: target for symbol, target in row.items() if target in useful} for row in after]
    if not kept[START]:
        raise InputError("No number can match the pattern.", "bad_constraint")
    return Automaton(kept, accepting)


def _parse(pattern: str, symbols: str) -> "Pattern":
    """Parse a regular expression, in which what a set stands for is decided by `re`. Raises InputError."""
    from greenery import parse  # noqa: PLC0415  only patterns need it
    from greenery.parse import NoMatch  # noqa: PLC0415

    if not isinstance(pattern, str) or not 1 <= len(pattern) <= MAX_LENGTH:
        raise InputError(f"The pattern must have 1 to {MAX_LENGTH} characters.", "bad_constraint")
    try:
        plain = "".join(_plain(part, symbols) for part in _PARTS.findall(_without_ends(pattern)))
        re.compile(_without_ends(pattern))
        return parse(plain)
    except re.error as error:
        raise InputError(f"The pattern is no regular expression: {error}.", "bad_constraint") from error
    except (NoMatch, ValueError, IndexError, OverflowError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise _unsupported() from error


def _without_ends(pattern: str) -> str:
    """Leave out `^` at the start and `$` at the end."""
    is_escaped = (len(pattern[:-1]) - len(pattern[:-1].rstrip("\\"))) % 2
    return pattern.removeprefix("^") if is_escaped else pattern.removeprefix("^").removesuffix("$")


def _plain(part: str, symbols: str) -> str:
    """Write a part of a pattern as greenery reads it, a set as the symbols that it holds. Raises InputError."""
    if part in {"^", "$"} or (part[0] == "\\" and part[1:].isalnum() and part[1] not in _CLASSES):
        raise _unsupported()
    if part == "[":
        raise InputError("The pattern is no regular expression: a set is not closed.", "bad_constraint")
    if part == "{,":
        return "{0,"
    if part[0] == "[" and _NESTED.search(part, 1):
        raise InputError("In a set of the pattern, write \\[ for [ and no doubled sign.", "bad_constraint")
    if len(part) == 1 and part != ".":
        return part
    members = [symbol for symbol in symbols if re.fullmatch(part, symbol)]
    return f"[{''.join(map(_in_set, members or [chr(0xFFFD)]))}]"  # what no number has matches nothing


def _in_set(symbol: str) -> str:
    return "\\-" if symbol == "-" else symbol


def _unsupported() -> InputError:
    return InputError(
        "The pattern may have sets, groups, alternatives and repetitions, and no references, lookaround or flags.",
        "bad_constraint",
    )


def _too_complex() -> InputError:
    return InputError(f"The pattern is too complex: it needs more than {MAX_STATES} states.", "bad_constraint")


# An item is a set of symbols, or a group's number with how often it may still come (None: any number of times).
Item = frozenset[str] | tuple[int, int, int | None]
State = frozenset[tuple[Item, ...]]  # sequences of items, each of which may be what is left


class _States:
    """Steps from state to state of a parsed regular expression. Raises InputError once they take too long."""

    def __init__(self, expression: "Pattern", symbols: str, end: float) -> None:
        self._symbols, self._end = symbols, end
        self._groups: list[list[tuple[Item, ...]]] = []
        self.start: State = self._expanded([((self._group(expression), 1, 1),)])

    def steps(self, state: State) -> Iterator[tuple[list[str], State]]:
        """Yield the states that follow, each with the symbols that lead to it."""
        reached: dict[frozenset[tuple[Item, ...]], list[str]] = {}
        begun = [(rest[0], rest[1:]) for rest in state if rest]
        for symbol in self._symbols:
            if rests := frozenset(rest for head, rest in begun if symbol in head):
                reached.setdefault(rests, []).append(symbol)
        for rests, symbols in reached.items():
            yield symbols, self._expanded(rests)

    def is_accepting(self, state: State) -> bool:
        """Return whether nothing has to follow."""
        return () in state

    def _group(self, expression: "Pattern") -> int:
        """Add a group with its alternatives, and return its number."""
        number = len(self._groups)
        self._groups.append([])
        for alternative in expression.concs:
            items: list[Item] = []
            for part in alternative.mults:
                least, most = part.multiplier.min.v or 0, part.multiplier.max.v
                items.append((self._part(part.multiplicand), least, most))
            self._groups[number].append(tuple(items))
        return number

    def _part(self, part: object) -> int:
        from greenery import Charclass, Pattern  # noqa: PLC0415

        if isinstance(part, Pattern):
            return self._group(part)
        assert isinstance(part, Charclass)  # noqa: S101  which is all else that greenery has
        number = len(self._groups)
        self._groups.append([(frozenset(filter(part.accepts, self._symbols)),)])
        return number

    def _expanded(self, rests: Iterable[tuple[Item, ...]]) -> State:
        """Return what the sequences may begin with: all that begin with a set, and the empty one."""
        waiting = list(rests)
        seen = set(waiting)
        while waiting:
            if time.thread_time() > self._end:
                raise _too_complex()
            new = set(self._opened(waiting.pop())) - seen
            seen |= new
            waiting.extend(new)
        return frozenset(rest for rest in seen if not rest or isinstance(rest[0], frozenset))

    def _opened(self, rest: tuple[Item, ...]) -> Iterator[tuple[Item, ...]]:
        """Yield a sequence that begins with a group, with the group left out or entered once."""
        if not rest or isinstance(rest[0], frozenset):
            return
        number, least, most = rest[0]
        if least == 0:
            yield rest[1:]
        if most == 0:
            return
        again: tuple[Item, ...] = ((number, max(least - 1, 0), None if most is None else most - 1),)
        again = () if most == 1 else again
        for alternative in self._groups[number]:
            yield (*alternative, *again, *rest[1:])
