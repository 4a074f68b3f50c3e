"""What the demos let a person correct: a number or one symbol of it, each by a name of its own."""

import numpy as np
import pytest

from inkdigit import Recognizer
from inkdigit.corrections.store import Limits, Store
from inkdigit.demos.corrections import parts_of, store
from inkdigit.server.corrections import Corrections

from ..pictures import Grey, seven


def two_numbers() -> Grey:
    """Draw 77 above 77."""
    digit = seven(80)[5:60, 15:70]  # without much paper around
    row = np.hstack([digit, digit])
    page = np.full((400, 320), 255, np.uint8)
    for top in (40, 260):
        page[top : top + row.shape[0], 60 : 60 + row.shape[1]] = row
    return page


def test_equal_numbers_have_names_of_their_own_and_one_symbol_is_corrected_alone() -> None:
    picture, recognizer = two_numbers(), Recognizer()
    reading = recognizer.read(picture)
    assert reading.text == "77\n77"
    names = [part.name for part in parts_of(reading)]
    assert names[:3] == ["77 (1 of 2)", "77 (2 of 2)", "7, 1 of 2 in 77 (1 of 2)"]
    assert len(set(names)) == len(names) == 6
    corrections = Corrections(Store("sqlite://"), Limits(30, 10, 10))
    assert "Choose which number or symbol" in store(corrections, recognizer, picture, "1")
    assert "Choose which number or symbol" in store(corrections, recognizer, picture, "1", "5, 1 of 2 in 57")
    assert "The right symbol is one of" in store(corrections, recognizer, picture, "17", names[-1])
    assert store(corrections, recognizer, picture, "1", names[-1]).startswith("Stored: 1. Thank you.")
    (kept,) = corrections.store.all()
    assert (kept.task, kept.answer, kept.label) == ("symbol", "7", "1")
    assert kept.confidence == pytest.approx(parts_of(reading)[-1].confidence)
    corrections.store.close()
