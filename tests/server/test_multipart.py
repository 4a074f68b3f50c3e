"""The multipart parser, on bodies in pieces of any size."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkdigit.image import MAX_BYTES
from inkdigit.server.error_responses import RequestError
from inkdigit.server.multipart import MAX_FIELDS, MAX_TEXT, File, Form, read_parts

from ..asynchronous import run

BOUNDARY = "border"


def part(content: bytes, disposition: str, *headers: str) -> bytes:
    lines = [f"--{BOUNDARY}", f"Content-Disposition: form-data; {disposition}", *headers, "", ""]
    return "\r\n".join(lines).encode() + content + b"\r\n"


def body(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def parse(data: bytes, size: int = 1000, max_files: int = 3) -> list[File]:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(data), size):
            yield data[start : start + size]

    return run(read_parts(chunks(), BOUNDARY, max_files=max_files, texts=("choices",))).files


@given(st.binary(max_size=300), st.binary(max_size=300), st.integers(1, 97))
def test_files_come_whole_and_in_order_whatever_the_pieces(first: bytes, second: bytes, size: int) -> None:
    data = body(part(first, 'name="a"; filename="one.png"'), part(second, 'name="b"; filename="two.png"'))
    assert [(file.name, file.take()) for file in parse(data, size)] == [("one.png", first), ("two.png", second)]


def test_an_image_type_makes_a_file_of_a_part_without_a_name() -> None:
    (file,) = parse(body(part(b"png", 'name="a"', "Content-Type: image/png")))
    assert (file.name, file.take()) == ("", b"png")


def test_a_name_in_the_extended_form_is_decoded() -> None:
    (file,) = parse(body(part(b"x", "name=\"a\"; filename*=utf-8''%c3%bc.png")))
    assert file.name == "ü.png"


def test_fields_are_skipped_and_an_empty_file_field_is_none() -> None:
    empty = part(b"", 'name="a"; filename=""', "Content-Type: application/octet-stream")
    (file,) = parse(body(part(b"text", 'name="note"'), empty, part(b"x", 'name="b"; filename="x.png"')), max_files=1)
    assert file.name == "x.png"


def test_a_pdf_may_be_larger_than_a_picture() -> None:
    content = b"%PDF-1.7" + bytes(MAX_BYTES + 200_000)
    (file,) = parse(body(part(content, 'name="a"; filename="x.pdf"')), size=65536)
    assert file.take() == content


def test_known_fields_are_kept_as_text() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        first, second = (part(line, 'name="choices"') for line in (b"1041\n", b"1047"))
        yield body(first, part(b"x", 'name="a"; filename="x.png"'), part(b"no", 'name="note"'), second)

    form = run(read_parts(chunks(), BOUNDARY, max_files=1, texts=("choices",)))
    assert (form.text("choices") or "").split() == ["1041", "1047"]
    assert form.text("note") is None


def test_a_field_that_is_too_large_or_no_text_is_refused() -> None:
    file = part(b"x", 'name="a"; filename="x.png"')
    with pytest.raises(RequestError) as refused:
        parse(body(file, part(bytes(MAX_TEXT + 1), 'name="choices"')))
    assert refused.value.code == "too_many_bytes"
    with pytest.raises(RequestError):
        Form(texts={"choices": bytearray(b"\xff")}).text("choices")


def test_no_more_than_the_limit_of_a_file_is_kept() -> None:
    (file,) = parse(body(part(bytes(MAX_BYTES + 200_000), 'name="a"; filename="x.png"')), size=65536)
    assert MAX_BYTES < len(file.take()) <= MAX_BYTES + 65536


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (body(part(b"text", 'name="note"')), "no_picture"),
        (body(*(part(b"x", f'name="a"; filename="{place}.png"') for place in range(4))), "too_many_parts"),
        (body(*(part(b"x", f'name="{place}"') for place in range(MAX_FIELDS + 1))), "too_many_parts"),
        (b"nothing of the kind", "bad_body"),
        (part(b"x", 'name="a"; filename="x.png"'), "bad_body"),
    ],
)
def test_broken_and_overfull_bodies_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(RequestError) as error:
        parse(data)
    assert error.value.code == code
