import pytest

from inkdigit.forms.table import alternatives
from inkdigit.reading import Number, Symbol


def symbol(text: str, **others: float) -> Symbol:
    shares = {key.removeprefix("_"): share for key, share in others.items()}
    return Symbol(text, 0.6, (0, 0, 1, 1), {text: 0.6, **shares})


def test_alternatives_are_the_most_probable_first() -> None:
    number = Number("17", 0.5, (0, 0, 2, 1), 0, (symbol("1", _7=0.3), symbol("7", _1=0.1, _9=0.2)))
    assert alternatives(number) == ["77", "19", "11"]


@pytest.mark.parametrize("text", ["6 1/2", "7"])
def test_there_may_be_none(text: str) -> None:
    number = Number(text, 0.5, (0, 0, 2, 1), 0, tuple(symbol(one) for one in text if one != " "))
    assert alternatives(number) == []
