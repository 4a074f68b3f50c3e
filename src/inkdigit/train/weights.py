"""Write tensors as safetensors files, atomically."""

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from ..errors import DataError
from ..files import atomic_path


def save_tensors(tensors: Mapping[str, Tensor], target: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors and their metadata. Raises DataError if the file cannot be written."""
    try:
        with atomic_path(target) as draft:
            save_file({key: value.contiguous() for key, value in tensors.items()}, draft, dict(metadata or {}))
    except SafetensorError as error:
        raise DataError(f"{target} cannot be written: {error}.") from error
