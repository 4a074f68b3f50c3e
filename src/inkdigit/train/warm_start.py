"""What a run begins with: the weights of another run, or those of an artefact."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ..errors import ArtefactError, DataError
from ..model_file import DEFAULT_MODEL, is_run, model_path, open_artefact
from .model.calibration import Temperature
from .model.classifiers import NETWORKS, Network, fused, normalised
from .model.framing import Framing
from .model.graph import Graph
from .model.localizer import Localizer
from .recipe import Recipe
from .run_dir import load

IN_INT8 = "-int8"  # ends the architecture of an artefact whose network has been quantised
QUANTISED = "_quantized"  # ends the names that its weights are stored by
# What a run has in common with the one that it begins with: else it validates on what the other was trained on.
SPLIT = ("pictures", "validation", "validation_writers")


def begun_with(
    recipe: Recipe, labels: tuple[str, ...], same: tuple[str, ...]
) -> tuple[Mapping[str, Any], Graph | None]:
    """Return the recipe and the graph of what a run begins with, if there is anything.

    Where it has other `labels`, the last layer is new.
    Raises DataError where that, or what is mixed in, was trained with another network, or differs in what must be the
    `same`; and where they cannot be mixed. Raises ArtefactError.
    """
    if not recipe.begin_with:
        if recipe.mix_with:
            raise DataError(f"{recipe.mix_with} can only be mixed into a run that is begun with: name one by --from.")
        if recipe.digitness_only:
            raise DataError("digitness_only keeps the classifier of another run: name it by --from.")
        return {}, None
    before, known, graph = weights_of(recipe.begin_with)
    refuse_other(recipe.begin_with, before, recipe, ("network", *same))
    if recipe.mix_with:
        theirs, _, other = weights_of(recipe.mix_with)
        refuse_other(recipe.mix_with, theirs, recipe, ("network", *same))
        mix(graph, other, recipe.mix_part)
    if known != labels:
        graph.network.classify = nn.Linear(graph.network.classify.in_features, len(labels))
    return before, graph


def drawn_by(recipe: Recipe, before: Mapping[str, Any]) -> int:
    """Return the seed of pens and paper: a run that begins with others, and knows their recipes, sees new ones."""
    runs = 0
    while before:
        before, runs = before.get("begin_with", {}), runs + 1
    return recipe.seed + 1000 * runs


def refuse_other(where: str, before: Mapping[str, Any], recipe: Recipe, same: tuple[str, ...]) -> None:
    """Refuse a run or artefact that differs in what must be the `same`. Raises DataError."""
    for key in same:
        if before.get(key) != getattr(recipe, key):
            raise DataError(f"{where} was trained with {key} {before.get(key)}, not {getattr(recipe, key)}.")


def mix(graph: Graph, other: Graph, part: float) -> None:
    """Take a part, 0..1, of a graph's weights from another that it was trained on from. Raises DataError.

    What lies between two such graphs keeps much of what either has learnt alone (Wortsman et al. 2022, section 3).
    Both are brought to one form before: there are many of the same convolution with batch normalisation.
    """
    for each in (graph, other):
        scale_into_convolutions(each)
    theirs = other.state_dict()
    for name, values in graph.state_dict().items():
        if name not in theirs or theirs[name].shape != values.shape:
            raise DataError("Only runs of the same network and labels can be mixed.")
        if values.is_floating_point():
            values.lerp_(theirs[name], part)


def teachers_of(recipe: Recipe, labels: tuple[str, ...], same: tuple[str, ...]) -> list[Network]:
    """Return the teachers, of any kind, that a run is distilled from. Raises DataError, ArtefactError."""
    teachers = []
    for where in recipe.taught_by.split(",") if recipe.taught_by else ():
        before, known, graph = weights_of(where)
        refuse_other(where, before, recipe, same)
        if known != labels:
            raise DataError(f"{where} knows other labels, so it cannot teach these.")
        teachers.append(fused(graph.network))
    return teachers


def framing_of(recipe: Recipe) -> Framing:
    """Return the framing, with the localizer that the recipe takes as it is. Raises DataError, ArtefactError."""
    return weights_of(recipe.localizer or recipe.begin_with or DEFAULT_MODEL)[2].framing


def weights_of(where: str) -> tuple[Mapping[str, Any], tuple[str, ...], Graph]:
    """Return recipe, labels and graph of a run's folder, of a shipped model by its name, or of an artefact (`.onnx`).

    Raises DataError, ArtefactError.
    """
    if not is_run(where):
        return from_artefact(model_path(where))
    notes, graph = load(Path(where))
    return notes.history, notes.labels, graph


def from_artefact(path: Path) -> tuple[Mapping[str, Any], tuple[str, ...], Graph]:
    """Read an artefact's weights back into a graph, its temperature left out. Raises ArtefactError."""
    _, contract = open_artefact(path)
    network = contract.architecture.removesuffix(IN_INT8)
    if network not in NETWORKS:
        raise ArtefactError(f"{path} has the network {contract.architecture}, which this Inkdigit does not build.")
    # Shipped files name the localizer's weights by an earlier word.
    stored = {
        item.name.replace("framing.glance.", "framing.localizer."): torch.tensor(numpy_helper.to_array(item))
        for item in onnx.load(path).graph.initializer
    }
    graph = Graph(Framing(Localizer()), NETWORKS[network](len(contract.labels)), Temperature()).eval()
    try:
        graph.load_state_dict(graph.state_dict() | unfolded(in_float(stored), graph))
    except (KeyError, RuntimeError) as error:
        raise ArtefactError(f"{path} has no weights that training could begin with: {error}") from error
    return contract.recipe, contract.labels, graph


