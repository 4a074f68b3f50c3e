"""Bytes to pixels, and the only place where that happens: `load_pixels` is the entrance."""

from .decode import (
    MAX_BYTES,
    MAX_PIXELS,
    MAX_READ_SIDE,
    MAX_SIDE,
    ImageLike,
    Pixels,
    load_pixels,
    load_scaled,
    read_file,
    upright_image,
)

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "MAX_READ_SIDE",
    "MAX_SIDE",
    "ImageLike",
    "Pixels",
    "load_pixels",
    "load_scaled",
    "read_file",
    "upright_image",
]
