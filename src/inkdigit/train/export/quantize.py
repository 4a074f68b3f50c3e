"""An artefact in int8: static quantisation of the network's layers (Jacob and others 2018); framing stays float.

The gain in speed depends on the processor: `bench/latency.py` measures both in turns.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxscript.optimizer import remove_unused_nodes
from torch import nn

from ...errors import ArtefactError
from ...evaluation.datasets import Labelled
from ...evaluation.scores import Score, score
from ...files import atomic_path
from ...model_file import SUFFIX, open_artefact
from ...recognizer import Recognizer
from ..corpus import corpora, framed_sheets, validation_frames
from ..custom_dataset import custom_corpora, custom_folder
from ..data import concat
from ..model.graph import Graph
from ..run_dir import Notes
from ..warm_start import IN_INT8
from ..weights import save_beside
from .onnx_export import export, rewrite_contract, with_contract
from .run_export import at_hand, contract_of, exportable, labelled, place_of, raise_confidence_threshold, samples

LINEAR = "Gemm"
LAYERS = {"Conv": nn.Conv2d, LINEAR: nn.Linear}  # what is quantised, in ONNX and in torch
ACTIVATION = "Relu"
CALIBRATED_ON = 1000  # pictures of the training data on paper
BATCH = 100  # frames at a time
MAY_LOSE = 0.0005  # of the accuracy on validation
# Batch normalisation is folded and shapes are known: the quantiser need not advise to prepare the graph.
PREPARED = {"onnx.quant.pre_process": "onnxruntime.quant"}


def export_int8(out: Path, target: Path | None, folder: Path | None) -> Path:
    """Export a run's artefact with the network in int8, and score it. Give the artefact, which has its file's name.

    Raises DataError, and ArtefactError where it reads the validation frames worse than float; then nothing is written.
    """
    notes, graph = exportable(out, folder)
    target = place_of(target, out, f"{notes.name}{IN_INT8}{SUFFIX}")
    contract = contract_of(notes)
    contract = replace(contract, name=target.stem, architecture=contract.architecture + IN_INT8)
    known, held_out = frames_of(notes, graph, folder)
    with atomic_path(target) as draft:
        whole = draft.with_name(f"float{SUFFIX}")
        export(graph, contract, samples(folder), whole)
        quantise(whole, draft, graph.network, known)
        before, after = (score(Recognizer(path), held_out) for path in (whole, draft))
        refuse_a_loss(before, after)
    save_beside(graph, target)
    counted = raise_confidence_threshold(target, held_out)
    recognizer = Recognizer(target)
    scores = {source: score(recognizer, data).summary() for source, data in at_hand(notes.labels, folder)}
    rewrite_contract(target, scores=scores, validation=counted)
    return target


def frames_of(notes: Notes, graph: Graph, folder: Path | None) -> tuple[NDArray[np.uint8], Labelled]:
    """Return frames of training data to calibrate on, uint8 [N, 28, 28], and the frames that the run validated on."""
    recipe = replace(notes.recipe, pens=min(1, notes.recipe.pens), invented=0)
    own = custom_folder(folder)
    training, validation, _ = (
        custom_corpora(recipe, own, graph.framing) if own else corpora(recipe, folder, recipe.seed)
    )
    torch.manual_seed(recipe.seed)
    known = framed_sheets(graph.framing, training.sheets(CALIBRATED_ON))
    held_out = concat(*validation_frames(graph.framing, validation, bool(recipe.sheets)).values())
    return known.frames.numpy(), labelled(held_out)


def quantise(whole: Path, draft: Path, network: nn.Module, frames: NDArray[np.uint8]) -> None:
    """Write the artefact `whole` with the network's layers but the first in int8, calibrated on uint8 [N, 28, 28].

    Activations are unsigned and weights have 7 bits: without VNNI, x86 adds two products in 16 bits, where 8 overflow.
    """
    _, contract = open_artefact(whole)
    model = onnx.load(whole)
    layers = layers_of(model)
    wanted = sum(isinstance(module, tuple(LAYERS.values())) for module in network.modules())
    if len(layers) != wanted:
        raise ArtefactError(f"The network has {wanted} layers to quantise, and its graph {len(layers)}.")
    layers = layers[1:]  # the first layer sums so few products that float is both faster and more exact
    rounded = layers + activations(model, layers)
    onnx.helper.set_model_props(model, PREPARED)
    quantize_static(
        model,
        draft,
        Calibration(frames),
        nodes_to_quantize=rounded,
        op_types_to_quantize=[*LAYERS, ACTIVATION],
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        # The mean of the batches' extremes: one odd frame must not cost all the others.
        extra_options={"CalibMovingAverage": True},
    )
    onnx.save(with_contract(only_for(rounded, onnx.load(draft)), contract), draft)
    onnx.checker.check_model(str(draft), full_check=True)


def layers_of(model: onnx.ModelProto) -> list[str]:
    """Name the network's layers in a graph: the exporter names their weights as torch does."""
    return [
        node.name
        for node in model.graph.node
        if node.op_type in LAYERS and any(name.startswith("network.") for name in node.input)
    ]


def activations(model: onnx.ModelProto, layers: list[str]) -> list[str]:
    """Name what follows `layers` and is rounded with them: it then needs no node, and no second rounding."""
    given = {output for node in model.graph.node if node.name in layers for output in node.output}
    return [node.name for node in model.graph.node if node.op_type == ACTIVATION and node.input[0] in given]


def only_for(layers: list[str], model: onnx.ModelProto) -> onnx.ModelProto:
    """Return others than `layers` floats: what goes into these, and logits, as linear layers put them out.

    The quantiser would round the frame that is put out, and small probabilities would be equal in 8 bits.
    """
    maker = {output: node for node in model.graph.node for output in node.output}
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            value = None if node.name in layers else before_rounding(name, maker)
            if value and (maker[value].name not in layers or maker[value].op_type == LINEAR):
                node.input[place] = value
    remove_unused_nodes(model)
    return model


def before_rounding(name: str, maker: Mapping[str, onnx.NodeProto]) -> str | None:
    """Return the value that was quantised and dequantised to `name`, or None."""
    back = maker.get(name)
    there = maker.get(back.input[0]) if back and back.op_type == "DequantizeLinear" else None
    return there.input[0] if there and there.op_type == "QuantizeLinear" else None


def refuse_a_loss(before: Score, after: Score) -> None:
    """Raise ArtefactError where int8 reads less right than float, by more than `MAY_LOSE`."""
    if before.accuracy - after.accuracy > MAY_LOSE:
        raise ArtefactError(
            f"In int8 {after.accuracy:.2%} of the validation frames are read right, in float {before.accuracy:.2%}: "
            f"that is over {100 * MAY_LOSE:g} points less, so nothing is written."
        )


class Calibration(CalibrationDataReader):  # type: ignore[misc]  # no types are shipped
    """Hand out frames in batches, in the form that the quantiser asks for."""

    def __init__(self, frames: NDArray[np.uint8]) -> None:
        self._batches = iter(np.array_split(frames, -(-len(frames) // BATCH)))

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """Return the next batch as the graph's input; None at the end."""
        batch = next(self._batches, None)
        return None if batch is None else {"pixels": batch}
