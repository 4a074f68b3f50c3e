"""The entrance of `image/`: open a path, bytes, a PIL image or an array; then ask for its size, cost and pixels."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from ..errors import InputError
from .arrays import Pixels, as_eight_bits, as_pixels
from .decode import decode, decode_cost, open_file, upright_rgb
from .limits import MAX_BYTES, PREDICT_SIDE, check_bytes, check_size, reduction
from .pdf import PdfPage
from .png import PlainPng

ImageLike = str | os.PathLike[str] | bytes | bytearray | Image.Image | NDArray[Any] | PdfPage


@dataclass(frozen=True)
class OpenedImage:
    """An image of which nothing but the header has been decoded.

    `size` is the width and height in px before any EXIF rotation. `decode_cost` is the number of values (pixels times
    channels) to decode, or None where the header does not tell. Decode it once: a large JPEG is decoded smaller.
    """

    size: tuple[int, int]
    decode_cost: int | None
    _decode: Callable[[int], Pixels]
    _show: Callable[[], Image.Image]

    def reduction(self, max_side: int) -> int:
        """Return how many px of the image one pixel of `pixels(max_side)` stands for: a power of two."""
        return reduction(max(self.size), max_side)

    def pixels(self, max_side: int = PREDICT_SIDE) -> Pixels:
        """Return gray uint8 [H, W], upright, of either polarity, with sides of at most `max_side` px.

        Raises InputError.
        """
        return self._decode(max_side)

    def upright(self) -> Image.Image:
        """Return the image for people to look at: RGB, upright, of its own size. Raises InputError."""
        return self._show()


def load_pixels(image: ImageLike, max_side: int = PREDICT_SIDE) -> Pixels:
    """Return the pixels of an image, uint8 [H, W], of either polarity, with sides of at most `max_side` px.

    Takes a path, the bytes of an image file, a PIL image, or an array [H, W] or [H, W, 1|3|4]. Raises InputError. All
    four give the same pixels, except that a JPEG file over `max_side` is decoded smaller, within a few levels.
    """
    return open_image(image).pixels(max_side)


def upright_image(image: ImageLike) -> Image.Image:
    """Return an image for people to look at: RGB, upright, of its own size. Raises InputError."""
    return open_image(image).upright()


def open_image(image: ImageLike) -> OpenedImage:
    """Open an image without decoding it. Raises InputError on an unknown format, a broken header, or a wrong array."""
    if isinstance(image, PdfPage):
        image = image.render()
    if isinstance(image, str | os.PathLike):
        image = read_file(Path(image))
    if isinstance(image, bytes | bytearray):
        return _open_bytes(bytes(image))
    if isinstance(image, Image.Image):
        return _open_pillow(image, None)
    values = as_eight_bits(image)
    height, width = values.shape[:2]
    return OpenedImage(
        (width, height),
        values.size,
        lambda max_side: as_pixels(values, max_side),
        lambda: Image.fromarray(values).convert("RGB"),
    )


def _open_bytes(data: bytes) -> OpenedImage:
    check_bytes(len(data))
    picture = open_file(data)
    check_size(*picture.size)
    if not isinstance(picture, PlainPng):
        return _open_pillow(picture, data)
    return OpenedImage(
        picture.size,
        decode_cost(picture, data),
        lambda max_side: decode(picture, data, max_side),
        lambda: upright_rgb(picture, data),
    )


def _open_pillow(picture: Image.Image, data: bytes | None) -> OpenedImage:
    check_size(*picture.size)
    return OpenedImage(
        picture.size,
        decode_cost(picture, data),
        lambda max_side: decode(picture, data, max_side),
        lambda: upright_rgb(picture, data),
    )


def read_file(path: Path) -> bytes:
    """Return a file's content, at most `MAX_BYTES`. Raises InputError if it cannot be read or is larger."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: the name has a NUL
        reason = getattr(error, "strerror", None) or "this is no file's name"
        raise InputError(f"The file {path} cannot be read: {reason}.", "unreadable_file") from error
    check_bytes(len(data))
    return data
