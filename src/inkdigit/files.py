"""Write files atomically: to a temporary file beside the target, which is renamed when it is complete."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import DataError


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a path to write to; it takes the target's name at the end, and nothing is left if the writing fails.

    Makes the target's folder. Raises DataError with one sentence if something cannot be written.
    """
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            draft = Path(folder) / target.name
            yield draft
            draft.chmod(0o644)  # readable by all
            draft.replace(target)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise DataError with one sentence if a file or folder cannot be written."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}.") from error


def swap(one: Path, other: Path) -> None:
    """Exchange two files. `one` is complete at every moment. Raises DataError where one is missing."""
    with writing(one), tempfile.TemporaryDirectory(dir=other.parent) as folder:
        draft = Path(folder) / one.name
        shutil.copyfile(one, draft)
        other.replace(one)
        draft.replace(other)


def check_writable(folder: Path) -> None:
    """Raise DataError if nothing can be written to a folder, or it cannot be made; leave no trace."""
    with writing(folder):
        existing = next(each for each in (folder, *folder.parents) if each.exists())
        tempfile.TemporaryDirectory(dir=existing).cleanup()
