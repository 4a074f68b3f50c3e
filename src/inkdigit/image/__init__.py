"""Bytes to pixels, and the only place where that happens: `load_pixels` is the entrance."""

from .arrays import Pixels
from .limits import MAX_BYTES, MAX_PDF_BYTES, MAX_PDF_PAGES, MAX_PIXELS, PREDICT_SIDE, READ_SIDE
from .load import ImageLike, OpenedImage, load_pixels, open_image, read_file, upright_image
from .pdf import AS_PAGES, NEEDS_EXTRA, Pdf, PdfPage, is_pdf

__all__ = [
    "AS_PAGES",
    "MAX_BYTES",
    "MAX_PDF_BYTES",
    "MAX_PDF_PAGES",
    "MAX_PIXELS",
    "NEEDS_EXTRA",
    "PREDICT_SIDE",
    "READ_SIDE",
    "ImageLike",
    "OpenedImage",
    "Pdf",
    "PdfPage",
    "Pixels",
    "is_pdf",
    "load_pixels",
    "open_image",
    "read_file",
    "upright_image",
]
