"""Behaviour of the service under overload, slow clients, signals and long use; each scene prints its target.

    python bench/siege.py [SCENE …]

Scenes: overload, slow, sigterm, sigkill, neighbour, photos, soak; without a name, all of them. `soak` takes minutes.
`wrk` generates the load; Python threads send only the requests whose results are checked one by one.
"""

import argparse
import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from load import BOUNDARY, CORES, Server, flood, form, picture, started, wrk

SMALL = picture(28, "L")
FORM = f"multipart/form-data; boundary={BOUNDARY}"
SERVE = ["inkdigit", "serve"]


def photo() -> bytes:
    """Draw a noisy 12-megapixel photo as a JPEG."""
    path = Path("/tmp") / f"inkdigit-photo-{os.getpid()}.jpg"
    noise = np.random.default_rng(0).normal(200, 12, (3000, 4000, 1)).clip(0, 255).astype(np.uint8)
    page = Image.fromarray(np.broadcast_to(noise, (3000, 4000, 3)).copy())
    page.paste(Image.new("RGB", (60, 700), (30, 30, 60)), (2000, 1100))
    page.save(path, quality=85)
    data = path.read_bytes()
    path.unlink()
    return data


def workers(server: Server) -> list[int]:
    """Return the process ids of the workers."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def resident(server: Server) -> float:
    """Return the resident memory of the only worker, in MB."""
    (worker,) = workers(server)
    return int(Path(f"/proc/{worker}/statm").read_text().split()[1]) * 4096 / 1e6


@contextlib.contextmanager
def watching(server: Server, path: str = "/healthz") -> Iterator[list[float]]:
    """Request `/healthz` every 20 ms, each time on a new connection; yield the list of response times in seconds."""
    took, over = list[float](), threading.Event()

    def watch() -> None:
        port = httpx.URL(server.url).port
        while not over.wait(0.02):
            start = time.perf_counter()
            # Not with httpx, which takes 50 ms for each new client.
            with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
                connection.request("GET", path)
                if connection.getresponse().status != 200:
                    raise RuntimeError(f"{path} does not answer 200")
            took.append(time.perf_counter() - start)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def asking(server: Server, clients: int, kept: bool = True) -> Iterator[Counter[str]]:
    """Send pictures from several threads, on kept or new connections; yield counts by status or exception."""
    ends, over = Counter[str](), threading.Event()

    def ask() -> None:
        connection = HTTPConnection("127.0.0.1", httpx.URL(server.url).port, timeout=30)
        while not over.is_set():
            try:
                connection.request("POST", "/v1/predict", SMALL, {"Content-Type": "image/png"})
                response = connection.getresponse()
                response.read()
                ends[str(response.status)] += 1
            except (OSError, HTTPException) as error:
                ends[type(error).__name__] += 1
                time.sleep(0.01)
                connection.close()
            if not kept:
                connection.close()
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield ends
    finally:
        over.set()
        for thread in threads:
            thread.join()


def overload() -> bool:
    """Send far more than the service accepts: the rest gets 503, and `/healthz` stays fast."""
    with started(SERVE, "/readyz") as server, watching(server) as took:
        answers = flood(server, "/predict", FORM, form([picture(1600, "L")]), 200, 10)["requests"]
        refused = httpx.get(server.url + "/metrics").text.partition('inkdigit_refused_total{code="overloaded"} ')[2]
    slowest, p99 = max(took), statistics.quantiles(took, n=100)[98]
    print(
        f"overload: {answers} answers to 200 connections, {float(refused.split()[0] or 0):.0f} of them 503; "
        f"health p99 {p99 * 1e3:.0f} ms, slowest {slowest * 1e3:.0f} ms (wanted 100)"
    )
    return p99 < 0.1


def slow() -> bool:
    """Serve normal clients beside 2,000 idle connections and 200 that send one byte per second."""
    head = b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 1000\r\n\r\n"
    over = threading.Event()
    with started(SERVE, "/readyz", INKDIGIT_HEADER_TIMEOUT="60") as server, contextlib.ExitStack() as stack:
        address = ("127.0.0.1", httpx.URL(server.url).port or 0)
        for _ in range(2000):
            stack.enter_context(socket.create_connection(address))
        dripping = [stack.enter_context(socket.create_connection(address)) for _ in range(200)]
        for connection in dripping:
            connection.sendall(head)

        def drip() -> None:
            while not over.wait(1):
                for connection in dripping:
                    with contextlib.suppress(OSError):
                        connection.send(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        run = wrk(server, "/v1/predict", "image/png", SMALL, 1, 8)
        over.set()
        thread.join()
    print(f"slow: {run.rate:.0f}/s beside 2,000 idle and 200 slow connections, p99 {run.p99:.0f} ms (wanted 100)")
    return run.p99 < 100


def sigterm() -> bool:
    """Stop the service under load: every request that it has received is answered."""
    with started(SERVE, "/readyz") as server, asking(server, 16, kept=False) as ends:
        time.sleep(2)
        os.kill(server.pid, signal.SIGTERM)
        time.sleep(1.5)
    unanswered = {name: count for name, count in ends.items() if name not in {"200", "ConnectionRefusedError"}}
    print(f"sigterm: {ends['200']} answered, then refused; unanswered {unanswered} (wanted none)")
    return not unanswered


def sigkill() -> bool:
    """Kill one of two workers under load: only its connections fail, and it is replaced within 5 s."""
    with started([*SERVE, "--workers", "2"], "/readyz", cores=",".join(map(str, CORES))) as server:
        while "inkdigit_workers_ready 2.0" not in httpx.get(server.url + "/metrics").text:
            time.sleep(0.1)
        with asking(server, 16) as ends:
            time.sleep(2)
            victim = workers(server)[0]
            os.kill(victim, signal.SIGKILL)
            killed = time.monotonic()
            while time.monotonic() - killed < 20:
                left = workers(server)
                if victim not in left and len(left) == 2 and _ready(server):
                    break
                time.sleep(0.05)
            replaced = time.monotonic() - killed
    failed = {name: count for name, count in ends.items() if name != "200"}
    print(
        f"sigkill: {ends['200']} answered, {failed} of 16 connections failed; replaced in {replaced:.1f} s (wanted 5)"
    )
    return sum(failed.values()) <= 16 and "ConnectionRefusedError" not in failed and replaced < 5


def _ready(server: Server) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return "inkdigit_workers_ready 2.0" in httpx.get(server.url + "/metrics").text
    return False


def neighbour() -> bool:
    """Keep one core busy with another process: throughput falls by less than half."""
    with started(SERVE, "/readyz", cores=",".join(map(str, CORES))) as server:
        rates, runs = [], []
        for _ in range(3):
            alone = wrk(server, "/v1/predict", "image/png", SMALL, 1, 3)
            burner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            try:
                beside = wrk(server, "/v1/predict", "image/png", SMALL, 1, 3)
            finally:
                burner.kill()
                burner.wait()
            rates.append(beside.rate / alone.rate)
            runs.append(beside.p99)
    share, p99 = statistics.median(rates), statistics.median(runs)
    print(f"neighbour: {share:.0%} of the throughput is left (wanted 50), p99 {p99:.0f} ms (wanted 50)")
    return share > 0.5 and p99 < 50


def photos() -> bool:
    """Predict a thousand pictures, fifty of them 12-megapixel photos, and measure the memory."""
    large = photo()
    with started(SERVE, "/readyz") as server, httpx.Client(base_url=server.url, timeout=60) as client:
        for number in range(1000):
            client.post("/v1/predict", files={"file": SMALL if number % 20 else large}).raise_for_status()
        held = resident(server)
    print(f"photos: a worker holds {held:.0f} MB after a thousand pictures (wanted 200)")
    return held <= 200


def soak(requests: int = 200_000) -> bool:
    """Send 200,000 requests of several kinds in turn, and measure the memory."""
    grey, drawn = picture(28, "L"), picture(280, "RGBA")
    kinds: list[tuple[str, str, bytes]] = [
        ("/v1/predict", "image/png", grey),
        ("/predict", FORM, form([grey])),
        ("/v1/predict?frame=true", "image/png", drawn),
        ("/predict", FORM, form([drawn])),
    ]
    with started(SERVE, "/readyz") as server:
        done, before, after = 0, 0.0, 0.0
        for turn in range(10_000):
            path, kind, body = kinds[turn % len(kinds)]
            done += round(wrk(server, path, kind, body, 1, 5).rate * 5)
            after = resident(server)
            before = before or (after if done > requests / 20 else 0)
            if done >= requests:
                break
    print(f"soak: {done:,} requests, {before:.1f} MB early, {after:.1f} MB late: {after / before - 1:+.1%} (wanted 5)")
    return after / before < 1.05


SCENES: dict[str, Callable[[], bool]] = {
    scene.__name__: scene for scene in (overload, slow, sigterm, sigkill, neighbour, photos, soak)
}


def main() -> None:
    """Run the scenes; exit code 1 if one missed its target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", nargs="*", choices=[[], *SCENES], metavar="SCENE")
    chosen = parser.parse_args().scenes or list(SCENES)
    passed = [SCENES[name]() for name in chosen]
    sys.exit(not all(passed))


if __name__ == "__main__":
    main()
