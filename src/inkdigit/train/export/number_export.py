"""Export the number reader: one ONNX file that reads like the module it came from, and float weights to train on.

Weights are stored in 16 bits in the model file, and ONNX Runtime widens them once when it opens it. `rounded` gives the
module those same weights before it is calibrated, so that what ships is what was measured.
"""

import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ...errors import ArtefactError
from ...layout import Calibration, find_numbers
from ...model_file import INPUTS, NUMBER_OUTPUTS, Contract, open_artefact
from ...reading import Number
from ..model.classifiers import fused
from ..model.detector import NumberReader
from .onnx_export import drafted, with_contract

EXAMPLE = (1, 150, 200)  # of pixels; height and width are dynamic
DIFFERENT = 0.01  # share of pictures that float rounding may bring over a threshold, and so to another reading
TOLERANCE = 2e-3  # of a number's confidence
SMALL = 64  # values: tensors that are no larger, such as biases, are stored as they are
STEPS = 127  # of an 8-bit weight on either side of 0


def rounded(reader: NumberReader) -> NumberReader:
    """Return a copy with batch normalisation folded in and its weights rounded to 16 bits, as a model file has them."""
    copy = fused(reader)
    for weight in copy.parameters():
        weight.data = weight.data.half().float()
    if not isinstance(copy, NumberReader):
        raise TypeError("Folding must keep the module's type.")
    return copy


def export_reader(reader: NumberReader, contract: Contract, images: Sequence[NDArray[np.uint8]], target: Path) -> None:
    """Write the model file of a `rounded` reader.

    ONNX Runtime must read `images`, each uint8 [H, W], like torch. Raises ArtefactError where it does not; then what
    was at `target` is left as it was.
    """
    with drafted(target) as draft:
        onnx.save(with_contract(stored_in_half(to_onnx(reader)), contract), draft)
        onnx.checker.check_model(str(draft), full_check=True)
        session, _ = open_artefact(draft)
        wrong = 0
        for pixels in images:
            with torch.inference_mode():
                wanted = [value.numpy() for value in reader(torch.as_tensor(pixels.copy())[None])]
            found = session.run(list(NUMBER_OUTPUTS), {"pixels": pixels[None]})
            wrong += not is_same(*(numbers_of(each, contract) for each in (wanted, found)))
        if wrong > DIFFERENT * len(images):
            raise ArtefactError(f"What was exported reads {wrong} of {len(images)} pictures differently from torch.")


def numbers_of(outputs: Sequence[NDArray[np.generic]], contract: Contract) -> tuple[Number, ...]:
    """Return the numbers that a model's outputs stand for."""
    boxes, probabilities, is_mark, _ = (np.asarray(each) for each in outputs)
    return find_numbers(boxes, probabilities, is_mark, contract.labels, Calibration(**contract.calibration))


def is_same(first: Sequence[Number], second: Sequence[Number]) -> bool:
    """Return whether two readings have the same numbers with about the same confidences."""
    return [number.text for number in first] == [number.text for number in second] and all(
        abs(a.confidence - b.confidence) <= TOLERANCE for a, b in zip(first, second, strict=True)
    )


def to_onnx(reader: NumberReader) -> onnx.ModelProto:
    """Translate the reader with dynamic height and width."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    side = torch.export.Dim.DYNAMIC
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of its own internals
        program = torch.onnx.export(
            reader,
            (torch.zeros(EXAMPLE, dtype=torch.uint8),),
            input_names=list(INPUTS),
            output_names=list(NUMBER_OUTPUTS),
            dynamic_shapes={"pixels": {1: side, 2: side}},
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise ArtefactError(f"torch {torch.__version__} could not translate the number reader.")
    return program.model_proto


def stored_in_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store float weights in 16 bits, each with a cast that ONNX Runtime runs once, when it opens the model."""
    graph = model.graph
    casts = []
    for item in graph.initializer:
        values = numpy_helper.to_array(item)
        if item.data_type != TensorProto.FLOAT or values.size <= SMALL:
            continue
        name, half = item.name, f"{item.name}.half"
        item.CopyFrom(numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [name], to=TensorProto.FLOAT))
    for place, node in enumerate(casts):
        graph.node.insert(place, node)
    return model


def save_weights(module: nn.Module, path: Path) -> None:
    """Write weights to fine-tune from: 8 bits with a scale per output channel, and small tensors as they are."""
    stored: dict[str, Tensor] = {}
    for name, value in module.state_dict().items():
        if value.dim() < 2:
            stored[name] = value.half() if value.is_floating_point() else value
            continue
        scale = (value.flatten(1).abs().amax(1).clamp(min=1e-8) / STEPS).half().clamp(min=1e-7)
        shape = (-1, *(1,) * (value.dim() - 1))
        stored[name] = (value / scale.float().view(shape)).round().clamp(-STEPS, STEPS).to(torch.int8)
        stored[f"{name}.scale"] = scale
    with drafted(path) as draft:
        save_file({name: value.contiguous() for name, value in stored.items()}, draft)


def load_weights(module: nn.Module, path: Path) -> None:
    """Load what `save_weights` wrote into a module of the same architecture."""
    stored: Mapping[str, Tensor] = load_file(path)
    weights = {}
    for name, value in stored.items():
        if name.endswith(".scale"):
            continue
        scale = stored.get(f"{name}.scale")
        shape = (-1, *(1,) * (value.dim() - 1))
        weights[name] = value if scale is None else value.float() * scale.float().view(shape)
    module.load_state_dict(weights)
