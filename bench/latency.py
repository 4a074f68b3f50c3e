"""Time of the shipped graph for one picture on one core: localizer, framing and classifier.

    python bench/latency.py [--model NAME|FILE.onnx]… [--rounds 20]

This is one view: `Recognizer` runs three more if the prediction is not sure. Sizes and models take turns of `RUNS`
pictures, so that a slow moment of the machine affects them all; the median counts. Other models are compared with the
first.
"""

import argparse
import time

import numpy as np

from inkdigit.model_file import DEFAULT_MODEL, model_path, open_artefact

SIZES = {(28, 28): 0.4, (280, 280): 0.8, (1600, 1200): 15.0}  # wanted, ms
RUNS = 20


def picture(height: int, width: int) -> np.ndarray:
    """Draw a dark ring on light, noisy paper."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    ring = np.abs(np.hypot(x, y) - 0.5) < 0.1
    noise = np.random.default_rng(0).normal(0, 3, (height, width))
    return np.clip(np.where(ring, 60, 220) + noise, 0, 255).astype(np.uint8)[None]


def main() -> None:
    """Print the median and the best time of every size, for every model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    names = options.model or [DEFAULT_MODEL]
    sessions = {name: open_artefact(model_path(name))[0] for name in names}
    pictures = {size: picture(*size) for size in SIZES}
    times: dict[tuple[tuple[int, int], str], list[float]] = {(size, name): [] for size in SIZES for name in names}
    for _ in range(options.rounds):
        for (size, name), spent in times.items():
            for _ in range(RUNS):
                start = time.perf_counter()
                sessions[name].run(None, {"pixels": pictures[size]})
                spent.append((time.perf_counter() - start) * 1000)
    for (size, name), values in times.items():
        print(
            f"{size[0]}×{size[1]} {name}: median {np.median(values):.2f} ms, best {min(values):.2f} ms, "
            f"{np.median(values) / np.median(times[size, names[0]]):.2f} of the first, wanted {SIZES[size]:.1f} ms"
        )


if __name__ == "__main__":
    main()
