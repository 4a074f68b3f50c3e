"""What is stored of a picture: gray, within the limits, without metadata, and of a box its surroundings."""

import io
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inkdigit.corrections.picture import MAX_STORED, stored_picture
from inkdigit.errors import InputError
from inkdigit.image import PREDICT_SIDE, load_pixels

from ..pictures import encoded, seven


def pixels_of(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def test_the_pixels_stay_and_the_metadata_go() -> None:
    exif = Image.Exif()
    exif[0x010E] = "at home"  # ImageDescription
    sent = encoded(Image.fromarray(seven()).convert("RGB"), exif=exif)
    assert b"at home" in sent
    stored = stored_picture(sent)
    assert b"at home" not in stored
    assert Image.open(io.BytesIO(stored)).mode == "L"
    assert np.array_equal(load_pixels(stored), load_pixels(sent))


def test_a_box_keeps_itself_and_a_little_around() -> None:
    page = np.full((300, 900), 255, np.uint8)
    page[100:200, 400:500] = np.arange(100)
    part = pixels_of(stored_picture(page, (400, 100, 500, 200)))
    assert part.shape == (130, 130)
    assert np.array_equal(part[15:-15, 15:-15], page[100:200, 400:500])
    large = np.kron(page, np.ones((8, 8), np.uint8))  # which `read` sees at half its size or less
    assert pixels_of(stored_picture(large, (3200, 800, 4000, 1600))).shape == (260, 260)


def test_a_large_or_noisy_picture_is_reduced() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (1500, 3000), np.uint8)
    stored = stored_picture(noise)
    assert len(stored) <= MAX_STORED
    assert max(pixels_of(stored).shape) <= PREDICT_SIDE


@pytest.mark.parametrize("box", [None, (0, 0, 20, 20)])
def test_nothing_is_stored_of_blank_paper(box: tuple[float, float, float, float] | None) -> None:
    page = np.full((100, 100), 255, np.uint8)
    page[90:, 90:] = 0 if box else 255
    with pytest.raises(InputError) as refused:
        stored_picture(page, box)
    assert refused.value.code == "blank_image"


edges = st.floats(-1e6, 1e6)


@settings(max_examples=100, deadline=None)
@given(st.tuples(edges, edges, edges, edges))
def test_any_box_is_cut_or_refused(box: tuple[float, float, float, float]) -> None:
    page = np.arange(64, dtype=np.uint8).reshape(8, 8)
    with suppress(InputError):
        assert pixels_of(stored_picture(page, box)).size <= 64
