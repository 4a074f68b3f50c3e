from collections.abc import Sequence

import numpy as np
import pytest

from inkdigit import InputError
from inkdigit.constraints import MAX_CHARACTERS, Constraints, check_allow, constraints, restrict
from inkdigit.decoding import Slot

LABELS = (*"0123456789.,-/", "other")


def row(**shares: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    values = np.zeros((1, 15), np.float32)
    for label, share in shares.items():
        values[0, LABELS.index(label.removeprefix("_").replace("point", "."))] = share
    return values


@pytest.mark.parametrize("allow", ["0123456789", "7", "-.0", "00"])
def test_symbols_are_allowed(allow: str) -> None:
    assert check_allow(allow, LABELS) == allow


@pytest.mark.parametrize("allow", ["", "a", "0123456789x", " ", "other", "٣", None, 7, ["1"]])
def test_anything_else_is_refused(allow: object) -> None:
    with pytest.raises(InputError) as caught:
        check_allow(allow, LABELS)
    assert caught.value.code == "bad_constraint"


def test_the_rest_is_renormalised() -> None:
    restricted = restrict(row(_7=0.6, _1=0.3, other=0.1), LABELS, "0123456")
    assert restricted == pytest.approx(row(_1=0.75, other=0.25))


def test_a_mark_does_not_become_a_digit() -> None:
    restricted = restrict(row(point=0.97, _1=0.02, other=0.01), LABELS, "0123456789")
    assert restricted == pytest.approx(row(other=1.0))


def test_no_candidates_stay_none() -> None:
    assert restrict(np.zeros((0, 15), np.float32), LABELS, "1").shape == (0, 15)


def sure(text: str, share: float = 0.99) -> list[Slot]:
    """Return a slot for each digit, of which the rest is another digit's."""
    return [Slot({symbol: share, str((int(symbol) + 1) % 10): 1 - share}, 0.0) for symbol in text]


def decoded(slots: Sequence[Slot], limits: Constraints | None) -> str | None:
    assert limits is not None
    found = limits.decode(slots)
    return None if found is None else found[0].text


def test_the_most_probable_choice_is_read() -> None:
    roster = constraints(LABELS, choices=["1041", "1047", " 2000 ", ""])
    assert decoded(sure("1047"), roster) == "1047"
    assert decoded([*sure("104"), Slot({"4": 0.7, "7": 0.3}, 0.0)], roster) == "1047", "4 is on no entry"
    assert roster is not None
    found = roster.decode(sure("1041"))
    assert found is not None
    assert found[1] > 0.95


def test_none_of_the_choices_is_an_answer() -> None:
    roster = constraints(LABELS, choices=["1041", "1047"])
    assert decoded(sure("1045", 0.9999), roster) is None
    assert decoded(sure("77"), roster) is None


def test_a_mark_that_was_not_detected_is_added_where_the_pattern_has_it() -> None:
    phone = constraints(LABELS, pattern=r"\d{3}-\d{4}")
    assert decoded(sure("8490215", 0.999), phone) == "849-0215"
    assert phone is not None
    found = phone.decode(sure("8490215", 0.999))
    assert found is not None
    assert found[1] < 0.9, "it is not sure"


def test_a_pattern_that_cannot_match_is_an_answer() -> None:
    date = constraints(LABELS, pattern=r"\d{2}/\d{2}/\d{4}")
    assert decoded(sure("17"), date) is None
    assert decoded(sure("12/07/2026".replace("/", "1")), date) is None


@pytest.mark.parametrize(
    "given",
    [
        {"choices": []},
        {"choices": ["", " "]},
        {"choices": ["10x"]},
        {"choices": ["1" * 65]},
        {"choices": ["1" * 64] * (MAX_CHARACTERS // 64 + 1)},
        {"choices": "1041"},
        {"choices": [1041]},
        {"choices": ["1"], "pattern": "1"},
        {"choices": 7},
        {"pattern": "x"},
        {"pattern": 7},
        {"allow": "x"},
    ],
)
def test_wrong_constraints_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(InputError) as refused:
        constraints(LABELS, **given)  # type: ignore[arg-type]
    assert refused.value.code == "bad_constraint"
    assert len(str(refused.value)) < 200


def test_nothing_asked_is_no_constraint() -> None:
    assert constraints(LABELS) is None
