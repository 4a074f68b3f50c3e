"""The training loop: full batches in random order, a one-cycle rate, an average of the weights, checkpoints.

It does not know what it trains, or on what: it is given a loss of indices. A run that was stopped goes on from its
checkpoint as if nothing had happened: on one processor and with as many threads, to the last bit.
"""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from rich.progress import TextColumn
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from ...errors import DataError
from ...files import writing
from ...terminal import training_progress
from ..recipe import Recipe
from ..training_log import note
from ..weights import save_tensors
from . import parallel

Weights = tuple[Tensor, ...] | list[Tensor]

AVERAGED = 0.998  # part of the averaged weights that a step keeps
HARDEST = 1 / 3  # of the pictures that are revisited; the others are any

OPTIMISERS: dict[str, Callable[[nn.Module, Recipe], torch.optim.Optimizer]] = {
    "adamw": lambda module, recipe: torch.optim.AdamW(
        module.parameters(), recipe.rate, weight_decay=recipe.weight_decay, fused=True
    ),
    "adam": lambda module, recipe: torch.optim.Adam(
        module.parameters(), recipe.rate, weight_decay=recipe.weight_decay, fused=True
    ),
    "sgd": lambda module, recipe: torch.optim.SGD(
        module.parameters(), recipe.rate, momentum=0.9, nesterov=True, weight_decay=recipe.weight_decay, fused=True
    ),
}
SCHEDULES: dict[str, Callable[[torch.optim.Optimizer, Recipe, int], torch.optim.lr_scheduler.LRScheduler]] = {
    "one-cycle": lambda optimiser, recipe, steps: torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.rate, total_steps=steps, pct_start=0.15
    ),
    "constant": lambda optimiser, recipe, steps: torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1),
}


class Stopped(Exception):  # noqa: N818  no error: a person wanted it
    """Say that Ctrl-C ended a loop before its last step; its checkpoint is written."""


@dataclass
class Loop:
    """Hold the state of a loop over `count` pictures for `epochs`, in batches of the recipe's size."""

    module: nn.Module
    count: int
    epochs: int
    recipe: Recipe
    step: int = 0  # of all epochs
    order: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.int64))  # of this epoch
    losses: Tensor = field(init=False)  # of each picture [count], when it was last visited
    average: AveragedModel = field(init=False)
    optimiser: torch.optim.Optimizer = field(init=False)
    schedule: torch.optim.lr_scheduler.LRScheduler = field(init=False)

    def __post_init__(self) -> None:
        """Prepare optimiser, rate and average."""
        refuse_too_little(self.later, self.epochs, self.recipe)
        self.losses = torch.zeros(self.count)
        channels_last = self.module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = AveragedModel(channels_last, multi_avg_fn=moving_average)
        self.optimiser = OPTIMISERS[self.recipe.optimiser](self.module, self.recipe)
        self.schedule = SCHEDULES[self.recipe.schedule](self.optimiser, self.recipe, self.steps)

    @property
    def later(self) -> int:
        """Return the pictures that each epoch but the first visits."""
        return round(self.count * self.recipe.revisited)

    @property
    def steps(self) -> int:
        """Return the steps of all epochs."""
        return self.count // self.recipe.batch + (self.epochs - 1) * (self.later // self.recipe.batch)

    def epoch_of(self, step: int) -> tuple[int, int]:
        """Return the epoch of a step, from 0 on, and the step's number in it."""
        first, later = self.count // self.recipe.batch, self.later // self.recipe.batch
        if step < first:
            return 0, step
        epochs, at = divmod(step - first, later)
        return 1 + epochs, at

    def batch(self) -> Tensor:
        """Deal out the indices of the next batch; every epoch is shuffled again."""
        epoch, at = self.epoch_of(self.step)
        if at == 0:
            self.order = self.chosen() if epoch else torch.randperm(self.count)
        return self.order[at * self.recipe.batch : (at + 1) * self.recipe.batch]

    def chosen(self) -> Tensor:
        """Choose what a later epoch visits, in random order: the hardest pictures, and any of the others.

        Most of what is learnt from the easy ones is learnt from some of them (after Qin et al. 2024, InfoBatch, whose
        weights that make up for it are left out here).
        """
        order = torch.randperm(self.count)
        if self.later == self.count:
            return order
        shuffled = self.losses[order]  # else the first ones were the hardest of those that are equally hard
        hardest = order[shuffled.argsort(descending=True, stable=True)[: round(self.later * HARDEST)]]
        easier = torch.ones(self.count, dtype=torch.bool)
        easier[hardest] = False
        some = torch.cat([hardest, order[easier[order]][: self.later - len(hardest)]])
        return some[torch.randperm(self.later)]

    def update(self, loss: Tensor) -> None:
        """Go one step down."""
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.schedule.step()
        self.average.update_parameters(self.module)
        self.step += 1

    def save(self, path: Path) -> None:
        """Write everything that the next step depends on, in one step."""
        tensors = {f"module.{key}": value for key, value in self.module.state_dict().items()}
        tensors |= {f"average.{key}": value for key, value in self.average.state_dict().items()}
        state = self.optimiser.state_dict()
        for number, values in state["state"].items():
            tensors |= {f"optimiser.{number}.{key}": value for key, value in values.items()}
        tensors |= {"order": self.order, "losses": self.losses, "random": torch.get_rng_state()}
        notes = {"step": self.step, "groups": state["param_groups"], "schedule": self.schedule.state_dict()}
        save_tensors(tensors, path, {"loop": json.dumps(notes)})

    def restore(self, path: Path) -> None:
        """Go back to what `save` wrote, the random numbers too. Raises DataError where the file does not fit."""
        try:
            with safe_open(path, "pt") as file:
                notes = json.loads(file.metadata()["loop"])
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  no mapping
            self.module.load_state_dict(below(tensors, "module."))
            self.average.load_state_dict(below(tensors, "average."))
            if len(tensors["losses"]) != self.count:
                raise ValueError(f"it had {len(tensors['losses'])} pictures, and there are {self.count}")
        except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
            raise DataError(f"{path} is no checkpoint of this run: {error}") from error
        parameters = [each for group in self.optimiser.param_groups for each in group["params"]]
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in below(tensors, "optimiser.").items():
            number, name = key.split(".", 1)
            state.setdefault(int(number), {})[name] = laid_out(value, parameters[int(number)])
        self.optimiser.load_state_dict({"state": state, "param_groups": notes["groups"]})
        self.schedule.load_state_dict(notes["schedule"])
        self.step, self.order = notes["step"], tensors["order"]
        self.losses = tensors["losses"]
        torch.set_rng_state(tensors["random"])


