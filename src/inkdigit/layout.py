"""Symbols to numbers, rows and reading order.

Geometry only: this module knows boxes and probabilities, and nothing of pixels. Lengths are compared with the heights
of the digits beside them, so that the picture's size makes no difference, and everything is decided between neighbours,
so that rows may slope, curve and change in size. The pairs are compared as N×N matrices: a thousand symbols take about
a tenth of a second.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .automaton import SPACE
from .decoding import Match, Slot
from .reading import OTHER, Box, Number, Symbol

Floats = NDArray[np.float64]
# What a constraint makes of a number: the text and its probability, or None where nothing that it allows is probable.
Decode = Callable[[Sequence[Slot]], tuple[Match, float] | None]

# All in heights of a digit, but for shares.
REACH = 1.8  # the widest gap inside a number, which only a row of printed boxes has
NARROW, SPREAD, WIDE = 0.45, 1.5, (0.6, 1.05)  # a gap ends a number over NARROW + SPREAD × the usual gap, within WIDE
SMALL = 0.4  # what is lower than that beside a number is no digit
FIELD_GAP = 2.2  # the widest gap in a field of a form, all of which is one number
USUAL = 0.4  # the gap between two digits where no other says what is usual
POINT_REACH, DASH_REACH = 0.8, 0.8  # the widest gap beside a point or comma, and beside `-` or `/`
PITCH, EVEN = 1.9, 0.22  # of printed boxes: the widest distance, and the share by which distances differ
FLAT = 2.5  # a level bar's width over its height
MIN_OVERLAP = 0.4  # share of the smaller height that neighbours in a number have in common
ADJOINING = 0.35  # as far beside a number, what is no symbol lowers its confidence
GRAIN = 0.1  # as far around a digit, what looks like a far smaller one is a part of its line
SPECK = 0.3  # a lower mark alone, such as a tail of ink, ends no number; a colon's box has both of its dots
MIN_HEIGHT = 0.01  # px, of a box that is empty
LIKELY = 0.01  # the probability from which on another symbol is named
POSSIBLE = 0.15  # the probability from which on a point or comma explains a wide gap between two digits
NEARBY = 1.0  # as far beside a number, a constraint may take for a symbol what was taken for none
CERTAIN = 0.995  # the probability over which what is no symbol is not considered either
TINY = 1e-6  # the probability under which another symbol is not considered


@dataclass(frozen=True)
class Calibration:
    """Turn the probability p that all symbols are right into a number's confidence: σ(scale · logit(p) + bias).

    After Platt 1999; `scale` and `bias` are the contract's.
    """

    scale: float
    bias: float

    def __call__(self, probability: float) -> float:
        """Return the confidence, 0..1."""
        p = min(max(probability, 1e-9), 1 - 1e-9)
        return float(1 / (1 + np.exp(-(self.scale * np.log(p / (1 - p)) + self.bias))))


@dataclass(frozen=True)
class Node:
    """Hold a link of a number: a digit, a mark, or a whole fraction.

    `symbols` are places in the candidates; `top` and `bottom` say where digits stand beside it, in px.
    """

    symbols: tuple[int, ...]
    text: str
    box: Box
    top: float
    bottom: float

    @property
    def is_digit(self) -> bool:
        """Return whether this is one digit."""
        return self.text.isdecimal()

    @property
    def is_fraction(self) -> bool:
        """Return whether this is a whole fraction."""
        return len(self.symbols) > 1


@dataclass(frozen=True, eq=False)
class Nodes:
    """Hold nodes with their geometry as arrays [N], in px."""

    every: Sequence[Node]

    @cached_property
    def boxes(self) -> Floats:
        """Return the boxes [N, 4]."""
        return np.array([node.box for node in self.every], float).reshape(-1, 4)

    @cached_property
    def x(self) -> Floats:
        """Return the middles of the boxes."""
        return (self.boxes[:, 0] + self.boxes[:, 2]) / 2

    @cached_property
    def y(self) -> Floats:
        """Return the middles of the digits beside each node."""
        return np.array([(node.top + node.bottom) / 2 for node in self.every], float)

    @cached_property
    def heights(self) -> Floats:
        """Return the heights of the digits beside each node."""
        return np.array([max(node.bottom - node.top, MIN_HEIGHT) for node in self.every], float)


def find_numbers(
    boxes: NDArray[np.float32],
    probabilities: NDArray[np.float32],
    is_mark: NDArray[np.bool_],
    labels: Sequence[str],
    calibration: Calibration,
    decode: Decode | None = None,
    is_one: bool = False,
) -> tuple[Number, ...]:
    """Return the numbers of a picture in reading order.

    Takes the model's candidates: boxes [K, 4] (left, top, right, bottom in px), calibrated probabilities [K, C] over
    `labels`, and which of them are written marks. A candidate is a symbol where `other` is less probable than all
    symbols together. A mark that is none ends a number. All that are no symbols lower the confidence of the number that
    they adjoin, by the probability that they are `other`. `decode` chooses the text of each number under a constraint.
    Where all `is_one` number, as in a field of a form, no gap ends it.
    """
    order = np.lexsort([*boxes.T[::-1], *probabilities.T])  # the candidates' order must not matter
    order = order[~_is_grain(boxes[order].astype(np.float64), probabilities[order], labels)]
    places, probabilities, is_mark = boxes.astype(np.float64)[order], probabilities[order], is_mark[order]
    texts = _texts(places, probabilities, is_mark, labels)
    is_symbol = np.isin(np.arange(len(places)), list(texts))
    nodes = Nodes(_nodes(places, texts))
    chains = _chains(len(nodes.every), _neighbours(nodes))
    points = _possible_points(nodes, places, probabilities, labels, is_symbol)
    runs = [run for chain in chains for run in _split(nodes, chain, places[is_mark & ~is_symbol], points)]
    slope = _slope(nodes, chains)
    if is_one:
        runs = list(_longest_row(runs, slope))
    runs = [_trimmed(run, probabilities, labels) for run in runs if any(node.text[0].isdecimal() for node in run)]
    texts |= {node.symbols[0]: node.text for run in runs for node in run if not node.is_fraction}
    is_symbol[list(texts)] = True
    candidates = Candidates(places, probabilities, labels, texts, is_symbol)
    rows = enumerate(_rows(runs, slope))
    return tuple(_number(run, row, candidates, calibration, decode) for row, members in rows for run in members)


@dataclass(frozen=True, eq=False)
class Candidates:
    """Hold the model's candidates: boxes [K, 4], probabilities [K, C], the texts of symbols, and which are symbols."""

    boxes: Floats
    probabilities: NDArray[np.float32]
    labels: Sequence[str]
    texts: dict[int, str]
    is_symbol: NDArray[np.bool_]

    def symbol(self, place: int, text: str) -> Symbol:
        """Return a candidate as the symbol `text`."""
        return _symbol(text, self.boxes[place], self.probabilities[place], self.labels)

    def other(self, places: NDArray[np.int_] | int) -> Floats:
        """Return the probabilities that candidates are no symbols."""
        return np.asarray(self.probabilities[places, list(self.labels).index(OTHER)], float)

    def doubts(self, run: Sequence[Node], reach: float) -> NDArray[np.int_]:
        """Return the places of the candidates in a number, or within `reach` of its ends, that are no symbols."""
        left, top, right, bottom = _union(run)
        beside = reach * float(np.median([node.bottom - node.top for node in run]))
        boxes = self.boxes
        inside = (boxes[:, 2] > left - beside) & (boxes[:, 0] < right + beside)
        inside &= (boxes[:, 3] > top) & (boxes[:, 1] < bottom)
        return np.flatnonzero(inside & ~self.is_symbol)


