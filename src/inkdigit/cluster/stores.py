"""Folders, globs and object stores by one interface: pyarrow's filesystems, and fsspec's for other schemes."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow.fs import FileSelector, FileSystem, FileType, FSSpecHandler, LocalFileSystem, PyFileSystem

from ..errors import ClusterError

OPTIONS = re.compile(r"\?\w+=.*$")  # a glob may have a question mark too
WILD = re.compile(r"[*?\[]")
DENIED = re.compile(r"ACCESS_DENIED|HTTP status 40[13]|credential|INVALID_ACCESS_KEY|SIGNATURE_DOES_NOT_MATCH", re.I)


@dataclass(frozen=True)
class Store:
    """A place in a filesystem: `path` in it, and `scheme` (such as `s3://`), which is empty on a local disk."""

    filesystem: FileSystem
    path: str
    scheme: str

    @property
    def is_local(self) -> bool:
        """Return whether this is on a disk of this machine, or one that looks like that."""
        return isinstance(self.filesystem, LocalFileSystem)

    def name(self, path: str) -> str:
        """Return how a path of this filesystem is called in results."""
        return f"{self.scheme}{path}"


def open_store(place: str) -> Store:
    """Open the filesystem of a path or a URL, with options of the filesystem as `?KEY=VALUE&…`. Raises ClusterError."""
    scheme, colon, rest = place.removeprefix("file://").partition("://")
    if not colon:
        return Store(LocalFileSystem(), str(Path(scheme).absolute()), "")
    options = "".join(OPTIONS.findall(rest))
    inside = rest.removesuffix(options)
    bucket, _, path = inside.partition("/")
    with explained(place):
        filesystem, start = _filesystem(f"{scheme}://{bucket}{options}", place)
    return Store(filesystem, f"{start}/{path}".strip("/"), f"{scheme}://")


def _filesystem(url: str, place: str) -> tuple[FileSystem, str]:
    """Return the filesystem of a URL, and the path in it; fsspec knows the schemes that pyarrow does not."""
    try:
        filesystem, path = FileSystem.from_uri(url)
    except pa.ArrowInvalid:
        import fsspec  # noqa: PLC0415  for other schemes alone

        try:
            filesystem, path = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise ClusterError(f"{without_secrets(place)} cannot be opened: {_first_line(error)}.") from error
        filesystem = PyFileSystem(FSSpecHandler(filesystem))
    return filesystem, path


def path_of(name: str) -> str:
    """Return the path in its filesystem of a file by its name in results."""
    return name.partition("://")[2] or name


def files(store: Store) -> Iterator[str]:
    """Yield the paths of the files that a place stands for: a file, a folder at any depth, or a glob."""
    (info,) = store.filesystem.get_file_info([store.path])
    if info.type == FileType.File:
        yield store.path
        return
    wild = WILD.search(store.path) if info.type == FileType.NotFound else None
    base = store.path if wild is None else store.path[: wild.start()].rpartition("/")[0]
    matches = re.compile(_glob(store.path)).match if wild else lambda path: True
    for info in store.filesystem.get_file_info(FileSelector(base, recursive=True, allow_not_found=True)):
        if info.type == FileType.File and matches(info.path):
            yield info.path


def _glob(pattern: str) -> str:
    from fsspec.utils import glob_translate  # noqa: PLC0415  for globs alone

    return str(glob_translate(pattern))


def check_writable(store: Store, place: str) -> None:
    """Raise ClusterError if nothing can be written there; leave no trace but the folder."""
    probe = f"{store.path}/.{uuid.uuid4().hex}"
    with explained(place, "written"):
        store.filesystem.create_dir(store.path, recursive=True)
        with store.filesystem.open_output_stream(probe) as stream:
            stream.write(b"inkdigit")
        store.filesystem.delete_file(probe)


@contextmanager
def explained(place: str, verb: str = "read") -> Iterator[None]:
    """Raise ClusterError with one sentence if a place cannot be reached, without what a URL may hold of credentials."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise ClusterError(f"{without_secrets(place)} cannot be {verb}: a file in it has no valid name.") from error
    except (OSError, pa.ArrowException) as error:
        shown = without_secrets(place)
        if DENIED.search(str(error)):
            raise ClusterError(f"{shown} cannot be {verb}: the store refuses it; are its credentials set?") from error
        raise ClusterError(f"{shown} cannot be {verb}: {reason(error)}.") from error


def without_secrets(place: str) -> str:
    """Return a place as it may be shown: without a user, a password and options."""
    return re.sub(r"//[^/]*@", "//", OPTIONS.sub("", place))


def reason(error: OSError | pa.ArrowException) -> str:
    """Return what an error of a filesystem says, in one line."""
    return getattr(error, "strerror", None) or _first_line(error)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
