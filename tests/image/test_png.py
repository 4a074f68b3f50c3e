"""PNG files that Pillow does not write."""

import numpy as np
import pytest
from PIL import Image

from inkdigit.errors import InputError
from inkdigit.image import load_pixels

from ..pictures import encoded
from .files import SEVEN, png


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_png_of_few_bits_a_pixel(depth: int) -> None:
    levels = np.tile(np.arange(1 << depth, dtype=np.uint8), 8)
    bits = np.unpackbits(levels[:, None], axis=1)[:, 8 - depth :]
    data = png(len(levels), 1, depth, 0, [b"\0" + np.packbits(bits).tobytes()])
    np.testing.assert_array_equal(load_pixels(data)[0], np.rint(levels * (255 / ((1 << depth) - 1))))


def test_a_png_that_lost_its_palette_is_damaged() -> None:
    data = encoded(Image.fromarray(SEVEN).convert("RGB").quantize(4))
    start = data.index(b"PLTE") - 4
    without = data[:start] + data[start + 12 + int.from_bytes(data[start : start + 4], "big") :]
    with pytest.raises(InputError) as caught:
        load_pixels(without)
    assert caught.value.code == "broken_image"


def test_a_turn_that_stands_behind_the_pixels_of_a_png_counts() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(SEVEN, exif=exif.tobytes())
    start = data.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4], "big")
    behind = data[:start] + data[end:-12] + data[start:end] + data[-12:]
    assert np.array_equal(load_pixels(behind), load_pixels(data))
    assert np.array_equal(load_pixels(behind), np.rot90(load_pixels(encoded(SEVEN)), -1))
