"""The answer, and how it is written down."""

import base64
import dataclasses
import io
import json

import numpy as np
import pytest
from PIL import Image

from inkdigit.prediction import Model, Prediction, Thresholds, frame_png, percent

FRAME = np.linspace(0, 1, 784, dtype=np.float32).reshape(28, 28)
MODEL = Model("mine", "1.2.3")


def answer(
    digitness: float = 0.9, probabilities: tuple[float, ...] = (0.1, 0.7, 0.2), labels: str = "078"
) -> Prediction:
    return Prediction(tuple(labels), probabilities, digitness, FRAME, Thresholds(0.5, 0.7), MODEL)


def test_the_answer_is_the_most_probable_label() -> None:
    assert (answer().digit, answer().confidence) == (7, 0.7)
    assert answer(labels="0x8").digit == "x"


def test_thresholds_are_the_contracts_and_inclusive() -> None:
    assert answer(0.5).is_digit
    assert not answer(0.49).is_digit
    assert answer().is_sure
    assert not answer(probabilities=(0.31, 0.69, 0.0)).is_sure


def test_a_prediction_is_frozen_and_compared_by_identity() -> None:
    one = answer()
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.digitness = 1.0  # type: ignore[misc]
    assert one == one  # noqa: PLR0124
    assert one != answer()


def test_the_dictionary_is_json_with_the_keys_of_v1_predict() -> None:
    written = json.loads(json.dumps(answer().as_dict(frame=True)))
    png = base64.b64decode(written.pop("frame").removeprefix("data:image/png;base64,"))
    assert written == {
        "digit": 7,
        "confidence": 0.7,
        "probabilities": [0.1, 0.7, 0.2],
        "is_digit": True,
        "digitness": 0.9,
        "is_sure": True,
        "model": {"name": "mine", "version": "1.2.3"},
    }
    assert "frame" not in answer().as_dict()
    assert png == frame_png(FRAME)
    np.testing.assert_allclose(np.asarray(Image.open(io.BytesIO(png))) / 255, FRAME, atol=0.002)


def test_the_verdict_says_how_far_to_trust_the_answer() -> None:
    assert answer().verdict == "A clear seven."
    assert answer(probabilities=(0.4, 0.4, 0.2)).verdict == "Not sure. Perhaps zero, or seven."
    assert answer(0.4, labels="xyz").verdict == "Not a digit. The nearest would be y."


def test_a_percentage_is_never_certainty() -> None:
    assert [percent(share) for share in (0.5, 0.9996, 1.0)] == ["50.0%", "99.96%", "99.99%"]
