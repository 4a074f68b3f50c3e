"""bytes → pixels: every line of DESIGN's *Pixels*, on files that Pillow wrote."""

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from inkdigit.errors import InputError
from inkdigit.image import MAX_BYTES, MAX_PIXELS, PREDICT_SIDE, load_pixels
from inkdigit.image.decode import TURNS
from inkdigit.image.formats import picture_formats, picture_suffixes

from ..pictures import Grey, encoded, seven

SEVEN = seven(48)
RGB = Image.fromarray(SEVEN).convert("RGB")


def refused(image: Any) -> str:
    with pytest.raises(InputError) as caught:
        load_pixels(image)
    assert str(caught.value).endswith(".")
    return caught.value.code


def transparent(alpha: Grey, ink: int, hidden: int | None = None) -> Image.Image:
    """Lay ink of one grey by alpha; `hidden` is the colour under what is fully transparent."""
    colour = np.where(alpha == 0, ink if hidden is None else hidden, ink).astype(np.uint8)
    return Image.fromarray(np.dstack([colour, colour, colour, alpha]))


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(
    width: int, height: int, depth: int, colour: int, rows: list[bytes], *extra: bytes, interlace: int = 0
) -> bytes:
    """Write a PNG by hand, for what Pillow does not write: each row's bytes, filter byte included."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    parts = [chunk(b"IHDR", head), *extra, chunk(b"IDAT", zlib.compress(b"".join(rows))), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


LOSSLESS: dict[str, Callable[[], bytes]] = {
    "PNG": lambda: encoded(SEVEN),
    "PNG RGB": lambda: encoded(RGB),
    "PNG RGBA, opaque": lambda: encoded(RGB.convert("RGBA")),
    "PNG grey and alpha, opaque": lambda: encoded(Image.fromarray(SEVEN).convert("LA")),
    "PNG 16 bit": lambda: encoded(SEVEN.astype(np.uint16) * 257),
    "PNG palette": lambda: encoded(Image.fromarray(SEVEN).convert("P")),
    "BMP": lambda: encoded(RGB, "BMP"),
    "GIF": lambda: encoded(SEVEN, "GIF"),
    "WebP": lambda: encoded(RGB, "WEBP", lossless=True),
    "TIFF": lambda: encoded(SEVEN, "TIFF"),
    "TIFF deflated": lambda: encoded(RGB, "TIFF", compression="tiff_adobe_deflate"),
    "TIFF 16 bit": lambda: encoded(SEVEN.astype(np.uint16) * 257, "TIFF"),
    "TIFF 16 bit, big-endian": lambda: encoded(
        Image.frombytes("I;16B", (48, 48), (SEVEN.astype(">u2") * 257).tobytes()), "TIFF"
    ),
    "TIFF 32 bit": lambda: encoded(Image.fromarray(SEVEN.astype(np.int32) * 257), "TIFF"),
    "TIFF float, to 1": lambda: encoded(SEVEN.astype(np.float32) / 255, "TIFF"),
    "TIFF float, to 255": lambda: encoded(SEVEN.astype(np.float32), "TIFF"),
    "GIF animation": lambda: encoded(SEVEN, "GIF", save_all=True, append_images=[Image.new("L", (48, 48), 9)]),
    "WebP animation": lambda: encoded(
        RGB, "WEBP", lossless=True, save_all=True, append_images=[Image.new("RGB", (48, 48), "red")]
    ),
    "APNG": lambda: encoded(RGB, save_all=True, append_images=[Image.new("RGB", (48, 48), "red")]),
    "PNG interlaced": lambda: png(48, 48, 8, 0, adam7(SEVEN), interlace=1),
}
LOSSY: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: encoded(SEVEN, "JPEG", quality=90),
    "JPEG progressive": lambda: encoded(RGB, "JPEG", quality=90, progressive=True),
    "JPEG CMYK": lambda: encoded(RGB.convert("CMYK"), "JPEG", quality=90),
    "MPO": lambda: encoded(RGB, "MPO", quality=90, save_all=True, append_images=[Image.new("RGB", (48, 48), "red")]),
    "WebP lossy": lambda: encoded(RGB, "WEBP", quality=90),
    "TIFF LAB": lambda: encoded(lab(), "TIFF"),
    "HEIC": lambda: encoded(RGB, "HEIF", quality=90),
}


def adam7(grey: Grey) -> list[bytes]:
    """Return the rows of an interlaced PNG's seven passes."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    return [b"\0" + row.tobytes() for x, y, dx, dy in passes for row in grey[y::dy, x::dx]]