def _number(
    run: Sequence[Node], row: int, candidates: Candidates, calibration: Calibration, decode: Decode | None
) -> Number:
    """Return a number, with the text that `decode` chooses, if it does."""
    symbols = tuple(candidates.symbol(place, candidates.texts[place]) for node in run for place in node.symbols)
    undisturbed = float(candidates.other(candidates.doubts(run, ADJOINING)).prod())
    certain = float(np.prod([symbol.confidence for symbol in symbols])) * undisturbed
    read = Number(_text(run), calibration(certain), _union(run), row, symbols)
    if decode is None:
        return read
    places = list(_in_order(run, candidates))
    found = decode([_slot(place, run, candidates) for place in places])
    if found is None:
        return replace(read, is_match=False)
    match, probability = found
    symbols = tuple(_matched(match, places, candidates))
    return Number(match.text, calibration(probability), _around([symbol.box for symbol in symbols]), row, symbols)


def _in_order(run: Sequence[Node], candidates: Candidates) -> Iterator[int | None]:
    """Yield the candidates in and beside a number from left to right, None for the space before a fraction."""
    near = candidates.doubts(run, NEARBY)
    near = near[candidates.other(near) < CERTAIN]
    doubts = sorted(near, key=lambda place: float(candidates.boxes[place, [0, 2]].sum()))
    for place, node in enumerate(run):
        while doubts and candidates.boxes[doubts[0], [0, 2]].sum() < node.box[0] + node.box[2]:
            yield int(doubts.pop(0))
        if node.is_fraction and place and run[place - 1].is_digit:
            yield None
        yield from node.symbols
    yield from map(int, doubts)


