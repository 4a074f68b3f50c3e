"""The entrance: paths and large pictures."""

from pathlib import Path

import numpy as np
import pytest

from inkdigit.image import PREDICT_SIDE, load_pixels

from ..pictures import encoded
from .files import refused


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    for name in (tmp_path / "none.png", tmp_path, "", "nul\0.png", str(tmp_path / ("x" * 300))):
        assert refused(name) == "unreadable_file"


@pytest.mark.parametrize(("height", "width"), [(1600, 1601), (3, 20_000), (3201, 40)])
def test_large_pictures_are_reduced_by_boxes(height: int, width: int) -> None:
    page = np.random.default_rng(0).integers(0, 256, (height, width), np.uint8)
    pixels = load_pixels(page)
    assert max(pixels.shape) <= PREDICT_SIDE < 2 * max(pixels.shape)
    np.testing.assert_array_equal(load_pixels(encoded(page)), pixels)
    np.testing.assert_array_equal(load_pixels(page[..., None]), pixels)
    factor = -(-width // pixels.shape[1]) if width > height else -(-height // pixels.shape[0])
    assert abs(float(pixels[0, 0]) - page[:factor, :factor].mean()) <= 1
    assert max(load_pixels(encoded(page, "JPEG")).shape) == max(pixels.shape)
