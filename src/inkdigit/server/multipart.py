"""Parse multipart bodies to files with multipart's streaming parser. Keeps no more of a file than the image limit."""

import re
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from urllib.parse import unquote

from multipart import MultipartError, MultipartSegment, PushMultipartParser

from ..image import MAX_BYTES
from .error_responses import RequestError

MAX_FIELDS = 64  # parts that are not files
EXTENDED_NAME = re.compile(r"; *filename\* *= *(utf-8|iso-8859-1)'[^';]*'([^ ;]+)", re.IGNORECASE)


@dataclass
class File:
    """One uploaded file; data beyond the image limit is dropped."""

    name: str
    size: int = 0
    chunks: list[bytes] = field(default_factory=list)

    def add(self, chunk: bytes) -> None:
        """Add the next chunk."""
        if self.size <= MAX_BYTES:
            self.chunks.append(chunk)
            self.size += len(chunk)

    def take(self) -> bytes:
        """Return the data and release them, so that a batch is not in memory twice."""
        chunks, self.chunks = self.chunks, []
        return b"".join(chunks)


async def read_parts(chunks: AsyncIterator[bytes], boundary: str, *, max_files: int) -> list[File]:
    """Read the files of a multipart body, in order. Raises RequestError where it is broken, or has none or too many."""
    parts = _Parts(max_files)
    await _parse(chunks, boundary, parts)
    if parts.files:
        return parts.files
    raise RequestError("There is no picture in the body.", "no_picture")


async def _parse(chunks: AsyncIterator[bytes], boundary: str, parts: "_Parts") -> None:
    try:
        with PushMultipartParser(boundary) as parser:
            async for chunk in chunks:
                for event in parser.parse(chunk):
                    parts.take(event)
    except MultipartError as error:
        raise RequestError("The body is not the multipart/form-data that its head announces.", "bad_body") from error


async def read_form(
    chunks: AsyncIterator[bytes], boundary: str, *, texts: Collection[str]
) -> tuple[list[File], dict[str, bytes]]:
    """Read the files of a multipart body, at most one, and the fields that `texts` names. Raises RequestError."""
    parts = _Parts(1, texts)
    await _parse(chunks, boundary, parts)
    return parts.files, {name: field.take() for name, field in parts.texts.items()}


class _Parts:
    """Collect the parser's events."""

    def __init__(self, max_files: int, texts: Collection[str] = ()) -> None:
        self.files: list[File] = []
        self.texts: dict[str, File] = {}
        self._wanted = texts
        self._max_files = max_files
        self._fields = 0
        self._file: File | None = None

    def take(self, event: MultipartSegment | bytes | None) -> None:
        """Take a part's header, or some of its data; None ends a part."""
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif event and self._file is not None:
            if not (self._file.name or self._file.size):
                self._fields -= 1
                self.files.append(self._file)
                self._check()
            self._file.add(event)

    def _begin(self, part: MultipartSegment) -> None:
        """Take a part as a file if it has a file name or an image type; skip any other.

        A form sends a part without name and data for a file field that was left empty, so a part without a name counts
        as a file only when its data begin.
        """
        name = _file_name(part)
        is_file = name is not None or (part.content_type or "").startswith("image/")
        self._file = File(name or "") if is_file else None
        if self._file is None and part.name in self._wanted:
            self._file = self.texts[part.name] = File(part.name)
        if is_file and self._file and name:
            self.files.append(self._file)
        else:
            self._fields += 1
        self._check()

    def _check(self) -> None:
        """Raise RequestError where there are too many."""
        if len(self.files) > self._max_files or self._fields > MAX_FIELDS:
            files = "one file" if self._max_files == 1 else f"{self._max_files} files"
            raise RequestError(f"The body may have at most {files} and {MAX_FIELDS} other fields.", "too_many_parts")


def _file_name(part: MultipartSegment) -> str | None:
    """Return a file's name, also from the RFC 5987 form that older clients send."""
    if part.filename is not None:
        return str(part.filename)
    extended = EXTENDED_NAME.search(part.header("Content-Disposition", ""))
    return unquote(extended[2], extended[1]) if extended else None
