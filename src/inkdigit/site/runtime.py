"""onnxruntime-web, which runs the models in the browser: from npm at a pinned version and hash, or from a folder.

Only the WebAssembly build for processors is used. The one for WebGPU is nearly twice as large.
"""

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ..errors import DataError

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
INTEGRITY = "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
SCRIPT, BINARY = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
SECONDS = 600  # that npm may take


class RuntimeMissingError(DataError):
    """There is no onnxruntime-web: one sentence that says why."""


@contextmanager
def find_runtime(folder: Path | None) -> Iterator[Path]:
    """Yield the folder with `SCRIPT` and `BINARY`: of an unpacked package, or fetched by npm.

    Raises RuntimeMissingError.
    """
    if folder is not None:
        yield _inside(folder)
        return
    with tempfile.TemporaryDirectory() as temporary:
        yield _inside(_fetch(Path(temporary)))


def _inside(folder: Path) -> Path:
    """Return the folder of the files: the one given, the package's `dist`, or that of an installed package."""
    for place in (folder, folder / "dist", folder / PACKAGE / "dist", folder / "node_modules" / PACKAGE / "dist"):
        if (place / SCRIPT).is_file() and (place / BINARY).is_file():
            return place
    raise RuntimeMissingError(f"{folder} has no {PACKAGE}: {SCRIPT} and {BINARY} must be in it or in its dist.")


def _fetch(folder: Path) -> Path:
    """Fetch the package by npm, check its hash, and return the folder into which it is unpacked."""
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeMissingError(
            f"npm, which fetches {PACKAGE}, is not installed: install Node.js, or name its folder by --runtime."
        )
    command: Final = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", str(folder)]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=SECONDS)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise RuntimeMissingError(f"npm has not fetched {PACKAGE} {VERSION} within {SECONDS} s.") from error
    archives = list(folder.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        reason = next((line for line in done.stderr.splitlines() if line.strip()), "no file came")
        raise RuntimeMissingError(f"npm cannot fetch {PACKAGE} {VERSION}: {reason}")
    return _unpack(archives[0])


def _unpack(archive: Path) -> Path:
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode("ascii")
    if f"sha512-{digest}" != INTEGRITY:
        raise RuntimeMissingError(f"What npm fetched as {PACKAGE} {VERSION} is not that package: its hash differs.")
    with tarfile.open(archive) as packed:
        for name in (SCRIPT, BINARY):
            packed.extract(f"package/dist/{name}", archive.parent, filter="data")
    return archive.parent / "package" / "dist"
