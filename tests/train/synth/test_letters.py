"""Letters beside numbers: which there are, and how they are drawn."""

import numpy as np
import pytest

from inkdigit.train.synth.letters import DISTINCT, draw_letter, foreign_signs, printer, random_sign, random_word

SANS = "DejaVuSans.ttf"


def test_a_sign_is_never_a_digit_or_a_letter_that_looks_like_one() -> None:
    random = np.random.default_rng(1)
    signs = {random_sign(random) for _ in range(500)}
    assert len(signs) > 200
    assert not signs & set("0123456789BDGIOQSZbgiloqsz.,-/")
    assert set(DISTINCT) & signs
    assert set(foreign_signs()) & signs


def test_words_are_letters() -> None:
    random = np.random.default_rng(1)
    words = [random_word(random) for _ in range(100)]
    assert all(word.isalpha() and 2 <= len(word) <= 8 for word in words)
    assert any(word.isupper() for word in words)
    assert any(word.islower() for word in words)


@pytest.mark.parametrize(("letter", "above"), [("H", 1.0), ("x", 0.75), ("p", 0.75)])
def test_a_letter_is_cropped_and_stands_on_the_baseline(letter: str, above: float) -> None:
    ink, top = draw_letter(letter, printer(SANS, 60), 0, 0.0)
    assert top == pytest.approx(60 * above, abs=5)
    below = ink.height - top
    assert (below > 10) == (letter == "p")
    drawn = np.asarray(ink)
    assert all(edge.any() for edge in (drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1]))


def test_a_slant_leans_to_the_right_and_a_thick_pen_takes_more_ink() -> None:
    font = printer(SANS, 60)
    (plain, _), (slanted, _), (thick, _) = (draw_letter("l", font, *each) for each in ((0, 0.0), (0, 0.4), (3, 0.0)))
    assert slanted.width > plain.width + 15
    drawn = np.asarray(slanted)
    assert drawn[:10].nonzero()[1].mean() > drawn[-10:].nonzero()[1].mean() + 10
    assert (np.asarray(thick) > 0).sum() > 1.5 * (np.asarray(plain) > 0).sum()


def test_a_blank_letter_is_an_empty_picture() -> None:
    ink, _ = draw_letter(" ", printer(SANS, 60), 0, 0.2)
    assert ink.size == (1, 1)
