"""Arrays of the user's to pixels: shapes, types and ranges are checked here."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import InputError
from .grayscale import to_gray
from .limits import MAX_PIXELS, reduction, too_many_pixels

Pixels = NDArray[np.uint8]

ROUNDING = 1e-4  # by which the maximum of floats in 0..1 may be over 1


def as_pixels(values: Pixels, max_side: int) -> Pixels:
    """Return gray pixels [H, W] of uint8 [H, W] or [H, W, 3|4], averaged to sides of at most `max_side` px."""
    if max(values.shape[:2]) > max_side:
        values = np.asarray(reduced(Image.fromarray(values), max_side))
    return np.ascontiguousarray(values if values.ndim == 2 else to_gray(values))


def reduced(picture: Image.Image, max_side: int) -> Image.Image:
    """Average square boxes so that the longest side is at most `max_side` px; a box at the edge may be cut."""
    factor = reduction(max(picture.size), max_side)
    return picture.reduce(factor) if factor > 1 and picture.mode in {"L", "RGB", "RGBA"} else picture


def as_eight_bits(values: Any) -> Pixels:
    """Return an array, or nested lists of numbers, as uint8 [H, W] or [H, W, 3|4].

    Takes [H, W] or [H, W, 1|3|4]: bool, uint8, uint16 (÷257), or other numbers: in 0..1 if their maximum is at most 1
    (a rounding error above it is allowed), else in 0..255. Raises InputError on any other shape, type or range.
    """
    values = _array(values)
    if values.ndim == 0:
        raise InputError("A picture is a path, bytes, a PIL image, or an array.", "bad_array")
    if values.ndim not in {2, 3} or 0 in values.shape or (values.ndim == 3 and values.shape[2] not in {1, 3, 4}):
        raise InputError(f"An array must be [H, W] or [H, W, 1|3|4], not {list(values.shape)}.", "bad_array")
    if values.shape[0] * values.shape[1] > MAX_PIXELS:
        raise too_many_pixels()
    pixels = _scaled(values)
    return pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels


def _array(values: Any) -> NDArray[Any]:
    try:
        return np.asarray(values)
    except (ValueError, TypeError, OverflowError, RuntimeError) as error:  # RuntimeError: a tensor that needs gradients
        raise InputError("An array's rows must be of equal length and hold numbers.", "bad_array") from error


def _scaled(values: NDArray[Any]) -> Pixels:
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype.kind not in "iuf":
        raise InputError(f"An array must hold numbers, not {values.dtype}.", "bad_array")
    if values.dtype.newbyteorder("=") == np.uint16:
        return _by_rows(values, _sixteen_to_eight().take)
    with np.errstate(invalid="ignore"):
        low, high = values.min(), values.max()
    if not (low >= 0 and high <= 255):  # also refuses NaN
        raise InputError("The values must be in 0..1 or 0..255.", "bad_array")
    scale = np.float32(255 if high <= 1 + ROUNDING else 1)
    return _by_rows(values, lambda part: np.rint(part.astype(np.float32) * scale).clip(0, 255))


def _by_rows(values: NDArray[Any], convert: Callable[[NDArray[Any]], NDArray[Any]]) -> Pixels:
    """Convert some rows at a time, so that a large array is not held several times over."""
    pixels = np.empty(values.shape, np.uint8)
    step = max(1, 250_000 // values[0].size)
    for start in range(0, len(values), step):
        pixels[start : start + step] = convert(values[start : start + step])
    return pixels


@functools.cache
def _sixteen_to_eight() -> Pixels:
    return ((np.arange(65536) + 128) // 257).astype(np.uint8)
