"""Turn whatever a user gives into pixels: the only place where bytes become pixels.

It knows nothing of digits: which side is ink, and where the ink is, is framing's work, inside the graph.
"""

import functools
import io
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ..errors import InputError
from .formats import DECODER_ERRORS, picture_formats
from .grayscale import grey_ink
from .png import PNG, PlainPng, plain_png
from .sanitize import JPEG, is_honest, lean

MAX_BYTES = 10 * 1024**2
MAX_PIXELS = 64 * 1024**2
MAX_SIDE = 1600  # px, of what is handed on to `predict`
MAX_READ_SIDE = 3200  # px, to `read`

Pixels = NDArray[np.uint8]
ImageLike = str | os.PathLike[str] | bytes | bytearray | Image.Image | NDArray[Any]
Picture = PlainPng | Image.Image  # a file, opened

# What brings a picture upright, by its EXIF orientation.
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


def load_pixels(image: ImageLike, max_side: int = MAX_SIDE) -> Pixels:
    """Return the pixels of an image.

    Takes a path, the bytes of a picture file, a PIL image, or an array [H, W] or [H, W, 1|3|4]. Returns uint8 grey
    [H, W], of either polarity, at most `max_side` px on its longest side. Raises InputError. What one picture is given
    as makes no difference, but for a JPEG over `max_side`: from its bytes it is decoded smaller, within a few levels.
    """
    return load_scaled(image, max_side)[0]


def load_scaled(image: ImageLike, max_side: int) -> tuple[Pixels, int]:
    """Return the pixels of an image as `load_pixels` does, and how many px of the image one of theirs stands for."""
    if isinstance(image, str | os.PathLike):
        image = read_file(Path(image))
    if isinstance(image, bytes | bytearray):
        data = bytes(image)
        picture = open_picture(data)
        factor = reduction(max(picture.size), max_side)  # before decoding, which may change the size
        return decode(picture, data, max_side), factor
    if isinstance(image, Image.Image):
        return _decode(image, max_side), reduction(max(image.size), max_side)
    values = _eight_bits_of(image)
    return array_pixels(values, max_side), reduction(max(values.shape[:2]), max_side)


def upright_image(image: ImageLike) -> Image.Image:
    """Return an image as an RGB picture for people to look at, upright, of its own size. Raises InputError."""
    if isinstance(image, str | os.PathLike):
        image = read_file(Path(image))
    if isinstance(image, bytes | bytearray):
        image = _open(bytes(image))
    if not isinstance(image, Image.Image):
        return Image.fromarray(_eight_bits_of(image)).convert("RGB")
    _check_size(*image.size)
    try:
        picture = _plain_mode(_upright(image))
        if picture.mode == "RGBA":
            paper = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(paper, picture)
        return picture.convert("RGB")
    except DECODER_ERRORS as error:
        raise InputError("The picture is truncated or damaged and cannot be read.", "broken_image") from error


