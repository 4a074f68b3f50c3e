"""A stage of a Ray Data pipeline: batches of pictures to tables of answers. Knows no cluster."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pyarrow as pa
from numpy.typing import NDArray
from pyarrow.fs import FileSystem

from ..errors import InputCode, InputError
from ..image import MAX_BYTES, MAX_PDF_BYTES, ImageLike, Pdf, PdfPage
from ..model_file import DEFAULT_MODEL
from ..prediction import Prediction
from ..reading import Reading
from ..recognizer import Recognizer
from .stores import path_of, reason

Task = Literal["predict", "read"]
Batch: TypeAlias = Mapping[str, NDArray[Any]] | pa.Table

NAMES = ("file", "path")  # columns that may name the picture
PICTURES = ("bytes", "image")  # columns that may hold it: an encoded file, or an array
DOCUMENT, PAGE = "document", "page"  # columns that name a PDF file, and count its pages from 1
CHUNK = 64  # pictures of a call of the recogniser
DOWNLOADS = 16  # files of an object store that are fetched at a time: each takes some 20 ms, and hardly a processor

NO_PICTURE = InputError("The row has no picture.", "unreadable_file")

_MODEL = [pa.field("model_name", pa.string()), pa.field("model_version", pa.string())]
_ERROR = [pa.field("error", pa.string()), pa.field("error_code", pa.string())]
SCHEMAS: Mapping[Task, pa.Schema] = {
    "predict": pa.schema(
        [
            pa.field("file", pa.string()),
            pa.field("digit", pa.string()),
            pa.field("confidence", pa.float64()),
            pa.field("probabilities", pa.list_(pa.float64())),
            pa.field("is_digit", pa.bool_()),
            pa.field("digitness", pa.float64()),
            pa.field("is_sure", pa.bool_()),
            *_MODEL,
            *_ERROR,
        ]
    ),
    "read": pa.schema(
        [
            pa.field("file", pa.string()),
            pa.field("text", pa.string()),
            pa.field("confidence", pa.float64()),
            pa.field("is_sure", pa.bool_()),
            pa.field("symbols", pa.string()),
            *_MODEL,
            *_ERROR,
        ]
    ),
}


class Predictor:
    """Predict or read the pictures of a batch; one object opens its model once. For `Dataset.map_batches`.

    A batch has a column `bytes` (encoded files) or `image` (arrays), or else `file` or `path` names files to open, in
    `filesystem` or on the local disk. PDF files are read by their pages, from the columns that `list_pages` returns; a
    PDF's bytes are a row with an error. The answer is a table with `SCHEMAS[task]`, a row for each picture in their
    order; what is wrong with a picture stands in its row's `error`, as does what a column `error` of the batch says.
    Raises ArtefactError.
    """

    def __init__(
        self, task: Task = "predict", model: str | Path = DEFAULT_MODEL, filesystem: FileSystem | None = None
    ) -> None:
        self._recognizer = Recognizer(model)
        self._task: Task = task
        self._filesystem = filesystem
        self._document: tuple[str, Pdf] | None = None  # the last one: its next pages often come in the next batch
        self.model = self._recognizer.reader.contract if task == "read" else self._recognizer.contract

    def __call__(self, batch: Batch) -> pa.Table:
        """Return a row for each picture of the batch."""
        columns: Mapping[str, Any] = batch.to_pydict() if isinstance(batch, pa.Table) else batch
        names = next((columns[name] for name in NAMES if name in columns), None)
        answers = [answer for images in self._images(columns, names) for answer in self._answers(images)]
        if "error" in columns:
            codes = columns.get("error_code", [None] * len(answers))
            answers = list(map(_failed, answers, columns["error"], codes))
        files = [None] * len(answers) if names is None else names
        rows = [self._row(file, answer) for file, answer in zip(files, answers, strict=True)]
        return pa.Table.from_pylist(rows, schema=SCHEMAS[self._task])

    def _images(
        self, columns: Mapping[str, Any], names: Sequence[str] | None
    ) -> Iterator[Iterable[ImageLike | InputError]]:
        """Yield the pictures of a batch: all at once, or those of one PDF file after the other."""
        given = next((columns[name] for name in PICTURES if name in columns), None)
        if DOCUMENT in columns:
            for document, rows in groupby(zip(columns[DOCUMENT], columns[PAGE], strict=True), itemgetter(0)):
                yield self._pages(document, [page for _, page in rows])
        elif given is not None:
            yield map(_picture, given)
        else:
            yield self._open([] if names is None else names)

    def _pages(self, document: str | None, numbers: Sequence[int]) -> Sequence[PdfPage | InputError]:
        """Return pages of a PDF file, which are rendered one after the other as they are read."""
        if document is None:
            return [NO_PICTURE] * len(numbers)
        try:
            if self._document is None or self._document[0] != document:
                self._document = None  # is released before the next one takes memory
                self._document = document, open_document(document, self._filesystem)
        except InputError as error:
            return [error] * len(numbers)
        return [PdfPage(self._document[1], int(number)) for number in numbers]

    def _open(self, names: Sequence[str]) -> Iterator[ImageLike | InputError]:
        """Yield the local paths of files, or the bytes of remote ones, some of which are fetched beforehand."""
        if self._filesystem is None:
            yield from map(Path, names)
            return
        remaining = iter(names)
        with ThreadPoolExecutor(DOWNLOADS) as pool:
            pending = deque(pool.submit(self._fetch, name) for name in islice(remaining, CHUNK))
            while pending:
                yield pending.popleft().result()
                pending.extend(pool.submit(self._fetch, name) for name in islice(remaining, 1))

    def _fetch(self, name: str) -> bytes | InputError:
        assert self._filesystem is not None  # noqa: S101  for the type checker
        try:
            return _fetched(name, self._filesystem, MAX_BYTES)
        except InputError as error:
            return error

    def _answers(self, images: Iterable[ImageLike | InputError]) -> Iterator[Prediction | Reading | InputError]:
        """Yield the answers to images in their order, errors as they are; hold few images at a time."""
        answer: Callable[[Sequence[ImageLike]], Sequence[Prediction | Reading | InputError]] = (
            self._recognizer.read_batch if self._task == "read" else self._recognizer.predict_batch
        )
        remaining = iter(images)
        while part := list(islice(remaining, CHUNK)):
            answers = iter(answer([image for image in part if not isinstance(image, InputError)]))
            yield from (image if isinstance(image, InputError) else next(answers) for image in part)

    def _row(self, file: str | None, answer: Prediction | Reading | InputError) -> dict[str, Any]:
        row = {"file": file, "model_name": self.model.name, "model_version": self.model.version}
        if isinstance(answer, InputError):
            return {**row, "error": str(answer), "error_code": answer.code}
        values = answer.as_dict()
        if isinstance(answer, Reading):
            return {**row, **values, "symbols": json.dumps(values["numbers"])}
        return {**row, **values, "digit": str(answer.digit)}


def open_document(name: str, filesystem: FileSystem | None) -> Pdf:
    """Open a PDF file in a filesystem, or on the local disk. Raises InputError."""
    return Pdf(Path(name) if filesystem is None else _fetched(name, filesystem, MAX_PDF_BYTES))


def _fetched(name: str, filesystem: FileSystem, most: int) -> bytes:
    """Return a file's content, up to one byte over what is allowed. Raises InputError."""
    try:
        with filesystem.open_input_file(path_of(name)) as stream:
            return bytes(stream.read(most + 1))
    except OSError as error:
        raise InputError(f"The file {name} cannot be read: {reason(error)}.", "unreadable_file") from error


def _picture(value: ImageLike | None) -> ImageLike | InputError:
    return NO_PICTURE if value is None else value


def _failed(
    answer: Prediction | Reading | InputError, error: str | None, code: InputCode | None
) -> Prediction | Reading | InputError:
    return answer if error is None else InputError(error, code or "unreadable_file")