def _slot(place: int | None, run: Sequence[Node], candidates: Candidates) -> Slot:
    """Return a candidate's probabilities.

    A fraction's bar is a slash, whichever mark it resembles, and a speck is no digit.
    """
    if place is None:
        return Slot({SPACE: 1.0}, 0.0)
    shares = {
        label: float(share)
        for label, share in zip(candidates.labels, candidates.probabilities[place], strict=True)
        if share >= TINY and label != OTHER
    }
    none = float(candidates.other(place))
    if any(node.is_fraction and place in node.symbols for node in run):
        is_bar = not candidates.texts[place].isdecimal()
        return Slot({"/": sum(shares.values())} if is_bar else shares, none)
    usual = float(np.median([node.bottom - node.top for node in run]))
    if candidates.boxes[place, 3] - candidates.boxes[place, 1] < SMALL * usual:
        none += sum(share for label, share in shares.items() if label.isdecimal())
        shares = {label: share for label, share in shares.items() if not label.isdecimal()}
    return Slot(shares, none)


def _matched(match: Match, places: Sequence[int | None], candidates: Candidates) -> Iterator[Symbol]:
    """Yield the symbols of a match; one that was not detected stands between its neighbours, or at an end."""
    detected = [None if slot is None else places[slot] for _, slot in match.symbols]
    for at, (text, slot) in enumerate(match.symbols):
        place = detected[at]
        if place is not None:
            own = candidates.texts.get(place, text)
            yield candidates.symbol(place, own if text == "/" and own in "-/" else text)
        elif slot is None:
            before, after = _nearest(detected[:at][::-1]), _nearest(detected[at + 1 :])
            yield _undetected(text, *(None if near is None else candidates.boxes[near] for near in (before, after)))


def _nearest(places: Sequence[int | None]) -> int | None:
    """Return the first place that there is."""
    return next((place for place in places if place is not None), None)


def _undetected(text: str, before: Floats | None, after: Floats | None) -> Symbol:
    """Return a symbol that was not detected, in the gap between its neighbours or at the edge of the only one."""
    near = [box for box in (before, after) if box is not None]
    edges = [float(box[side]) for box, side in ((before, 2), (after, 0)) if box is not None]
    top, bottom = min(float(box[1]) for box in near), max(float(box[3]) for box in near)
    return Symbol(text, 0.0, (min(edges), top, max(edges), bottom), {text: 0.0})


def _texts(
    boxes: Floats, probabilities: NDArray[np.float32], is_mark: NDArray[np.bool_], labels: Sequence[str]
) -> dict[int, str]:
    """Return the texts of the candidates that are symbols, by their place."""
    is_other = np.array([label == OTHER for label in labels])
    best = np.where(is_other, -1, probabilities).argmax(1)
    is_symbol = probabilities[:, is_other][:, 0] < 0.5
    texts = {int(place): labels[best[place]] for place in np.flatnonzero(is_symbol)}
    for place in _doubled(boxes, texts, probabilities):
        del texts[place]
    is_possible = probabilities[:, list(labels).index("/")] > 0  # it is 0 where no `/` is allowed
    return texts | dict.fromkeys(_bars(boxes, texts, is_mark & ~is_symbol & is_possible), "/")


