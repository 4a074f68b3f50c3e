"""Fine-tune a classifier on corrections, and keep it from forgetting what it knew."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from ...evaluation.strokes import NO_DIGIT
from ...terminal import warn
from ..data import Frames, concat
from ..model.classifiers import Network
from ..recipe import Recipe
from ..synth.augment import augment
from ..synth.negatives import negatives
from .loop import Loop, Stopped, descend
from .losses import classifier_loss
from .trainers import BESIDE_ONE, accuracy, remaining_distortion, resolve_precision

BESIDE = 3  # replayed frames, for each frame of a correction
PARTS = (1.0, 0.75, 0.5, 0.35)  # of the way from the old weights to the new ones
FORGOTTEN = 0.0005  # accuracy that validation may lose, of all kinds together


def fit_corrections(network: Network, replayed: Frames, corrected: Frames, recipe: Recipe, out: Path | None) -> Network:
    """Fine-tune a network on corrections; the network as it was teaches its copy on frames that it knew.

    Batch normalisation keeps its statistics: a few hundred frames of one hand would move them.
    """
    teacher = deepcopy(network).eval().requires_grad_(False)
    loop = Loop(network.eval(), len(replayed.labels), recipe.epochs, recipe)
    precision = resolve_precision(recipe.precision, replayed.frames.device.type)

    def loss_of(frames: Tensor, labels: Tensor, *teachers: nn.Module) -> Tensor:
        return classifier_loss(network, frames, labels, recipe.label_smoothing, precision, teachers)[1]

    def loss(index: Tensor) -> Tensor:
        strength = recipe.distortion * remaining_distortion(loop.step / loop.steps, recipe.fading)
        frames, labels = replayed.batch(index)
        frames = augment(frames, strength)
        others = negatives(frames[: len(frames) // BESIDE_ONE])
        labels = torch.cat([labels, torch.full((len(others),), NO_DIGIT)])
        kept = loss_of(torch.cat([frames, others]), labels, teacher)
        mine, right = corrected.batch(torch.randint(len(corrected.labels), (len(index) // BESIDE,)))
        return kept + loss_of(augment(mine, strength), right) / BESIDE

    torch.manual_seed(recipe.seed)
    try:
        descend("corrections", loop, loss, out, lambda: {"corrections": accuracy(loop.average.module, corrected)})
    except Stopped:
        warn("stopped early; what was learnt so far is kept")
    return cast(Network, loop.average.module.eval())


@torch.no_grad()
def remembering(old: Network, new: Network, validation: Mapping[str, Frames]) -> tuple[Network, float]:
    """Return the network farthest from the old towards the new one that validates as well, and how far it is.

    Between the two most of either is known (Wortsman et al. 2022, section 3).
    """
    frames = concat(*validation.values())
    known = accuracy(old, frames)
    mixed, part = old, 0.0
    for part in PARTS:
        mixed = mixture(old, new, part)
        if accuracy(mixed, frames) >= known - FORGOTTEN:
            break
    return mixed, part


def mixture(old: Network, new: Network, part: float) -> Network:
    """Return the network at a part of the way from the old weights to the new ones."""
    mixed = deepcopy(old)
    theirs = new.state_dict()
    for name, values in mixed.state_dict().items():
        if values.is_floating_point():
            values.lerp_(theirs[name], part)
    return mixed.eval()