def in_float(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights by their names, those that were quantised in float again; each of their channels has its scale."""
    weights = dict(stored)
    for name, values in stored.items():
        if name.endswith(QUANTISED):
            known = name.removesuffix(QUANTISED)
            scale = stored[f"{known}_scale"] if f"{known}_scale" in stored else stored[f"{name}_scale"]  # of a bias
            weights[known] = values * scale.view(-1, *[1] * (values.dim() - 1))
    return weights


def unfolded(stored: Mapping[str, Tensor], graph: nn.Module) -> dict[str, Tensor]:
    """Return a graph's weights; batch normalisation, which exporting folds into the convolution, is left its shift."""
    weights = {}
    modules = dict(graph.named_modules())
    for name, module in modules.items():
        if isinstance(module, nn.Conv2d | nn.Linear):
            weights[f"{name}.weight"] = stored[f"{name}.weight"]
            if module.bias is not None:
                weights[f"{name}.bias"] = stored[f"{name}.bias"]
                continue
            parent, place = name.rsplit(".", 1)
            after = f"{parent}.{int(place) + 1}"
            weights[f"{after}.bias"] = stored[f"{name}.bias"]
            weights[f"{after}.running_var"] = torch.full_like(weights[f"{after}.bias"], 1 - modules[after].eps)
    return weights


def folded(framing: Framing) -> Framing:
    """Return a faster copy that cannot be trained."""
    return Framing(fused(framing.localizer))


@torch.no_grad()
def scale_into_convolutions(module: nn.Module) -> None:
    """Leave batch normalisation its shift alone, as `unfolded` does; what the module computes stays."""
    for _, _, convolution, norm in normalised(module.eval()):
        fused = fuse_conv_bn_eval(convolution, norm).state_dict()
        convolution.weight.copy_(fused["weight"])
        shift, zero = fused["bias"], torch.zeros_like(fused["bias"])
        kept = {"weight": zero + 1, "bias": shift, "running_mean": zero, "running_var": zero + (1 - norm.eps)}
        norm.load_state_dict(kept, strict=False)


@torch.no_grad()
def settle(module: nn.Module, inputs: Tensor) -> None:
    """Measure on `inputs` what unfolded batch normalisation takes in, so that training on begins where it left off."""

    def measure(layer: Any, values: tuple[Tensor]) -> None:
        mean, variance = values[0].mean((0, 2, 3)), values[0].var((0, 2, 3))
        gain = layer.weight / (layer.running_var + layer.eps).sqrt()
        layer.bias.add_((mean - layer.running_mean) * gain)
        layer.weight.copy_(gain * (variance + layer.eps).sqrt())
        layer.running_mean.copy_(mean)
        layer.running_var.copy_(variance)

    layers = [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
    hooks = [layer.register_forward_pre_hook(measure) for layer in layers]
    module.eval()(inputs)
    for hook in hooks:
        hook.remove()
