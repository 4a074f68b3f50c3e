"""Parse multipart bodies to files with multipart's streaming parser. Keeps no more of a file than its limit."""

import re
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from urllib.parse import unquote

from multipart import MultipartError, MultipartSegment, PushMultipartParser

from ..image import MAX_BYTES, MAX_PDF_BYTES, is_pdf
from .error_responses import RequestError

MAX_FIELDS = 64  # parts that are not files
MAX_TEXT = 1024**2  # bytes of the fields that are kept
HEAD = 16  # chunks that hold a file's first bytes, however it was sent
EXTENDED_NAME = re.compile(r"; *filename\* *= *(utf-8|iso-8859-1)'[^';]*'([^ ;]+)", re.IGNORECASE)


@dataclass
class File:
    """One uploaded file; data beyond the limit of an image, or of a PDF, is dropped. `part` is its field's name."""

    name: str
    part: str = ""
    size: int = 0
    chunks: list[bytes] = field(default_factory=list)

    def add(self, chunk: bytes) -> None:
        """Add the next chunk."""
        if self.size <= MAX_BYTES or (self.size <= MAX_PDF_BYTES and is_pdf(b"".join(self.chunks[:HEAD]))):
            self.chunks.append(chunk)
            self.size += len(chunk)

    def take(self) -> bytes:
        """Return the data and release them, so that a batch is not in memory twice."""
        chunks, self.chunks = self.chunks, []
        return b"".join(chunks)


@dataclass
class Form:
    """A multipart body: its files in their order, and the text fields that were asked for, by name."""

    files: list[File] = field(default_factory=list)
    texts: dict[str, bytearray] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """Return a field's text, None where there is no such field. Raises RequestError where it is not UTF-8."""
        try:
            return self.texts[name].decode() if name in self.texts else None
        except UnicodeDecodeError as error:
            raise RequestError(f"The field {name} is not UTF-8.", "bad_body") from error


async def read_parts(
    chunks: AsyncIterator[bytes], boundary: str, *, max_files: int, texts: Collection[str] = ()
) -> Form:
    """Read the files of a multipart body, and the fields that `texts` names.

    Raises RequestError where the body is broken, or has no file or too many.
    """
    parts = _Parts(max_files, texts)
    try:
        with PushMultipartParser(boundary) as parser:
            async for chunk in chunks:
                for event in parser.parse(chunk):
                    parts.take(event)
    except MultipartError as error:
        raise RequestError("The body is not the multipart/form-data that its head announces.", "bad_body") from error
    if parts.form.files:
        return parts.form
    raise RequestError("There is no picture in the body.", "no_picture")


class _Parts:
    """Collect the parser's events."""

    def __init__(self, max_files: int, texts: Collection[str]) -> None:
        self.form = Form()
        self._texts = texts
        self._max_files = max_files
        self._fields = 0
        self._file: File | None = None
        self._text: bytearray | None = None

    def take(self, event: MultipartSegment | bytes | None) -> None:
        """Take a part's header, or some of its data; None ends a part."""
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif event and self._file is not None:
            if not (self._file.name or self._file.size):
                self._fields -= 1
                self.form.files.append(self._file)
                self._check()
            self._file.add(event)
        elif event and self._text is not None:
            self._text += event
            if len(self._text) > MAX_TEXT:
                raise RequestError(f"A text field is larger than {MAX_TEXT // 1024**2} MiB.", "too_many_bytes")

    def _begin(self, part: MultipartSegment) -> None:
        """Take a part as a file if it has a file name or an image type; keep texts of known names; skip others.

        A form sends a part without name and data for a file field that was left empty, so a part without a name counts
        as a file only when its data begin.
        """
        name = _file_name(part)
        is_file = name is not None or (part.content_type or "").startswith("image/")
        self._file = File(name or "", part.name) if is_file else None
        self._text = (
            self.form.texts.setdefault(part.name, bytearray()) if part.name in self._texts and not is_file else None
        )
        if self._text:
            self._text += b"\n"  # a field that is repeated goes on in a new line
        if self._file and name:
            self.form.files.append(self._file)
        else:
            self._fields += 1
        self._check()

    def _check(self) -> None:
        """Raise RequestError where there are too many."""
        if len(self.form.files) > self._max_files or self._fields > MAX_FIELDS:
            files = "one file" if self._max_files == 1 else f"{self._max_files} files"
            raise RequestError(f"The body may have at most {files} and {MAX_FIELDS} other fields.", "too_many_parts")


def _file_name(part: MultipartSegment) -> str | None:
    """Return a file's name, also from the RFC 5987 form that older clients send."""
    if part.filename is not None:
        return str(part.filename)
    extended = EXTENDED_NAME.search(part.header("Content-Disposition", ""))
    return unquote(extended[2], extended[1]) if extended else None
