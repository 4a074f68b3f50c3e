"""Corrections as training data: numbers cut into digits, doubtful labels, and what is held out."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import torch

from inkdigit import Recognizer
from inkdigit.corrections.picture import stored_picture
from inkdigit.corrections.records import Correction
from inkdigit.train.correction_data import Example, doubts_about, examples_of, framed_examples, held_out_ids
from inkdigit.train.data import Frames
from inkdigit.train.warm_start import folded, weights_of

from ..pictures import digits, seven

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def correction(pixels: np.ndarray, label: str, task: str = "digit") -> Correction:
    return Correction(task, label, "1", "inkdigit", "0.1.0", stored_picture(pixels), 0.9, "a", NOW)  # type: ignore[arg-type]


def test_a_number_adds_its_digits_and_only_where_it_can_be_cut() -> None:
    recognizer = Recognizer()
    strip = np.concatenate([seven(), seven()], 1)[:, 60:340]
    number = correction(strip, "74", "number")
    others = [replace(number, label="741"), correction(seven(), ",", "symbol")]
    examples = examples_of([correction(seven(), "1"), number, *others], recognizer)
    assert [each.label for each in examples] == [1, 7, 4]
    assert np.array_equal(examples[0].pixels, seven())
    assert [recognizer.predict(each.pixels).digit for each in examples] == [7, 7, 7]


def test_what_like_pictures_contradict_is_refused_and_the_rest_is_asked_about() -> None:
    framing = folded(weights_of("inkdigit")[2].framing)
    pictures, labels = digits(10)
    wrong = [Example("right", seven(), 7), Example("also right", seven(), 7), Example("wrong", seven(), 4)]
    alone = [Example(f"alone {place}", pictures[place], (labels[place] + 1) % 10) for place in range(7)]
    examples, frames = framed_examples([*wrong, *alone], framing)
    doubts = doubts_about(examples, frames)
    assert [examples[place].correction for place in doubts.refused] == ["wrong"]
    asked = {examples[place].correction for place in doubts.asked}
    assert asked
    assert asked <= {each.correction for each in alone}


def test_blank_examples_are_left_out_and_a_quarter_is_held_out() -> None:
    framing = folded(weights_of("inkdigit")[2].framing)
    blank = Example("blank", np.full((40, 40), 255, np.uint8), 3)
    examples, frames = framed_examples([blank, *(Example(str(place), seven(), 7) for place in range(40))], framing)
    assert len(examples) == 40
    assert isinstance(frames, Frames)
    assert torch.equal(frames.labels, torch.full((40,), 7))
    apart = held_out_ids(examples)
    assert len(apart) == 10
    assert held_out_ids(list(reversed(examples))) == apart
