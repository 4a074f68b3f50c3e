"""Data sets, from the files that their makers publish to arrays. Knows nothing of training, and needs no torch.

A data set is looked for in the folder that the user names; only where none is named is it downloaded, to the user's
cache. Every file is verified by the SHA-256 of its decompressed content, so it does not matter who packed it.
"""

import gzip
import hashlib
import http.client
import io
import math
import os
import struct
import tempfile
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError

FOLDER_VARIABLE = "INKDIGIT_DATA"

MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
MNIST_MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
MAX_DOWNLOAD = 64 * 1024**2  # bytes, packed or unpacked: the largest file has 47 million


@dataclass(frozen=True)
class Labelled:
    """Pictures uint8 [N, H, W] with their labels int64 [N], and the SHA-256 of each source file."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    sha256: dict[str, str]

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.labels)


def data_folder(folder: Path | None) -> Path | None:
    """Return the folder that the user names: the argument, then `INKDIGIT_DATA`, else None (download).

    Raises DataError where there is no such folder.
    """
    if folder is None and (named := os.environ.get(FOLDER_VARIABLE)):
        folder = Path(named)
    if folder is not None and not folder.is_dir():
        raise DataError(f"There is no folder {folder}.")
    return folder


def mnist(split: str, folder: Path | None = None, mirrors: Sequence[str] = MNIST_MIRRORS) -> Labelled:
    """Read MNIST (LeCun, Cortes, Burges), `split` "train" (60,000) or "test" (10,000); 28×28, ink bright on 0.

    `folder` holds the IDX files, packed or not, or has them in a folder `mnist`. Raises DataError.
    """
    prefix = {"train": "train", "test": "t10k"}[split]
    names = [f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"]
    images, labels = (parse_idx(name, mnist_file(name, folder, mirrors)) for name in names)
    if len(images) != len(labels):
        raise DataError(f"{names[0]} has {len(images)} pictures, and {names[1]} {len(labels)} labels.")
    return Labelled(images, labels.astype(np.int64), {name: MNIST_SHA256[name] for name in names})


def hwd1000(folder: Path | None = None) -> Labelled:
    """Read HWD-1000 (MIT): 1,000 digits drawn by one person, 28×28, dark on white. Raises DataError."""
    folder = data_folder(folder)
    path = Path("hwd1000/hwd1000.npz") if folder is None else folder / "hwd1000" / "hwd1000.npz"
    try:
        with np.load(io.BytesIO(path.read_bytes())) as arrays:
            return Labelled(arrays["images"], arrays["labels"].astype(np.int64), {})
    except (OSError, EOFError, LookupError, ValueError, TypeError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read as HWD-1000: {error}.") from error


def mnist_file(name: str, folder: Path | None, mirrors: Sequence[str]) -> bytes:
    """Return one IDX file's verified content, from the folder, the cache or a mirror. Raises DataError."""
    folder = data_folder(folder)
    if folder is not None:
        return _verified(name, _find(name, folder))
    cached = cache_folder() / "mnist" / f"{name}.gz"
    if not cached.is_file():
        _download(name, mirrors, cached)
    try:
        return _verified(name, cached)
    except DataError as error:
        raise DataError(f"{error} Delete it, and it is downloaded again.") from error


def cache_folder() -> Path:
    """Return the folder in the user's cache where downloads are kept."""
    import platformdirs  # noqa: PLC0415  only a download pays for it

    return platformdirs.user_cache_path("inkdigit")


def _find(name: str, folder: Path) -> Path:
    for path in (folder / "mnist" / f"{name}.gz", folder / "mnist" / name, folder / f"{name}.gz", folder / name):
        if path.is_file():
            return path
    raise DataError(f"There is no {name} or {name}.gz in {folder} or {folder / 'mnist'}.")


def _verified(name: str, path: Path) -> bytes:
    try:
        content = _unpacked(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is truncated or damaged: {error}.") from error
    found = hashlib.sha256(content).hexdigest()
    if found != MNIST_SHA256[name]:
        raise DataError(f"{path} is not MNIST's {name}: its SHA-256 is {found}, not {MNIST_SHA256[name]}.")
    return content


def _unpacked(content: bytes) -> bytes:
    """Unpack gzip where it is gzip, and never more than `MAX_DOWNLOAD`."""
    if content[:2] != b"\x1f\x8b":
        return content
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
        return file.read(MAX_DOWNLOAD)


def _download(name: str, mirrors: Sequence[str], target: Path) -> None:
    """Fetch one file from the first mirror that has it whole, and put it in place only when it is verified."""
    failures = []
    for mirror in mirrors:
        url = f"{mirror}{name}.gz"
        with _draft(target) as draft:
            try:
                with draft.open("wb") as file:
                    file.writelines(_fetch(url, name))
                _verified(name, draft)
                draft.replace(target)
            except (DataError, OSError, ValueError, http.client.HTTPException) as error:
                failures.append(f"{url}: {error}")
            else:
                return
    raise DataError(f"{name} could not be downloaded.\n" + "\n".join(failures))


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """Return a new file beside the target, that is gone at the end unless it took the target's name."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(dir=target.parent, suffix=".tmp")
        os.close(number)
    except OSError as error:
        raise DataError(f"The cache {target.parent} cannot be written: {error.strerror}.") from error
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _fetch(url: str, name: str) -> Iterator[bytes]:
    from rich.console import Console  # noqa: PLC0415  only a download pays for it
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310  the mirrors are ours
        total = int(answer.headers.get("Content-Length") or 0)
        with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task(name, total=total or None)
            read = 0
            while chunk := answer.read(1 << 16):
                read += len(chunk)
                if read > MAX_DOWNLOAD:
                    raise DataError(f"{url} is larger than {MAX_DOWNLOAD} bytes.")
                progress.update(task, completed=read)
                yield cast(bytes, chunk)
        if total and read < total:
            raise DataError(f"{url} ended after {read} of {total} bytes.")


def parse_idx(name: str, content: bytes) -> NDArray[np.uint8]:
    """Read an IDX file of bytes (the format is described on MNIST's page). Raises DataError."""
    try:
        zero, kind, dimensions = struct.unpack_from(">HBB", content)
        shape = struct.unpack_from(f">{dimensions}I", content, 4)
    except struct.error as error:
        raise DataError(f"{name} is too short for an IDX file.") from error
    start = 4 + 4 * dimensions
    if zero != 0 or kind != 0x08 or dimensions == 0 or len(content) - start != math.prod(shape):
        raise DataError(f"{name} is no IDX file of bytes with the size that its head says.")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
