"""Two processes of a launcher against one: the same batches, the same network."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest
import torch
from safetensors.torch import load_file

from inkdigit.train.training_log import METRICS

PROGRAM = """
import sys
from pathlib import Path
import torch
from safetensors.torch import save_file
from inkdigit.train.fit import parallel
from inkdigit.train.data import Frames
from inkdigit.train.fit.trainers import fit_classifier
from inkdigit.train.model.classifiers import NETWORKS
from inkdigit.train.recipe import Recipe

torch.set_num_threads(1)
parallel.join("cpu")
torch.manual_seed(3)
frames = Frames(torch.randint(0, 256, (20 * 32, 28, 28), dtype=torch.uint8), torch.randint(-1, 10, (20 * 32,)))
recipe = Recipe(batch=32, epochs=1, optimiser=sys.argv[2], rate=float(sys.argv[3]), precision="float32")
with parallel.one_speaks():
    network = fit_classifier(NETWORKS["lenet5"](10), frames, frames, recipe, Path(sys.argv[1]).parent)
if parallel.is_first():
    save_file({key: value.contiguous() for key, value in network.state_dict().items()}, sys.argv[1])
parallel.leave()
threads = [name.read_text() for name in Path("/proc/self/task").glob("*/comm")]  # none where there is no such folder
if any("gloo" in name for name in threads):
    sys.exit(f"gloo's threads are left, which may abort as Python ends: {threads}")
"""


def launchers(hosts: int) -> list[list[str]]:
    """Return the commands that start two processes: a single one, or one on each of 127.0.0.1 and 127.0.0.2."""
    launcher = [sys.executable, "-m", "torch.distributed.run"]
    if hosts == 1:
        return [[*launcher, "--standalone", "--nproc-per-node=2"]]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    meeting = ["--nnodes=2", "--nproc-per-node=1", "--master-addr=127.0.0.1", f"--master-port={port}"]
    return [[*launcher, *meeting, f"--node-rank={rank}", f"--local-addr=127.0.0.{rank + 1}"] for rank in range(hosts)]


def run_together(commands: list[list[str]]) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    running = [subprocess.Popen(each, stdout=PIPE, stderr=PIPE, text=True, env=environment) for each in commands]
    for process in running:
        with process:
            _, err = process.communicate()
            assert process.returncode == 0, err


# Adam divides a gradient by its size: where that is next to nothing, rounding is as large as the rate, so it is low.
@pytest.mark.parametrize(("optimiser", "rate", "hosts"), [("sgd", 0.05, 1), ("adamw", 2e-4, 2)])
def test_two_processes_train_what_one_does(optimiser: str, rate: float, hosts: int, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    results: list[dict[str, torch.Tensor]] = []
    losses: list[float] = []
    visited: list[torch.Tensor] = []
    for starts in ([[sys.executable]], launchers(hosts)):
        target = tmp_path / str(len(results)) / "network.safetensors"
        target.parent.mkdir()
        run_together([[*start, str(program), str(target), optimiser, str(rate)] for start in starts])
        results.append(load_file(target))
        visited.append(load_file(target.parent / "network.checkpoint.safetensors")["losses"])
        losses.append(json.loads((target.parent / METRICS).read_text())["loss"])
    one, two = results
    assert one.keys() == two.keys()
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    torch.testing.assert_close(visited[0], visited[1], atol=1e-5, rtol=1e-5)  # each picture's, by which it is revisited
    assert len(visited[0].unique()) > 600
    assert max(float((one[key] - two[key]).abs().max()) for key in one) < 1e-6
    assert not torch.equal(one["classify.weight"], torch.zeros_like(one["classify.weight"]))
