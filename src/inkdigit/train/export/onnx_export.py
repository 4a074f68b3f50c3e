"""Export: framing, network and calibration as one file that proves itself before it takes its name."""

import dataclasses
import logging
import os
import subprocess
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

from ...errors import ArtefactError
from ...files import atomic_path
from ...model_file import INPUTS, OUTPUTS, Contract, open_artefact
from ..model.classifiers import fused
from ..model.graph import Graph

TOLERANCE = 1e-3  # of what is exported against torch, in every output
EXAMPLE = (2, 40, 50)  # pixels; no side means anything: all are dynamic
DYNAMIC = {"pixels": dict.fromkeys(range(3), torch.export.Dim.DYNAMIC)}

Dynamic = dict[str, dict[int, Any]]  # by input and axis, as torch.export takes it
RunModel = Callable[[NDArray[np.uint8]], list[NDArray[np.float32]]]


def export(graph: Graph, contract: Contract, images: list[NDArray[np.uint8]], target: Path) -> None:
    """Write an artefact.

    `images` are real pictures, each uint8 [N, H, W], on which ONNX Runtime must agree with torch. Raises ArtefactError
    where it does not; then what was at `target` is left as it was.
    """
    graph.eval()
    with atomic_path(target) as draft:
        onnx.save(with_contract(to_onnx(graph), contract), draft)
        onnx.checker.check_model(str(draft), full_check=True)
        session, _ = open_artefact(draft)
        compare(graph, lambda pixels: session.run(list(OUTPUTS), {"pixels": pixels}), images)


def to_onnx(graph: Graph) -> onnx.ModelProto:
    """Translate a graph with dynamic N, H and W. Raises ArtefactError."""
    module = fused(graph)  # the exporter fuses, too, but not within the branches of a condition
    return with_own_weights(translate(module, EXAMPLE, DYNAMIC, OUTPUTS))


def translate(
    module: nn.Module, example: tuple[int, int, int], dynamic: Dynamic, outputs: Iterable[str]
) -> onnx.ModelProto:
    """Translate a module that takes `pixels`, uint8 of the shape `example`; axes that are `dynamic` may change.

    Raises ArtefactError.
    """
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of its own internals
        program = torch.onnx.export(
            module,
            (torch.zeros(example, dtype=torch.uint8),),
            input_names=list(INPUTS),
            output_names=list(outputs),
            dynamic_shapes=dynamic,
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise ArtefactError(f"torch {torch.__version__} could not translate the graph.")
    return program.model_proto


def with_own_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return every branch of a condition its own weights: ONNX Runtime lays out no others for a processor's vectors."""
    stored = {item.name: item for item in model.graph.initializer}
    for branch in branches(model):
        for node in branch.node:
            for place, name in enumerate(node.input):
                if node.op_type == "Conv" and name in stored:
                    node.input[place] = f"{branch.name}.{name}"
                    branch.initializer.append(stored[name])
                    branch.initializer[-1].name = node.input[place]
    return model


def branches(model: onnx.ModelProto) -> list[onnx.GraphProto]:
    """Return the graphs that conditions choose from."""
    return [each.g for node in model.graph.node for each in node.attribute if each.type == onnx.AttributeProto.GRAPH]


def with_contract(model: onnx.ModelProto, contract: Contract) -> onnx.ModelProto:
    """Put the contract in the model's metadata, and drop the exporter's own notes of where code was."""
    del model.metadata_props[:]
    for graph in (model.graph, *branches(model)):
        for node in graph.node:
            del node.metadata_props[:]
            node.doc_string = ""
    onnx.helper.set_model_props(model, contract.metadata())
    return model


def compare(graph: Graph, read: RunModel, images: list[NDArray[np.uint8]]) -> None:
    """Refuse what reads pictures differently from torch: over `TOLERANCE` in any output, or another digit."""
    for pixels in images:
        with torch.inference_mode():
            wanted = [value.numpy() for value in graph(torch.as_tensor(pixels.copy()))]
            found = read(pixels)
        difference = max(float(np.abs(a - b).max()) for a, b in zip(wanted, found, strict=True))
        if difference > TOLERANCE or (wanted[0].argmax(1) != found[0].argmax(1)).any():
            raise ArtefactError(f"What was exported differs from torch by {difference:.1e} on real images.")


def rewrite_contract(path: Path, **changes: object) -> None:
    """Replace fields of an artefact's contract, in one step."""
    _, contract = open_artefact(path)
    model = with_contract(onnx.load(path), dataclasses.replace(contract, **changes))  # type: ignore[arg-type]
    with atomic_path(path) as draft:
        onnx.save(model, draft)


def git_commit() -> str:
    """Return the commit of the checkout that this code is in, `-dirty` where files differ from it; empty for none."""
    if not git("ls-files", "--error-unmatch", Path(__file__).name):  # installed below some other project's checkout
        return ""
    return git("describe", "--always", "--abbrev=40", "--exclude=*", "--dirty")


def git(*arguments: str) -> str:
    """Ask git about the folder of this file; empty where it has no answer."""
    answer = subprocess.run(  # noqa: S603
        ["git", *arguments],  # noqa: S607
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
    )
    return answer.stdout.strip()
