"""Files of every format to pixels: sound, truncated and damaged."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from inkdigit.errors import InputError
from inkdigit.image import load_pixels
from inkdigit.image.decode import TURNS
from inkdigit.image.formats import picture_formats

from ..pictures import encoded, seven
from .files import LOSSLESS, LOSSY, RGB, SEVEN, refused


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_formats_give_the_same_pixels_whatever_they_are_given_as(name: str, tmp_path: Path) -> None:
    data = LOSSLESS[name]()
    (tmp_path / "picture").write_bytes(data)
    opened = Image.open(io.BytesIO(data))
    named = tmp_path / "picture"
    for image in (data, bytearray(data), named, str(named), opened, SEVEN, SEVEN[..., None]):
        np.testing.assert_array_equal(load_pixels(image), SEVEN)


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_formats_give_nearly_the_same_pixels(name: str) -> None:
    if name == "HEIC":
        pytest.importorskip("pillow_heif", reason="the extra heif is not installed")
        assert "HEIF" in picture_formats()
    data = LOSSY[name]()
    pixels = load_pixels(data)
    np.testing.assert_array_equal(load_pixels(Image.open(io.BytesIO(data))), pixels)
    assert np.abs(pixels.astype(int) - SEVEN).mean() < 4


@pytest.mark.parametrize(
    "mode", ["1", "P", "CMYK", "YCbCr", "HSV", "RGBX", "RGBa", "La", "PA", "LA", "I", "F", "I;16B"]
)
def test_every_mode_of_pillow_is_read(mode: str) -> None:
    assert load_pixels(Image.new(mode, (5, 4))).shape == (4, 5)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "HEIF"])
@pytest.mark.parametrize("orientation", [None, *range(1, 9), 77])
def test_exif_turn(kind: str, orientation: int | None) -> None:
    if kind == "HEIF":
        pytest.importorskip("pillow_heif", reason="the extra heif is not installed")
        picture_formats()
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    back = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    turn = back.get(orientation or 1, TURNS.get(orientation or 1))
    wide = Image.fromarray(SEVEN[:32])
    stored = wide if turn is None else wide.transpose(turn)
    pixels = load_pixels(encoded(stored.convert("RGB"), kind, exif=exif.tobytes()))
    assert pixels.shape == (32, 48)
    assert np.abs(pixels.astype(int) - SEVEN[:32]).mean() < 8


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_exif_that_cannot_be_read_does_not_lose_the_picture() -> None:
    for junk in (b"", b"II*\0", b"MM\0*\0\0\0\x08\xff\xff" + b"\x01" * 40, bytes(range(256))):
        assert load_pixels(encoded(SEVEN, "JPEG", exif=b"Exif\0\0" + junk)).shape == (48, 48)


def test_a_jpeg_decoded_smaller_differs_by_a_few_levels() -> None:
    page = np.asarray(Image.fromarray(seven(300)).resize((2400, 1800), Image.Resampling.BICUBIC))
    drafted, whole = (load_pixels(image).astype(int) for image in (encoded(page, "JPEG", quality=90), page))
    assert drafted.shape == whole.shape
    assert np.abs(drafted - whole).max() < 40
    assert np.abs(drafted - whole).mean() < 1


@pytest.mark.parametrize("name", [*LOSSLESS, *LOSSY])
def test_truncated_files_are_refused_with_a_code(name: str) -> None:
    if name == "HEIC":
        pytest.importorskip("pillow_heif", reason="the extra heif is not installed")
    data = (LOSSLESS | LOSSY)[name]()
    assert refused(data[:30]) == "broken_image"
    for part in (0.3, 0.6):  # an animation's first frame may still be whole
        try:
            load_pixels(data[: int(len(data) * part)])
        except InputError as error:
            assert error.code == "broken_image"  # noqa: PT017


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
def test_a_damaged_tiff_is_an_error_and_no_line_on_stderr(compression: str, capfd: pytest.CaptureFixture[str]) -> None:
    data = encoded(RGB, "TIFF", compression=compression)
    assert refused(data[:10] + b"\xff" * 20 + data[30:]) == "broken_image"  # its pixels come first
    assert capfd.readouterr().err == ""


FILES = [make() for name, make in (LOSSLESS | LOSSY).items() if name != "HEIC"]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Damage a file: some bytes changed, a piece cut out or doubled."""
    data = bytearray(draw(st.sampled_from(FILES)))
    places = st.integers(0, len(data) - 1)
    for place, value in draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=6)):
        data[place] = value
    start, end = sorted((draw(places), draw(places)))
    kind = draw(st.sampled_from(["keep", "cut", "double", "end"]))
    pieces = {"keep": data, "cut": data[:start] + data[end:], "double": data[:end] + data[start:], "end": data[:end]}
    return bytes(pieces[kind])


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=400, deadline=2000, suppress_health_check=[HealthCheck.data_too_large])
@given(damaged())
def test_damaged_files_give_pixels_or_an_input_error(data: bytes) -> None:
    try:
        pixels = load_pixels(data)
    except InputError:
        return
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 2
