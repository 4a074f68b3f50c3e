"""Nothing that a client sends is ever a 500: bytes, arrays and headers that hypothesis makes up, over real HTTP."""

import json
from typing import Any
from urllib.parse import quote

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inkdigit.server.error_responses import STATUS

from ..pictures import encoded, seven
from ..serving import Service

FILES = [
    encoded(seven(24)),
    encoded(seven(24), "JPEG"),
    encoded(seven(24), "GIF"),
    encoded(seven(24), "TIFF"),
    encoded(seven(24), "WEBP"),
    encoded(seven(24), "BMP"),
]
KINDS = ["image/png", "application/json", "multipart/form-data; boundary=xx", "multipart/form-data", "text/plain", ""]
fuzzing = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def damaged_pictures(draw: st.DrawFn) -> bytes:
    """Take a picture file, overwrite some of its bytes, and cut some off."""
    data = bytearray(draw(st.sampled_from(FILES)))
    for place in draw(st.lists(st.integers(0, len(data) - 1), max_size=8)):
        data[place] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


part_heads = st.lists(
    st.sampled_from(
        [
            b"Content-Disposition: form-data",
            b'; name="a"',
            b'; filename="b"',
            b"\r\n",
            b":",
            b"\xff",
            b"Content-Type: image/png",
        ]
    )
)
multipart_bodies = st.lists(
    st.sampled_from([b"--xx", b"--", b"\r\n", b"\r\n\r\n", *FILES[:2]])
    | part_heads.map(b"".join)
    | st.binary(max_size=20),
    max_size=12,
).map(b"".join)
numbers = st.integers() | st.floats() | st.integers(0, 255) | st.floats(0, 1)
values = st.recursive(
    numbers | st.none() | st.booleans() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["data", "x"]), inner),
    max_leaves=30,
)
grids = st.integers(1, 6).flatmap(
    lambda width: st.lists(st.lists(numbers, min_size=width, max_size=width), min_size=1, max_size=6)
)


def assert_answered(response: httpx.Response) -> None:
    assert response.status_code == 200 or 400 <= response.status_code < 500, response.text
    if response.status_code != 200 and response.content:
        body = response.json()
        assert STATUS[body["code"]] == response.status_code
        assert body["detail"]


@fuzzing
@given(content=damaged_pictures() | st.binary(max_size=200) | multipart_bodies, kind=st.sampled_from(KINDS))
def test_any_bytes_under_any_content_type(client: httpx.Client, content: bytes, kind: str) -> None:
    assert_answered(client.post("/v1/predict", content=content, headers={"Content-Type": kind}))


@fuzzing
@given(content=damaged_pictures())
def test_any_picture_through_every_route(client: httpx.Client, content: bytes) -> None:
    assert_answered(client.post("/predict", files={"file": content}))
    assert_answered(client.post("/v1/read?annotated=true", files={"file": content}))
    assert_answered(client.post("/v1/predict", content=content, headers={"Content-Type": "image/png"}))
    batch = client.post("/v1/predict/batch", files=[("a", content), ("b", FILES[0])])
    assert batch.status_code == 200
    assert batch.json()["results"][1]["digit"] == 7


@fuzzing
@given(content=multipart_bodies, path=st.sampled_from(["/v1/predict", "/v1/predict/batch"]))
def test_any_multipart(client: httpx.Client, content: bytes, path: str) -> None:
    assert_answered(client.post(path, content=content, headers={"Content-Type": KINDS[2]}))


@fuzzing
@given(data=values | grids)
def test_any_array(client: httpx.Client, data: Any) -> None:
    content = json.dumps({"data": data})
    assert_answered(client.post("/v1/predict", content=content, headers={"Content-Type": "application/json"}))
    assert_answered(client.post("/predict", content=json.dumps(data), headers={"Content-Type": "application/json"}))


header_values = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60)
names = [
    "Accept",
    "Authorization",
    "Content-Encoding",
    "Content-Type",
    "Origin",
    "Range",
    "If-None-Match",
    "If-Modified-Since",
    "If-Range",
    "Cookie",
    "X-Forwarded-For",
    "Access-Control-Request-Method",
]


@fuzzing
@given(
    headers=st.dictionaries(st.sampled_from(names), header_values, max_size=4),
    path=st.sampled_from(["/", "/v1/predict", "/v1/read", "/web/app.js", "/docs", "/healthz"])
    | st.text(max_size=20).map(lambda text: "/" + quote(text)),
    query=st.sampled_from(
        [
            "",
            "?frame=true",
            "?allow=%00",
            "?pattern=%5B%5B",
            "?choices=%00&pattern=1",
            "?annotated=x",
            "?model=%00",
            "?frame=1&frame=2",
            "?%ff=%fe",
        ]
    ),
    method=st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"]),
)
def test_any_headers_address_and_method(
    client: httpx.Client, headers: dict[str, str], path: str, query: str, method: str
) -> None:
    response = client.request(method, path + query, headers=headers, content=FILES[0] if method == "POST" else None)
    assert response.status_code < 500, response.text


def test_none_of_this_is_in_the_log(service: Service) -> None:
    assert "Traceback" not in service.log.read_text()
