"""Throughput of one worker, of the reference app (`typical.py`), and of the recogniser without a server.

    python bench/load.py [--rounds 5] [--seconds 3] [--tiny FILE.onnx] [--only WORD]

Each server is pinned to one core and the load generator (`wrk`, packaged by Debian) to another, with 16 connections
over loopback. All rows take turns in every round. A row shows its median rate, and the median of its ratios per round,
so that a slow moment of the machine affects every row. `cpu` is the server's processor time per picture, which other
load on the machine changes least. `taskset -c 1 python bench/load.py` keeps everything on one core when the other is
busy.
"""

import argparse
import contextlib
import io
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import onnx
from PIL import Image, ImageDraw

from inkdigit import Recognizer
from inkdigit.model_file import DEFAULT_MODEL, model_path

BENCH = Path(__file__).parent
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[-1]
CONNECTIONS = 16
BATCH = 64
SERVE = ["inkdigit", "serve", "--log-requests", "off"]  # the reference app logs nothing either
BOUNDARY = "pictures"
WRK = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "{kind}"
local file = io.open("{body}", "rb")
wrk.body = file:read("*a")
done = function(summary, latency, requests)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format('RESULT {{"requests": %d, "us": %d, "bad": %d, "p50": %d, "p99": %d}}\\n',
    summary.requests, summary.duration, bad, latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Server:
    """A running server."""

    url: str
    pid: int


@dataclass(frozen=True)
class Run:
    """One run of the generator: pictures per second, latencies in ms, the server's processor time per picture in µs."""

    rate: float
    p50: float = 0
    p99: float = 0
    cpu: float = 0


@dataclass(frozen=True)
class Row:
    """One measurement, and the row that its rate is compared with."""

    name: str
    against: str
    wanted: float
    run: Callable[[float], Run]


def picture(side: int, mode: str) -> bytes:
    """Draw a seven as a PNG: gray on white, or black on a transparent canvas."""
    page = Image.new("L", (4 * side, 4 * side))
    points = [(1.2 * side, 0.8 * side), (3 * side, 0.8 * side), (1.9 * side, 2.8 * side)]
    ImageDraw.Draw(page).line(points, fill=255, width=side // 4, joint="curve")
    ink = page.resize((side, side), Image.Resampling.BOX)
    if mode == "RGBA":
        drawn = Image.new("RGBA", ink.size)
        drawn.putalpha(ink)
    else:
        drawn = Image.eval(ink, lambda value: 255 - value)
    buffer = io.BytesIO()
    drawn.save(buffer, "PNG")
    return buffer.getvalue()


def form(files: list[bytes]) -> bytes:
    """Return files as a multipart body."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png'
    parts = b"".join(head.encode() + b"\r\n\r\n" + data + b"\r\n" for data in files)
    return parts + f"--{BOUNDARY}--\r\n".encode()


def cut_network(artefact: Path, target: Path) -> None:
    """Extract the classifier and its softmax from a model file: float frames [N, 1, 28, 28] to probabilities [N, C]."""
    (framed,) = (node.input[0] for node in onnx.load(artefact).graph.node if "frame" in node.output)
    onnx.utils.extract_model(artefact, target, [framed], ["probabilities"])


@contextlib.contextmanager
def started(command: list[str], ready: str, cores: str = str(SERVER_CORE), **variables: str) -> Iterator[Server]:
    """Start a server on a free port and on the given cores; stop it with SIGTERM."""
    with httpx.Client() as client, contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        taken.close()
        process = subprocess.Popen(
            ["taskset", "-c", cores, sys.executable, "-m", *command, "--port", str(port)],
            env={**os.environ, **variables},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # one line a request
        )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(client, url + ready, process)
            yield Server(url, process.pid)
        finally:
            process.terminate()
            process.wait(15)


def wait_for(client: httpx.Client, url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a URL answers."""
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit(f"{url}: the server ended with exit code {process.returncode}")
        with contextlib.suppress(httpx.HTTPError):
            if client.get(url).status_code < 500:
                return
        time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and its running children, in seconds."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") + sum(
        cpu_seconds(int(each)) for each in children
    )


def wait_until_idle(server: Server) -> None:
    """Wait until a server has finished what the generator abandoned, so that it does not slow the next row."""
    used = -1.0
    while (now := cpu_seconds(server.pid)) != used:
        used = now
        time.sleep(0.1)


def flood(server: Server, path: str, kind: str, body: bytes, connections: int, seconds: float) -> dict[str, int]:
    """Run the generator once, and return its counts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "body").write_bytes(body)
        (folder / "wrk.lua").write_text(WRK.format(kind=kind, body=folder / "body"))
        command = ["taskset", "-c", str(CLIENT_CORE), "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency"]
        output = subprocess.run(
            [*command, "-s", str(folder / "wrk.lua"), server.url + path], check=True, capture_output=True, text=True
        ).stdout
    counted: dict[str, int] = json.loads(output.partition("RESULT ")[2])
    return counted


def wrk(server: Server, path: str, kind: str, body: bytes, pictures: int, seconds: float) -> Run:
    """Measure once. Exits the program if a response is not 200."""
    before = cpu_seconds(server.pid)
    result = flood(server, path, kind, body, CONNECTIONS, seconds)
    used = cpu_seconds(server.pid) - before
    wait_until_idle(server)
    if result["bad"]:
        raise SystemExit(f"{path}: {result['bad']} requests failed")
    done = max(result["requests"] * pictures, 1)
    return Run(done / result["us"] * 1e6, result["p50"] / 1000, result["p99"] / 1000, used / done * 1e6)


def ceiling(recognizer: Recognizer, data: bytes, seconds: float) -> Run:
    """Predict one picture repeatedly in this process, pinned to the servers' core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {SERVER_CORE})
    start, used, count = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - start < seconds:
        recognizer.predict(data)
        count += 1
    took, used = time.perf_counter() - start, time.process_time() - used
    os.sched_setaffinity(0, cores)
    return Run(count / took, cpu=used / count * 1e6)


def main() -> None:
    """Print a line for every row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--tiny", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument(
        "--reference-threads",
        default="1",
        help="threads of the reference app; 0, the default of ONNX Runtime, is slower",
    )
    options = parser.parse_args()
    if shutil.which("wrk") is None or shutil.which("taskset") is None:
        raise SystemExit("This needs wrk and taskset (Debian: apt-get install wrk util-linux).")
    with contextlib.ExitStack() as stack:
        network = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "network.onnx"
        cut_network(model_path(DEFAULT_MODEL), network)
        typical = stack.enter_context(
            started(
                ["uvicorn", "--app-dir", str(BENCH), "--log-level", "warning", "typical:app"],
                "/docs",
                TYPICAL_NETWORK=str(network),
                TYPICAL_THREADS=options.reference_threads,
            )
        )
        ours = stack.enter_context(started(SERVE, "/readyz"))
        tiny = stack.enter_context(started([*SERVE, "--model", str(options.tiny)], "/readyz")) if options.tiny else None
        rows = [row for side, mode in ((28, "L"), (280, "RGBA")) for row in rows_of(side, mode, typical, ours, tiny)]
        rows = [row for row in rows if options.only in row.name]
        results: dict[str, list[Run]] = {row.name: [] for row in rows}
        for row in rows:
            row.run(1)
        for _ in range(options.rounds):
            for row in rows:
                results[row.name].append(row.run(options.seconds))
        for row in rows:
            print(line(row, results))


def rows_of(side: int, mode: str, typical: Server, ours: Server, tiny: Server | None) -> list[Row]:
    """List the measurements with one kind of picture."""
    data, multipart = picture(side, mode), f"multipart/form-data; boundary={BOUNDARY}"
    size = f"{side} {mode}"
    reference, top = f"{size} reference", f"{size} in process"
    recognizer = Recognizer()
    rows = [
        Row(reference, reference, 1, lambda s: wrk(typical, "/predict", multipart, form([data]), 1, s)),
        Row(f"{size} /predict", reference, 1, lambda s: wrk(ours, "/predict", multipart, form([data]), 1, s)),
        Row(f"{size} /v1/predict raw", reference, 1.3, lambda s: wrk(ours, "/v1/predict", "image/png", data, 1, s)),
        Row(top, top, 1, lambda s: ceiling(recognizer, data, s)),
        Row(
            f"{size} batch",
            top,
            0.85,
            lambda s: wrk(ours, "/v1/predict/batch", multipart, form([data] * BATCH), BATCH, s),
        ),
    ]
    if tiny:
        rows.insert(
            2,
            Row(
                f"{size} /predict tiny", reference, 1.5, lambda s: wrk(tiny, "/predict", multipart, form([data]), 1, s)
            ),
        )
    return rows


def line(row: Row, results: dict[str, list[Run]]) -> str:
    """Format a row's medians and the median of its ratios per round."""
    runs, others = results[row.name], results.get(row.against, results[row.name])
    rate, p50, p99, cpu = (
        statistics.median(getattr(run, key) for run in runs) for key in ("rate", "p50", "p99", "cpu")
    )
    ratio = statistics.median(run.rate / other.rate for run, other in zip(runs, others, strict=True))
    by_cpu = statistics.median(other.cpu / run.cpu for run, other in zip(runs, others, strict=True))
    return (
        f"{row.name:28} {rate:7.0f}/s  p50 {p50:6.1f}  p99 {p99:6.1f} ms  cpu {cpu:6.0f} µs   "
        f"{ratio:5.2f} × {row.against} (by cpu {by_cpu:.2f}, wanted {row.wanted:g})"
    )


if __name__ == "__main__":
    main()
