"""One training run, from data to artefact."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from .. import __version__
from ..artefact import DEFAULT_MODEL, Contract
from ..data import Labelled, mnist
from ..evaluate import SOURCES, score
from ..prediction import Thresholds
from ..recognizer import Recognizer
from .export import Graph, export, git_commit, rewrite_contract
from .fit import Frames, fit, outputs, temperature
from .framing import Framing, PlainGlance
from .networks import NETWORKS
from .recipe import Recipe


def run(recipe: Recipe, folder: Path | None, target: Path, name: str = DEFAULT_MODEL) -> dict[str, float]:
    """Train, calibrate, export to `target` and score. Gives the accuracy per source. Raises DataError, ArtefactError."""
    torch.manual_seed(recipe.seed)
    framing = Framing(PlainGlance()).eval()
    data = mnist("train", folder)
    held_out = np.random.default_rng(recipe.seed).permutation(len(data)) < recipe.validation
    training = framed(framing, data.images[~held_out], data.labels[~held_out])
    validation = framed(framing, data.images[held_out], data.labels[held_out])
    network = fit(NETWORKS[recipe.network](10), training, validation, recipe)
    logits, digitness = outputs(network, validation)
    heat = temperature(logits, validation.labels)
    contract = Contract(
        name=name,
        version=__version__,
        labels=tuple(str(label) for label in range(10)),
        architecture=recipe.network,
        thresholds=thresholds(torch.softmax(logits / heat, 1), validation.labels, torch.sigmoid(digitness)),
        recipe=recipe.as_dict(),
        sources=data.sha256,
        scores={},
        inkdigit=__version__,
        commit=git_commit(),
    )
    export(Graph(framing, network, heat), contract, [data.images[held_out][:200]], target)
    recognizer = Recognizer(target)
    scores = {source: score(recognizer, read(folder)).accuracy for source, read in SOURCES.items()}
    rewrite_contract(target, scores={source: {"accuracy": value} for source, value in scores.items()})
    return scores


@torch.no_grad()
def framed(framing: Framing, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Frames:
    """Frame pictures [N, H, W] as the graph will."""
    parts = [framing(part)[0] for part in torch.from_numpy(images.copy()).split(500)]
    return Frames((torch.cat(parts) * 255).round().to(torch.uint8), torch.from_numpy(labels))


def thresholds(probabilities: torch.Tensor, labels: torch.Tensor, digitness: torch.Tensor) -> Thresholds:
    """Choose on validation: 99.5 % of digits count as digits, and what counts as sure is 99.8 % right."""
    confidence, answer = probabilities.max(1)
    order = confidence.argsort(descending=True)
    right = (answer == labels)[order].float().cumsum(0) / torch.arange(1, len(order) + 1)
    sure = int((right >= 0.998).nonzero().max())
    return Thresholds(float(digitness.quantile(0.005)), float(confidence[order][sure]))
