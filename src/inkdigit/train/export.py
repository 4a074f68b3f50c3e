"""Export: framing, network and calibration as one ONNX file that proves itself before it takes its name."""

import dataclasses
import logging
import os
import subprocess
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..artefact import Contract, open_artefact
from ..errors import ArtefactError
from .framing import Framing
from .networks import Network

TOLERANCE = 1e-3  # of ONNX Runtime against torch, in every output


class Graph(nn.Module):
    """Join framing, network and calibration: pixels uint8 [N, H, W] to probabilities, frame and digitness."""

    def __init__(self, framing: Framing, network: Network, temperature: float) -> None:
        super().__init__()
        self.framing = framing
        self.network = network
        self.temperature = temperature

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read `pixels`; digitness is 0 where there is no ink, and only there."""
        frame, contrast = self.framing(pixels)
        logits, digitness = self.network(frame)
        probability = torch.sigmoid(digitness).clamp(min=1e-6)
        inked = contrast.flatten() > 0
        return torch.softmax(logits / self.temperature, 1), frame[:, 0], torch.where(inked, probability, 0.0)


def export(graph: Graph, contract: Contract, images: list[NDArray[np.uint8]], target: Path) -> None:
    """Write an artefact.

    `images` are real pictures, each uint8 [N, H, W], on which ONNX Runtime must agree with torch. Raises ArtefactError
    where it does not; then what was at `target` is left as it was.
    """
    graph.eval()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, suffix=".tmp.onnx", delete=False) as file:
        draft = Path(file.name)
    try:
        onnx.save(with_contract(to_onnx(graph), contract), draft)
        onnx.checker.check_model(str(draft), full_check=True)
        compare(graph, draft, images)
        publish(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def publish(draft: Path, target: Path) -> None:
    """Give a finished file its name, in one step and readable by all."""
    draft.chmod(0o644)
    draft.replace(target)


def to_onnx(graph: Graph) -> onnx.ModelProto:
    """Translate a graph with dynamic N, H and W."""
    axis = torch.export.Dim.DYNAMIC
    example = torch.randint(0, 256, (2, 40, 50), dtype=torch.uint8)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of its own internals
        program = torch.onnx.export(
            graph,
            (example,),
            input_names=["pixels"],
            output_names=["probabilities", "frame", "digitness"],
            dynamic_shapes={"pixels": {0: axis, 1: axis, 2: axis}},
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise ArtefactError(f"torch {torch.__version__} could not translate the graph.")
    return program.model_proto


def with_contract(model: onnx.ModelProto, contract: Contract) -> onnx.ModelProto:
    """Put the contract in the model's metadata, and drop the exporter's own notes of where code was."""
    del model.metadata_props[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    onnx.helper.set_model_props(model, contract.metadata())
    return model


def compare(graph: Graph, path: Path, images: list[NDArray[np.uint8]]) -> None:
    """Refuse a file that ONNX Runtime reads differently from torch: over `TOLERANCE`, or another digit."""
    session, _ = open_artefact(path)
    for pixels in images:
        with torch.inference_mode():
            wanted = [value.numpy() for value in graph(torch.as_tensor(pixels.copy()))]
        found = session.run(["probabilities", "frame", "digitness"], {"pixels": pixels})
        difference = max(float(np.abs(a - b).max()) for a, b in zip(wanted, found, strict=True))
        if difference > TOLERANCE or (wanted[0].argmax(1) != found[0].argmax(1)).any():
            raise ArtefactError(
                f"ONNX Runtime {ort.__version__} differs from torch by {difference:.1e} on real images."
            )


def rewrite_contract(path: Path, **changes: object) -> None:
    """Replace fields of an artefact's contract, in one step."""
    _, contract = open_artefact(path)
    model = with_contract(onnx.load(path), dataclasses.replace(contract, **changes))  # type: ignore[arg-type]
    draft = path.with_suffix(".tmp")
    draft.write_bytes(model.SerializeToString())
    publish(draft, path)


def git_commit() -> str:
    """Give the commit of the checkout that this code is in; empty where there is none."""
    answer = subprocess.run(
        ["git", "rev-parse", "HEAD"],  # noqa: S607
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
    )
    return answer.stdout.strip()
