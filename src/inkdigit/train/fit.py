"""What is trained: the glance on sheets, the network on frames, each with its loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.special import entr

from ..strokes import NO_DIGIT
from ..terminal import warn
from . import parallel
from .augment import augment
from .framing import overlaps, profiles
from .glance import GRID, Glance, standardised
from .loop import Loop, Stopped, checkpoint_of, descend
from .negatives import negatives
from .networks import Network
from .recipe import Recipe

TELLING = 0.3  # weight of digit or no digit, beside which digit
TAUGHT = 0.7  # how much the answers of those that a network is taught by count, and its labels the rest
PRECISIONS = ("auto", "float32", "bfloat16")
BESIDE_ONE = 8  # frames of the corpus, for each that is made to be no digit


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

    def and_also(self, others: "Sheets") -> "Sheets":
        """Lay others behind them."""
        pairs = zip(vars(self).values(), vars(others).values(), strict=True)
        return Sheets(*(torch.cat(pair) for pair in pairs))

    def stretched(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Give some pictures as the glance sees them, [B, 1, 96, 96], and their ink masks, [B, 1, 48, 48]."""
        sides = self.shape[index].flip(1)[..., None, None]
        centres = (torch.arange(GRID)[:, None] + 0.5) * (sides / GRID)  # no cell is over 1 px: all is interpolated
        matrices = overlaps(centres.clamp(torch.tensor(0.5), sides - 0.5), torch.ones(1), self.pictures.shape[-1])
        rows, columns = matrices.split(1, dim=1)
        grids = rows @ self.pictures[index][:, None].float() @ columns.mT
        ink = functional.max_pool2d(rows @ self.ink[index][:, None].float() @ columns.mT, 2)
        # Not of the darkest ink: a hairline is twice as dark where it crosses itself, and the rest would be left out.
        usual = ink.square().sum((2, 3), keepdim=True) / ink.sum((2, 3), keepdim=True).clamp(min=1)
        return standardised(grids), (ink > 0.4 * usual).float()


