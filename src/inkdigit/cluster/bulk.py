"""Read a folder, a bucket or shards of any size with Ray Data, and write the answers as Parquet."""

import importlib.util
import json
import logging
import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import ray
from pyarrow import compute, dataset, parquet
from pyarrow.fs import FileSelector, FileSystem
from ray.data import ActorPoolStrategy, DataContext, Dataset, TaskPoolStrategy
from ray.exceptions import RayError

from ..errors import ClusterError
from ..image import NEEDS_EXTRA
from ..model_file import DEFAULT_MODEL
from .predictor import SCHEMAS, Predictor, Task
from .sources import Source, find, list_pages, rows_of_shards
from .stores import Store, check_writable, explained, open_store, without_secrets

MANIFEST = "_inkdigit.json"  # readers of Parquet folders leave out what begins with an underscore
TASK_ROWS = {"predict": 4096, "read": 64}  # most pictures of a Ray task: some seconds, repeated where a node fails
PAGES = 64  # most pages of a PDF in a Ray task
TASKS = 4  # at least so many for each worker, so that none is idle for long at the end
FILE_ROWS = {"predict": 16_384, "read": 1024}  # least pictures of a Parquet file: repeated where the job is killed
BLOCK_BYTES = 16 * 1024**2  # pictures from shards that are handed on at a time
OBJECT_STORE = 512 * 1024**2  # bytes that Ray holds in memory on one machine
CONNECT = 5.0  # seconds


@dataclass(frozen=True)
class Job:
    """What to read, where to write, and how."""

    source: str
    target: str
    task: Task = "predict"
    model: str = DEFAULT_MODEL
    resume: bool = False
    workers: int | None = None  # all processors of the cluster, unless set


@dataclass(frozen=True)
class Result:
    """The rows that a destination holds after a job, and those of them that are errors."""

    rows: int
    errors: int


@dataclass(frozen=True)
class Manifest:
    """What a destination's rows were made by: a job that goes on must be the same."""

    source: str
    task: str
    model: str
    version: str


@contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """Join the cluster at an address, or start one on this machine, and leave it at the end. Raises ClusterError.

    A process that has joined one stays with it.
    """
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anybody
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # what is below that is for Ray's developers
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # a failed job is an exception
    if address:
        _check_reachable(address)
    # `local` is a new cluster; without an address, Ray would join one that it finds on this machine.
    options: dict[str, Any] = {"address": address} if address else {"address": "local", **_own_cluster()}
    try:
        with _silent():
            ray.init(logging_level=logging.CRITICAL, log_to_driver=False, **options)
    except Exception as error:  # Ray raises no narrower one where its processes do not start in time
        what = f"The Ray cluster {address} cannot be reached" if address else "Ray does not start on this machine"
        raise ClusterError(f"{what}: {_first_line(error)}.") from error
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _silent() -> Iterator[None]:
    """Keep Ray's C++ from writing to stderr that it was told to write nothing."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _check_reachable(address: str) -> None:
    """Raise ClusterError if nobody listens there: Ray itself would try for minutes."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if not colon or not port.isdecimal():
        return  # `auto`, which Ray looks up
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT).close()
    except OSError as error:
        raise ClusterError(f"The Ray cluster {address} cannot be reached: {error.strerror or error}.") from error


def _own_cluster() -> dict[str, Any]:
    """Return the options of a cluster on this machine alone."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {"num_cpus": cores, "object_store_memory": OBJECT_STORE, "include_dashboard": False}


def run(job: Job, address: str | None = None) -> Result:
    """Run a job on a cluster, or on the one that this process has joined. Raises ClusterError and ArtefactError.

    Everything is checked before anything is written. The rows are the same for any number of workers, in any order.
    """
    source, target = open_store(job.source), open_store(job.target)
    model = Predictor(job.task, job.model).model  # refused here, and not by every worker
    pictures = find(source, job.source, target.name(target.path))
    if not pictures:
        raise ClusterError(f"There is no picture in {without_secrets(job.source)}.")
    if pictures.documents and importlib.util.find_spec("pypdfium2") is None:
        raise ClusterError(NEEDS_EXTRA)
    manifest = Manifest(source.name(source.path), job.task, model.name, model.version)
    is_new = _check_target(target, job, manifest)
    with cluster(address):
        if is_new:
            _begin(target, job, manifest)
        done = None if is_new else _done(target, job)
        left = pictures if done is None else pictures.without(done)
        try:
            if left:
                _write(_answers(job, source, left, done), target, job)
        except (RayError, OSError) as error:
            raise ClusterError(f"The job failed, and --resume continues it: {_last_line(error)}.") from error
    return _result(target, job)


def _check_target(target: Store, job: Job, manifest: Manifest) -> bool:
    """Return whether a destination is empty. Raises ClusterError if it is refused."""
    with explained(job.target):
        present = target.filesystem.get_file_info(FileSelector(target.path, allow_not_found=True))
    if present and not job.resume:
        raise ClusterError(f"{without_secrets(job.target)} is not empty; --resume continues an interrupted job.")
    if present:
        _check_same(target, job, manifest)
    check_writable(target, job.target)
    return not present


def _begin(target: Store, job: Job, manifest: Manifest) -> None:
    """Write what a destination's rows are made by."""
    with explained(job.target, "written"), target.filesystem.open_output_stream(f"{target.path}/{MANIFEST}") as stream:
        stream.write(json.dumps(asdict(manifest), indent=2).encode())


