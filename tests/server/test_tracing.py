"""Traces, as a collector gets them: a stub that keeps what is sent to it."""

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ..pictures import encoded, seven
from ..serving import COMMAND, environment, serving, wait_for

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


class Collector(http.server.BaseHTTPRequestHandler):
    received: list[bytes]

    def do_POST(self) -> None:
        self.received.append(self.path.encode() + b" " + self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        pass


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    received: list[bytes] = []
    handler = type("Here", (Collector,), {"received": received})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", received
        server.shutdown()


def spans(received: list[bytes]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for message in received:
        path, _, body = message.partition(b" ")
        assert path == b"/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            assert any(
                each.key == "service.name" and each.value.string_value == "inkdigit"
                for each in resource.resource.attributes
            )
            found |= {span.name: span for scope in resource.scope_spans for span in scope.spans}
    return found


def test_a_collector_gets_a_span_for_a_request_with_its_stages(collector: tuple[str, list[bytes]]) -> None:
    address, received = collector
    with serving(OTEL_EXPORTER_OTLP_ENDPOINT=address, OTEL_BSP_SCHEDULE_DELAY="100") as service:
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-ID": "mine"}
        service.http.post("/v1/predict?secret=s3same", files={"file": encoded(seven(64))}, headers=headers)
        service.http.get("/p4th")
        wait_for(lambda: len(spans(received)) >= 4)
    found = spans(received)
    assert set(found) == {"POST /v1/predict", "decode", "inference", "GET none"}
    request = found["POST /v1/predict"]
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    told = {each.key: each.value.string_value or each.value.int_value for each in request.attributes}
    assert told == {
        "http.request.method": "POST",
        "http.route": "/v1/predict",
        "http.response.status_code": 200,
        "inkdigit.request_id": "mine",
    }
    for name in ("decode", "inference"):
        assert found[name].parent_span_id == request.span_id
        assert request.start_time_unix_nano <= found[name].start_time_unix_nano <= found[name].end_time_unix_nano
        assert found[name].end_time_unix_nano <= request.end_time_unix_nano
    assert not any(secret in message for message in received for secret in (b"s3same", b"p4th"))


def test_a_collector_that_is_not_there_harms_no_request() -> None:
    with serving(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_EXPORTER_OTLP_TIMEOUT="1") as service:
        assert service.http.post("/v1/predict", files={"file": encoded(seven(64))}).json()["digit"] == 7


WITHOUT = """
import sys
sys.modules["opentelemetry.exporter"] = None
from inkdigit.cli.main import main
main()
"""


def test_without_the_extra_it_is_one_sentence() -> None:
    command = [sys.executable, "-c", WITHOUT, *COMMAND[1:]]
    variables = environment(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    done = subprocess.run(command, env=variables, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == "inkdigit: Otel is not installed: pip install 'inkdigit[otel]'.\n"
