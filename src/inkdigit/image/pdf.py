"""Pages of PDF files as pictures, by PDFium (extra `pdf`)."""

import importlib.util
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from ..errors import InputError
from .limits import PDF_DPI, READ_SIDE, check_pdf_bytes, check_size

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument
    from pypdfium2 import PdfPage as Page

MARK = b"%PDF-"
MARK_WITHIN = 1024  # bytes from the start, as viewers have it
POINTS = 72  # an inch
NEEDS_EXTRA = "PDF files need the extra: pip install 'inkdigit[pdf]'."
AS_PAGES = (
    "A PDF is read page by page: by the commands `inkdigit predict` and `inkdigit read`, or by the routes "
    "/v1/predict/batch and /v1/read/batch."
)


def is_pdf(data: bytes) -> bool:
    """Return whether a file is a PDF, by its first bytes."""
    return MARK in data[:MARK_WITHIN]


@dataclass(frozen=True)
class Pdf:
    """A PDF file: its path, or its bytes."""

    source: Path | bytes

    def pages(self, limit: int) -> list["PdfPage"]:
        """Return the pages, which are rendered only when they are read.

        Raises InputError where there are more than `limit`, and where the file cannot be opened.
        """
        with _opened(self) as document:
            count = len(document)
        if count > limit:
            raise InputError(f"The PDF has {count} pages, and at most {limit} are read.", "too_many_pages")
        if count == 0:
            raise InputError("The PDF has no pages.", "broken_image")
        return [PdfPage(self, number) for number in range(1, count + 1)]

    def close(self) -> None:
        """Release the memory that the file takes while it is open; it is opened again when a page is read."""
        with _library.lock:
            if _library.pdf is self:
                _library.close()


@dataclass(frozen=True)
class PdfPage:
    """A page of a PDF file; `number` counts from 1. `error` stands for the pages of a file that cannot be opened."""

    pdf: Pdf
    number: int
    error: InputError | None = None

    def render(self) -> Image.Image:
        """Return the page as an RGB image, at most `READ_SIDE` px on its longest side. Raises InputError."""
        if self.error is not None:
            raise self.error
        import pypdfium2  # noqa: PLC0415  an extra

        with _opened(self.pdf) as document:
            try:
                page = document[self.number - 1]
                try:
                    return _render(page)
                finally:
                    page.close()
            except (pypdfium2.PdfiumError, IndexError, MemoryError) as error:
                raise InputError(f"Page {self.number} of the PDF is damaged.", "broken_image") from error


def _render(page: "Page") -> Image.Image:
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE  # noqa: PLC0415  an extra

    for found in page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE]):
        check_size(*found.get_px_size())
    longest = max(1.0, *page.get_size())
    # Sides are rounded up, and must not be over the limit.
    bitmap = page.render(scale=min((READ_SIDE - 0.01) / longest, PDF_DPI / POINTS))
    try:
        picture: Image.Image = bitmap.to_pil()
        return picture.convert("RGB").copy()
    finally:
        bitmap.close()


class _Library:
    """PDFium, which is not safe for threads: one caller at a time, and one document open."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.pdf: Pdf | None = None
        self.document: PdfDocument | None = None

    def open(self, pdf: Pdf) -> "PdfDocument":
        """Return the open document of a file. Raises InputError."""
        if self.pdf is not pdf or self.document is None:
            self.close()
            self.document = _open(pdf.source)
            self.pdf = pdf
        return self.document

    def close(self) -> None:
        """Close the document that is open."""
        if self.document is not None:
            self.document.close()
        self.pdf = self.document = None


_library = _Library()


@contextmanager
def _opened(pdf: Pdf) -> Iterator["PdfDocument"]:
    with _library.lock:
        yield _library.open(pdf)


def _open(source: Path | bytes) -> "PdfDocument":
    if importlib.util.find_spec("pypdfium2") is None:
        raise InputError(NEEDS_EXTRA, "unsupported_format")
    import pypdfium2  # noqa: PLC0415  an extra
    from pypdfium2.raw import FPDF_ERR_PASSWORD  # noqa: PLC0415

    try:
        check_pdf_bytes(len(source) if isinstance(source, bytes) else _size(source))
        return pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError as error:
        if error.err_code == FPDF_ERR_PASSWORD:
            raise InputError("The PDF is encrypted: it opens with a password only.", "encrypted_file") from error
        raise InputError("The PDF is damaged and cannot be read.", "broken_image") from error


def _size(path: Path) -> int:
    """Return a file's size in bytes. Raises InputError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return os.fstat(file.fileno()).st_size
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "this is no file's name"
        raise InputError(f"The file {path} cannot be read: {reason}.", "unreadable_file") from error
