"""Colour and transparency to gray: what is ink stays ink."""

import numpy as np
import pytest
from PIL import Image

from inkdigit.image import load_pixels

from ..pictures import encoded
from .files import SEVEN, transparent


@pytest.mark.parametrize("ink", [0, 255])
@pytest.mark.parametrize("hidden", [0, 255, None])
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_ink_on_a_transparent_canvas_is_ink(ink: int, hidden: int | None, kind: str) -> None:
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    picture = transparent(255 - SEVEN, ink, hidden)
    wanted = SEVEN if ink == 0 else 255 - SEVEN
    for image in (encoded(picture, kind, **options), picture, np.asarray(picture), np.asarray(picture) / 255):
        np.testing.assert_allclose(load_pixels(image), wanted, atol=1)


@pytest.mark.parametrize("ink", [0, 255])
def test_other_ways_to_be_transparent(ink: int) -> None:
    mask = SEVEN < 128
    wanted = np.where(mask, ink, 255 - ink)
    palette = Image.fromarray(mask.astype(np.uint8))
    palette.putpalette([90, 90, 90, ink, ink, ink])
    keyed = Image.fromarray(np.where(mask, ink, 128).astype(np.uint8))
    for data in (
        encoded(palette, transparency=0),
        encoded(palette, transparency=bytes([0, 255])),
        encoded(palette, "GIF", transparency=0),
        encoded(keyed, transparency=128),
        encoded(keyed.convert("RGB"), transparency=(128, 128, 128)),
        encoded(Image.merge("LA", (keyed, Image.fromarray(mask).convert("L")))),
    ):
        np.testing.assert_array_equal(load_pixels(data), wanted)


def test_a_faint_pen_and_a_pen_of_two_colours_are_ink_too() -> None:
    faint = load_pixels(transparent((255 - SEVEN) // 4, 0))
    assert int(faint[SEVEN == 255].min()) - int(faint[SEVEN == 0].max()) > 50
    picture = np.array(transparent(255 - SEVEN, 0))
    picture[:, 24:, :3] = (200, 0, 0)
    pixels = load_pixels(picture).astype(int)
    assert abs(pixels[SEVEN == 0] - pixels[SEVEN == 255].mean()).min() > 60


def test_a_sheet_with_a_transparent_margin_goes_on_in_its_own_colour() -> None:
    thin = np.full((60, 60), 240, np.uint8)
    thin[20:40, 30:31] = 20
    for sheet in (thin, 255 - thin):
        page = np.zeros((100, 100, 4), np.uint8)
        page[20:80, 20:80] = np.dstack([sheet, sheet, sheet, np.full_like(sheet, 255)])
        pixels = load_pixels(page)
        assert (pixels[:20] == sheet[0, 0]).all()
        np.testing.assert_array_equal(pixels[20:80, 20:80], sheet)


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_a_fully_transparent_picture_is_blank(colour: int) -> None:
    pixels = load_pixels(transparent(np.zeros((20, 30), np.uint8), 0, colour))
    assert pixels.shape == (20, 30)
    assert (pixels == pixels[0, 0]).all()


@pytest.mark.parametrize("side", [48, 300, 1600])
def test_red_ink_on_green_paper_of_the_same_luminance_is_ink(side: int) -> None:
    page = np.full((side, side, 3), (0, 130, 0), np.uint8)
    page[side // 4 : side // 2, side // 2 : side // 2 + 3] = (255, 0, 0)
    assert np.ptp(np.asarray(Image.fromarray(page).convert("L")).astype(int)) <= 1
    for image in (encoded(page), page, page / 255):
        pixels = load_pixels(image).astype(int)
        assert abs(pixels[side // 3, side // 2 + 1] - pixels[0, 0]) > 150


def test_a_picture_of_one_pixel_has_no_colour_axis_to_fail_on() -> None:
    assert load_pixels(np.array([[[255, 0, 10]]], np.uint8)).shape == (1, 1)
