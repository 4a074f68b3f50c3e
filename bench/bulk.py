"""Pictures a second of `inkdigit bulk` against `inkdigit predict FOLDER`, on the same files and cores.

    python bench/bulk.py [--count 50000] [--cores 2] [--rounds 3] [--only speed|cost|driver]

`speed`: PNG files of 28×28. Each command runs with one picture first, and this start-up is shown and subtracted; the
commands take turns in every round. Wanted: 80 %. `cost`: processor time of one thread per picture, and the memory of a
process that reads; a plan needs them. `driver`: processor time of Ray's driver per task, which limits how many cores
one job can feed.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa

from inkdigit.cluster import Predictor, bulk
from inkdigit.cluster.predictor import Task
from load import picture

TASKS = 400  # of `driver`


def seconds(*command: object) -> float:
    """Run the command; return the seconds that it took."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "inkdigit", *map(str, command)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def write(folder: Path, count: int) -> Path:
    """Write so many PNG files, all different in their bytes, and return their folder."""
    folder.mkdir()
    data = picture(28, "L")
    for number in range(count):
        (folder / f"{number:07}.png").write_bytes(data)
    return folder


def speed(folder: Path, count: int, rounds: int) -> None:
    """Compare the two commands, and print."""
    many, one = write(folder / "many", count), write(folder / "one", 1)
    ratios = []
    for number in range(rounds):
        starts, taken = [], []
        for command in ("predict", "bulk"):
            more = [[folder / f"{number}-{part}"] if command == "bulk" else ["--json"] for part in ("one", "many")]
            starts.append(seconds(command, one, *more[0]))
            taken.append(seconds(command, many, *more[1]) - starts[-1])
            print(f"{command}: start-up {starts[-1]:.1f} s, {count / taken[-1]:.0f} pictures/s")
        ratios.append(taken[0] / taken[1])
    print(f"bulk against predict: {statistics.median(ratios):.0%} (rounds: {', '.join(f'{r:.0%}' for r in ratios)})")


def cost() -> None:
    """Measure what one picture costs, of some kinds, and print."""
    kinds: list[tuple[Task, int, int]] = [("predict", 28, 2000), ("predict", 280, 500), ("predict", 1600, 30)]
    for task, side, count in [*kinds, ("read", 480, 20)]:
        predictor = Predictor(task)
        batch = pa.table({"file": ["a"] * count, "bytes": [picture(side, "L")] * count})
        predictor(batch.slice(0, 2))
        start = time.process_time()
        predictor(batch)
        each = (time.process_time() - start) / count
        print(f"{task} {side}×{side}: {each * 1e3:.2f} ms of a core, {each * 1e6 / 3600:.2f} core-hours per million")
    print(f"memory of a process that reads: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def driver() -> None:
    """Measure what one task costs the driver, and print."""
    with bulk.cluster(None):
        import ray  # noqa: PLC0415  after its environment is set

        blocks = ray.data.range(TASKS, override_num_blocks=TASKS).materialize()
        start = time.process_time()
        blocks.map_batches(lambda batch: batch, num_cpus=0.5).materialize()
        each = (time.process_time() - start) / TASKS
    print(f"driver: {each * 1e3:.1f} ms of a core per task, so at most {1 / each:.0f} tasks/s")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["speed", "cost", "driver"])
    options = parser.parse_args()
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: options.cores]))
    if options.only in {None, "cost"}:
        cost()
    if options.only in {None, "driver"}:
        driver()
    if options.only in {None, "speed"}:
        with tempfile.TemporaryDirectory() as name:
            speed(Path(name), options.count, options.rounds)


if __name__ == "__main__":
    main()