def _is_grain(boxes: Floats, probabilities: NDArray[np.float32], labels: Sequence[str]) -> NDArray[np.bool_]:
    """Return which candidates are grains of a far larger digit's lines: in a close look they resemble digits."""
    other = list(labels).index(OTHER)
    best = np.where(np.arange(len(labels)) == other, -1, probabilities).argmax(1)
    is_digit = np.array([label.isdecimal() for label in labels])[best]
    x, y, tall = boxes[:, [0, 2]].mean(1), boxes[:, [1, 3]].mean(1), boxes[:, 3] - boxes[:, 1]
    large = np.flatnonzero(is_digit & (probabilities[:, other] < 0.5))
    left, top, right, bottom = boxes[large].T + np.outer([-GRAIN, -GRAIN, GRAIN, GRAIN], tall[large])
    inside = (x[:, None] > left) & (x[:, None] < right) & (y[:, None] > top) & (y[:, None] < bottom)
    return np.asarray(is_digit & (inside & (tall[:, None] < SMALL * tall[large])).any(1))


def _doubled(boxes: Floats, texts: dict[int, str], probabilities: NDArray[np.float32]) -> list[int]:
    """Return the points, commas and dashes that lie on a more probable one: one mark, found twice."""
    places = sorted((place for place, text in texts.items() if text in ".,-"), key=lambda at: -probabilities[at].max())
    middles, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).max(1)
    kept: list[int] = []
    for place in places:
        alike = [other for other in kept if (texts[place] == "-") == (texts[other] == "-")]
        if all(np.hypot(*(middles[place] - middles[other])) > max(sides[place], sides[other]) for other in alike):
            kept.append(place)
    return [place for place in places if place not in kept]


def _possible_points(
    nodes: Nodes, boxes: Floats, probabilities: NDArray[np.float32], labels: Sequence[str], is_symbol: NDArray[np.bool_]
) -> list[Node]:
    """Return nodes of the candidates that are no symbols, but perhaps a point or a comma beside a digit."""
    hosts = Nodes([node for node in nodes.every if node.is_digit])
    found = []
    for text in ".,":
        chances = probabilities[:, list(labels).index(text)]
        likely = np.flatnonzero(~is_symbol & (chances >= POSSIBLE))
        found += [(chances[place], _hosted(int(place), text, boxes[place], hosts)) for place in likely]
    return [node for _, node in sorted(found, key=lambda each: -each[0]) if node is not None]


def _trimmed(run: list[Node], probabilities: NDArray[np.float32], labels: Sequence[str]) -> list[Node]:
    """Leave out marks at a number's end, and take a slash at its start for the digit that it resembles most.

    No number starts with `/`, but a 1 with a long upstroke looks like it; and what follows a number is a full stop, a
    tick or a flourish.
    """
    while run[-1].text in {".", ",", "-", "/"}:
        run = run[:-1]
    if run[0].text != "/":
        return run
    digits = np.array([label.isdecimal() for label in labels])
    best = int(np.where(digits, probabilities[run[0].symbols[0]], -1).argmax())
    return [replace(run[0], text=labels[best]), *run[1:]]


def _symbol(text: str, box: Floats, probabilities: NDArray[np.float32], labels: Sequence[str]) -> Symbol:
    likely = [place for place in np.argsort(-probabilities, kind="stable") if labels[place] != OTHER]
    named = {labels[place]: float(probabilities[place]) for place in likely if probabilities[place] >= LIKELY}
    confidence = float(probabilities[list(labels).index(text)])
    left, top, right, bottom = map(float, box)
    return Symbol(text, confidence, (left, top, right, bottom), {text: confidence} | named)


def _text(run: Sequence[Node]) -> str:
    """Join the texts of a number, with a space between a whole number and its fraction."""
    texts = [run[0].text]
    for before, node in pairwise(run):
        texts.append(f" {node.text}" if node.is_fraction and before.is_digit else node.text)
    return "".join(texts)


