"""Request bodies to images: bytes of an image file, or an array. Knows limits and content types, not pictures.

A body is streamed, up to its limit and within the time that the settings allow.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeVar

import numpy as np
from multipart import parse_options_header
from numpy.typing import NDArray
from pydantic_core import from_json
from starlette.requests import ClientDisconnect, Request

from ..errors import InputError
from ..image import AS_PAGES, MAX_BYTES, ImageLike, Pdf, PdfPage, is_pdf
from .error_responses import RequestError
from .multipart import File, Form, read_parts

MAX_BATCH_FILES = 256
MAX_BATCH_BYTES = 100 * 1024**2
OVERHEAD_BYTES = 64 * 1024  # what multipart and JSON may add around one picture
FORM, PDF = "multipart/form-data", "application/pdf"
TEXTS = ("choices",)  # the fields of a form that are read
ARRAY_DEPTH = 3  # [H, W, 1|3|4]
T = TypeVar("T")

Image = bytes | NDArray[Any]
# Returns the body's image; a JSON body is parsed only then, because that may take long.
GetImage = Callable[[], Image]


@dataclass(frozen=True)
class Body:
    """A request whose body must arrive within `timeout` seconds; `take` counts its bytes and may refuse them."""

    request: Request
    timeout: float
    take: Callable[[int], None]

    async def chunks(self, limit: int) -> AsyncIterator[bytes]:
        """Yield the body as it arrives. Raises RequestError at the limit."""
        if int(self.request.headers.get("content-length", 0)) > limit:
            raise _too_many_bytes(limit)
        count = 0
        async for chunk in self.request.stream():
            count += len(chunk)
            if count > limit:
                raise _too_many_bytes(limit)
            self.take(len(chunk))
            if chunk:
                yield chunk

    async def in_time(self, reading: Awaitable[T]) -> T:
        """Await the body's reader. Raises RequestError if it takes too long or the body ends early."""
        try:
            async with asyncio.timeout(self.timeout):
                return await reading
        except TimeoutError as error:
            raise RequestError(f"The body did not arrive within {self.timeout:g} seconds.", "body_too_slow") from error
        except ClientDisconnect as error:
            raise RequestError("The body ended early.", "bad_body") from error


@dataclass(frozen=True)
class ImageBody:
    """A body with one picture: its bytes, a function that returns the image, and the fields beside it.

    The function raises RequestError and InputError.
    """

    size: int
    get_image: GetImage
    form: Form = field(default_factory=Form)


async def read_image(body: Body) -> ImageBody:
    """Read a body with one picture: multipart, `image/*` or JSON. Raises RequestError."""
    kind, options = parse_options_header(body.request.headers.get("content-type", ""))
    if kind == FORM:
        chunks = body.chunks(MAX_BYTES + OVERHEAD_BYTES)
        form = await body.in_time(read_parts(chunks, options.get("boundary", ""), max_files=1, texts=TEXTS))
        picture = form.files[0].take()
        return ImageBody(len(picture), lambda: picture, form)
    if kind.startswith("image/"):
        picture = await body.in_time(_read(body))
        return ImageBody(len(picture), lambda: picture)
    if kind == "application/json":
        text = await body.in_time(_read(body))
        return ImageBody(len(text), lambda: parse_array(text))
    if kind == PDF:
        raise RequestError(AS_PAGES, "unsupported_content_type")
    raise RequestError(
        "Send a picture as multipart/form-data, image/* or application/json.", "unsupported_content_type"
    )


async def read_files(body: Body, max_files: int = MAX_BATCH_FILES, texts: Collection[str] = TEXTS) -> Form:
    """Read a multipart body with many pictures, and the fields that `texts` names. Raises RequestError."""
    kind, options = parse_options_header(body.request.headers.get("content-type", ""))
    if kind != FORM:
        raise RequestError("Send the pictures as multipart/form-data.", "unsupported_content_type")
    chunks = body.chunks(MAX_BATCH_BYTES)
    boundary = options.get("boundary", "")
    return await body.in_time(read_parts(chunks, boundary, max_files=max_files, texts=texts))


def as_images(files: Sequence[File]) -> list[tuple[str, ImageLike]]:
    """Return the images of a batch with their names; a PDF counts as its pages, `FILE#PAGE`.

    A PDF that cannot be opened, or has more pages than a batch may have files, is one image, which fails.
    """
    images: list[tuple[str, ImageLike]] = []
    for place, file in enumerate(files):
        data = file.take()
        if is_pdf(data):
            room = MAX_BATCH_FILES - len(images) - (len(files) - place - 1)
            images.extend(_pages(file.name, Pdf(data), room))
        else:
            images.append((file.name, data))
    return images


def _pages(name: str, pdf: Pdf, room: int) -> Iterator[tuple[str, ImageLike]]:
    try:
        yield from ((f"{name}#{page.number}", page) for page in pdf.pages(room))
    except InputError as error:
        yield name, PdfPage(pdf, 1, error)


async def _read(body: Body) -> bytes:
    return b"".join([chunk async for chunk in body.chunks(MAX_BYTES)])


def _too_many_bytes(limit: int) -> RequestError:
    return RequestError(f"The body is larger than {limit // 1024**2} MiB.", "too_many_bytes")


def parse_array(text: bytes) -> NDArray[Any]:
    """Read `{"data": [[…]]}` as an array of numbers, [H, W] or deeper by one.

    Raises RequestError where it is not JSON or has no data, and InputError where the data are not numbers in a grid.
    """
    try:
        value = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise RequestError("The body is not JSON.", "bad_body") from error
    if not isinstance(value, dict) or "data" not in value:
        raise RequestError('The body has no picture: {"data": [[…]]}.', "no_picture")
    return _grid(value["data"])


def _grid(data: Any) -> NDArray[Any]:
    """Convert nested lists of numbers to an array; NumPy alone would also take strings, nulls and booleans."""
    leaves: list[Any] = [data]
    for _ in range(ARRAY_DEPTH):
        if not all(isinstance(leaf, list) for leaf in leaves):
            break
        leaves = list(chain.from_iterable(leaves))
    if not set(map(type, leaves)) <= {int, float}:
        raise InputError("The data must be numbers in rows of equal length: [H, W] or [H, W, 1|3|4].", "bad_array")
    try:
        return np.array(data)
    except (ValueError, OverflowError) as error:
        raise InputError("The data must be rows of equal length with values in 0..255.", "bad_array") from error
