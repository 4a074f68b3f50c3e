"""Pictures a second of `inkdigit predict FOLDER`, against one thread that reads one picture at a time.

    python bench/folder.py [--count 10000] [--cores 2]

The folder holds PNG files of 28×28. The command's start-up time is measured with
one picture and subtracted. Wanted: 90 % of one thread's rate times the cores.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from inkdigit import Recognizer
from load import picture


def command(path: Path) -> float:
    """Run the command; return the seconds that it took."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "inkdigit", "predict", "--json", path], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    os.sched_setaffinity(0, set(list(os.sched_getaffinity(0))[: options.cores]))
    with tempfile.TemporaryDirectory() as name:
        folder, data = Path(name) / "many", picture(28, "L")
        folder.mkdir()
        for number in range(options.count):
            (folder / f"{number:05}.png").write_bytes(data)
        (one := Path(name) / "one.png").write_bytes(data)
        recognizer = Recognizer()
        alone = command(one)
        for _ in range(3):
            start = time.perf_counter()
            for path in list(folder.iterdir())[:1000]:
                recognizer.predict(path)
            ceiling = 1000 / (time.perf_counter() - start)
            rate = options.count / (command(folder) - alone)
            print(
                f"{rate:.0f}/s on {options.cores} cores; ceiling {ceiling:.0f}/s: {rate / ceiling / options.cores:.0%}"
            )


if __name__ == "__main__":
    main()