def read_file(path: Path) -> bytes:
    """Read a file of at most `MAX_BYTES`. Raises InputError where it cannot be read or is larger."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: the name has a NUL
        reason = getattr(error, "strerror", None) or "this is no file's name"
        raise InputError(f"The file {path} cannot be read: {reason}.", "unreadable_file") from error
    check_bytes(len(data))
    return data


def check_bytes(count: int) -> None:
    """Refuse more than `MAX_BYTES` with an InputError."""
    if count > MAX_BYTES:
        raise InputError(f"The picture is larger than {MAX_BYTES // 1024**2} MiB.", "too_many_bytes")


def open_picture(data: bytes) -> Picture:
    """Open the bytes of a picture file without decoding it. Raises InputError on an unknown format or a broken head."""
    check_bytes(len(data))
    return plain_png(data) or _open(data)


def may_be_light(data: bytes) -> bool:
    """Tell whether its bytes and pixels say what opening a file costs; of the heads of other formats they do not."""
    return data.startswith((PNG, JPEG))


def count_values(picture: Picture) -> int:
    """Give the number of pixels times channels of an opened picture."""
    width, height = picture.size
    return width * height * (picture.channels if isinstance(picture, PlainPng) else len(picture.getbands()))


def _open(data: bytes) -> Image.Image:
    formats = picture_formats()
    needed = io.BytesIO(lean(data))
    try:
        picture = Image.open(needed, formats=formats)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except UnidentifiedImageError as error:
        raise _unidentified(data, formats) from error
    except DECODER_ERRORS as error:
        raise InputError("The picture is damaged and cannot be read.", "broken_image") from error
    return picture


def _unidentified(data: bytes, formats: tuple[str, ...]) -> InputError:
    if data[4:12] in {b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"} and "HEIF" not in formats:
        return InputError("HEIC pictures need the extra: pip install 'inkdigit[heif]'.", "unsupported_format")
    accepts = (Image.OPEN[name][1] for name in formats if name in Image.OPEN)
    if any(accept is not None and accept(data[:16]) is True for accept in accepts):
        return InputError("The picture is truncated or damaged and cannot be read.", "broken_image")
    return InputError(f"This is not a picture in a format that is read ({', '.join(formats)}).", "unsupported_format")


def _too_many_pixels() -> InputError:
    return InputError(f"The picture has more than {MAX_PIXELS // 1024**2} megapixels.", "too_many_pixels")


def decode(picture: Picture, data: bytes, max_side: int = MAX_SIDE) -> Pixels:
    """Decode an opened picture to pixels; `data` are the bytes that it was opened from. Raises InputError."""
    if isinstance(picture, PlainPng):
        _check_size(*picture.size)
        values = picture.pixels() if max(picture.size) <= max_side else None
        if values is not None:
            return array_pixels(values, max_side)
        picture = _open(data)
    return _decode(picture, max_side, is_file=True)


def _decode(picture: Image.Image, max_side: int, is_file: bool = False) -> Pixels:
    """Decode by Pillow; a large JPEG that is only opened is decoded smaller, which changes the object given."""
    width, height = picture.size
    _check_size(width, height)
    factor = reduction(max(width, height), max_side)
    if is_file and factor > 1:
        picture.draft(None, (max(1, width // factor), max(1, height // factor)))
    return array_pixels(_values(picture, max_side), max_side)


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _too_many_pixels()
    if width * height == 0:
        raise InputError("The picture has no pixels.", "broken_image")


def _values(picture: Image.Image, max_side: int) -> NDArray[Any]:
    """Decode a picture by Pillow to an array that `array_pixels` takes."""
    try:
        picture.load()
        values = np.asarray(_reduced(_plain_mode(_upright(picture)), max_side))
    except DECODER_ERRORS as error:
        raise InputError("The picture is truncated or damaged and cannot be read.", "broken_image") from error
    return _sixteen_bits(values) if values.dtype == np.int32 else values


def reduction(side: int, max_side: int) -> int:
    """Return the power of two (what JPEG's draft mode can do) that brings a side to at most `max_side` px."""
    return 1 << max(0, (side - 1) // max_side).bit_length()


def _upright(picture: Image.Image) -> Image.Image:
    """Turn a picture as its EXIF says; EXIF that cannot be read says nothing, and the picture is still one."""
    try:
        turn = TURNS.get(picture.getexif().get(ORIENTATION, 1)) if is_honest(_exif(picture.info)) else None
    except DECODER_ERRORS:
        return picture
    return picture if turn is None else picture.transpose(turn)


def _exif(info: Mapping[Any, Any]) -> bytes:
    """Give what Pillow would read a turn from; ImageMagick writes it as a text, in hexadecimal digits."""
    if "exif" in info or "Raw profile type exif" not in info:
        return info.get("exif") or b""
    return bytes.fromhex("".join(info["Raw profile type exif"].split("\n")[3:]))


def _plain_mode(picture: Image.Image) -> Image.Image:
    """Bring Pillow's many modes to those that an array of the user's may have: grey, RGB or RGBA."""
    mode = picture.mode
    if mode in {"I", "F", "RGBA"} or mode.startswith("I;16"):
        return picture
    if mode == "LAB":  # Pillow converts it to nothing; three axes of colour are all that is needed here
        return Image.merge("RGB", picture.split())
    if mode == "La":
        return picture.convert("LA").convert("RGBA")
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return picture if mode in {"L", "RGB"} else picture.convert("L" if mode == "1" else "RGB")


def _reduced(picture: Image.Image, max_side: int) -> Image.Image:
    """Average square boxes so that the longest side is at most `max_side`; a box at the edge may be cut."""
    factor = reduction(max(picture.size), max_side)
    return picture.reduce(factor) if factor > 1 and picture.mode in {"L", "RGB", "RGBA"} else picture


def _sixteen_bits(values: NDArray[np.int32]) -> NDArray[Any]:
    """Take what Pillow holds in 32 bits, and does not fit 8, for 16 bits where it fits those."""
    fits = values.min() >= 0 and 255 < values.max() <= 65535
    return values.astype(np.uint16) if fits else values


def array_pixels(values: NDArray[Any], max_side: int = MAX_SIDE) -> Pixels:
    """Turn an array, or nested lists of numbers, into pixels.

    Takes [H, W] or [H, W, 1|3|4]: bool, uint8, uint16 (÷257), or other numbers, which are in 0..1 where none is over
    1, else in 0..255. Raises InputError on any other shape, type or range.
    """
    pixels = _eight_bits_of(values)
    pixels = np.asarray(_reduced(Image.fromarray(pixels), max_side)) if max(pixels.shape[:2]) > max_side else pixels
    return np.ascontiguousarray(pixels if pixels.ndim == 2 else grey_ink(pixels))


def _eight_bits_of(values: Any) -> Pixels:
    """Return an array or nested lists as uint8 [H, W] or [H, W, 3|4]. Raises InputError."""
    values = _array(values)
    if values.ndim == 0:
        raise InputError("A picture is a path, bytes, a PIL image, or an array.", "bad_array")
    if values.ndim not in {2, 3} or 0 in values.shape or (values.ndim == 3 and values.shape[2] not in {1, 3, 4}):
        raise InputError(f"An array must be [H, W] or [H, W, 1|3|4], not {list(values.shape)}.", "bad_array")
    if values.shape[0] * values.shape[1] > MAX_PIXELS:
        raise _too_many_pixels()
    pixels = _eight_bits(values)
    return pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels


def _array(values: Any) -> NDArray[Any]:
    try:
        return np.asarray(values)
    except (ValueError, TypeError, OverflowError, RuntimeError) as error:  # RuntimeError: a tensor that needs gradients
        raise InputError("An array's rows must be of equal length and hold numbers.", "bad_array") from error


def _eight_bits(values: NDArray[Any]) -> Pixels:
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype.kind not in "iuf":
        raise InputError(f"An array must hold numbers, not {values.dtype}.", "bad_array")
    if values.dtype.newbyteorder("=") == np.uint16:
        return _by_parts(values, _sixteen_to_eight().take)
    with np.errstate(invalid="ignore"):
        low, high = values.min(), values.max()
    if not (low >= 0 and high <= 255):  # also refuses NaN
        raise InputError("The values must be in 0..1 or 0..255.", "bad_array")
    scale = np.float32(255 if high <= 1 else 1)
    return _by_parts(values, lambda part: np.rint(part.astype(np.float32) * scale))


def _by_parts(values: NDArray[Any], convert: Callable[[NDArray[Any]], NDArray[Any]]) -> Pixels:
    """Convert some rows at a time, so that a large array is not held several times over."""
    pixels = np.empty(values.shape, np.uint8)
    step = max(1, 250_000 // values[0].size)
    for start in range(0, len(values), step):
        pixels[start : start + step] = convert(values[start : start + step])
    return pixels


@functools.cache
def _sixteen_to_eight() -> Pixels:
    return ((np.arange(65536) + 128) // 257).astype(np.uint8)
