"""Bytes to pixels, and the only place where that happens: `load_pixels` is the entrance."""

from .arrays import Pixels
from .limits import MAX_BYTES, MAX_PIXELS, PREDICT_SIDE, READ_SIDE
from .load import ImageLike, OpenedImage, load_pixels, open_image, read_file, upright_image

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "PREDICT_SIDE",
    "READ_SIDE",
    "ImageLike",
    "OpenedImage",
    "Pixels",
    "load_pixels",
    "open_image",
    "read_file",
    "upright_image",
]
