"""Every row of DESIGN's error table over real HTTP, and over raw sockets where a client library is too polite."""

import contextlib
import json
import re
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from inkdigit.image import MAX_BYTES
from inkdigit.server.error_responses import STATUS
from inkdigit.server.requests import MAX_BATCH_BYTES, MAX_BATCH_FILES

from ..pictures import encoded, seven
from ..serving import Service

PNG = encoded(seven(64))
ROUTES = ["/v1/predict", "/predict", "/predict_test", "/v1/read"]
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=xx"}


def assert_error(response: httpx.Response, code: str) -> None:
    body = response.json()
    assert (response.status_code, body["code"]) == (STATUS[code], code), body
    assert set(body) == {"detail", "code"}
    assert body["detail"].endswith(".")
    for leak in ("Traceback", "/work", "site-packages", "Error", "0x"):
        assert leak not in body["detail"]


def raw(service: Service, data: bytes, *, patience: float = 5) -> httpx.Response:
    """Send bytes as they are and parse what comes back."""
    with socket.create_connection(service.address, timeout=patience) as connection:
        with contextlib.suppress(ConnectionError):  # the server may close while we still send
            connection.sendall(data)
        received = b""
        while b"\r\n\r\n" not in received or len(received.split(b"\r\n\r\n", 1)[1]) < _length(received):
            chunk = connection.recv(65536)
            if not chunk:
                break
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    return httpx.Response(int(head.split()[1]), content=body)


def _length(received: bytes) -> int:
    names = (line.split(b":") for line in received.lower().split(b"\r\n\r\n")[0].splitlines() if b":" in line)
    return next(int(line[1]) for line in names if line[0] == b"content-length")


