"""What lies beside the pixels of a file."""

import numpy as np
import pytest

from inkdigit.image import load_pixels

from .files import hidden, refused


@pytest.mark.parametrize("name", hidden())
def test_what_is_beside_the_pixels_is_left_out_or_too_much(name: str) -> None:
    data, wanted = hidden()[name]
    if isinstance(wanted, str):
        assert refused(data) == wanted
    else:
        np.testing.assert_array_equal(load_pixels(data), load_pixels(wanted), strict=True)
