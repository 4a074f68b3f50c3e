"""The networks by name, side by side: all trained on the same frames by the same short recipe, over several seeds.

    python bench/networks.py [--data DIR] [--epochs 4] [--seeds 3] [--network NAME]… [--write docs/networks.md]

The frames are those that the shipped model's localizer makes of MNIST's training pictures and of the pen digits, each
drawn with two pens. The test pictures go the same way. With --write the table becomes a page.
"""

import argparse
import platform
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from capacity import multiply_adds
from inkdigit import __version__
from inkdigit.evaluation.datasets import mnist
from inkdigit.evaluation.scores import DIGITS, SOURCES
from inkdigit.model_file import Contract, open_artefact
from inkdigit.prediction import Thresholds
from inkdigit.train.corpus import corpora, framed
from inkdigit.train.data import Frames, concat
from inkdigit.train.export.onnx_export import export
from inkdigit.train.fit.trainers import accuracy, fit_classifier
from inkdigit.train.model.calibration import Temperature
from inkdigit.train.model.classifiers import NETWORKS, Network
from inkdigit.train.model.framing import Framing
from inkdigit.train.model.graph import Graph
from inkdigit.train.recipe import Recipe
from inkdigit.train.warm_start import framing_of

RECIPE = Recipe(rate=4e-3, sheets=0, invented=0, pens=2, distortion=0.5, revisited=1.0)  # gently: there is little time
TESTS = ("mnist-test", "pendigits-test")
ROUNDS = 10  # in which the graphs take turns
IN_A_ROW = 30  # pictures that one reads in its turn: it finds its weights in the caches
HEAD = (
    "| network | parameters | multiply-adds | MNIST test, % | pens of unseen writers, % | to train, processor s "
    "| one 28×28, ms |\n|---|---|---|---|---|---|---|"
)


def tests(framing: Framing, folder: Path | None) -> dict[str, Frames]:
    """Frame the test sets, of which none but their accuracy is read."""
    sets = {name: SOURCES[name](folder) for name in TESTS}
    return {name: framed(framing, torch.tensor(data.images), torch.tensor(data.labels)) for name, data in sets.items()}


def opened(graph: Graph, architecture: str, images: NDArray[np.uint8]) -> InferenceSession:
    """Export a graph, and open it as every interface does."""
    none = Thresholds(0, 0)
    contract = Contract("bench", "1", DIGITS, architecture, none, {}, {}, {}, inkdigit=__version__, commit="")
    with tempfile.TemporaryDirectory() as out:
        export(graph, contract, [images], Path(out) / "bench.onnx")
        return open_artefact(Path(out) / "bench.onnx")[0]


def milliseconds(sessions: list[InferenceSession], images: NDArray[np.uint8]) -> list[float]:
    """Measure how long whole graphs take for one 28×28 picture on one core: medians; they take turns."""
    times: list[list[float]] = [[] for _ in sessions]
    for _ in range(ROUNDS):
        for session, spent in zip(sessions, times, strict=True):
            for image in images:
                start = time.perf_counter()
                session.run(None, {"pixels": image[None]})
                spent.append(time.perf_counter() - start)
    return [float(np.median(spent)) * 1000 for spent in times]


def trained(name: str, training: Frames, held_out: Frames, options: argparse.Namespace) -> tuple[str, Network]:
    """Train and score one network: a line of the table but for its end, and the network of the last seed."""
    reached: dict[str, list[float]] = {test: [] for test in TESTS}
    spent = []
    for seed in range(1, options.seeds + 1):
        torch.manual_seed(seed)
        start = time.process_time()  # the processor's, which other work beside it does not lengthen
        recipe = replace(RECIPE, network=name, seed=seed, epochs=options.epochs)
        network = fit_classifier(NETWORKS[name](10), training, held_out, recipe)
        spent.append(time.process_time() - start)
        for test, frames in options.tests.items():
            reached[test].append(100 * accuracy(network, frames))
    size = sum(each.numel() for each in network.parameters())
    spread = [
        f"{np.mean(values):.2f}" + (f" ± {np.std(values, ddof=1):.2f}" if len(values) > 1 else "")
        for values in reached.values()
    ]
    work = multiply_adds(network) / 1e6
    return f"| `{name}` | {size:,} | {work:.1f} M | {' | '.join(spread)} | {np.mean(spent):.0f} |", network


def page(table: str, options: argparse.Namespace) -> str:
    """Write the table as a page of the docs, with how and where it was measured."""
    threads = "one thread" if torch.get_num_threads() == 1 else f"{torch.get_num_threads()} threads"
    return f"""# The networks by name

All trained on the same frames for {options.epochs} epochs; mean ± standard deviation of {options.seeds} seeds, by
`python bench/networks.py --epochs {options.epochs} --seeds {options.seeds}` on {platform.machine()} with {threads}. This is a short comparison: the shipped models
are trained longer and on more data, and `inkdigit models` lists their accuracy.

{table}
"""


def main() -> None:
    """Print each line as its network is trained, then all with their times, and write the page where it is wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--network", action="append", choices=list(NETWORKS))
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    framing = framing_of(RECIPE)
    torch.manual_seed(RECIPE.seed)
    known, strangers, _ = corpora(RECIPE, options.data, RECIPE.seed)
    training, held_out = (concat(*each.clean(framing).values()) for each in (known, strangers))
    options.tests = tests(framing, options.data)
    images = mnist("test", options.data).images[:IN_A_ROW]
    lines, sessions = [], []
    for name in options.network or NETWORKS:
        line, network = trained(name, training, held_out, options)
        print(line, flush=True)
        lines.append(line)
        sessions.append(opened(Graph(framing, network, Temperature()), name, images))
    times = milliseconds(sessions, images)
    table = "\n".join([HEAD, *(f"{line} {one:.2f} |" for line, one in zip(lines, times, strict=True))])
    print(table)
    if options.write:
        options.write.write_text(page(table, options))


if __name__ == "__main__":
    main()
