"""Bodies to images: JSON arrays, limits while a body streams, and its time."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from inkdigit.errors import InputError
from inkdigit.image import MAX_BYTES
from inkdigit.server.error_responses import RequestError
from inkdigit.server.requests import Body, parse_array, read_files, read_image

from ..asynchronous import run


def body(*chunks: bytes, kind: str = "image/png", timeout: float = 5.0, end: bool = True, **headers: str) -> Body:
    """Return a body that arrives in chunks; without an `end` the client waits."""
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages += [{"type": "http.request", "body": b"", "more_body": False}] if end else []
    taken: list[int] = []

    async def receive() -> dict[str, object]:
        if not messages:
            await asyncio.sleep(60)
        return dict(messages.pop(0))

    fields = {"content-type": kind, **headers}
    encoded = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": encoded}
    return Body(Request(scope, receive), timeout, taken.append)


def test_raw_bytes_are_the_picture() -> None:
    found = run(read_image(body(b"abc", b"def")))
    assert (found.size, found.get_image()) == (6, b"abcdef")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (body(kind="text/plain"), "unsupported_content_type"),
        (body(kind=""), "unsupported_content_type"),
        (body(content_length=str(MAX_BYTES + 1)), "too_many_bytes"),
        (body(*[bytes(2**20)] * 11), "too_many_bytes"),
        (body(b"x", end=False, timeout=0.05), "body_too_slow"),
    ],
)
def test_what_is_refused_before_it_is_read_to_its_end(sent: Body, code: str) -> None:
    with pytest.raises(RequestError) as caught:
        run(read_image(sent))
    assert caught.value.code == code


def test_a_batch_must_be_multipart() -> None:
    with pytest.raises(RequestError) as caught:
        run(read_files(body(b"x")))
    assert caught.value.code == "unsupported_content_type"


def test_chunks_are_counted_as_they_arrive() -> None:
    counted: list[int] = []
    sent = body(b"ab", b"c")
    sent = Body(sent.request, sent.timeout, counted.append)

    async def collect(chunks: AsyncIterator[bytes]) -> list[bytes]:
        return [chunk async for chunk in chunks]

    assert run(collect(sent.chunks(10))) == [b"ab", b"c"]
    assert sum(counted) == 3


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "bad_body"),
        (b"[[1]", "bad_body"),
        (b'{"data": [[NaN]]}', "bad_body"),
        (b"[[1]]", "no_picture"),
        (b'{"picture": [[1]]}', "no_picture"),
        (b'{"data": [[1, "2"]]}', "bad_array"),
        (b'{"data": [[true]]}', "bad_array"),
        (b'{"data": [[null]]}', "bad_array"),
        (b'{"data": [[1, 2], [3]]}', "bad_array"),
    ],
)
def test_what_is_no_array_has_a_code(text: bytes, code: str) -> None:
    try:
        parse_array(text)
    except (RequestError, InputError) as error:
        found: str = error.code
    else:
        found = "no error"
    assert found == code


@given(st.lists(st.lists(st.integers(0, 255), min_size=3, max_size=3), min_size=1, max_size=4))
def test_an_array_arrives_as_it_was_sent(rows: list[list[int]]) -> None:
    found = parse_array(f'{{"data": {rows}}}'.encode())
    assert np.array_equal(found, rows)
