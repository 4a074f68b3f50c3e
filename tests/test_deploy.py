"""What deploy/ ships works: the metrics in a real Prometheus, and every manifest by a tool that knows its kind."""

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from docs.settings import PAGE, table

from .pictures import encoded, seven
from .serving import Service, serving, wait_for

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana/dashboards/inkdigit.json").read_text())
BIN = Path(sys.executable).parent
needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="Prometheus is not installed: Debian's package is prometheus"
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, httpx.Client]]:
    """Two workers, and a Prometheus with the shipped configuration that scrapes them every second."""
    folder = tmp_path_factory.mktemp("prometheus")
    with serving("--workers", "2", "--log-requests", "json") as service:
        host, port = service.address
        text = (DEPLOY / "prometheus.yml").read_text()
        assert text.count("inkdigit:8000") == 1
        text = text.replace("inkdigit:8000", f"{host}:{port}").replace("scrape_interval: 15s", "scrape_interval: 1s")
        (folder / "prometheus.yml").write_text(text)
        shutil.copy(DEPLOY / "alerts.yml", folder)
        address = f"127.0.0.1:{free_port()}"
        flags = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
        command = ["prometheus", *flags, f"--web.listen-address={address}", "--log.level=error"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                with httpx.Client(base_url=f"http://{address}", timeout=30) as client:
                    yield service, client
            finally:
                process.kill()


def query(client: httpx.Client, expression: str) -> list[dict[str, Any]]:
    try:
        answer = client.get("/api/v1/query", params={"query": expression})
    except httpx.TransportError:
        return []  # it has not started yet
    assert answer.status_code in {200, 503}, answer.text
    return list(answer.json()["data"]["result"]) if answer.status_code == 200 else []


def values(client: httpx.Client, expression: str, label: str) -> dict[str, float]:
    return {each["metric"][label]: float(each["value"][1]) for each in query(client, expression)}


@needs_prometheus
def test_prometheus_finds_the_numbers_that_the_load_made_on_two_workers(watched: tuple[Service, httpx.Client]) -> None:
    service, prometheus = watched
    png, blank = encoded(seven(64)), encoded(np.full((30, 30), 9, np.uint8))
    wait_for(lambda: "inkdigit_workers_ready 2.0" in service.http.get("/metrics").text)
    sent = 0
    while len(_workers(service)) < 2 or sent < 12:  # a connection stays with one worker, so every request has its own
        assert httpx.post(f"{service.url}/v1/predict", files={"file": png}).json()["digit"] == 7
        sent += 1
    for _ in range(5):
        httpx.post(f"{service.url}/v1/predict", files={"file": blank})
    httpx.post(f"{service.url}/v1/predict/batch", files=[("a", png), ("b", blank), ("c", png)])
    requests = 'inkdigit_request_seconds_count{route="/v1/predict"}'
    wanted = {"200": sent, "422": 5}
    wait_for(lambda: values(prometheus, requests, "status") == wanted)
    wait_for(lambda: values(prometheus, "inkdigit_predictions_total", "digit") == {"7": sent + 2})
    assert values(prometheus, "inkdigit_refused_total", "code") == {"blank_image": 6.0}
    assert values(prometheus, "inkdigit_confidence_count", "model") == {"inkdigit": sent + 2}
    assert values(prometheus, "inkdigit_workers_ready", "job") == {"inkdigit": 2.0}
    assert values(prometheus, "inkdigit_work_in_flight", "job") == {"inkdigit": 0.0}


def _workers(service: Service) -> set[int]:
    """Name the workers that have answered."""
    return {json.loads(line)["worker"] for line in service.log.read_text().splitlines() if line.startswith("{")}


@needs_prometheus
def test_every_panel_of_the_dashboard_asks_what_prometheus_understands(watched: tuple[Service, httpx.Client]) -> None:
    service, prometheus = watched
    service.http.post("/v1/predict", files={"file": encoded(seven(64))})
    wait_for(lambda: bool(query(prometheus, "inkdigit_predictions_total")))
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            expression = target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")
            assert "$" not in expression
            query(prometheus, expression)
            for metric in set(re.findall(r"inkdigit_\w+", expression)):
                assert query(prometheus, metric) or metric == "inkdigit_refused_total", metric
    loaded = prometheus.get("/api/v1/rules").json()["data"]["groups"][0]["rules"]
    assert all(rule["health"] in {"ok", "unknown"} for rule in loaded)


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed: Debian's package is prometheus"
)
def test_promtool_accepts_the_configuration() -> None:
    check("promtool", "check", "config", DEPLOY / "prometheus.yml")


def test_tools_that_know_them_accept_the_manifests() -> None:
    workflows = sorted((ROOT / ".github/workflows").glob("*.yml"))
    check(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / "compose.yaml")
    check(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    check(BIN / "actionlint", *workflows)
    check(BIN / "kubernetes-validate", "--strict", DEPLOY / "kubernetes.yaml")
    check(BIN / "hadolint", DEPLOY / "Dockerfile")


def check(*command: str | Path) -> None:
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflows_call_targets_that_there_are() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for workflow in (ROOT / ".github/workflows").glob("*.yml"):
        assert set(re.findall(r"make (\w+)", workflow.read_text())) <= targets


def test_the_table_of_settings_is_what_the_settings_are() -> None:
    assert table() in PAGE.read_text(encoding="utf-8"), "run: make docs"
