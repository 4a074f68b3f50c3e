"""Turn whatever a user gives into pixels: the only place where bytes become pixels.

It knows nothing of digits: which side is ink, and where the ink is, is framing's work, inside the graph.
"""

import functools
import importlib.util
import io
import struct
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from .errors import InputError

MAX_BYTES = 10 * 1024**2
MAX_PIXELS = 64 * 1024**2
MAX_SIDE = 1600  # px, of what is handed on

Pixels = NDArray[np.uint8]
ImageLike = str | Path | bytes | Image.Image | NDArray[Any]

# What Pillow's decoders raise on damaged files.
DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    ArithmeticError,
    AttributeError,
    NotImplementedError,
    MemoryError,
    struct.error,
)


def load_pixels(image: ImageLike) -> Pixels:
    """Read an image.

    Takes a path, the bytes of a picture file, a PIL image, or an array [H, W] or [H, W, 1|3|4]. Returns uint8 grey
    [H, W], of either polarity, at most `MAX_SIDE` px on its longest side. Raises InputError.
    """
    if isinstance(image, str | Path):
        image = read_file(Path(image))
    if isinstance(image, bytes):
        return _reading(open_picture(image), draft=True)
    if isinstance(image, Image.Image):
        return _reading(image, draft=False)
    return array_pixels(image)


def read_file(path: Path) -> bytes:
    """Read a file of at most `MAX_BYTES`. Raises InputError where it cannot be read or is larger."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"The file {path} cannot be read: {error.strerror}.", "unreadable_file") from error
    check_bytes(len(data))
    return data


def check_bytes(count: int) -> None:
    """Refuse more than `MAX_BYTES` with an InputError."""
    if count > MAX_BYTES:
        raise InputError(f"The picture is larger than {MAX_BYTES // 1024**2} MiB.", "too_many_bytes")


def open_picture(data: bytes) -> Image.Image:
    """Open the bytes of a picture file without decoding it. Raises InputError on an unknown format or a damaged head."""
    check_bytes(len(data))
    formats = picture_formats()
    try:
        picture = Image.open(io.BytesIO(data), formats=formats)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except UnidentifiedImageError as error:
        raise _unidentified(data, formats) from error
    except DECODER_ERRORS as error:
        raise InputError("The picture is damaged and cannot be read.", "broken_image") from error
    return picture


@functools.cache
def picture_formats() -> tuple[str, ...]:
    """Give Pillow's names of the formats that are read; HEIF is among them where the extra `heif` is installed."""
    formats = ("PNG", "JPEG", "MPO", "WEBP", "BMP", "GIF", "TIFF")
    if importlib.util.find_spec("pillow_heif") is None:
        return formats
    import pillow_heif  # noqa: PLC0415  an extra, and 30 ms that only its users pay

    pillow_heif.register_heif_opener()
    return (*formats, "HEIF")


@functools.cache
def picture_suffixes() -> frozenset[str]:
    """Give the endings, such as `.png`, of the files that are pictures in a format that is read."""
    formats = picture_formats()
    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in formats)


