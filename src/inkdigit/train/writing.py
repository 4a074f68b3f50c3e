"""Writing: what cannot be written is one sentence, said before hours of work where it can be known."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from ..errors import DataError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say in one sentence why a file or folder cannot be written. Raises DataError."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise DataError(f"{path} cannot be written: {reason or error}.") from error


def try_folder(folder: Path) -> None:
    """Refuse a folder in which nothing can be written, or that cannot be made; leave no trace. Raises DataError."""
    with writing(folder):
        there = next(each for each in (folder, *folder.parents) if each.exists())
        tempfile.TemporaryDirectory(dir=there).cleanup()
