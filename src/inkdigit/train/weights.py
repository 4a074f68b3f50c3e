"""Weights as safetensors files: those of runs, and those that lie beside a model file."""

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ..errors import DataError
from ..files import atomic_path
from ..model_file import weights_beside


def save_tensors(tensors: Mapping[str, Tensor], target: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors and their metadata. Raises DataError if the file cannot be written."""
    try:
        with atomic_path(target) as draft:
            save_file({key: value.contiguous() for key, value in tensors.items()}, draft, dict(metadata or {}))
    except SafetensorError as error:
        raise DataError(f"{target} cannot be written: {error}.") from error


def save_beside(graph: nn.Module, model_file: Path) -> None:
    """Write a graph's weights beside its model file: the network's in half precision, the localizer's as they are.

    In half precision the localizer's frames would differ from the model file's.
    """
    tensors = {
        key: value.half() if key.startswith("network.") and value.is_floating_point() else value
        for key, value in graph.state_dict().items()
    }
    save_tensors(tensors, weights_beside(model_file))


def load_weights(module: nn.Module, path: Path) -> None:
    """Read a module's weights. Raises DataError where the file is damaged or another module's."""
    try:
        module.load_state_dict(load_file(path))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise DataError(f"{path} is damaged, or has the weights of another version: {error}") from error
