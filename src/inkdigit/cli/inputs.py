"""The images that a command is given: files, folders, stdin, and PDF files, which count as their pages."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from ..terminal import fail
from .options import require_extra

if TYPE_CHECKING:
    from ..image import ImageLike, PdfPage

STDIN = "-"
PDF_SUFFIX = ".pdf"

InputsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE|FOLDER|PDF|-", help="Images, or PDF files, page by page; - reads one image from stdin."
    ),
]


@dataclass(frozen=True)
class Input:
    """One image, by the name that it has in the output: a path, `FILE#PAGE`, or `-`."""

    name: str
    page: "PdfPage | None" = None

    @property
    def image(self) -> "ImageLike":
        """Return what `Recognizer` takes."""
        if self.page is not None:
            return self.page
        return _read_stdin() if self.name == STDIN else Path(self.name)

    @property
    def stem(self) -> str:
        """Return a name for files about this image, without a folder or an ending."""
        if self.page is None:
            return Path(self.name).stem if self.name != STDIN else "stdin"
        path, _, number = self.name.rpartition("#")
        return f"{Path(path).stem}-{number}" if path else Path(number).stem


def inputs_of(arguments: list[str]) -> list[Input]:
    """Return every image, where a folder stands for its images; exit with code 2 without any."""
    found = [each for argument in arguments for name in _expand(argument) for each in _pages(name)]
    if not found:
        fail("The folders hold no images.")
    return found


def _expand(name: str) -> list[str]:
    """Return a folder's files, at any depth and sorted by path; anything else is a file."""
    from ..image.formats import picture_suffixes  # noqa: PLC0415

    if name == STDIN or not os.path.isdir(name):  # noqa: PTH112  Path.is_dir raises where access is denied
        return [name]
    suffixes = picture_suffixes() | {PDF_SUFFIX}
    found = sorted(path for path in Path(name).rglob("*") if path.suffix.lower() in suffixes)
    return [str(path) for path in found if not _is_special(path)]


def _is_special(path: Path) -> bool:
    """Return whether this is a folder, or a pipe, from which reading would block."""
    return os.path.exists(path) and not os.path.isfile(path)  # noqa: PTH110, PTH113  Path's raise where access is denied


def _pages(name: str) -> Iterator[Input]:
    """Yield a PDF's pages; one that cannot be opened counts as one page, which fails. Any other file is one image."""
    if not name.lower().endswith(PDF_SUFFIX):
        yield Input(name)
        return
    require_extra("pdf", "pypdfium2", "pypdfium2")
    from ..image import MAX_PDF_PAGES, Pdf, PdfPage  # noqa: PLC0415

    pdf = Pdf(Path(name))
    try:
        for page in pdf.pages(MAX_PDF_PAGES):
            yield Input(f"{name}#{page.number}", page)
    except InputError as error:
        yield Input(name, PdfPage(pdf, 1, error))


@cache
def _read_stdin() -> bytes:
    """Return what is on stdin, up to one byte over the size limit; nothing if stdin is closed or unreadable."""
    from ..image import MAX_BYTES  # noqa: PLC0415

    with suppress(OSError):
        return sys.stdin.buffer.read(MAX_BYTES + 1) if sys.stdin else b""
    return b""