def _union(nodes: Sequence[Node]) -> Box:
    """Return the box around nodes."""
    return _around([node.box for node in nodes])


def _around(boxes: Sequence[Box]) -> Box:
    """Return the box around boxes."""
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


# Nodes: digits with their marks and fractions.


def _nodes(boxes: Floats, texts: dict[int, str]) -> list[Node]:
    """Make nodes of the symbols, `texts` by their place in the boxes; a small mark that no digit is near is dropped."""
    fractions = list(_fractions(boxes, texts))
    used = {place for node in fractions for place in node.symbols}
    left = {place: text for place, text in texts.items() if place not in used}
    tall = fractions + [_tall(place, text, boxes[place]) for place, text in left.items() if text not in ".,-"]
    hosts = Nodes([node for node in tall if node.text != "/"])
    small = (_hosted(place, text, boxes[place], hosts) for place, text in left.items() if text in ".,-")
    return tall + [node for node in small if node is not None]


def _tall(place: int, text: str, box: Floats) -> Node:
    """Make a node of a digit or a slash, which is a little taller than the digits beside it."""
    left, top, right, bottom = map(float, box)
    trim = 0.1 * (bottom - top) if text == "/" else 0.0
    return Node((place,), text, (left, top, right, bottom), top + trim, bottom - trim)


def _hosted(place: int, text: str, box: Floats, hosts: Nodes) -> Node | None:
    """Make a node of a small mark, which stands in the row of the nearest digit: a point low, a dash at mid-height."""
    if not len(hosts.every):
        return None
    left, top, right, bottom = map(float, box)
    tall, middle = hosts.heights, (top + bottom) / 2
    gap = np.maximum(np.maximum(hosts.boxes[:, 0] - right, left - hosts.boxes[:, 2]), 0) / tall
    low = (middle - hosts.y) / tall  # 0 at mid-height, 0.5 at the baseline
    off = np.abs(low) if text == "-" else np.abs(low - 0.5)
    reach = (DASH_REACH, 0.4) if text == "-" else (POINT_REACH, 0.65)
    cost = np.where((gap <= reach[0]) & (off <= reach[1]), gap + off, np.inf)
    host = int(cost.argmin())
    if not np.isfinite(cost[host]):
        return None
    near = hosts.every[host]
    return Node((place,), text, (left, top, right, bottom), near.top, near.bottom)


def _fractions(boxes: Floats, texts: dict[int, str]) -> Iterator[Node]:
    """Yield fractions: small digits above and below a level bar, or high and low beside a slash."""
    digits = np.array([place for place, text in texts.items() if text.isdecimal()], int)
    for bar in [place for place, text in texts.items() if text in "-/"]:
        for find in (_stacked, _diagonal):
            upper, lower = (digits[part] for part in find(boxes[bar], boxes[digits]))
            if len(upper) and len(lower):
                symbols = (*map(int, upper), bar, *map(int, lower))
                parts = ["".join(texts[int(place)] for place in part) for part in (upper, lower)]
                left, top = map(float, boxes[list(symbols), :2].min(0))
                right, bottom = map(float, boxes[list(symbols), 2:].max(0))
                yield Node(symbols, "/".join(parts), (left, top, right, bottom), top, bottom)
                digits = digits[~np.isin(digits, symbols)]
                break


def _bars(boxes: Floats, texts: dict[int, str], is_mark: NDArray[np.bool_]) -> Iterator[int]:
    """Yield the marks that are bars of a mixed fraction: level, between small digits, and beside a larger digit.

    The larger digit, at whose mid-height the bar is, tells it from a line of a table.
    """
    digits = boxes[[place for place, text in texts.items() if text.isdecimal()]].reshape(-1, 4)
    tall, y = digits[:, 3] - digits[:, 1], (digits[:, 1] + digits[:, 3]) / 2
    for place in np.flatnonzero(is_mark):
        left, top, right, bottom = boxes[place]
        upper, lower = _stacked(boxes[place], digits)
        if right - left < FLAT * (bottom - top) or not len(upper) or not len(lower):
            continue
        part = max(tall[upper].max(), tall[lower].max())
        gap, off = left - digits[:, 2], np.abs(y - (top + bottom) / 2)
        if ((np.abs(gap) <= 0.8 * tall) & (off <= 0.25 * tall) & (tall >= 1.15 * part)).any():
            yield int(place)