@dataclass(frozen=True)
class Frames:
    """Hold frames uint8 [N, 28, 28] and labels int64 [N], which are `NO_DIGIT` for what is none."""

    frames: Tensor
    labels: Tensor

    def batch(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Give some frames as float [B, 1, 28, 28] in 0..1, with their labels."""
        return self.frames[index][:, None].float() / 255, self.labels[index]


def fit_glance(glance: Glance, sheets: Sheets, recipe: Recipe, out: Path | None = None) -> Glance:
    """Train a glance to find the ink on sheets, from the checkpoint in `out` on if there is one. Raises Stopped."""
    loop = Loop(glance, len(sheets.pictures), recipe.glance_epochs, recipe)
    look = parallel.joined(glance)

    def loss(index: Tensor) -> Tensor:
        mine = parallel.part(index)
        grids, ink = sheets.stretched(mine)
        return mask_loss(look(grids), ink) * (len(mine) * parallel.count() / len(index))

    begin(loop, "glance", out)
    descend("glance", loop, loss, out, dict)
    return cast(Glance, loop.average.module.eval())


def begin(loop: Loop, name: str, out: Path | None) -> None:
    """Seed the random numbers, or go back to the checkpoint of an earlier run in `out`."""
    torch.manual_seed(loop.recipe.seed)
    if out and checkpoint_of(out, name).exists():
        loop.restore(checkpoint_of(out, name))


def mask_loss(logits: Tensor, ink: Tensor) -> Tensor:
    """Give a loss of masks [N, 1, 48, 48]: cross-entropy, and Dice loss, in which small digits weigh as much.

    The profiles' cross-entropy is added, because the cut's extent hangs on the strongest cell of each row and column.
    """
    cells = functional.binary_cross_entropy_with_logits(logits, ink)
    sides = functional.binary_cross_entropy_with_logits(profiles(logits), profiles(ink))
    return 4 * cells + sides + 1 - dice(torch.sigmoid(logits), ink).mean()


def dice(found: Tensor, ink: Tensor) -> Tensor:
    """Give the Dice coefficient [N], 0..1, of masks found and true [N, 1, S, S]; 1 where both are empty."""
    return (2 * (found * ink).sum((1, 2, 3)) + 1) / (found.sum((1, 2, 3)) + ink.sum((1, 2, 3)) + 1)


def fit_network(
    network: Network,
    training: Frames,
    validation: Frames,
    recipe: Recipe,
    out: Path | None = None,
    teachers: Sequence[nn.Module] = (),
) -> Network:
    """Train a network on frames, from the checkpoint in `out` on if there is one, over all epochs or until Ctrl-C.

    Of frames that are distorted, the teachers answer the same ones that the network sees.
    """
    if recipe.digitness_only:
        network.eval().requires_grad_(False)  # nor do batch normalisation's statistics move
        network.detect.requires_grad_(True)
    loop = Loop(network, len(training.labels), recipe.epochs, recipe)
    read = parallel.joined(network)
    precision = computed_in(recipe.precision, training.frames.device.type)

    def loss(index: Tensor) -> Tensor:
        frames, labels = training.batch(index)
        strength = recipe.distortion * unfaded(loop.step / loop.steps, recipe.fading)
        frames = augment(frames, strength)
        others = negatives(frames[: len(frames) // BESIDE_ONE])
        labels = torch.cat([labels, torch.full((len(others),), NO_DIGIT)])
        losses, whole = network_loss(
            read, torch.cat([frames, others]), labels, recipe.label_smoothing, precision, teachers
        )
        loop.losses[index] = parallel.whole(losses, len(labels))[: len(frames)]
        return whole

    begin(loop, "network", out)
    try:
        descend("network", loop, loss, out, lambda: {"validation": accuracy(loop.average.module, validation)})
    except Stopped:
        warn("stopped early; what was learnt so far is kept")
    return cast(Network, loop.average.module.eval())


def unfaded(done: float, fading: float) -> float:
    """Give how much of the distortion is left, 0..1, when a part of all steps is `done`, 0..1, and the last part fades.

    What is read is not distorted: a short run that ends on such frames reads a tenth of a point more of them right.
    """
    return min(1.0, (1 - done) / fading) if fading else 1.0


def network_loss(
    network: nn.Module,
    frames: Tensor,
    labels: Tensor,
    label_smoothing: float,
    precision: str,
    teachers: Sequence[nn.Module] = (),
) -> tuple[Tensor, Tensor]:
    """Give this process's part of the losses of frames [N, 1, 28, 28] with their labels [N].

    They are cross-entropy of the labels, mixed with what teachers answer, plus that of digit or no digit: first each
    frame's own, without gradients and less its target's entropy, then the whole. The wholes' mean over the processes
    is the loss of the batch.
    """
    is_digit = (labels != NO_DIGIT).float()
    inputs, target, wanted = (parallel.part(each) for each in (frames, labels, is_digit))
    inputs = inputs.contiguous(memory_format=torch.channels_last)
    with torch.autocast(frames.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        logits, digitness = network(inputs)
        with torch.no_grad():
            answers = [teacher(inputs) for teacher in teachers]
    classes = logits.shape[1]
    share = (1 - label_smoothing) * functional.one_hot(target.clamp(min=0), classes) + label_smoothing / classes
    soft = wanted
    if answers:  # the mean of many networks is taught to one (Hinton, Vinyals, Dean 2015, section 2)
        share = share.lerp(torch.stack([answer.float().softmax(1) for answer, _ in answers]).mean(0), TAUGHT)
        soft = wanted.lerp(torch.stack([found.float().sigmoid() for _, found in answers]).mean(0), TAUGHT)
    reading = wanted * functional.cross_entropy(logits.float(), share, reduction="none")
    telling = TELLING * functional.binary_cross_entropy_with_logits(digitness.float(), soft, reduction="none")
    whole = parallel.count() * (reading.sum() / is_digit.sum() + telling.sum() / len(labels))
    # What a target itself leaves open is nothing to learn: a frame that teachers disagree about is not hard for that.
    left_open = wanted * entr(share).sum(1) + TELLING * (entr(soft) + entr(1 - soft))
    return (reading + telling).detach() - left_open, whole


def computed_in(precision: str, device: str) -> str:
    """Give float32 or bfloat16: what is named, or for `auto` the sooner one on a device.

    CUDA and AMX are sooner in bfloat16. Of processors with AVX-512 BF16 alone, AMD's are (0.6 of a step's time),
    and Intel's are not (1.5 of it): they multiply no more pairs at once than single floats.
    """
    if precision != "auto":
        return precision
    able = torch.cpu.get_capabilities()
    pairs = able.get("avx512_bf16") and not able["cpu_name"].startswith("Intel")
    sooner = device == "cuda" or (device == "cpu" and (pairs or able.get("amx_bf16")))
    return "bfloat16" if sooner else "float32"


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