def _unidentified(data: bytes, formats: tuple[str, ...]) -> InputError:
    if data[4:12] in {b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"} and "HEIF" not in formats:
        return InputError("HEIC pictures need the extra: pip install 'inkdigit[heif]'.", "unsupported_format")
    accepts = (Image.OPEN[name][1] for name in formats if name in Image.OPEN)
    if any(accept is not None and accept(data[:16]) is True for accept in accepts):
        return InputError("The picture is truncated or damaged and cannot be read.", "broken_image")
    names = ", ".join(name for name in formats if name != "MPO")
    return InputError(f"This is not a picture in a format that is read ({names}).", "unsupported_format")


def _too_many_pixels() -> InputError:
    return InputError(f"The picture has more than {MAX_PIXELS // 1024**2} megapixels.", "too_many_pixels")


def _reading(picture: Image.Image, *, draft: bool) -> Pixels:
    """Decode a picture to pixels; `draft` lets a JPEG be decoded smaller, which changes the object given."""
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise _too_many_pixels()
    if width * height == 0:
        raise InputError("The picture has no pixels.", "broken_image")
    factor = _reduction(max(width, height))
    try:
        if draft and factor > 1:
            picture.draft(None, (width // factor, height // factor))
        picture.load()
        picture = ImageOps.exif_transpose(_plain_mode(picture))
    except DECODER_ERRORS as error:
        raise InputError("The picture is truncated or damaged and cannot be read.", "broken_image") from error
    return array_pixels(np.asarray(picture))


def _reduction(side: int) -> int:
    """Give the power of two (what JPEG's draft mode can do) that brings a side to at most `MAX_SIDE`."""
    return 1 << max(0, (side - 1) // MAX_SIDE).bit_length()


def _plain_mode(picture: Image.Image) -> Image.Image:
    """Bring Pillow's many modes to those that an array of the user's may have: grey, RGB or RGBA, 8 or 16 bit."""
    if picture.mode in {"L", "RGB", "RGBA", "F", "I;16"} and "transparency" not in picture.info:
        return picture
    if picture.mode.startswith("I;16"):
        return picture.convert("I;16")
    if picture.mode == "1":
        return picture.convert("L")
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return picture if picture.mode == "I" else picture.convert("RGB")


def array_pixels(values: NDArray[Any]) -> Pixels:
    """Turn an array into pixels.

    Takes [H, W] or [H, W, 1|3|4]: bool, uint8, uint16 (÷257), or other numbers, which are in 0..1 where none is over
    1, else in 0..255. Raises InputError on any other shape, type or range.
    """
    values = np.asarray(values)
    if values.ndim not in {2, 3} or 0 in values.shape or (values.ndim == 3 and values.shape[2] not in {1, 3, 4}):
        raise InputError(f"An array must be [H, W] or [H, W, 1|3|4], not {list(values.shape)}.", "bad_array")
    if values.shape[0] * values.shape[1] > MAX_PIXELS:
        raise _too_many_pixels()
    values = _box_reduce(_eight_bits(values))
    if values.ndim == 3 and values.shape[2] == 4:
        values = _on_paper(values[..., :3], values[..., 3])
    if values.ndim == 3:
        values = _grey(values)
    return np.ascontiguousarray(values)


def _eight_bits(values: NDArray[Any]) -> Pixels:
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype == np.uint16:
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if values.dtype.kind not in "iuf":
        raise InputError(f"An array must hold numbers, not {values.dtype}.", "bad_array")
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= 255):  # also refuses NaN
        raise InputError("An array's values must be in 0..1 or 0..255.", "bad_array")
    return np.rint(values.astype(np.float32) * (255 if high <= 1 else 1)).astype(np.uint8)


def _box_reduce(values: Pixels) -> Pixels:
    """Average square boxes so that the longest side is at most `MAX_SIDE`; a box at the edge may be cut."""
    factor = _reduction(max(values.shape[:2]))
    if factor == 1:
        return values
    single = values.ndim == 3 and values.shape[2] == 1
    reduced = np.asarray(Image.fromarray(values[..., 0] if single else values).reduce(factor))
    return reduced[..., None] if single else reduced


def _on_paper(colours: Pixels, alpha: Pixels) -> Pixels:
    """Lay colours [H, W, 3] by their alpha [H, W] on the paper that shows them.

    Where all that is visible has about one colour, that is ink, and the paper is black or white, whichever is further
    from it. Otherwise ink and paper are both visible, and their median fills the holes.
    """
    if alpha.min() == 255:
        return colours
    visible = colours[alpha > 127].mean(axis=1) if (alpha > 127).any() else colours[alpha > 0].mean(axis=1)
    if visible.size == 0:
        return np.full_like(colours, 255)
    if visible.std() < 40:
        paper = 255.0 if visible.mean() < 128 else 0.0
    else:
        paper = float(np.median(visible))
    weight = alpha[..., None].astype(np.float32) / 255
    return np.rint(colours * weight + paper * (1 - weight)).astype(np.uint8)


def _grey(colours: Pixels) -> Pixels:
    """Project [H, W, 1|3] on the direction in which its colours differ most, so that ink of any hue stays ink.

    The direction is the first principal component of the colours (Pearson, 1901), scaled so that its weights' absolute
    values sum to 1: a grey picture stays as it is, and no value leaves 0..255.
    """
    first = colours[..., 0]
    if colours.shape[2] == 1 or (np.array_equal(first, colours[..., 1]) and np.array_equal(first, colours[..., 2])):
        return first
    flat = colours.reshape(-1, 3)
    sample = flat[:: max(1, len(flat) // 20_000)].astype(np.float32)
    direction = np.linalg.eigh(np.cov(sample, rowvar=False))[1][:, -1]
    direction *= np.sign(direction[np.abs(direction).argmax()]) / np.abs(direction).sum()
    offset = -255 * direction[direction < 0].sum()
    grey = colours @ direction.astype(np.float32) + np.float32(offset)
    return cast(Pixels, np.rint(np.clip(grey, 0, 255)).astype(np.uint8))
