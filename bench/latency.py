"""How long the shipped graph takes for one picture, on one core: framing, glance and network.

    python bench/latency.py [--model NAME|FILE.onnx] [--rounds 20]

The sizes take turns of `RUNS` pictures, so that a slow moment of the machine meets them all; the median counts.
"""

import argparse
import time

import numpy as np

from inkdigit.artefact import DEFAULT_MODEL, model_path, open_artefact

SIZES = {(28, 28): 0.4, (280, 280): 0.8, (1600, 1200): 15.0}  # wanted, ms
RUNS = 20


def picture(height: int, width: int) -> np.ndarray:
    """Draw a dark ring on light, noisy paper."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    ring = np.abs(np.hypot(x, y) - 0.5) < 0.1
    noise = np.random.default_rng(0).normal(0, 3, (height, width))
    return np.clip(np.where(ring, 60, 220) + noise, 0, 255).astype(np.uint8)[None]


def main() -> None:
    """Print the median and the best time of every size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    session, _ = open_artefact(model_path(options.model))
    pictures = {size: picture(*size) for size in SIZES}
    times: dict[tuple[int, int], list[float]] = {size: [] for size in SIZES}
    for _ in range(options.rounds):
        for size, pixels in pictures.items():
            for _ in range(RUNS):
                start = time.perf_counter()
                session.run(None, {"pixels": pixels})
                times[size].append((time.perf_counter() - start) * 1000)
    for size, wanted in SIZES.items():
        values = times[size]
        print(
            f"{size[0]}×{size[1]}: median {np.median(values):.2f} ms, best {min(values):.2f} ms, wanted {wanted:.1f} ms"
        )


if __name__ == "__main__":
    main()
