import numpy as np
import pytest

from inkdigit import InputError
from inkdigit.constraints import check_allow, restrict

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
