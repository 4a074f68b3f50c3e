"""Bytes to pixels, and the only place where that happens: `load_pixels` is the entrance."""

from .decode import MAX_BYTES, MAX_PIXELS, MAX_SIDE, ImageLike, Pixels, load_pixels, read_file

__all__ = ["MAX_BYTES", "MAX_PIXELS", "MAX_SIDE", "ImageLike", "Pixels", "load_pixels", "read_file"]
