"""Arrays to pixels."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from inkdigit.errors import InputError
from inkdigit.image import load_pixels

from .files import refused


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (np.array([[0, 1, 255]], np.uint8), [0, 1, 255]),
        (np.array([[0, 128, 129, 257, 65535]], np.uint16), [0, 0, 1, 1, 255]),
        (np.array([[0, 257, 65535]], ">u2"), [0, 1, 255]),
        (np.array([[0, 0.5, 1]]), [0, 128, 255]),
        (np.array([[0, 0.5, 1]], np.float16), [0, 128, 255]),
        (np.array([[0, 1, 1.5, 255]]), [0, 1, 2, 255]),
        (np.array([[0, 1]]), [0, 255]),
        (np.array([[0, 1, 2]], np.int8), [0, 1, 2]),
        (np.array([[0, 255]], np.uint64), [0, 255]),
        (np.array([[False, True]]), [0, 255]),
        ([[0, 1]], [0, 255]),
        ([[0.0, 200]], [0, 200]),
    ],
)
def test_ranges_of_arrays(values: Any, wanted: list[int]) -> None:
    pixels = load_pixels(values)
    assert pixels.dtype == np.uint8
    assert pixels.tolist() == [wanted]


@pytest.mark.parametrize(
    "values",
    [
        np.array([[np.nan, 1]]),
        np.array([[np.inf, 1]]),
        np.array([[-1, 1]]),
        np.array([[0, 256]]),
        np.array([[0, 256]], np.uint32),
        np.zeros((0, 5)),
        np.zeros((5, 0, 3)),
        np.zeros(5),
        np.zeros((2, 2, 2)),
        np.zeros((1, 2, 2, 3)),
        np.array(3),
        np.array([["a", "b"]]),
        np.array([[None, 1]]),
        np.array([[10**30, 1]]),
        np.array([[1j, 1]]),
        np.array([["2020-01-01"]], "M8[D]"),
        np.array([["a"]], np.dtypes.StringDType()),
        np.zeros((2, 2), [("a", "u1")]),
        [[1, 2], [3]],
        [[1, "a"]],
        [[[1, 2], 3]],
        [],
        [[]],
        None,
        5,
        {"a": 1},
    ],
)
def test_arrays_that_are_no_picture(values: Any) -> None:
    assert refused(values) == "bad_array"


@settings(max_examples=150, deadline=2000)
@given(
    hnp.arrays(
        st.one_of(hnp.scalar_dtypes(), st.just(np.dtype(object)), hnp.unicode_string_dtypes()),
        st.one_of(
            hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
            st.tuples(st.integers(1, 5), st.integers(1, 5), st.sampled_from([1, 3, 4])),
        ),
    )
)
def test_any_array_gives_pixels_or_an_input_error(values: Any) -> None:
    try:
        pixels = load_pixels(values)
    except InputError as error:
        assert error.code == "bad_array"  # noqa: PT017
        return
    assert pixels.dtype == np.uint8
    assert pixels.shape == values.shape[:2]


@pytest.mark.parametrize("highest", [1.0, np.float32(1.0000001), 1.00001])
def test_a_rounding_error_over_one_is_still_a_share(highest: float) -> None:
    values = np.zeros((8, 8))
    values[2:6, 3:5] = highest
    assert load_pixels(values).max() == 255
