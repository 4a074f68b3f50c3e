"""Model files for PyTorch users: the graph as a program of `torch.export` (.pt2)."""

import dataclasses
import json
import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ...files import atomic_path
from ...model_file import Contract
from ..model.graph import Graph
from .onnx_export import DYNAMIC, EXAMPLE, compare

CONTRACT_FILE = "contract.json"  # in a .pt2  # in a .pt2


def export_program(graph: Graph, contract: Contract, images: list[NDArray[np.uint8]], target: Path) -> None:
    """Write the graph as a program of `torch.export` (.pt2), with the contract inside as `CONTRACT_FILE`.

    It proves itself as `export` does. Raises ArtefactError.
    """
    graph.eval()
    with atomic_path(target) as draft:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of its own internals
            program = torch.export.export(graph, (torch.zeros(EXAMPLE, dtype=torch.uint8),), dynamic_shapes=DYNAMIC)
            torch.export.save(program, draft, extra_files={CONTRACT_FILE: json.dumps(dataclasses.asdict(contract))})
            loaded = torch.export.load(draft).module()
        compare(graph, lambda pixels: [each.numpy() for each in loaded(torch.as_tensor(pixels.copy()))], images)
