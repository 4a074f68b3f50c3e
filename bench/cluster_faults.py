"""What is lost where a part of a Ray cluster fails: `inkdigit bulk`, and the service on Ray Serve.

    python bench/cluster_faults.py [--count 50000] [--only bulk|serve] [--clients 8]

`bulk`: a cluster of two nodes on loopback, of which one is killed with all its processes halfway. Wanted: every picture
exactly once, with the answer of one process. `serve`: two replicas under load; one is killed, then another model is
deployed. Wanted: no failed request but those that were in flight on the killed replica, and none during the upgrade.
"""

import argparse
import io
import os
import signal
import socket
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count as counting
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import ray
from PIL import Image
from pyarrow import parquet
from ray import serve
from ray.cluster_utils import Cluster

from inkdigit import InputError, Recognizer
from inkdigit.cluster import bulk
from inkdigit.cluster.serve import deployment
from load import picture

NODE: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 150 * 1024**2, "include_dashboard": False}
CHUNK = 500
STEADY = 5.0  # seconds of load before and after an event


def write(folder: Path, count: int) -> list[Path]:
    """Write PNG files of noise on a seven, all different, and return their paths."""
    with Image.open(io.BytesIO(picture(28, "L"))) as image:
        seven = np.asarray(image)
    drawing = np.random.default_rng(0)
    paths = []
    for number in range(count):
        noise = drawing.integers(0, 60, seven.shape, np.uint8)
        Image.fromarray(seven // 2 + noise).save(path := folder / f"{number:07}.png")
        paths.append(path)
    return paths


def nodes_killed(count: int) -> None:
    """Kill a node halfway through a job, and compare its result with one process's."""
    with tempfile.TemporaryDirectory() as name:
        source, target = Path(name) / "in", Path(name) / "out"
        source.mkdir()
        paths = write(source, count)
        bulk.FILE_ROWS["predict"] = count // 20  # else all would be written at the end
        cluster = Cluster(initialize_head=True, head_node_args=NODE)
        try:
            victim = cluster.add_node(**NODE)
            ray.init(cluster.address, log_to_driver=False)
            with ThreadPoolExecutor(1) as thread:
                start = time.perf_counter()
                job = thread.submit(bulk.run, bulk.Job(str(source), str(target), workers=2))
                while not job.done() and rows(target) < count / 2:
                    time.sleep(0.2)
                print(
                    f"{rows(target)} of {count} rows written after {time.perf_counter() - start:.0f} s: killing a node"
                )
                cluster.remove_node(victim, allow_graceful=False)
                print(f"{job.result()} after {time.perf_counter() - start:.0f} s")
        finally:
            ray.shutdown()
            cluster.shutdown()
        compare(paths, target)


def rows(target: Path) -> int:
    """Return the rows in the Parquet files that are complete."""
    found = 0
    for part in target.glob("*.parquet"):
        try:
            found += parquet.read_metadata(part).num_rows
        except (OSError, ValueError):
            continue  # it is being written
    return found


def compare(paths: list[Path], target: Path) -> None:
    """Count pictures that are missing, there twice, or answered otherwise than by one process."""
    table = parquet.read_table(target, columns=["file", "digit", "confidence", "probabilities"])
    times = Counter(table["file"].to_pylist())
    answers = {row["file"]: (row["digit"], row["confidence"], tuple(row["probabilities"])) for row in table.to_pylist()}
    recognizer, different = Recognizer(), 0
    for start in range(0, len(paths), CHUNK):
        part = paths[start : start + CHUNK]
        for path, answer in zip(part, recognizer.predict_batch(part), strict=True):
            assert not isinstance(answer, InputError)
            wanted = (str(answer.digit), answer.confidence, answer.probabilities)
            different += answers.get(str(path)) != wanted
    missing, twice = sum(str(path) not in times for path in paths), sum(value > 1 for value in times.values())
    print(f"missing {missing}, twice {twice}, different from one process {different}")


class Load:
    """Clients that send pictures without a pause, and what they are answered."""

    def __init__(self, url: str, clients: int) -> None:
        self.answers: Counter[str] = Counter()
        self._url, self._going = url, True
        self._threads = [threading.Thread(target=self._send) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def _send(self) -> None:
        body = picture(64, "L")
        with httpx.Client(base_url=self._url, timeout=60) as client:
            while self._going:
                try:
                    answer = client.post("/v1/predict", content=body, headers={"Content-Type": "image/png"})
                    kind = (
                        answer.json()["model"]["name"] if answer.status_code == 200 else f"failed: {answer.status_code}"
                    )
                except httpx.HTTPError as error:
                    kind = f"failed: {type(error).__name__}"
                self.answers[kind] += 1

    def stop(self) -> dict[str, int]:
        """Stop the clients; return how many answers there were of each kind."""
        self._going = False
        for thread in self._threads:
            thread.join()
        return dict(self.answers)


def deploy(model: str) -> None:
    """Run two replicas with a model, or give them another one; wait until that is done."""
    options: dict[str, Any] = {"autoscaling_config": None, "num_replicas": 2, "ray_actor_options": {"num_cpus": 0.1}}
    serve.run(deployment.options(user_config={"model": [model]}, **options).bind(), name="inkdigit")


def replicas() -> list[psutil.Process]:
    """Return the processes of the replicas."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if child.name().startswith("ray::ServeRepl")]


def service_faults(clients: int) -> None:
    """Kill a replica under load, then deploy another model under load."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    options = {"num_cpus": 2, "object_store_memory": NODE["object_store_memory"], "include_dashboard": False}
    ray.init("local", log_to_driver=False, **options)
    try:
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        deploy("inkdigit")
        for name, event in (("a replica killed", kill_one), ("another model", lambda: deploy("lenet5"))):
            load = Load(f"http://127.0.0.1:{port}", clients)
            time.sleep(STEADY)
            start = time.perf_counter()
            event()
            taken_s = time.perf_counter() - start
            time.sleep(STEADY)
            print(f"{name} under {clients} clients ({taken_s:.1f} s): {load.stop()}")
    finally:
        serve.shutdown()
        ray.shutdown()


def kill_one() -> None:
    """Kill a replica, and wait until there are two again."""
    victim = replicas()[0]
    os.kill(victim.pid, signal.SIGKILL)
    for _ in counting():
        alive = [each for each in replicas() if each.pid != victim.pid]
        if len(alive) == 2:
            return
        time.sleep(0.1)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--only", choices=["bulk", "serve"])
    options = parser.parse_args()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if options.only in {None, "bulk"}:
        nodes_killed(options.count)
    if options.only in {None, "serve"}:
        service_faults(options.clients)


if __name__ == "__main__":
    main()