def _stacked(bar: Floats, digits: Floats) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Return the places of the digits [N, 4] right above and right below a level bar, each from left to right."""
    wide, tall, middle = bar[2] - bar[0], digits[:, 3] - digits[:, 1], (bar[1] + bar[3]) / 2
    x = (digits[:, 0] + digits[:, 2]) / 2
    covered = (x > bar[0] - 0.2 * tall) & (x < bar[2] + 0.2 * tall) & (wide > bar[3] - bar[1])
    above, below = (
        covered & (gap > -0.2 * tall) & (gap < 0.5 * tall) for gap in (middle - digits[:, 3], digits[:, 1] - middle)
    )
    return _left_to_right(above, x), _left_to_right(below, x)


def _diagonal(slash: Floats, digits: Floats) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Return the places of the digits [N, 4] high before and low after a slash, each from left to right.

    None where they are at about the same height, as in a date.
    """
    own, tall = slash[3] - slash[1], digits[:, 3] - digits[:, 1]
    x, y = (digits[:, 0] + digits[:, 2]) / 2, (digits[:, 1] + digits[:, 3]) / 2
    across, down = x - (slash[0] + slash[2]) / 2, (y - (slash[1] + slash[3]) / 2) / own
    sides = []
    for side, gap in ((-1, slash[0] - digits[:, 2]), (1, digits[:, 0] - slash[2])):
        found = (tall < 0.8 * own) & (side * across > 0) & (side * down > 0.06) & (side * down < 0.6)
        sides.append(_left_to_right(_reached(found, gap, digits[:, 2] - digits[:, 0], tall), x))
    upper, lower = sides
    is_level = len(upper) and len(lower) and np.median(down[lower]) - np.median(down[upper]) < 0.25
    return (upper[:0], lower[:0]) if is_level else (upper, lower)


def _reached(found: NDArray[np.bool_], gap: Floats, wide: Floats, tall: Floats) -> NDArray[np.bool_]:
    """Keep the digits that are reached from a slash, one after another, without a gap of over 0.4 heights."""
    edge, kept = 0.0, np.zeros_like(found)
    for place in np.argsort(gap):
        if found[place] and gap[place] - edge <= 0.4 * tall[place]:
            kept[place], edge = True, max(edge, float(gap[place] + wide[place]))
    return kept


def _left_to_right(found: NDArray[np.bool_], x: Floats) -> NDArray[np.int_]:
    """Return the places that are found, in the order of x."""
    places = np.flatnonzero(found)
    return places[np.argsort(x[places], kind="stable")]


# Numbers: chains of neighbours, cut at wide gaps.


def _neighbours(nodes: Nodes) -> dict[int, int]:
    """Link nodes to their right neighbours: the nearest node, of those at about their height and within `REACH`."""
    x, y, tall, boxes = nodes.x, nodes.y, nodes.heights, nodes.boxes
    smaller, larger = np.minimum.outer(tall, tall), np.maximum.outer(tall, tall)
    tops, bottoms = y - tall / 2, y + tall / 2
    common = np.minimum.outer(bottoms, bottoms) - np.maximum.outer(tops, tops)
    gap, step = boxes[None, :, 0] - boxes[:, None, 2], x[None] - x[:, None]
    fits = (step > 0) & (gap <= REACH * larger) & (common >= MIN_OVERLAP * smaller) & (larger <= 3 * smaller)
    return _link(np.where(fits, step + np.abs(y[None] - y[:, None]), np.inf))


def _link(cost: Floats) -> dict[int, int]:
    """Link places i → j, the least `cost` [N, N] first, so that none has two links to or from it."""
    near = np.argsort(cost, axis=1, kind="stable")[:, :3]  # three, so that a full page stays fast
    pairs = [(cost[i, j], i, int(j)) for i in range(len(cost)) for j in near[i] if np.isfinite(cost[i, j])]
    after: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in sorted(pairs):
        if i not in after and j not in taken:
            after[i] = j
            taken.add(j)
    return after


