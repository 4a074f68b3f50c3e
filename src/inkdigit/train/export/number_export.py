"""Export the number reader: a graph with dynamic sides, weights in 8 bits, that proves itself on real pictures."""

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from ...errors import ArtefactError
from ...files import atomic_path
from ...model_file import NUMBER_OUTPUTS, Contract, open_artefact
from ..model.detector import NumberReader
from .onnx_export import translate, with_contract

EXAMPLE = (1, 150, 200)  # pixels
DYNAMIC = {"pixels": dict.fromkeys((1, 2), torch.export.Dim.DYNAMIC)}  # both sides
CERTAIN = 0.9  # probability from which a symbol must be found by both
TOLERANCE = 0.01  # of probabilities, between ONNX Runtime and torch
LARGE = 2_000  # values: weights with more are stored in 8 bits


def export_numbers(reader: NumberReader, contract: Contract, images: list[NDArray[np.uint8]], target: Path) -> None:
    """Write a model file. ONNX Runtime must agree with torch on `images`, each uint8 [1, H, W], or ArtefactError."""
    model = translate(reader, EXAMPLE, DYNAMIC, NUMBER_OUTPUTS)
    store_in_eight_bits(model, reader)
    with atomic_path(target) as draft:
        onnx.save(with_contract(model, contract), draft)
        onnx.checker.check_model(str(draft), full_check=True)
        session, _ = open_artefact(draft)
        for pixels in images:
            found = session.run(list(NUMBER_OUTPUTS), {"pixels": pixels})
            with torch.inference_mode():
                wanted = [value.numpy() for value in reader(torch.as_tensor(pixels.copy()))]
            if not agree(wanted, found):
                raise ArtefactError("The exported number reader differs from torch on real images.")


def agree(wanted: list[NDArray[np.float32]], found: list[NDArray[np.float32]]) -> bool:
    """Return whether each certain symbol that torch finds is also found, within 1 px and `TOLERANCE`, in any order."""
    for box, probabilities in zip(*wanted[:2], strict=True):
        if probabilities[:-1].max() > CERTAIN:
            near = np.abs(found[0] - box).max(1, initial=0) < 1
            if not (np.abs(found[1][near] - probabilities).max(1, initial=0) < TOLERANCE).any():
                return False
    return True


def store_in_eight_bits(model: onnx.ModelProto, reader: NumberReader) -> None:
    """Store large weights as int8 with a scale for each output channel; torch's are rounded alike.

    The runtime turns them into floats when it opens the file: the file is a quarter as large, and as exact as 8 bits.
    """
    parameters = dict(reader.named_parameters())
    graph = model.graph
    for stored in list(graph.initializer):
        values = numpy_helper.to_array(stored)
        if values.dtype != np.float32 or values.size < LARGE or values.ndim not in {2, 4}:
            continue
        axes = tuple(range(1, values.ndim))
        scale = (np.abs(values).max(axes) / 127).clip(1e-12).astype(np.float32)
        rounded = np.rint(values / scale.reshape(-1, *[1] * (values.ndim - 1))).astype(np.int8)
        if stored.name in parameters:
            restored = rounded.astype(np.float32) * scale.reshape(-1, *[1] * (values.ndim - 1))
            parameters[stored.name].data.copy_(torch.as_tensor(restored))
        names = [f"{stored.name}.{part}" for part in ("int8", "scale", "zero")]
        zero = np.zeros(len(scale), np.int8)
        graph.initializer.extend(
            numpy_helper.from_array(part, name) for part, name in zip((rounded, scale, zero), names, strict=True)
        )
        graph.node.insert(0, helper.make_node("DequantizeLinear", names, [stored.name], f"{stored.name}.float", axis=0))
        graph.initializer.remove(stored)