def head(path: str, kind: str, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Type: {kind}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    ("content", "headers", "code"),
    [
        (b"{", JSON, "bad_body"),
        (b"", JSON, "bad_body"),
        (b'{"data": [[1, NaN]]}', JSON, "bad_body"),
        (b'{"data": ' + b"[" * 50_000, JSON, "bad_body"),
        (b"[]", JSON, "no_picture"),
        (b'{"picture": [[1]]}', JSON, "no_picture"),
        (b"no parts", FORM, "bad_body"),
        (b"", FORM, "bad_body"),
        (b'--xx\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\nabc', FORM, "bad_body"),
        (b"--xx--\r\n", {"Content-Type": "multipart/form-data"}, "bad_body"),
        (b"--xx--\r\n", FORM, "no_picture"),
        (b'--xx\r\nContent-Disposition: form-data; name="a"\r\n\r\ntext\r\n--xx--\r\n', FORM, "no_picture"),
        (b'--xx\r\nContent-Disposition: form-data; name="a"; filename=""\r\n\r\n\r\n--xx--\r\n', FORM, "no_picture"),
        (PNG, {}, "unsupported_content_type"),
        (PNG, {"Content-Type": "text/plain"}, "unsupported_content_type"),
        (PNG, {"Content-Type": "application/x-www-form-urlencoded"}, "unsupported_content_type"),
        (b"", {"Content-Type": "image/png"}, "unsupported_format"),
        (b"hello", {"Content-Type": "image/png"}, "unsupported_format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", {"Content-Type": "image/svg+xml"}, "unsupported_format"),
        (b"%PDF-1.7\n", {"Content-Type": "image/png"}, "unsupported_format"),
        (PNG[: len(PNG) // 2], {"Content-Type": "image/png"}, "broken_image"),
        (PNG[:12], {"Content-Type": "image/png"}, "broken_image"),
        (encoded(np.full((50, 50), 255, np.uint8)), {"Content-Type": "image/png"}, "blank_image"),
    ],
)
def test_bodies_without_an_answer(
    client: httpx.Client, path: str, content: bytes, headers: dict[str, str], code: str
) -> None:
    response = client.post(path, content=content, headers=headers)
    if path == "/v1/read" and code == "blank_image":  # which has an empty reading
        assert response.json()["text"] == ""
        return
    assert_error(response, code)


@pytest.mark.parametrize(
    "data",
    [
        [],
        [[]],
        [[], [1]],
        [[1, 2], [3]],
        [[[1, 2], [3, 4]]],
        [[[[1]]]],
        [1, 2],
        7,
        None,
        "picture",
        {"a": 1},
        [["1", "2"]],
        [["long" * 1000, 1], [2, 3]],
        [[None]],
        [[True, False]],
        [[1, True]],
        [[1, [2]]],
        [[-1, 2]],
        [[0, 256]],
        [[1e300]],
        [[10**30, 0.5]],
        [[10**400]],
    ],
    ids=lambda data: str(data)[:20],
)
def test_arrays_without_an_answer(client: httpx.Client, data: Any) -> None:
    assert_error(client.post("/v1/predict", content=json.dumps({"data": data}), headers=JSON), "bad_array")


def test_a_blank_array_is_blank(client: httpx.Client) -> None:
    assert_error(client.post("/v1/predict", json={"data": [[0] * 28] * 28}), "blank_image")


def test_unknown_addresses_models_methods_and_parameters(client: httpx.Client) -> None:
    assert_error(client.get("/nowhere"), "not_found")
    assert_error(client.get("/v1/models/"), "not_found")
    assert_error(client.get("/web/nothing.js"), "not_found")
    assert_error(client.get("/web/..%2f..%2fapi.py"), "not_found")
    assert_error(client.get("/web/%00"), "not_found")
    assert_error(client.post("/v1/predict?model=nobody", files={"file": PNG}), "unknown_model")
    assert_error(client.post("/v1/predict/batch?model=../inkdigit", files={"file": PNG}), "unknown_model")
    assert_error(client.get("/v1/predict"), "method_not_allowed")
    assert_error(client.delete("/"), "method_not_allowed")
    assert_error(client.request("BREW", "/predict"), "method_not_allowed")
    assert_error(client.options("/v1/predict"), "method_not_allowed")
    assert_error(client.post("/v1/predict?frame=perhaps", files={"file": PNG}), "bad_parameter")


def test_a_range_that_is_wrong_gets_the_whole_file(client: httpx.Client) -> None:
    for path in ("/web/app.js", "/ui", "/docs-files/favicon.png"):
        for value in ("bytes=0-1", "bytes=9999999999-", "lines=?"):
            answer = client.get(path, headers={"Range": value})
            assert answer.content == client.get(path).content
            assert "accept-ranges" not in answer.headers


def test_an_announced_length_over_the_limit_is_refused_before_the_body(service: Service) -> None:
    for kind in ("image/png", "application/json"):
        assert_error(raw(service, head("/v1/predict", kind, f"Content-Length: {MAX_BYTES + 1}")), "too_many_bytes")
    for path, limit in (("/v1/predict", MAX_BYTES * 2), ("/v1/predict/batch", MAX_BATCH_BYTES + 1)):
        request = head(path, "multipart/form-data; boundary=xx", f"Content-Length: {limit}")
        assert_error(raw(service, request), "too_many_bytes")


def test_a_chunked_body_is_read_no_further_than_the_limit(client: httpx.Client) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(200):
            sent += 1
            yield bytes(1024**2)

    assert_error(client.post("/v1/predict", content=endless(), headers={"Content-Type": "image/png"}), "too_many_bytes")
    assert sent < 60  # what buffers on the way may hold


def test_a_file_over_the_limit_fails_alone_in_a_batch(client: httpx.Client) -> None:
    files = [("file", ("big.png", PNG + bytes(MAX_BYTES))), ("file", ("small.png", PNG))]
    big, small = client.post("/v1/predict/batch", files=files).json()["results"]
    assert big["error"]["code"] == "too_many_bytes"
    assert small["digit"] == 7
    assert_error(client.post("/v1/predict", files={"file": PNG + bytes(MAX_BYTES)}), "too_many_bytes")


def test_too_many_parts(client: httpx.Client) -> None:
    many = [("file", (f"{place}", b"x")) for place in range(MAX_BATCH_FILES + 1)]
    assert_error(client.post("/v1/predict/batch", files=many), "too_many_parts")
    assert_error(client.post("/v1/predict", files=[("a", PNG), ("b", PNG)]), "too_many_parts")
    fields = {f"f{place}": "x" for place in range(100)}
    assert_error(client.post("/v1/predict", files={"file": PNG}, data=fields), "too_many_parts")


EMPTY = b'--xx\r\nContent-Disposition: form-data; name="f"; filename=""\r\nContent-Type: image/png\r\n\r\n\r\n'


def test_a_field_in_which_nothing_was_chosen_is_no_file(client: httpx.Client) -> None:
    part = b'--xx\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n\r\n' + PNG + b"\r\n"
    nameless = part.replace(b'; filename="a.png"', b"\r\nContent-Type: image/png")
    for body in (EMPTY + part, nameless + EMPTY):
        for path in ("/v1/predict", "/predict"):
            assert client.post(path, content=body + b"--xx--\r\n", headers=FORM).json()["confidence"] > 0.5
    body = EMPTY + MAX_BATCH_FILES * nameless + b"--xx--\r\n"
    assert len(client.post("/v1/predict/batch", content=body, headers=FORM).json()["results"]) == MAX_BATCH_FILES
    for body in (part + 100 * EMPTY, part + nameless, nameless + part):
        assert_error(client.post("/v1/predict", content=body + b"--xx--\r\n", headers=FORM), "too_many_parts")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("utf-8''sieb%c3%a9n.png", "siebén.png"),
        ("ISO-8859-1'de'sieb%e9n.png", "siebén.png"),
        ("UTF-8''%ff; x=y", "\ufffd"),
    ],
)
def test_a_files_name_as_older_clients_send_it(client: httpx.Client, given: str, name: str) -> None:
    head = f"--xx\r\nContent-Disposition: form-data; name=f; filename*={given}\r\n\r\n".encode()
    answer = client.post("/v1/predict/batch", content=head + PNG + b"\r\n--xx--\r\n", headers=FORM)
    ((file, digit),) = ((result["file"], result["digit"]) for result in answer.json()["results"])
    assert (file, digit) == (name, 7)


