"""What an answer rests on: found where the ink is, and nowhere else."""

import io

import numpy as np
import pytest
from PIL import Image

from inkdigit import Recognizer
from inkdigit.explain import PATCH, occlusion, occlusion_png

from .pictures import seven


def test_the_answer_rests_on_ink_and_on_what_tells_it_apart() -> None:
    recognizer = Recognizer()
    answer = recognizer.predict(seven())
    falls = occlusion(recognizer, answer)
    assert falls.shape == (28, 28)
    assert falls.dtype == np.float32
    assert falls.min() >= 0
    assert 0 < falls.max() <= 1
    rows, columns = np.nonzero(answer.frame > 0.1)
    far = np.ones((28, 28), bool)
    far[max(0, rows.min() - PATCH) : rows.max() + PATCH, max(0, columns.min() - PATCH) : columns.max() + PATCH] = False
    assert not falls[far].any(), "where there is no ink within a patch, nothing changes"
    # A seven without its bar is a one; without its foot, still a seven.
    assert falls[:14].mean() > falls[18:].mean()


def test_the_picture_of_a_map_is_clear_where_nothing_changes() -> None:
    falls = np.zeros((28, 28), np.float32)
    falls[3, 4] = 0.5
    shown = np.asarray(Image.open(io.BytesIO(occlusion_png(falls))).getchannel("A"))
    assert (shown[3, 4], int(shown.sum())) == (255, 255)
    assert np.asarray(Image.open(io.BytesIO(occlusion_png(falls * 0)))).max() == pytest.approx(0)