def _check_same(target: Store, job: Job, manifest: Manifest) -> None:
    """Raise ClusterError if a destination's rows were made by another job."""
    shown = without_secrets(job.target)
    try:
        with target.filesystem.open_input_file(f"{target.path}/{MANIFEST}") as stream:
            found = json.loads(stream.read())
    except (OSError, ValueError) as error:
        raise ClusterError(f"{shown} holds no job of inkdigit bulk: it has no {MANIFEST}.") from error
    for key, value in asdict(manifest).items():
        if found.get(key) != value:
            raise ClusterError(f"{shown} is another job's: its {key} is {found.get(key)}, and not {value}.")


def _done(target: Store, job: Job) -> pa.ChunkedArray:
    """Return the files of a destination's rows; delete Parquet files that were not written to their end."""
    with explained(job.target, "written"):
        for path in _parts(target):
            try:
                parquet.read_metadata(path, filesystem=target.filesystem)
            except pa.ArrowInvalid:
                target.filesystem.delete_file(path)
    return _table(target, job).to_table(columns=["file"])["file"]


def _parts(target: Store) -> list[str]:
    infos = target.filesystem.get_file_info(FileSelector(target.path, allow_not_found=True))
    return [info.path for info in infos if info.path.endswith(".parquet")]


def _table(target: Store, job: Job) -> Any:
    return dataset.dataset(_parts(target), schema=SCHEMAS[job.task], filesystem=target.filesystem, format="parquet")


def _answers(job: Job, store: Store, source: Source, done: pa.ChunkedArray | None) -> list[Dataset]:
    """Return the answers to pictures, pages and what is in shards, which are computed as they are taken."""
    context = DataContext.get_current()
    context.enable_progress_bars = sys.stderr.isatty()
    context.target_max_block_size = BLOCK_BYTES
    workers = job.workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
    filesystem = None if store.is_local else store.filesystem
    settings = {"task": job.task, "model": _visible(job.model), "filesystem": filesystem}
    options: dict[str, Any] = {"batch_size": None, "batch_format": "pyarrow"}
    sources: list[Dataset] = []
    if len(source.pictures):
        sources.append(_names(source.pictures, _share(len(source.pictures), TASK_ROWS[job.task], workers)))
    if source.documents:
        pages = _pages(source.documents, filesystem, workers, done)
        if len(pages):
            sources.append(_blocks(pages, _share(len(pages), PAGES, workers)))
    if source.shards:
        # All processors are the predictors', which would wait for ever for a reader that needs one.
        read: Any = rows_of_shards  # whose other arguments are `fn_kwargs`, which its type cannot say
        reading = {"filesystem": store.filesystem, "done": done}
        for_reading = {"fn_kwargs": reading, "num_cpus": 0, "compute": TaskPoolStrategy(workers), **options}
        sources.append(_names(source.shards, 1).map_batches(read, **for_reading))
    options |= {"fn_constructor_kwargs": settings, "num_cpus": 1, "compute": ActorPoolStrategy(size=workers)}
    return [each.map_batches(Predictor, **options) for each in sources]


def _pages(documents: list[str], filesystem: FileSystem | None, workers: int, done: pa.ChunkedArray | None) -> pa.Table:
    """Return the pages of PDF files that are not done, which the cluster counts before anything is rendered."""
    listing: Any = list_pages  # whose other argument is `fn_kwargs`, which its type cannot say
    counted = _names(documents, _share(len(documents), PAGES, workers)).map_batches(
        listing, fn_kwargs={"filesystem": filesystem}, batch_size=None, batch_format="pyarrow"
    )
    pages = pa.concat_tables(ray.get(counted.to_arrow_refs()))
    return pages if done is None else pages.filter(compute.invert(compute.is_in(pages["file"], value_set=done)))


def _share(count: int, most: int, workers: int) -> int:
    """Return how many of so many rows a task has."""
    return min(most, -(-count // (TASKS * workers)))


def _names(files: pa.ChunkedArray | list[str], rows: int) -> Dataset:
    """Return a data set of files, so many of them in a task."""
    return _blocks(pa.table({"file": files}), rows)


def _blocks(table: pa.Table, rows: int) -> Dataset:
    return ray.data.from_arrow(table, override_num_blocks=-(-len(table) // rows))


def _visible(model: str) -> str:
    """Return a model as every process of this machine finds it, wherever it works."""
    return str(Path(model).absolute()) if model.endswith(".onnx") else model


def _write(answers: list[Dataset], target: Store, job: Job) -> None:
    for each in answers:
        each.write_parquet(
            target.path,
            filesystem=target.filesystem,
            min_rows_per_file=FILE_ROWS[job.task],
            ray_remote_args={"num_cpus": 0},
        )


def _result(target: Store, job: Job) -> Result:
    table = _table(target, job)
    return Result(table.count_rows(), table.count_rows(filter=dataset.field("error").is_valid()))


def _last_line(error: Exception) -> str:
    """Return the line of an error that came through Ray with all its stack which says what happened."""
    lines = [line for line in str(error).splitlines() if re.match(r"[\w.]+(Error|Exception)?: ", line)]
    return (lines or [_first_line(error)])[-1].rstrip(".")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
