"""The training loop: frames in memory, one-cycle rate, an average of the weights, then calibration."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.nn import functional

from .augment import augment
from .negatives import negatives
from .networks import Network
from .recipe import Recipe

OPTIMISERS = {
    "adamw": lambda weights, recipe: torch.optim.AdamW(weights, recipe.rate, weight_decay=recipe.weight_decay),
    "sgd": lambda weights, recipe: torch.optim.SGD(
        weights, recipe.rate, momentum=0.9, nesterov=True, weight_decay=recipe.weight_decay
    ),
}


@dataclass(frozen=True)
class Frames:
    """Hold frames uint8 [N, 28, 28] and labels int64 [N], on the device."""

    frames: Tensor
    labels: Tensor

    def batch(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Give some frames as float [B, 1, 28, 28] in 0..1, with their labels."""
        return self.frames[index][:, None].float() / 255, self.labels[index]


def fit(network: Network, training: Frames, validation: Frames, recipe: Recipe) -> Network:
    """Train a network; give the average of its weights. Ctrl-C ends the training early, with what it has."""
    torch.manual_seed(recipe.seed)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = torch.optim.swa_utils.AveragedModel(network, multi_avg_fn=moving_average)
    optimiser = OPTIMISERS[recipe.optimiser](network.parameters(), recipe)
    steps = recipe.epochs * (len(training.labels) // recipe.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, total_steps=steps, pct_start=0.15)
    with progress_bar() as progress:
        task = progress.add_task("training", total=steps, note="")
        try:
            for step, index in enumerate(_order(len(training.labels), recipe)):
                loss = step_loss(network, *training.batch(index), recipe)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
                average.update_parameters(network)
                if step % 50 == 0:
                    progress.update(task, completed=step, note=f"loss {loss.item():.3f}")
                if (step + 1) % (steps // recipe.epochs) == 0:
                    right = accuracy(average.module, validation)
                    progress.console.print(f"epoch {(step + 1) * recipe.epochs // steps}: validation {right:.4%}")
        except KeyboardInterrupt:
            progress.console.print("stopped early; what was learnt so far is kept")
    return copy.deepcopy(average.module).eval()


@torch.no_grad()
def moving_average(averaged: Any, current: Any, count: Tensor) -> None:
    """Move averaged weights towards the current ones, quickly at first (Tarvainen, Valpola 2017, for the slow pace)."""
    torch._foreach_lerp_(averaged, current, 1 - min(0.998, (1 + count.item()) / (10 + count.item())))


def progress_bar() -> Progress:
    """Make a progress bar on stderr that is silent where that is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}"))
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _order(count: int, recipe: Recipe) -> Iterator[Tensor]:
    for _ in range(recipe.epochs):
        yield from torch.randperm(count)[: count // recipe.batch * recipe.batch].split(recipe.batch)


def step_loss(network: nn.Module, frames: Tensor, labels: Tensor, recipe: Recipe) -> Tensor:
    """Give the loss of one batch: cross-entropy of the labels, plus that of digit against no digit."""
    frames = augment(frames)
    others = negatives(frames[: len(frames) // 4])
    logits, digitness = network(torch.cat([frames, others]).contiguous(memory_format=torch.channels_last))
    loss = functional.cross_entropy(logits[: len(frames)], labels, label_smoothing=recipe.label_smoothing)
    is_digit = (torch.arange(len(digitness)) < len(frames)).float()
    return loss + 0.3 * functional.binary_cross_entropy_with_logits(digitness, is_digit)


@torch.no_grad()
def outputs(network: nn.Module, data: Frames) -> tuple[Tensor, Tensor]:
    """Give the logits [N, C] and digitness logits [N] of all frames."""
    network.eval()
    parts = [network(data.batch(index)[0]) for index in torch.arange(len(data.labels)).split(1000)]
    logits, digitness = zip(*parts, strict=True)
    return torch.cat(logits), torch.cat(digitness)


def accuracy(network: nn.Module, data: Frames) -> float:
    """Give the part of the frames that is read right, 0..1."""
    return (outputs(network, data)[0].argmax(1) == data.labels).float().mean().item()


def temperature(logits: Tensor, labels: Tensor) -> float:
    """Fit the temperature that calibrates logits [N, C] (Guo, Pleiss, Sun, Weinberger 2017, section 4.2)."""
    log_temperature = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_temperature], max_iter=100)

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = functional.cross_entropy(logits / log_temperature.exp(), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    return log_temperature.exp().item()
