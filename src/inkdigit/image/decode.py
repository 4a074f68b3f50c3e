"""Decode image files and PIL images with Pillow, or plain PNGs on a faster path: EXIF rotation, modes, 16 bits."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ..errors import InputError
from .arrays import Pixels, as_eight_bits, as_pixels, reduced
from .formats import DAMAGED, decoding, picture_formats
from .limits import reduction, too_many_pixels
from .pdf import AS_PAGES, is_pdf
from .png import PNG, PlainPng, plain_png
from .sanitize import JPEG, is_honest, sanitize

Picture = PlainPng | Image.Image  # a file, opened

# The transposition that turns a picture upright, by its EXIF orientation.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ORIENTATION = 0x0112


def open_file(data: bytes) -> Picture:
    """Read the header of an image file. Raises InputError on an unknown format or a broken header."""
    return plain_png(data) or _open(data)


def decode_cost(picture: Picture, data: bytes | None) -> int | None:
    """Return how many values (pixels times channels) to decode; None where the header does not tell, as in TIFF."""
    if data is not None and not data.startswith((PNG, JPEG)):
        return None
    width, height = picture.size
    return width * height * (picture.channels if isinstance(picture, PlainPng) else len(picture.getbands()))


def decode(picture: Picture, data: bytes | None, max_side: int) -> Pixels:
    """Decode an opened picture to gray pixels; `data` is the file that it was opened from, if any. Raises InputError.

    A large JPEG file is decoded smaller, which changes the PIL object.
    """
    if isinstance(picture, PlainPng):
        values = picture.pixels() if max(picture.size) <= max_side else None
        if values is not None:
            return as_pixels(as_eight_bits(values), max_side)
        picture = _open(data or b"")
    width, height = picture.size
    factor = reduction(max(width, height), max_side)
    if data is not None and factor > 1:
        picture.draft(None, (max(1, width // factor), max(1, height // factor)))
    return as_pixels(as_eight_bits(_values(picture, max_side)), max_side)


def upright_rgb(picture: Picture, data: bytes | None) -> Image.Image:
    """Return a picture for people to look at: RGB, upright, of its own size, on white. Raises InputError."""
    opened = _open(data or b"") if isinstance(picture, PlainPng) else picture
    with decoding():
        shown = _plain_mode(_upright(opened))
        if shown.mode == "RGBA":
            shown = Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown)
        return shown.convert("RGB")


def _open(data: bytes) -> Image.Image:
    formats = picture_formats()
    needed = io.BytesIO(sanitize(data))
    with decoding("The picture is damaged and cannot be read."):
        try:
            return Image.open(needed, formats=formats)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise too_many_pixels() from error
        except UnidentifiedImageError as error:
            raise _unidentified(data, formats) from error


def _unidentified(data: bytes, formats: tuple[str, ...]) -> InputError:
    if is_pdf(data):
        return InputError(AS_PAGES, "unsupported_format")
    if data[4:12] in {b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"} and "HEIF" not in formats:
        return InputError("HEIC pictures need the extra: pip install 'inkdigit[heif]'.", "unsupported_format")
    accepts = (Image.OPEN[name][1] for name in formats if name in Image.OPEN)
    if any(accept is not None and accept(data[:16]) is True for accept in accepts):
        return InputError(DAMAGED, "broken_image")
    return InputError(f"This is not a picture in a format that is read ({', '.join(formats)}).", "unsupported_format")


def _values(picture: Image.Image, max_side: int) -> NDArray[Any]:
    """Decode a picture by Pillow to an array [H, W] or [H, W, 3|4]."""
    with decoding():
        picture.load()
        values = np.asarray(reduced(_plain_mode(_upright(picture)), max_side))
    return _sixteen_bits(values) if values.dtype == np.int32 else values


def _upright(picture: Image.Image) -> Image.Image:
    """Rotate a picture as its EXIF orientation says; unreadable EXIF is ignored."""
    turn = None
    try:
        with decoding():
            if is_honest(_exif(picture.info)):
                turn = TURNS.get(picture.getexif().get(ORIENTATION, 1))
    except InputError:
        return picture
    return picture if turn is None else picture.transpose(turn)


def _exif(info: Mapping[Any, Any]) -> bytes:
    """Return the EXIF bytes; ImageMagick writes them into PNG as hexadecimal text."""
    if "exif" in info or "Raw profile type exif" not in info:
        return info.get("exif") or b""
    return bytes.fromhex("".join(info["Raw profile type exif"].split("\n")[3:]))


def _plain_mode(picture: Image.Image) -> Image.Image:
    """Convert Pillow's modes to those that an array may have: gray, RGB or RGBA."""
    mode = picture.mode
    if mode in {"I", "F", "RGBA"} or mode.startswith("I;16"):
        return picture
    if mode == "LAB":  # Pillow cannot convert it; three axes of colour are all that is needed here
        return Image.merge("RGB", picture.split())
    if mode == "La":
        return picture.convert("LA").convert("RGBA")
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return picture if mode in {"L", "RGB"} else picture.convert("L" if mode == "1" else "RGB")


def _sixteen_bits(values: NDArray[np.int32]) -> NDArray[Any]:
    """Convert 32-bit values from Pillow to uint16 where they need more than 8 bits and fit 16."""
    fits = values.min() >= 0 and 255 < values.max() <= 65535
    return values.astype(np.uint16) if fits else values