def _chains(count: int, after: dict[int, int]) -> list[list[int]]:
    """Return the chains that links make of `count` places, a place without links alone."""
    chains = []
    for start in sorted(set(range(count)) - set(after.values())):
        chain = [start]
        while chain[-1] in after:
            chain.append(after[chain[-1]])
        chains.append(chain)
    return chains


def _split(nodes: Nodes, chain: Sequence[int], marks: Floats, points: Sequence[Node]) -> list[list[Node]]:
    """Cut a chain of neighbours into numbers: at wide gaps, after fractions and at marks that are no symbols.

    A wide gap between two digits that holds one of `points` is the place of that point.
    """
    if len(chain) == 1:
        return [[nodes.every[chain[0]]]]
    every = [nodes.every[place] for place in chain]
    tall = np.maximum(nodes.heights[chain][1:], nodes.heights[chain][:-1])
    gaps = np.maximum(nodes.boxes[chain][1:, 0] - nodes.boxes[chain][:-1, 2], 0) / tall
    cuts = np.array([node.is_fraction for node in every[:-1]]) | _is_marked(nodes, chain, marks)
    wide = _is_wide(every, gaps, nodes.x[chain] / float(np.median(tall)))
    runs = [[every[0]]]
    for place, node in enumerate(every[1:]):
        is_short = wide[place] and not cuts[place] and gaps[place] <= 1.5 * POINT_REACH
        point = _between(every[place], node, points) if is_short else None
        if point is not None:
            runs[-1].append(point)
        elif wide[place] or cuts[place]:
            runs.append([])
        runs[-1].append(node)
    return runs


def _between(before: Node, after: Node, points: Sequence[Node]) -> Node | None:
    """Return the first point that stands in the gap between two digits, or None."""
    if not (before.is_digit and after.is_digit):
        return None
    for point in points:
        middle = (point.box[0] + point.box[2]) / 2
        if before.box[2] < middle < after.box[0] and point.top < after.bottom and point.bottom > after.top:
            return point
    return None


