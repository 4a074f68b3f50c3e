"""Multipart bodies to files, on python-multipart's streaming parser. Keeps no more of a file than the picture limit."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ..image import MAX_BYTES
from .errors import RequestError

MAX_FIELDS = 64  # parts that are no files: they are read over


@dataclass
class File:
    """Hold one uploaded file; `data` stops one byte after the picture limit, which is enough to refuse it."""

    name: str
    data: bytearray = field(default_factory=bytearray)

    def take(self) -> bytes:
        """Give the data and let go of them, so that a batch is not in memory twice."""
        data, self.data = bytes(self.data), bytearray()
        return data


async def read_parts(chunks: AsyncIterator[bytes], options: Mapping[bytes, bytes], *, max_files: int) -> list[File]:
    """Read the files of a multipart body, in order. Raises RequestError where it is broken, or has none or too many."""
    try:
        parts = _Parts(options[b"boundary"], max_files)
        async for chunk in chunks:
            parts.parser.write(chunk)
    except (FormParserError, KeyError) as error:
        raise RequestError("The body is not the multipart/form-data that its head announces.", "bad_body") from error
    if not parts.ended:
        raise RequestError("The multipart/form-data ends before its last boundary.", "bad_body")
    # What a form sends for a field in which nothing was chosen has neither a name nor data.
    if files := [file for file in parts.files if file.name or file.data]:
        return files
    raise RequestError("There is no picture in the body.", "no_picture")


class _Parts:
    """Collect what the parser finds."""

    def __init__(self, boundary: bytes, max_files: int) -> None:
        self.files: list[File] = []
        self.ended = False
        self._max_files = max_files
        self._fields = 0
        self._headers: dict[bytes, bytes] = {}
        self._header = self._value = b""
        self._file: File | None = None
        self.parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_field,
                "on_header_value": self._on_value,
                "on_header_end": self._on_header,
                "on_headers_finished": self._on_headers,
                "on_part_data": self._on_data,
                "on_end": self._on_end,
            },
        )

    def _begin(self) -> None:
        self._headers = {}

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        self._headers[self._header.lower()] = self._value
        self._header = self._value = b""

    def _on_headers(self) -> None:
        """Take a part as a file where it has a file's name or a picture's type; read over any other."""
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if b"filename" in options or self._headers.get(b"content-type", b"").startswith(b"image/"):
            self._file = File(options.get(b"filename", b"").decode("utf-8", "replace"))
            self.files.append(self._file)
        else:
            self._file = None
            self._fields += 1
        if len(self.files) > self._max_files or self._fields > MAX_FIELDS:
            files = "one file" if self._max_files == 1 else f"{self._max_files} files"
            raise RequestError(f"The body may have at most {files} and {MAX_FIELDS} other fields.", "too_many_parts")

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            room = MAX_BYTES + 1 - len(self._file.data)
            self._file.data += data[start : min(end, start + room)]

    def _on_end(self) -> None:
        self.ended = True
