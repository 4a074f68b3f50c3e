"""What is trained: the localizer on sheets, the network on frames, each with its loss."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from ...evaluation.strokes import NO_DIGIT
from ...terminal import warn
from ..data import Frames, Sheets
from ..model.classifiers import Network
from ..model.localizer import Localizer
from ..recipe import Recipe
from ..synth.augment import augment
from ..synth.negatives import negatives
from . import parallel
from .loop import Loop, Stopped, checkpoint_of, descend
from .losses import classifier_loss, mask_loss

PRECISIONS = ("auto", "float32", "bfloat16")
BESIDE_ONE = 8  # frames of the corpus, for each that is made to be no digit


def fit_localizer(localizer: Localizer, sheets: Sheets, recipe: Recipe, out: Path | None = None) -> Localizer:
    """Train a localizer to find the ink on sheets, from the checkpoint in `out` on if there is one. Raises Stopped."""
    loop = Loop(localizer, len(sheets.pictures), recipe.localizer_epochs, recipe)
    look = parallel.in_parallel(localizer)

    def loss(index: Tensor) -> Tensor:
        mine = parallel.part(index)
        grids, ink = sheets.stretched(mine)
        return mask_loss(look(grids), ink) * (len(mine) * parallel.count() / len(index))

    seed_or_restore(loop, "localizer", out)
    descend("localizer", loop, loss, out, dict)
    return cast(Localizer, loop.average.module.eval())


def seed_or_restore(loop: Loop, name: str, out: Path | None) -> None:
    """Seed the random numbers, or go back to the checkpoint of an earlier run in `out`."""
    torch.manual_seed(loop.recipe.seed)
    if out and checkpoint_of(out, name).exists():
        loop.restore(checkpoint_of(out, name))


def fit_classifier(
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
    loop = Loop(network, len(training.labels), recipe.epochs, recipe)
    read = parallel.in_parallel(network)
    precision = resolve_precision(recipe.precision, training.frames.device.type)

    def loss(index: Tensor) -> Tensor:
        frames, labels = training.batch(index)
        strength = recipe.distortion * remaining_distortion(loop.step / loop.steps, recipe.fading)
        frames = augment(frames, strength)
        others = negatives(frames[: len(frames) // BESIDE_ONE])
        labels = torch.cat([labels, torch.full((len(others),), NO_DIGIT)])
        losses, whole = classifier_loss(
            read, torch.cat([frames, others]), labels, recipe.label_smoothing, precision, teachers
        )
        loop.losses[index] = parallel.whole(losses, len(labels))[: len(frames)]
        return whole

    seed_or_restore(loop, "network", out)
    try:
        descend("network", loop, loss, out, lambda: {"validation": accuracy(loop.average.module, validation)})
    except Stopped:
        warn("stopped early; what was learnt so far is kept")
    return cast(Network, loop.average.module.eval())


def remaining_distortion(done: float, fading: float) -> float:
    """Return the remaining distortion, 0..1, after the part `done` of all steps; it fades over the last part `fading`.

    What is read is not distorted: a short run that ends on such frames reads a tenth of a point more of them right.
    """
    return min(1.0, (1 - done) / fading) if fading else 1.0


def resolve_precision(precision: str, device: str) -> str:
    """Return float32 or bfloat16: the named one, or for `auto` the faster one on a device.

    CUDA and AMX are faster in bfloat16. Of processors with AVX-512 BF16 alone, AMD's are (0.6 of a step's time),
    and Intel's are not (1.5 of it): they multiply no more pairs at once than single floats.
    """
    if precision != "auto":
        return precision
    able = torch.cpu.get_capabilities()
    pairs = able.get("avx512_bf16") and not able["cpu_name"].startswith("Intel")
    faster = device == "cuda" or (device == "cpu" and (pairs or able.get("amx_bf16")))
    return "bfloat16" if faster else "float32"


@torch.no_grad()
def outputs(network: nn.Module, data: Frames) -> tuple[Tensor, Tensor]:
    """Return the logits [N, C] and digitness logits [N] of all frames."""
    network.eval()
    parts = [network(data.batch(index)[0]) for index in torch.arange(len(data.labels)).split(1000)]
    logits, digitness = zip(*parts, strict=True)
    return torch.cat(logits), torch.cat(digitness)


def accuracy(network: nn.Module, data: Frames) -> float:
    """Return the part of the frames that is read right, 0..1."""
    return (outputs(network, data)[0].argmax(1) == data.labels).float().mean().item()
