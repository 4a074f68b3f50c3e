"""The limits of an image: bytes and pixels that are read, and the sides of what is handed on."""

from ..errors import InputError

MAX_BYTES = 10 * 1024**2
MAX_PIXELS = 64 * 1024**2  # 64 megapixels
PREDICT_SIDE = 1600  # px: the longest side that `predict` sees
READ_SIDE = 3200  # px: the longest side that `read` sees
MAX_PDF_BYTES = 100 * 1024**2
MAX_PDF_PAGES = 5000  # on the command line
PDF_DPI = 300  # the resolution of a page that is small enough for it


def check_bytes(count: int) -> None:
    """Raise InputError if an image file has more than `MAX_BYTES`."""
    if count > MAX_BYTES:
        raise InputError(f"The picture is larger than {MAX_BYTES // 1024**2} MiB.", "too_many_bytes")


def check_pdf_bytes(count: int) -> None:
    """Raise InputError if a PDF has more than `MAX_PDF_BYTES`."""
    if count > MAX_PDF_BYTES:
        raise InputError(f"The PDF is larger than {MAX_PDF_BYTES // 1024**2} MiB.", "too_many_bytes")


def check_size(width: int, height: int) -> None:
    """Raise InputError if an image has more than `MAX_PIXELS`, or none."""
    if width * height > MAX_PIXELS:
        raise too_many_pixels()
    if width * height == 0:
        raise InputError("The picture has no pixels.", "broken_image")


def too_many_pixels() -> InputError:
    """Return the error of an image over `MAX_PIXELS`."""
    return InputError(f"The picture has more than {MAX_PIXELS // 1024**2} megapixels.", "too_many_pixels")


def reduction(side: int, max_side: int) -> int:
    """Return the power of two (what JPEG's draft mode can do) that brings a side to at most `max_side` px."""
    return 1 << max(0, (side - 1) // max_side).bit_length()