def test_more_pixels_than_the_limit_in_few_bytes(client: httpx.Client) -> None:
    bomb = encoded(Image.new("1", (9000, 9000)))
    assert len(bomb) < 50_000
    assert_error(client.post("/v1/predict", files={"file": bomb}), "too_many_pixels")


def test_batches_without_files(client: httpx.Client) -> None:
    assert_error(client.post("/v1/predict/batch", content=b"--xx--\r\n", headers=FORM), "no_picture")
    assert_error(
        client.post("/v1/predict/batch", content=PNG, headers={"Content-Type": "image/png"}), "unsupported_content_type"
    )


def test_a_body_that_comes_too_slowly_ends_with_408(service: Service) -> None:
    for length in ("Content-Length: 1000", "Transfer-Encoding: chunked"):
        assert_error(raw(service, head("/v1/predict", "image/png", length) + b"1\r\na\r\n"), "body_too_slow")


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        head("/v1/predict", "image/png", "Content-Length: many"),
        head("/v1/predict", "image/png", "Content-Length: -1"),
        head("/v1/predict", "image/png", "Content-Length: 3", "Content-Length: 4") + b"abcd",
        head("/v1/predict", "image/png", "Content-Length: " + "9" * 40),
        head("/v1/predict", "image/png", "Transfer-Encoding: chunked") + b"zz\r\nabc",
        head("/v1/predict", "multipart/form-data; boundary=\xff\xfe", "Content-Length: 0"),
        head("/v1/predict", "multipart/form-data; boundary=" + "b" * 2000, "Content-Length: 0"),
        head("/v1/predict", "image/png", *["X-Many: 1"] * 1000),
        head("/v1/predict", "image/png", "X-Long: " + "a" * 600_000),
    ],
    ids=lambda data: repr(data[:1] + data[60:100]),
)
def test_malformed_requests_are_the_clients_fault(service: Service, data: bytes) -> None:
    assert 400 <= raw(service, data).status_code < 500


REQUEST = re.compile(r"\S+ (GET|HEAD|POST|DELETE|OPTIONS|other) (none|/\S*) [2-5]\d\d( [a-z_]+)? \d+\.\d ms \S+")


def test_nothing_of_this_is_in_the_log(client: httpx.Client, service: Service) -> None:
    client.post("/v1/predict", content=b"no parts", headers=FORM)
    lines = service.log.read_text().splitlines()
    assert [line for line in lines if not REQUEST.fullmatch(line)] == [f"Inkdigit is at {service.url}"]
