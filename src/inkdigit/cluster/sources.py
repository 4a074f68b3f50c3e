"""What a bulk job reads: picture files, PDF files by their pages, and shards (Parquet, WebDataset) of many pictures."""

import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
from pyarrow import compute, parquet
from pyarrow.fs import FileSystem

from ..errors import ClusterError, InputError
from ..image import MAX_BYTES, MAX_PDF_PAGES
from ..image.formats import picture_suffixes
from .predictor import DOCUMENT, PAGE, PICTURES, Batch, open_document
from .stores import Store, explained, files, path_of, reason

DOCUMENTS = frozenset({".pdf"})
ROWS = 512  # pictures that a shard's reader hands on at a time
ROW = pa.schema([("file", pa.string()), ("bytes", pa.binary()), ("error", pa.string())])
PAGES = pa.schema(
    [
        ("file", pa.string()),
        (DOCUMENT, pa.string()),
        (PAGE, pa.int32()),
        ("error", pa.string()),
        ("error_code", pa.string()),
    ]
)


@dataclass(frozen=True)
class Source:
    """The pictures, PDF files and shards of a job, by their names in results, each sorted."""

    pictures: pa.ChunkedArray
    documents: list[str]
    shards: list[str]

    def __bool__(self) -> bool:
        """Return whether there is anything to read."""
        return len(self.pictures) + len(self.documents) + len(self.shards) > 0

    def without(self, done: pa.Array | pa.ChunkedArray) -> "Source":
        """Return the source without the pictures that are done; a PDF's and a shard's are left out when it is read."""
        is_done = compute.is_in(self.pictures, value_set=done)
        return replace(self, pictures=self.pictures.filter(compute.invert(is_done)))


def find(store: Store, place: str, besides: str) -> Source:
    """List what there is to read at a place, but for what is in the folder `besides` by its name in results.

    Raises ClusterError if it cannot be listed.
    """
    pictures: list[str] = []
    documents: list[str] = []
    shards: list[str] = []
    with explained(place):
        for path in files(store):
            name, suffix = store.name(path), PurePosixPath(path).suffix.lower()
            if name.startswith(f"{besides}/"):
                continue
            if suffix in SHARDS:
                shards.append(name)
            elif suffix in DOCUMENTS:
                documents.append(name)
            elif suffix in picture_suffixes():
                pictures.append(name)
    return Source(pa.chunked_array([pa.array(sorted(pictures), pa.string())]), sorted(documents), sorted(shards))


def list_pages(batch: Batch, filesystem: FileSystem | None = None) -> Iterator[pa.Table]:
    """Yield the pages of PDF files as `Predictor` takes them, a table for each file that the column `file` names.

    Nothing is rendered. A file that cannot be opened, or has too many pages, is one row with the reason in `error`.
    """
    for name in map(str, batch["file"]):
        yield pa.Table.from_pylist(_pages(name, filesystem), schema=PAGES)


def _pages(name: str, filesystem: FileSystem | None) -> list[dict[str, Any]]:
    try:
        pdf = open_document(name, filesystem)
        try:
            pages = pdf.pages(MAX_PDF_PAGES)
        finally:
            pdf.close()
    except InputError as error:
        return [{"file": name, "error": str(error), "error_code": error.code}]
    return [{"file": f"{name}#{page.number}", DOCUMENT: name, PAGE: page.number} for page in pages]


def rows_of_shards(batch: pa.Table, filesystem: FileSystem, done: pa.ChunkedArray | None) -> Iterator[pa.Table]:
    """Yield tables (`ROW`) of the pictures in shards, without those that are done.

    A shard that cannot be read becomes a row with the reason in `error`, beside the pictures that were read before.
    """
    for name in batch["file"].to_pylist():
        for table in _tables(_named(name, filesystem)):
            if done is None:
                yield table
            else:
                yield table.filter(compute.invert(compute.is_in(table["file"], value_set=done)))


def _named(name: str, filesystem: FileSystem) -> Iterator[dict[str, Any]]:
    """Yield each picture of a shard as a row."""
    try:
        for inner, data in SHARDS[PurePosixPath(name).suffix.lower()](path_of(name), filesystem):
            yield {"file": f"{name}#{inner}", "bytes": data}
    except (OSError, pa.ArrowException, tarfile.TarError, EOFError, ClusterError) as error:
        yield {"file": name, "error": f"The shard {name} cannot be read: {_reason(error)}."}


def _reason(error: Exception) -> str:
    return reason(error) if isinstance(error, OSError | pa.ArrowException) else str(error)


def _tables(rows: Iterable[dict[str, Any]]) -> Iterator[pa.Table]:
    waiting: list[dict[str, Any]] = []
    for row in rows:
        waiting.append(row)
        if len(waiting) == ROWS:
            yield pa.Table.from_pylist(waiting, schema=ROW)
            waiting = []
    yield pa.Table.from_pylist(waiting, schema=ROW)


def _webdataset(path: str, filesystem: FileSystem) -> Iterator[tuple[str, bytes | None]]:
    """Yield the pictures of a tar archive by their names in it, as it is streamed; other members are left out.

    PDF files are among them, whose rows say that they are not read there.
    """
    suffixes = picture_suffixes() | DOCUMENTS
    with filesystem.open_input_stream(path) as stream, tarfile.open(fileobj=stream, mode="r|*") as archive:
        for member in archive:
            if member.isfile() and PurePosixPath(member.name).suffix.lower() in suffixes:
                content = archive.extractfile(member)
                yield member.name, content.read(MAX_BYTES + 1) if content else b""


def _parquet(path: str, filesystem: FileSystem) -> Iterator[tuple[str, bytes | None]]:
    """Yield the pictures of a Parquet file by the number of their row, from 0.

    They are its column `bytes` or `image`: encoded files, or structs with a field `bytes`, as in Hugging Face's data
    sets.
    """
    with parquet.ParquetFile(path, filesystem=filesystem) as file:
        column = _picture_column(file.schema_arrow)
        values = (value for batch in file.iter_batches(ROWS, columns=[column]) for value in batch[column].to_pylist())
        for number, value in enumerate(values):
            yield str(number), value["bytes"] if isinstance(value, dict) else value


def _picture_column(schema: pa.Schema) -> str:
    """Return the name of the column that holds pictures. Raises ClusterError."""
    for name in PICTURES:
        if name in schema.names and _holds_bytes(schema.field(name).type):
            return name
    raise ClusterError(f"it has no column {' or '.join(PICTURES)} of encoded pictures")


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return bool(kind.get_field_index("bytes") >= 0)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


SHARDS: Mapping[str, Callable[[str, FileSystem], Iterator[tuple[str, bytes | None]]]] = {
    ".parquet": _parquet,
    ".tar": _webdataset,
}
