"""Several processes of one launcher (`torchrun`, `accelerate launch`), each with a part of every batch.

All draw the same random numbers and know every whole batch, so it makes no difference how many they are, but for batch
normalisation, which knows only its own part.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.distributed.nn  # imported later, its functions would hold the group as a default for good: see `leave`
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


def join(device: str) -> str:
    """Meet the launcher's other processes, if there are any; give this one's own device."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return device
    if device != "cuda":
        distributed.init_process_group("gloo")
        return device
    own = int(os.environ["LOCAL_RANK"])
    torch.cuda.set_device(own)
    distributed.init_process_group("nccl")
    return f"cuda:{own}"


def leave() -> None:
    """Part from the others, when all are here.

    Nothing may hold the group any longer: else gloo's threads outlive it, and abort as Python ends, now and then.
    """
    wait()
    if distributed.is_initialized():
        distributed.destroy_process_group()


def count() -> int:
    """Return the number of processes."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def is_first() -> bool:
    """Return whether this is the process that writes and speaks."""
    return not distributed.is_initialized() or distributed.get_rank() == 0


def part(batch: Tensor) -> Tensor:
    """Return this process's rows of a batch."""
    return batch if count() == 1 else batch[distributed.get_rank() :: count()]


def whole(values: Tensor, rows: int) -> Tensor:
    """Put together what the processes have of a batch of so many `rows`, of which each had its `part`."""
    if count() == 1:
        return values
    every = torch.zeros(rows, dtype=values.dtype, device=values.device)
    part(every).copy_(values)
    distributed.all_reduce(every)
    return every


def in_parallel(module: nn.Module) -> nn.Module:
    """Return a module whose gradients are the mean over all processes."""
    return module if count() == 1 else DistributedDataParallel(module)


def agree(module: nn.Module) -> None:
    """Return every process the first one's weights and statistics."""
    if count() > 1:
        for value in module.state_dict().values():
            distributed.broadcast(value, 0)


def anybody(here: bool) -> bool:
    """Return whether it is so in any process."""
    if count() == 1:
        return here
    flag = torch.tensor(float(here))
    distributed.all_reduce(flag)
    return bool(flag > 0)


def mean(value: Tensor) -> float:
    """Return a number's mean over all processes."""
    if count() > 1:
        value = value.detach().clone()
        distributed.all_reduce(value)
    return value.item() / count()


def wait() -> None:
    """Wait until every process is here."""
    if count() > 1:
        distributed.barrier()


@contextmanager
def one_speaks() -> Iterator[None]:
    """Keep every process but the first from printing what all have to say."""
    if is_first():
        yield
        return
    before = sys.stdout, sys.stderr
    with Path(os.devnull).open("w") as nowhere:
        sys.stdout = sys.stderr = nowhere
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before
