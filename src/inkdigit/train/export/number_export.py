"""Export the number reader: a graph with dynamic sides, in 8 bits, that proves itself on real pictures."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

from ...errors import ArtefactError
from ...files import atomic_path
from ...model_file import NUMBER_OUTPUTS, Contract, open_artefact
from ..model.detector import NumberReader
from .onnx_export import translate, with_contract
from .quantize import PREPARED

EXAMPLE = (1, 150, 200)  # pixels
DYNAMIC = {"pixels": dict.fromkeys((1, 2), torch.export.Dim.DYNAMIC)}  # both sides
CERTAIN = 0.9  # probability from which a symbol must be found by both
TOLERANCE = 0.01  # of probabilities, between ONNX Runtime and torch
LARGE = 2_000  # values: weights with more are stored in 8 bits
ROUNDED = ("Conv", "Relu", "Add", "Resize")  # what is computed in 8 bits inside the detector
KEPT = 0.97  # of the certain symbols, as many must be found in 8 bits
NEAR = 0.1  # of a box's longer side: as far its sides may move in 8 bits

Outputs = Sequence[NDArray[np.float32]]


def export_numbers(reader: NumberReader, contract: Contract, images: list[NDArray[np.uint8]], target: Path) -> None:
    """Write a model file that computes in 8 bits, whose ranges are those on `images`, each uint8 [1, H, W].

    On them ONNX Runtime must agree with torch in float, and find nearly all certain symbols in 8 bits, or
    ArtefactError.
    """
    with atomic_path(target) as draft:
        whole = draft.with_name(f"float-{draft.name}")
        onnx.save(with_contract(translate(reader, EXAMPLE, DYNAMIC, NUMBER_OUTPUTS), contract), whole)
        onnx.checker.check_model(str(whole), full_check=True)
        exact = run_all(whole, images)
        with torch.inference_mode():
            wanted = [[value.numpy() for value in reader(torch.as_tensor(pixels.copy()))] for pixels in images]
        pairs = [pair for a, b in zip(wanted, exact, strict=True) for pair in found_again(a, b)]
        if not all(away <= 1 and change <= TOLERANCE for away, _, change in pairs):
            raise ArtefactError("The exported number reader differs from torch on real images.")
        model = quantised(whole, draft, images)
        whole.unlink()
        onnx.save(with_contract(stored_in_eight_bits(model), contract), draft)
        onnx.checker.check_model(str(draft), full_check=True)
        pairs = [pair for a, b in zip(exact, run_all(draft, images), strict=True) for pair in found_again(a, b)]
        if sum(away <= NEAR * side for away, side, _ in pairs) < KEPT * len(pairs):
            raise ArtefactError("The number reader loses symbols in 8 bits, so nothing is written.")


def run_all(path: Path, images: list[NDArray[np.uint8]]) -> list[Outputs]:
    """Return the outputs of a model file for each image."""
    session, _ = open_artefact(path)
    return [session.run(list(NUMBER_OUTPUTS), {"pixels": pixels}) for pixels in images]


def found_again(wanted: Outputs, found: Outputs) -> list[tuple[float, float, float]]:
    """Return for each certain symbol of `wanted` how the nearest one of its class in `found` differs.

    That is by how many px its sides moved, infinite where there is none; the box's longer side in px; and the largest
    change of a probability.
    """
    pairs = []
    for box, probabilities in zip(*wanted[:2], strict=True):
        if probabilities[:-1].max() > CERTAIN:
            same = found[1].argmax(1) == probabilities.argmax()
            away = np.abs(found[0][same] - box).max(1)
            changes = np.abs(found[1][same] - probabilities).max(1)
            best = int(away.argmin()) if len(away) else 0
            nearest = (float(away[best]), float(changes[best])) if len(away) else (np.inf, np.inf)
            pairs.append((nearest[0], float((box[2:] - box[:2]).max()), nearest[1]))
    return pairs


class Calibration(CalibrationDataReader):  # type: ignore[misc]  # no types are shipped
    """Hand out images, each uint8 [1, H, W], in the form that the quantiser asks for."""

    def __init__(self, images: list[NDArray[np.uint8]]) -> None:
        self._images = iter(images)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """Return the next image as the graph's input; None at the end."""
        pixels = next(self._images, None)
        return None if pixels is None else {"pixels": pixels}


def quantised(whole: Path, draft: Path, images: list[NDArray[np.uint8]]) -> onnx.ModelProto:
    """Return the model `whole` with the detector in 8 bits, but for its first layer and its outputs.

    Weights have 7 bits: without VNNI, x86 adds two products in 16 bits, where 8 overflow.
    """
    model = onnx.load(whole)
    nodes = list(model.graph.node)
    layers = [
        place for place, node in enumerate(nodes) if node.op_type == "Conv" and node.input[1].startswith("detector.")
    ]
    onnx.helper.set_model_props(model, PREPARED)
    quantize_static(
        model,
        draft,
        Calibration(images),
        nodes_to_quantize=[node.name for node in nodes[layers[0] + 1 : layers[-1]] if node.op_type in ROUNDED],
        op_types_to_quantize=list(ROUNDED),
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    return onnx.load(draft)


def stored_in_eight_bits(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store the other large weights as int8 with a scale for each output channel.

    The runtime turns them into floats when it opens the file: the file is a quarter as large, and as exact as 8 bits.
    """
    graph = model.graph
    for stored in list(graph.initializer):
        values = numpy_helper.to_array(stored)
        if values.dtype != np.float32 or values.size < LARGE or values.ndim not in {2, 4}:
            continue
        axes = tuple(range(1, values.ndim))
        scale = (np.abs(values).max(axes) / 127).clip(1e-12).astype(np.float32)
        rounded = np.rint(values / scale.reshape(-1, *[1] * (values.ndim - 1))).astype(np.int8)
        names = [f"{stored.name}.{part}" for part in ("int8", "scale", "zero")]
        zero = np.zeros(len(scale), np.int8)
        graph.initializer.extend(
            numpy_helper.from_array(part, name) for part, name in zip((rounded, scale, zero), names, strict=True)
        )
        graph.node.insert(0, helper.make_node("DequantizeLinear", names, [stored.name], f"{stored.name}.float", axis=0))
        graph.initializer.remove(stored)
    return model
