"""The training loops: pictures in memory, one-cycle rate, an average of the weights, then calibration."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar, cast

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from ..strokes import NO_DIGIT
from .augment import augment
from .framing import overlaps
from .glance import GRID, Glance
from .negatives import negatives
from .networks import Network
from .recipe import Recipe

Module = TypeVar("Module", bound=nn.Module)
Weights = tuple[Tensor, ...] | list[Tensor]

OPTIMISERS: dict[str, Callable[[nn.Module, Recipe], torch.optim.Optimizer]] = {
    "adamw": lambda module, recipe: torch.optim.AdamW(
        module.parameters(), recipe.rate, weight_decay=recipe.weight_decay
    ),
    "sgd": lambda module, recipe: torch.optim.SGD(
        module.parameters(), recipe.rate, momentum=0.9, nesterov=True, weight_decay=recipe.weight_decay
    ),
}


@dataclass(frozen=True)
class Sheets:
    """Hold pictures uint8 [N, 96, 96], their width and height [N, 2], their digits' ink [N, 96, 96] and labels [N]."""

    pictures: Tensor
    shape: Tensor
    ink: Tensor
    labels: Tensor

    def part(self, index: Tensor) -> "Sheets":
        """Give some of the sheets."""
        return Sheets(self.pictures[index], self.shape[index], self.ink[index], self.labels[index])

    def stretched(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Give some pictures as `look` shows them, float [B, 1, 96, 96], and their ink masks, float [B, 1, 48, 48]."""
        sides = self.shape[index].flip(1)[..., None, None]
        centres = (torch.arange(GRID)[:, None] + 0.5) * (sides / GRID)  # no cell is over 1 px: all is interpolated
        matrices = overlaps(centres.clamp(torch.tensor(0.5), sides - 0.5), torch.ones(1), self.pictures.shape[-1])
        rows, columns = matrices.split(1, dim=1)
        grids = rows @ self.pictures[index][:, None].float() @ columns.mT
        ink = functional.max_pool2d(rows @ self.ink[index][:, None].float() @ columns.mT, 2)
        return grids, (ink > 0.4 * ink.amax((2, 3), keepdim=True)).float()


@dataclass(frozen=True)
class Frames:
    """Hold frames uint8 [N, 28, 28] and labels int64 [N], which are `NO_DIGIT` for what is none."""

    frames: Tensor
    labels: Tensor

    def batch(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Give some frames as float [B, 1, 28, 28] in 0..1, with their labels."""
        return self.frames[index][:, None].float() / 255, self.labels[index]


def fit_glance(sheets: Sheets, recipe: Recipe) -> Glance:
    """Train a glance to find the ink on sheets."""

    def loss(glance: Glance, index: Tensor) -> Tensor:
        grids, ink = sheets.stretched(index)
        return mask_loss(glance(grids), ink)

    glance = Glance()
    average = averaging(glance)
    descend("glance", glance, average, loss, len(sheets.pictures), recipe.glance_epochs, recipe)
    return cast(Glance, average.module.eval())


def mask_loss(logits: Tensor, ink: Tensor) -> Tensor:
    """Give the cross-entropy of masks [N, 1, 48, 48] plus their Dice loss, in which small digits weigh as much."""
    return 4 * functional.binary_cross_entropy_with_logits(logits, ink) + 1 - dice(torch.sigmoid(logits), ink).mean()


def dice(found: Tensor, ink: Tensor) -> Tensor:
    """Give the Dice coefficient [N], 0..1, of masks found and true [N, 1, S, S]; 1 where both are empty."""
    return (2 * (found * ink).sum((1, 2, 3)) + 1) / (found.sum((1, 2, 3)) + ink.sum((1, 2, 3)) + 1)


def fit_network(network: Network, training: Frames, validation: Frames, recipe: Recipe) -> Network:
    """Train a network on frames, over all epochs or until Ctrl-C."""

    def loss(network: Network, index: Tensor) -> Tensor:
        frames, labels = training.batch(index)
        return network_loss(network, augment(frames), labels, recipe.label_smoothing)

    average = averaging(network)
    try:
        descend(
            "network",
            network,
            average,
            loss,
            len(training.labels),
            recipe.epochs,
            recipe,
            lambda: f"validation {accuracy(average.module, validation):.3%}",
        )
    except KeyboardInterrupt:
        Console(stderr=True).print("stopped early; what was learnt so far is kept")
    return cast(Network, average.module.eval())


def network_loss(network: Network, frames: Tensor, labels: Tensor, label_smoothing: float) -> Tensor:
    """Give the loss of one batch: cross-entropy of the labels, plus that of digit against no digit."""
    others = negatives(frames[: len(frames) // 8])
    logits, digitness = network(torch.cat([frames, others]).contiguous(memory_format=torch.channels_last))
    loss = functional.cross_entropy(
        logits[: len(frames)], labels, ignore_index=NO_DIGIT, label_smoothing=label_smoothing
    )
    is_digit = torch.cat([(labels != NO_DIGIT).float(), torch.zeros(len(others))])
    return loss + 0.3 * functional.binary_cross_entropy_with_logits(digitness, is_digit)


def averaging(module: nn.Module) -> AveragedModel:
    """Prepare to average a module's weights over its training."""
    channels_last = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return AveragedModel(channels_last, multi_avg_fn=moving_average)


def descend(
    name: str,
    module: Module,
    average: AveragedModel,
    loss_of: Callable[[Module, Tensor], Tensor],
    count: int,
    epochs: int,
    recipe: Recipe,
    report: Callable[[], str] = str,
) -> None:
    """Minimise `loss_of` batches of indices below `count`, and keep the average of the module's weights."""
    torch.manual_seed(recipe.seed)
    optimiser = OPTIMISERS[recipe.optimiser](module, recipe)
    per_epoch = count // recipe.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.rate, total_steps=epochs * per_epoch, pct_start=0.15
    )
    with progress_bar() as progress:
        task = progress.add_task(name, total=epochs * per_epoch, note="")
        for step, index in enumerate(batches(count, epochs, recipe.batch), 1):
            loss = loss_of(module, index)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            average.update_parameters(module)
            progress.update(task, completed=step, note=f"loss {loss.item():.3f}")
            if step % per_epoch == 0:
                progress.console.print(f"{name} epoch {step // per_epoch}: loss {loss.item():.3f}  {report()}")


def batches(count: int, epochs: int, batch: int) -> Iterator[Tensor]:
    """Shuffle the indices of `count` pictures anew every epoch, and deal them out in full batches."""
    for _ in range(epochs):
        yield from torch.randperm(count)[: count // batch * batch].split(batch)


@torch.no_grad()
def moving_average(averaged: Weights, current: Weights, count: Tensor | int) -> None:
    """Move averaged weights towards the current ones, quickly at first (Tarvainen, Valpola 2017, for the slow pace)."""
    torch._foreach_lerp_(averaged, current, 1 - min(0.998, (1 + int(count)) / (10 + int(count))))


def progress_bar() -> Progress:
    """Make a progress bar on stderr that is silent where that is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}"))
    return Progress(*columns, console=console, disable=not console.is_terminal)


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
        loss.backward()
        return loss

    optimiser.step(closure)
    return log_temperature.exp().item()
