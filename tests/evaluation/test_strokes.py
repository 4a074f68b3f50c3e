"""Pen strokes: the file format, the split by writers, and drawing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkdigit.errors import DataError
from inkdigit.evaluation.strokes import draw, fitted, is_test_writer, parse_unipen

UNIPEN = """.SEGMENT DIGIT 0-1 ? "8"
.COMMENT 8 14 2
.PEN_DOWN
 0 10
 5 0
.PEN_UP
.DT 100
.PEN_DOWN
 1 1
.PEN_UP
.SEGMENT DIGIT 2 ? "1"
.COMMENT  1  3 7
.PEN_DOWN
 4 4
 4 9
.PEN_UP
"""


def test_a_digit_of_unipen_has_its_label_its_writer_and_its_strokes_with_y_downward() -> None:
    eight, one = parse_unipen(UNIPEN)
    assert (eight.label, eight.writer) == (8, 14)
    assert [stroke.tolist() for stroke in eight.strokes] == [[[0, -10], [5, 0]], [[1, -1]]]
    assert (one.label, one.writer) == (1, 3)
    assert len(one.strokes) == 1


@pytest.mark.parametrize("part", [".COMMENT 8 14 2", "PEN_DOWN"])
def test_a_segment_without_writer_or_strokes_is_refused(part: str) -> None:
    with pytest.raises(DataError, match="no writer or no strokes"):
        parse_unipen(UNIPEN.replace(part, ""))


def test_every_third_writer_is_kept_for_the_test() -> None:
    assert [writer for writer in range(1, 11) if is_test_writer(writer)] == [3, 6, 9]


@given(
    st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)), min_size=2, max_size=8),
    st.floats(1, 500),
    st.tuples(st.floats(-100, 100), st.floats(-100, 100)),
)
def test_fitted_strokes_have_the_side_and_the_centre(
    points: list[tuple[float, float]], side: float, centre: tuple[float, float]
) -> None:
    given_points = np.array(points, np.float32)
    if np.ptp(given_points, axis=0).max() < 1:
        return
    (found,) = fitted([given_points], side, centre)
    low, high = found.min(0), found.max(0)
    assert np.allclose((high - low).max(), side, rtol=1e-2, atol=0.2)
    assert np.allclose((low + high) / 2, centre, atol=0.2 + 1e-3 * side)


def test_a_dot_can_be_fitted_and_drawn() -> None:
    (dot,) = fitted([np.zeros((2, 2), np.float32)], 50, (20, 30))
    assert np.allclose(dot, [20, 30])
    drawn = draw([dot], 6, 60)
    rows, columns = np.nonzero(drawn > 127)
    assert abs(rows.mean() - 29.5) < 1
    assert abs(columns.mean() - 19.5) < 1
    assert 20 < len(rows) < 45  # a disc of 6 px


def test_a_line_is_as_wide_as_its_pen() -> None:
    line = np.array([(10, 40), (70, 40)], np.float32)
    drawn = draw([line], 8, 80)
    assert drawn.dtype == np.uint8
    assert drawn[:, 40].sum() / 255 == pytest.approx(8, abs=0.6)
    assert drawn[:, 2].max() == 0
