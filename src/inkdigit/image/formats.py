"""The image formats that are read, by Pillow's names and file endings, and errors of their decoders."""

import contextlib
import ctypes
import functools
import importlib.util
import logging
from collections.abc import Iterator

from PIL import Image, _imaging

from ..errors import InputError

DAMAGED = "The picture is truncated or damaged and cannot be read."


@contextlib.contextmanager
def decoding(sentence: str = DAMAGED) -> Iterator[None]:
    """Raise InputError with a sentence for whatever a decoder raises."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # decoders raise anything on damaged files, from struct.error to warnings
        raise InputError(sentence, "broken_image") from error


@functools.cache
def picture_formats() -> tuple[str, ...]:
    """Return Pillow's names of the formats that are read; HEIF is among them where the extra `heif` is installed."""
    # These two spare Pillow the import of all forty that it has. JPEG stands for MPO too, the pairs that phones write.
    from PIL import TiffImagePlugin, WebPImagePlugin  # noqa: F401, PLC0415

    hush()
    formats = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
    if importlib.util.find_spec("pillow_heif") is None:
        return formats
    import pillow_heif  # noqa: PLC0415  an extra, and 30 ms that only its users pay

    pillow_heif.register_heif_opener()
    return (*formats, "HEIF")


def hush() -> None:
    """Keep the decoders from writing to stderr of a damaged picture; what is wrong with it is an exception.

    Pillow tells its own libtiff to be silent of warnings, but not of errors (TIFFSetErrorHandler in libtiff's manual).
    """
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    with contextlib.suppress(OSError, AttributeError):  # a Pillow without libtiff, or one that hides it
        ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler(None)


@functools.cache
def picture_suffixes() -> frozenset[str]:
    """Return the endings, such as `.png`, of the files that are pictures in a format that is read."""
    formats = (*picture_formats(), "MPO")
    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in formats)
