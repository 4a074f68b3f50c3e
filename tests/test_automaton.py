"""Automata accept what Python's `re` matches, and refuse what would take too long."""

import re
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from inkdigit import InputError
from inkdigit.automaton import MAX_STATES, from_pattern, from_texts, of_shape

SYMBOLS = "0123456789.,-/ "
ATOMS = st.sampled_from(["0", "1", r"\d", ".", r"\.", "[-./]", "[^0]", "[0-4]", r"\/", "[1,]", r"\D", "a"])
COUNTS = st.sampled_from(["?", "*", "+", "{2}", "{1,2}", "{,2}", "{0,}", "*?"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        st.tuples(inner, COUNTS).map(lambda parts: f"(?:{parts[0]}){parts[1]}"),
    ),
    max_leaves=6,
)


@given(PATTERNS, st.lists(st.text("01.,-/ ", max_size=5), min_size=1, max_size=20))
def test_it_accepts_what_re_matches(pattern: str, texts: list[str]) -> None:
    try:
        automaton = from_pattern(f"^{pattern}$", SYMBOLS)
    except InputError as error:
        assume("complex" not in str(error))
        assert not any(text and re.fullmatch(pattern, text) for text in texts)
        return
    for text in texts:
        assert automaton.matches(text) == bool(re.fullmatch(pattern, text)), text


@pytest.mark.parametrize(
    "pattern",
    [
        *("", "(", "[0", "1{2,1}", "1**", "[b-a]", "\\", "1" * 501),  # no regular expressions, or too long
        *(r"(\d)\1", "(?=1)1", "(?i)1", r"1\b", "1^2", "1$2", "1*+", r"\Z", "[[0]]", r"(?P<a>1)(?P=a)"),  # unsupported
        *("x", "()", r"\$"),  # no number matches
    ],
)
def test_what_is_no_pattern_of_numbers_is_refused(pattern: str) -> None:
    with pytest.raises(InputError) as refused:
        from_pattern(pattern, SYMBOLS)
    assert refused.value.code == "bad_constraint"
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    "pattern",
    [r"(\d{1,50}){1,50}", "1{99999999}", "((1*){0,1000}){0,1000}", "(0|1)*1(0|1){14}", "(" * 200 + "1" + ")*" * 200],
)
def test_what_would_take_too_long_is_refused_early(pattern: str) -> None:
    start = time.thread_time()
    with pytest.raises(InputError):
        from_pattern(pattern, SYMBOLS)
    assert time.thread_time() - start < 1


def test_counted_repetitions_are_not_written_out() -> None:
    assert len(from_pattern(r"\d{1,500}", SYMBOLS).after) <= min(501, MAX_STATES)


def test_texts_and_their_shapes() -> None:
    texts = ["1041", "1047", "6 1/2", "1041"]
    listed, shape = from_texts(texts), of_shape(texts)
    assert all(listed.matches(text) for text in texts)
    assert not any(listed.matches(text) for text in ("", "104", "10411", "1042"))
    assert all(shape.matches(text) for text in (*texts, "9999", "8 3/4"))
    assert not any(shape.matches(text) for text in ("", "104", "10411", "6-1/2"))


def test_lengths_are_those_of_the_texts_that_follow() -> None:
    automaton = from_texts(["12", "1345"])
    assert list(automaton.lengths) == [(2, 4), (1, 3), (0, 0), (2, 2), (1, 1), (0, 0)]
    assert from_pattern("1*", SYMBOLS).lengths[0] == (0, float("inf"))