def lab() -> Image.Image:
    neutral = Image.new("L", RGB.size, 128)
    return Image.merge("LAB", (Image.fromarray(SEVEN), neutral, neutral))


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


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_png_of_few_bits_a_pixel(depth: int) -> None:
    levels = np.tile(np.arange(1 << depth, dtype=np.uint8), 8)
    bits = np.unpackbits(levels[:, None], axis=1)[:, 8 - depth :]
    data = png(len(levels), 1, depth, 0, [b"\0" + np.packbits(bits).tobytes()])
    np.testing.assert_array_equal(load_pixels(data)[0], np.rint(levels * (255 / ((1 << depth) - 1))))


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


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_exif_that_cannot_be_read_does_not_lose_the_picture() -> None:
    for junk in (b"", b"II*\0", b"MM\0*\0\0\0\x08\xff\xff" + b"\x01" * 40, bytes(range(256))):
        assert load_pixels(encoded(SEVEN, "JPEG", exif=b"Exif\0\0" + junk)).shape == (48, 48)


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


def test_a_picture_of_one_pixel_has_no_colour_axis_to_fail_on() -> None:
    assert load_pixels(np.array([[[255, 0, 10]]], np.uint8)).shape == (1, 1)


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


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"P5 1 1 255 x"]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    assert refused(data) == "unsupported_format"


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    for name in (tmp_path / "none.png", tmp_path, "", "nul\0.png", str(tmp_path / ("x" * 300))):
        assert refused(name) == "unreadable_file"


def test_suffixes_are_those_of_the_formats() -> None:
    assert {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".mpo"} <= picture_suffixes()
    assert not {".pdf", ".svg", ".txt", ".eps"} & picture_suffixes()


def claims() -> dict[str, bytes]:
    """Return tiny files that say they are huge."""
    side = 20_000
    gif = b"GIF89a" + struct.pack("<HHBBB", side, side, 0, 0, 0) + b"," + struct.pack("<HHHHB", 0, 0, side, side, 0)
    tags = [(256, 4, 1, side), (257, 4, 1, side), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8)]
    tags += [(277, 3, 1, 1), (278, 4, 1, side), (279, 4, 1, 10)]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    webp = b"VP8X" + struct.pack("<I", 10) + bytes(4) + 2 * struct.pack("<I", 16_000)[:3]
    bmp = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
    tiny = encoded(SEVEN, "JPEG")
    place = tiny.index(b"\xff\xc0") + 5
    return {
        "PNG": png(side, side, 8, 6, [b"\0"]),
        "PNG, one line": png(2**31 - 1, 1, 8, 0, [b"\0"]),
        "GIF": gif + b"\x02\x02\x4c\x01\x00;",
        "TIFF": b"II*\0" + struct.pack("<I", 8) + directory,
        "WebP": b"RIFF" + struct.pack("<I", len(webp) + 4) + b"WEBP" + webp,
        "BMP": b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + bmp,
        "JPEG": tiny[:place] + struct.pack(">HH", 60_000, 60_000) + tiny[place + 4 :],
    }


