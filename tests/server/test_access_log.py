"""What is noted of a request: its id, its figures, its line in the log."""

import json
import re
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.types import Message, Receive, Scope, Send

from inkdigit import Recognizer
from inkdigit.server.access_log import AccessLog
from inkdigit.server.metrics import Metrics
from inkdigit.server.responses import Reply

from ..asynchronous import run
from ..pictures import digits, encoded, seven
from ..serving import Service, serving, wait_for

PNG = encoded(seven(64))
BLANK = encoded(np.full((40, 40), 255, np.uint8))
TIFF, EXIF = encoded(seven(64), "TIFF", compression="tiff_adobe_deflate"), b"Exif\0\0MM\0*\0\0\0\x08\0\x99"
NOISY = {"noisy.tiff": TIFF[:10] + b"\xff" * 20 + TIFF[30:], "noisy.jpg": encoded(seven(64), "JPEG", exif=EXIF)}
SECRET = "sesame-open"


@pytest.fixture(scope="module")
def logged() -> Iterator[Service]:
    with serving("--log-requests", "json", INKDIGIT_TOKENS=SECRET) as started:
        started.http.headers["Authorization"] = f"Bearer {SECRET}"
        yield started


def samples(client: httpx.Client) -> dict[str, dict[tuple[str, ...], float]]:
    """Return every sample by its name, then by the values of its labels in the order of the labels' names."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            key = tuple(value for _, value in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[key] = sample.value
    return found


def test_a_request_keeps_the_id_it_came_with_and_gets_one_otherwise(client: httpx.Client) -> None:
    for path in ("/healthz", "/nowhere", "/v1/models"):
        assert client.get(path, headers={"X-Request-ID": "order-66/a"}).headers["x-request-id"] == "order-66/a"
        given = {client.get(path).headers["x-request-id"] for _ in range(3)}
        assert all(re.fullmatch(r"[0-9a-f]{32}", each) for each in given)
        assert len(given) == 3


@pytest.mark.parametrize("name", ["", "two words", "x" * 129, 'a"b', "<b>", "\xff"])
def test_what_does_not_look_like_an_id_is_not_taken_over(client: httpx.Client, name: str) -> None:
    response = client.get("/healthz", headers={"X-Request-ID": name.encode("latin-1")})  # type: ignore[arg-type]
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["x-request-id"])


def test_each_request_is_one_line_without_content_or_secrets(logged: Service) -> None:
    headers = {"X-Request-ID": "mine", "Cookie": "session=c00kie"}
    logged.http.post(
        "/v1/predict?frame=true&token=qu3ry", content=PNG, headers={**headers, "Content-Type": "image/png"}
    )
    logged.http.get("/p4th/of/the/client")
    logged.http.get("/healthz")
    wait_for(lambda: '"not_found"' in logged.log.read_text())
    lines = logged.log.read_text().splitlines()
    first, second = (json.loads(line) for line in lines if line.startswith("{"))
    assert (
        first.items() >= {"id": "mine", "method": "POST", "route": "/v1/predict", "status": 200, "code": None}.items()
    )
    assert 0 < first["seconds"] < 10
    assert first["time"].endswith("+00:00")
    assert (second["route"], second["status"], second["code"]) == ("none", 404, "not_found")
    assert not re.search(f"{SECRET}|c00kie|qu3ry|p4th", "".join(lines))


def test_lines_are_for_people_unless_asked_and_can_be_left_out() -> None:
    with serving() as service:
        service.http.post("/v1/predict", files={"file": BLANK}, headers={"X-Request-ID": "mine"})
        line = re.compile(r"^\S+ POST /v1/predict 422 blank_image \d+\.\d ms mine$", re.MULTILINE)
        wait_for(lambda: bool(line.search(service.log.read_text())))
    with serving("--log-requests", "off") as service:
        service.http.get("/v1/models")
        for name, status in {"noisy.tiff": 422, "noisy.jpg": 200}.items():  # of which decoders would complain
            assert service.http.post("/v1/predict", files={"file": NOISY[name]}).status_code == status
        assert service.log.read_text() == f"Inkdigit is at {service.url}\n"


def test_without_stderr_there_is_no_log_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = list[Message]()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Reply({})(scope, receive, send)

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        answered.append(message)

    monkeypatch.setattr("sys.stderr", None)
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    run(AccessLog(app, Metrics(), "text")(scope, receive, send))
    assert answered[0]["status"] == 200


def test_answers_are_counted_as_they_were_given(logged: Service) -> None:
    client = logged.http
    images, _ = digits(12, 64)
    before = samples(client)
    answers = [client.post("/v1/predict", files={"file": encoded(image)}).json() for image in images]
    client.post("/v1/predict/batch", files=[("a", PNG), ("b", BLANK)])
    client.post("/v1/predict", files={"file": BLANK})
    numbers = client.post("/v1/read", files={"file": PNG}).json()["numbers"]
    after = samples(client)

    def grown(name: str, *labels: str) -> float:
        return after[name][labels] - before.get(name, {}).get(labels, 0)

    model = (Recognizer().contract.name, Recognizer().contract.version)
    for digit in {answer["digit"] for answer in answers}:
        count = sum(answer["digit"] == digit for answer in answers) + (digit == 7)
        assert grown("inkdigit_predictions_total", str(digit), *model) == count
    assert grown("inkdigit_confidence_count", *model) == grown("inkdigit_digitness_count", *model) == 13
    sure = sum(answer["confidence"] <= 0.99 for answer in answers)
    assert sure <= grown("inkdigit_confidence_bucket", "0.99", *model) <= sure + 1
    assert grown("inkdigit_confidence_sum", *model) == pytest.approx(
        sum(answer["confidence"] for answer in answers) + Recognizer().predict(PNG).confidence, abs=1e-3
    )
    assert grown("inkdigit_refused_total", "blank_image") == 2
    assert grown("inkdigit_read_seconds_count") == 1
    counted = sum(after.get("inkdigit_numbers_total", {}).values()) - sum(
        before.get("inkdigit_numbers_total", {}).values()
    )
    assert counted == len(numbers)
    assert grown("inkdigit_decode_seconds_count") == grown("inkdigit_inference_seconds_count") == 12
    assert (
        0
        < grown("inkdigit_inference_seconds_sum")
        < grown("inkdigit_request_seconds_sum", "POST", "/v1/predict", "200")
    )
    assert after["inkdigit_model_info"][Recognizer().contract.architecture, *model] == 1
    assert after["inkdigit_requests_open"][()] == 1
