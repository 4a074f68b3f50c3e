"""Pictures in every format, by Pillow and by hand: sound, damaged, and claiming to be what they are not."""

import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inkdigit.errors import InputError
from inkdigit.image import load_pixels

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