@pytest.mark.filterwarnings("default::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("name", claims())
def test_a_tiny_file_that_claims_to_be_huge_is_refused(name: str) -> None:
    assert refused(claims()[name]) == ("broken_image" if name == "WebP" else "too_many_pixels")


def entries(count: int, size: int, *own: tuple[int, int, int, int]) -> bytes:
    """Return a TIFF's directory with `count` entries that all claim the same `size` bytes behind it."""
    start = 10 + 12 * (len(own) + count) + 4
    tags = sorted([*own, *((40_000 + number, 7, size, start) for number in range(count))])
    directory = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + directory + bytes(4 + size)


def hidden() -> dict[str, tuple[bytes, bytes | str]]:
    """Return files with hundreds of times their bytes beside the pixels; and the same without, or their refusal."""
    tags = [(256, 4, 1, 28), (257, 4, 1, 28), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 0)]
    grey, jpeg, gif, scanned = (
        encoded(SEVEN),
        encoded(SEVEN, "JPEG"),
        encoded(SEVEN, "GIF"),
        encoded(SEVEN, "JPEG", progressive=True),
    )
    see_through = grey[:33] + chunk(b"tRNS", b"\0\7") + grey[33:]
    text = chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(2**20 - 1), 9))
    profile = chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(2**26), 9))
    exif = b"Exif\0\0" + entries(2000, 40_000)
    scan = scanned.rindex(b"\xff\xda")
    behind_palette = 13 + (3 << (gif[10] & 7) + 1)
    return {
        "TIFF": (entries(200, 2**20, *tags), "broken_image"),
        "BigTIFF, nowhere": (b"II+\0" + struct.pack("<HHQ", 8, 0, 2**64 - 1), "broken_image"),
        "PNG, EXIF": (grey[:33] + chunk(b"eXIf", entries(200, 2**20)) + grey[33:], grey),
        "PNG, texts": (see_through[:33] + 500 * text + see_through[33:], see_through),
        "PNG, profile": (grey[:33] + profile + grey[33:], grey),
        "PNG, chunks": (see_through[:33] + 50_000 * chunk(b"none", b"") + see_through[33:], "broken_image"),
        "JPEG, EXIF": (jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:], jpeg),
        "JPEG, notes": (jpeg[:2] + 50_000 * b"\xff\xfe\0\3x" + jpeg[2:], "broken_image"),
        "JPEG, scans": (scanned[:scan] + 500 * scanned[scan:-2] + scanned[-2:], "broken_image"),
        "GIF, notes": (gif[:behind_palette] + 50_000 * b"!\xfe\1x\0" + gif[behind_palette:], "broken_image"),
    }


@pytest.mark.parametrize("name", hidden())
def test_what_is_beside_the_pixels_is_left_out_or_too_much(name: str) -> None:
    data, wanted = hidden()[name]
    if isinstance(wanted, str):
        assert refused(data) == wanted
    else:
        np.testing.assert_array_equal(load_pixels(data), load_pixels(wanted), strict=True)


def test_limits_of_pictures_and_arrays() -> None:
    side = int(MAX_PIXELS**0.5)
    assert load_pixels(encoded(Image.new("1", (side, side)))).shape == (1024, 1024)
    assert refused(Image.new("1", (side, side + 1))) == "too_many_pixels"
    assert refused(np.broadcast_to(np.uint8(0), (side, side + 1))) == "too_many_pixels"
    assert refused(bytes(MAX_BYTES + 1)) == "too_many_bytes"


def test_a_file_over_the_limit_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(1 << 40)
    assert refused(tmp_path / "large.png") == "too_many_bytes"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_claims_of_size_take_no_memory(tmp_path: Path) -> None:
    for number, data in enumerate([*claims().values(), *(data for data, _ in hidden().values())]):
        (tmp_path / str(number)).write_bytes(data)
    script = (
        "import re, sys, warnings; from inkdigit.errors import InputError; from inkdigit.image import load_pixels\n"
        "from inkdigit.image.formats import picture_formats\n"
        "warnings.simplefilter('ignore'); picture_formats()\n"
        "peak = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
        "before = peak()\n"
        "for name in sys.argv[1:]:\n"
        "    try: load_pixels(name)\n"
        "    except InputError: pass\n"
        "print((peak() - before) // 1024)"
    )
    command = [sys.executable, "-c", script, *(str(path) for path in sorted(tmp_path.iterdir()))]
    assert int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) < 20  # MiB


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
