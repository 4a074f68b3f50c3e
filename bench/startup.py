"""Time of a whole `inkdigit predict` process, and size of the wheel.

    python bench/startup.py [--runs 5]

Each run starts a new `python -m inkdigit predict`: interpreter, imports, model, picture, prediction. Targets on an idle
machine: a median under 0.6 s, a wheel under 10 MB. Processor time, which other load changes little, is printed too.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image, ImageDraw

ROOT = Path(__file__).parent.parent


def seven(path: Path) -> None:
    """Draw a seven to a file."""
    page = Image.new("L", (280, 280), 255)
    ImageDraw.Draw(page).line([(80, 60), (200, 60), (120, 220)], fill=0, width=20, joint="curve")
    page.save(path)


def process(path: Path) -> tuple[float, float]:
    """Run the command once; return its wall time and its processor time in seconds."""
    before, start = os.times(), time.perf_counter()
    subprocess.run([sys.executable, "-m", "inkdigit", "predict", path], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, used


def wheel(folder: Path) -> Path:
    """Build the wheel."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True)
    return next(folder.glob("*.whl"))


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="Measure the process that predicts one picture, and the wheel.")
    parser.add_argument("--runs", type=int, default=5, help="processes (default: 5)")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        picture = Path(name) / "seven.png"
        seven(picture)
        process(picture)  # fills the disk cache
        walls, used = zip(*(process(picture) for _ in range(runs)), strict=True)
        print(f"one picture, whole process: median {statistics.median(walls):.2f} s of {runs} (wanted under 0.6 s),")
        print(f"  from {min(walls):.2f} to {max(walls):.2f} s; processor {statistics.median(used):.2f} s")
        print(f"wheel: {wheel(Path(name)).stat().st_size / 1e6:.2f} MB (wanted under 10 MB)")


if __name__ == "__main__":
    main()
