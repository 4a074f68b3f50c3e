"""Training log: one line of JSON per epoch, and the same figures for TensorBoard if it is enabled."""

import functools
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

METRICS = "metrics.jsonl"
EVENTS = "tensorboard"  # a folder in the run's; where it is there, it is written to


def forget(out: Path) -> None:
    """Take away what an earlier run in `out` said."""
    (out / METRICS).unlink(missing_ok=True)
    shutil.rmtree(out / EVENTS, ignore_errors=True)


def enable_tensorboard(out: Path) -> None:
    """Create the folder for TensorBoard's events in `out`; a resumed run logs from here on."""
    (out / EVENTS).mkdir(exist_ok=True)


def note(out: Path, stage: str, epoch: int, figures: Mapping[str, float]) -> None:
    """Add an epoch's figures to a run's metrics."""
    with (out / METRICS).open("a") as file:
        file.write(json.dumps({"stage": stage, "epoch": epoch, **figures}) + "\n")
    if (out / EVENTS).is_dir():
        writer = board(out / EVENTS)
        for name, value in figures.items():
            writer.add_scalar(f"{stage}/{name}", value, epoch)
        writer.flush()


@functools.cache
def board(folder: Path) -> Any:
    """Open TensorBoard's events in a folder."""
    from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415  an extra

    return SummaryWriter(folder)
