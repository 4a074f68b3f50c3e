"""Throughput of two workers compared with one, on the same two cores.

    python bench/workers.py [--rounds 5] [--seconds 3]

Both serve 280×280 RGBA pictures as raw bodies to 16 connections, in turn; the result is the median of the ratios per
round. The load generator shares one of the cores.
"""

import argparse
import statistics

from load import CORES, SERVE, picture, started, wrk

WANTED = 1.7


def main() -> None:
    """Print a line for every round, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    if len(CORES) < 2:
        raise SystemExit("Two workers are no faster than one on one core.")
    data, cores = picture(280, "RGBA"), ",".join(map(str, CORES[:2]))
    ratios = []
    with (
        started(SERVE, "/readyz", cores) as one,
        started([*SERVE, "--workers", "2"], "/readyz", cores) as two,
    ):
        for server in (one, two):
            wrk(server, "/v1/predict", "image/png", data, 1, 1)
        for _ in range(options.rounds):
            alone, both = (wrk(each, "/v1/predict", "image/png", data, 1, options.seconds) for each in (one, two))
            ratios.append(both.rate / alone.rate)
            print(f"one {alone.rate:.0f}/s, two {both.rate:.0f}/s: {ratios[-1]:.2f}")
    print(f"two workers serve {statistics.median(ratios):.2f} times what one does (wanted {WANTED})")


if __name__ == "__main__":
    main()