def _is_wide(every: Sequence[Node], gaps: Floats, x: Floats) -> NDArray[np.bool_]:
    """Return which gaps [N-1] between nodes end a number; gaps and middles x [N] are in heights of a digit."""
    inner = [before.is_digit and node.is_digit for before, node in pairwise(every)]
    usual = np.sort(gaps[inner])
    cuts = np.zeros(len(gaps), bool)
    for place, gap in enumerate(gaps):
        pair = every[place].text + every[place + 1].text
        if inner[place]:
            # The median of the other gaps: the lower one of two, because a wide gap is what is looked for.
            rest = np.delete(usual, np.searchsorted(usual, gap))
            typical = rest[(len(rest) - 1) // 2] if len(rest) else USUAL
            cuts[place] = gap > np.clip(NARROW + SPREAD * typical, *WIDE)
        elif every[place].is_fraction or every[place + 1].is_fraction:
            cuts[place] = gap > DASH_REACH
        else:
            cuts[place] = gap > (POINT_REACH if set(pair) & set(".,") else DASH_REACH)
            cuts[place] |= _leans_away(every, gaps, place)
    return cuts & ~_is_even(inner, x)


def _leans_away(every: Sequence[Node], gaps: Floats, place: int) -> bool:
    """Return whether the dash beside a gap lies much nearer to the number on its other side: `45  -12`."""
    if every[place + 1].text == "-" and place + 1 < len(gaps):
        return bool(gaps[place] > max(0.6, 0.2 + 2 * gaps[place + 1]))
    if every[place].text == "-" and place > 0:
        return bool(gaps[place] > max(0.6, 0.2 + 2 * gaps[place - 1]))
    return False


def _is_even(inner: Sequence[bool], x: Floats) -> NDArray[np.bool_]:
    """Return which gaps [N-1] are within a row of printed boxes, where most digits are equally far apart."""
    steps = np.diff(x)
    pitch = float(np.median(steps))
    even = np.array(inner) & (np.abs(steps - pitch) <= EVEN * pitch)
    return even & (pitch <= PITCH and even.sum() >= max(2.0, 0.6 * len(steps)))


def _is_marked(nodes: Nodes, chain: Sequence[int], marks: Floats) -> NDArray[np.bool_]:
    """Return which gaps [N-1] hold a mark [M, 4] that is no symbol, such as a colon; an underline is in none."""
    x, y, tall = nodes.x[chain], nodes.y[chain], nodes.heights[chain]
    tops, bottoms = y - tall / 2, y + tall / 2
    top, bottom = np.minimum(tops[1:], tops[:-1]), np.maximum(bottoms[1:], bottoms[:-1])
    common = np.minimum.outer(marks[:, 3], bottom) - np.maximum.outer(marks[:, 1], top)
    height = marks[:, 3] - marks[:, 1]
    needed = 0.3 * np.minimum.outer(height, bottom - top)
    between = (marks[:, 0, None] >= x[None, :-1]) & (marks[:, 2, None] <= x[None, 1:])
    between &= height[:, None] >= SPECK * np.minimum(tall[1:], tall[:-1])
    return np.array((between & (common >= needed)).any(0), bool)


# Rows.


def _slope(nodes: Nodes, chains: Sequence[Sequence[int]]) -> float:
    """Return how far rows fall, in px a px to the right: the median over the chains, weighted by their lengths."""
    ends = np.array([(chain[0], chain[-1]) for chain in chains if len(chain) > 2], int).reshape(-1, 2)
    if not len(ends):
        return 0.0
    across, down = np.diff(nodes.x[ends])[:, 0], np.diff(nodes.y[ends])[:, 0]
    order = np.argsort(down / across, kind="stable")
    weight = np.cumsum(across[order])
    return float((down / across)[order][np.searchsorted(weight, weight[-1] / 2)])


def _longest_row(runs: Sequence[list[Node]], slope: float) -> Iterator[list[Node]]:
    """Yield the nodes of the row with the most symbols as one number, from left to right."""
    parts = [part for row in _rows(runs, slope) for part in _parts(_without_specks([n for run in row for n in run]))]
    if parts:
        yield max(parts, key=lambda part: sum(len(node.symbols) for node in part))


def _without_specks(row: list[Node]) -> list[Node]:
    """Leave out digits that are far smaller than the others in a row."""
    least = SMALL * float(np.median([node.bottom - node.top for node in row]))
    return [node for node in row if not node.is_digit or node.bottom - node.top >= least]


def _parts(row: list[Node]) -> Iterator[list[Node]]:
    """Yield the parts of a row between gaps that no number in a field has."""
    nodes = Nodes(row)
    gaps = nodes.boxes[1:, 0] - nodes.boxes[:-1, 2]
    cuts = np.flatnonzero(gaps > FIELD_GAP * float(np.median(nodes.heights))) + 1
    for start, end in pairwise([0, *cuts.tolist(), len(row)]):
        yield row[start:end]


def _rows(runs: Sequence[list[Node]], slope: float) -> list[list[list[Node]]]:
    """Group numbers into rows, from top to bottom, each from left to right.

    A number's right neighbour begins about where it ends, however far away, after the rows' `slope` is taken out.
    """
    first, last = Nodes([run[0] for run in runs]), Nodes([run[-1] for run in runs])
    starts, ends = first.y - slope * first.x, last.y - slope * last.x
    smaller = np.minimum.outer(last.heights, first.heights)
    drop, step = np.abs(starts[None] - ends[:, None]), first.x[None] - last.x[:, None]
    common = (last.heights[:, None] + first.heights[None]) / 2 - drop
    after = _link(np.where((step > 0) & (common >= 0.5 * smaller), step + 2 * drop, np.inf))
    rows = _chains(len(runs), after)
    height = {row[0]: float(np.mean([(starts[i] + ends[i]) / 2 for i in row])) for row in rows}
    return [[runs[i] for i in row] for row in sorted(rows, key=lambda row: (height[row[0]], first.x[row[0]]))]
