"""Decoding against brute force, and what one symbol more or less than was detected costs."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkdigit.automaton import from_pattern, from_texts
from inkdigit.decoding import Slot, decode, total

SYMBOLS = "0123456789.,-/ "
SHARE = st.floats(0.05, 1)


def slot(text: str, none: float = 0.0, **others: float) -> Slot:
    shares = {key.removeprefix("_"): share for key, share in others.items()}
    return Slot({text: 1 - none - sum(shares.values()), **shares}, none)


def slots(text: str) -> list[Slot]:
    return [slot(symbol) for symbol in text]


@given(
    st.lists(st.tuples(SHARE, SHARE, SHARE), min_size=1, max_size=4), st.lists(st.text("12", min_size=1, max_size=4))
)
def test_it_is_the_most_probable_text_of_all(rows: list[tuple[float, float, float]], texts: list[str]) -> None:
    seen = [
        Slot({"1": one / sum(row), "2": two / sum(row)}, none / sum(row)) for row in rows for one, two, none in [row]
    ]
    chances: dict[str, float] = {}
    for way in product(*[[*each.shares.items(), ("", each.none)] for each in seen]):
        text, chance = "".join(symbol for symbol, _ in way), 1.0
        for _, share in way:
            chance *= share
        chances[text] = chances.get(text, 0) + chance
    found = decode(seen, from_texts(texts)) if texts else None
    possible = {text: chances[text] for text in texts if text in chances}
    if possible and max(possible.values()) > 0.02:
        assert found is not None
        assert found.total == pytest.approx(sum(possible.values()), abs=0.02)
        assert found.text in texts
        assert found.probability == pytest.approx(possible.get(found.text, 0), abs=0.02)


def test_a_pattern_decides_between_likely_symbols() -> None:
    seen = [slot("1"), slot("2"), slot("1", **{"_/": 0.1}), slot("0"), slot("7")]
    found = decode(seen, from_pattern(r"\d\d/\d\d", SYMBOLS))
    assert found is not None
    assert (found.text, [place for _, place in found.symbols]) == ("12/07", [0, 1, 2, 3, 4])
    assert found.probability == pytest.approx(0.1)


@pytest.mark.parametrize(("seen", "text"), [("104", "1041"), ("041", "1041"), ("10441", "1041"), ("1041", "1041")])
def test_one_symbol_more_or_less_is_allowed_at_its_cost(seen: str, text: str) -> None:
    found = decode(slots(seen), from_texts([text]))
    assert found is not None
    assert found.text == text
    assert (found.probability < 0.01) == (seen != text)
    assert sum(place is None for _, place in found.symbols) == max(0, len(text) - len(seen))


@pytest.mark.parametrize("seen", ["10", "104411", "7777", ""])
def test_two_are_not(seen: str) -> None:
    assert decode(slots(seen), from_texts(["1041"])) is None
    assert total(slots(seen), from_texts(["1041"])) == 0


def test_the_space_of_a_mixed_fraction_is_part_of_the_text() -> None:
    seen = [slot("6"), slot(" "), *slots("1/2")]
    found = decode(seen, from_pattern(r"\d \d/\d", SYMBOLS))
    assert found is not None
    assert found.text == "6 1/2"
    assert decode(seen, from_pattern(r"\d\d/\d", SYMBOLS)) is None


def test_whether_there_is_a_symbol_is_decided_by_all_symbols_together() -> None:
    seen = [slot("1"), Slot({"7": 0.35, "1": 0.25}, 0.4)]
    found = decode(seen, from_pattern(r"\d+", SYMBOLS))
    assert found is not None
    assert found.text == "17"
    assert found.probability == pytest.approx(0.35, abs=0.01)