def refuse_too_little(count: int, epochs: int, recipe: Recipe) -> None:
    """Refuse a loop over fewer pictures than a batch, or without an epoch. Raises DataError."""
    if count < recipe.batch:
        raise DataError(f"There are {count} pictures to train on, fewer than a batch of {recipe.batch}.")
    if epochs < 1:
        raise DataError(f"Nothing can be learnt in {epochs} epochs: only what a run begins with can be kept.")


def laid_out(value: Tensor, parameter: Tensor) -> Tensor:
    """Return an optimiser's value the layout in memory of its parameter: fused steps pair the two by position alone."""
    return torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value


def below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names begin with a prefix, without it."""
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def descend(
    name: str, loop: Loop, loss_of: Callable[[Tensor], Tensor], out: Path | None, report: Callable[[], dict[str, float]]
) -> None:
    """Minimise `loss_of` batches of indices, from where the loop is to its last step.

    After every epoch a line says how far it is, and `out`, where there is one, gets the same as a line of JSON and a
    checkpoint. Raises Stopped on Ctrl-C, between two steps and after a checkpoint, and DataError where nothing can be
    written.
    """
    begun = time.monotonic()
    figures: dict[str, float] = {}
    with training_progress(TextColumn("{task.fields[note]}")) as progress, interruptible() as interrupted:
        task = progress.add_task(name, total=loop.steps, note="", completed=loop.step)
        while loop.step < loop.steps and not parallel.anybody(interrupted.is_set()):
            loss = loss_of(loop.batch())
            loop.update(loss)
            rate = float(loop.schedule.get_last_lr()[0])
            progress.update(task, completed=loop.step, note=as_text({**figures, "loss": loss.item(), "rate": rate}))
            epoch, unfinished = loop.epoch_of(loop.step)
            if unfinished:
                continue
            whole = parallel.mean(loss)
            if parallel.is_first():
                seconds = round(time.monotonic() - begun, 1)
                figures = {"loss": whole, **report(), "rate": rate, "seconds": seconds}
                progress.console.print(f"{name} epoch {epoch}: {as_text(figures)}")
                if out:
                    with writing(out):
                        note(out, name, epoch, figures)
                        loop.save(checkpoint_of(out, name))
    parallel.agree(loop.average.module)
    if loop.step < loop.steps:
        if out and parallel.is_first():
            with writing(out):
                loop.save(checkpoint_of(out, name))
        raise Stopped


def checkpoint_of(out: Path, name: str) -> Path:
    """Name the checkpoint of one stage of a run."""
    return out / f"{name}.checkpoint.safetensors"


def as_text(figures: dict[str, float]) -> str:
    """Write figures for a line on the terminal."""
    return "  ".join(f"{key} {value:.4g}" for key, value in figures.items())


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Let the first Ctrl-C only set the event, so that no step is cut in two; the second one interrupts."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # where Python takes no signals
        yield event
        return
    before = signal.getsignal(signal.SIGINT)

    def stop(*_: object) -> None:
        event.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, stop)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)


@torch.no_grad()
def moving_average(averaged: Weights, current: Weights, count: Tensor | int) -> None:
    """Move averaged weights towards the current ones, quickly at first (Tarvainen, Valpola 2017, for the slow pace)."""
    torch._foreach_lerp_(averaged, current, 1 - min(AVERAGED, (1 + int(count)) / (10 + int(count))))
