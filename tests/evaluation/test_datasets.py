"""Data sets: files read, verified, downloaded, cached; against a mirror on loopback."""

import gzip
import hashlib
import io
import os
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from inkdigit.errors import DataError
from inkdigit.evaluation import datasets, strokes
from inkdigit.evaluation.datasets import FOLDER_VARIABLE, hwd1000, mnist, parse_idx
from inkdigit.evaluation.strokes import omniglot, pendigits

REAL_FOLDER, REAL_SHA256 = os.environ.get(FOLDER_VARIABLE, ""), datasets.MNIST_SHA256
NAMES = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
LABELS = np.arange(5, dtype=np.uint8)


def idx(values: np.ndarray) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


CONTENT = dict(zip(NAMES, (idx(IMAGES), idx(LABELS)), strict=True))


class Mirror:
    """Serve files on loopback; `files` may be changed between requests, `asked` lists the paths asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {f"/{name}.gz": gzip.compress(content) for name, content in CONTENT.items()}
        self.asked: list[str] = []
        self.says_longer = False
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.asked.append(self.path)
                body = mirror.files.get(self.path)
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Length", str(len(body or b"") + 9 * mirror.says_longer))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    running = Mirror()
    yield running
    running.close()


@pytest.fixture(autouse=True)
def small_mnist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let five made pictures stand for MNIST, and a new folder for the user's cache."""
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}
    monkeypatch.setattr(datasets, "MNIST_SHA256", sums)
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(datasets, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache" / "mnist"


DEAD = "http://127.0.0.1:9/"


def put(folder: Path, packed: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in CONTENT.items():
        (folder / f"{name}.gz" if packed else folder / name).write_bytes(gzip.compress(content) if packed else content)
    return folder


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("below", ["", "mnist"])
def test_files_in_a_folder_are_read(tmp_path: Path, packed: bool, below: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "data" / below, packed)
    named = mnist("test", tmp_path / "data", mirrors=[])
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "data"))
    for found in (named, mnist("test", mirrors=[])):
        np.testing.assert_array_equal(found.images, IMAGES)
        np.testing.assert_array_equal(found.labels, LABELS)
        assert found.sha256 == datasets.MNIST_SHA256
        assert len(found) == 5


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: packed[:-20],
        lambda packed: packed[:3],
        lambda packed: b"",
        lambda packed: packed[:40] + bytes(8) + packed[48:],
        lambda packed: gzip.compress(b"something else"),
        lambda packed: CONTENT[NAMES[1]],
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, damage: object) -> None:
    file = put(tmp_path / "data") / f"{NAMES[0]}.gz"
    file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    with pytest.raises(DataError, match=str(file)):
        mnist("test", tmp_path / "data", mirrors=[])


def test_a_folder_without_the_files_is_no_reason_to_download(tmp_path: Path, mirror: Mirror) -> None:
    with pytest.raises(DataError, match=f"no {NAMES[0]}.*{tmp_path}"):
        mnist("test", tmp_path, [mirror.url])
    assert mirror.asked == []


def test_a_download_is_cached_and_used_again(mirror: Mirror, small_mnist: Path) -> None:
    first = mnist("test", None, [mirror.url])
    again = mnist("test", None, [DEAD])
    np.testing.assert_array_equal(first.images, IMAGES)
    np.testing.assert_array_equal(again.images, IMAGES)
    assert len(mirror.asked) == 2
    assert sorted(path.name for path in small_mnist.iterdir()) == [f"{name}.gz" for name in NAMES]


def test_the_next_mirror_is_asked_where_one_is_dead_truncated_or_wrong(small_mnist: Path, mirror: Mirror) -> None:
    bad = Mirror()
    try:
        bad.files = {f"/{NAMES[0]}.gz": gzip.compress(CONTENT[NAMES[0]])[:-30], f"/{NAMES[1]}.gz": b"<html>no</html>"}
        np.testing.assert_array_equal(mnist("test", None, [DEAD, bad.url, mirror.url]).images, IMAGES)
        assert len(bad.asked) == len(mirror.asked) == 2
    finally:
        bad.close()


def test_a_failure_of_all_names_each_and_caches_nothing(small_mnist: Path, mirror: Mirror) -> None:
    mirror.says_longer = True
    with pytest.raises(DataError) as caught:
        mnist("test", None, [DEAD, mirror.url, f"{mirror.url}none/"])
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{NAMES[0]} could not be downloaded."
    assert [DEAD in lines[1], mirror.url in lines[2], "404" in lines[3]] == [True, True, True]
    assert list(small_mnist.iterdir()) == []


def test_a_stream_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch, mirror: Mirror, small_mnist: Path) -> None:
    monkeypatch.setattr(datasets, "MAX_DOWNLOAD", 100)
    with pytest.raises(DataError, match="larger than 100 bytes"):
        mnist("test", None, [mirror.url])
    assert list(small_mnist.iterdir()) == []


def test_a_damaged_cache_is_named(mirror: Mirror, small_mnist: Path) -> None:
    mnist("test", None, [mirror.url])
    (small_mnist / f"{NAMES[0]}.gz").write_bytes(b"spoilt")
    with pytest.raises(DataError, match=r"Delete it, and it is downloaded again\."):
        mnist("test", None, [mirror.url])


def test_a_cache_that_is_a_file_is_named(tmp_path: Path, mirror: Mirror) -> None:
    (tmp_path / "cache").write_bytes(b"")
    with pytest.raises(DataError, match="cannot be written"):
        mnist("test", None, [mirror.url])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("terminal", [True, False])
def test_the_bar_shows_on_a_terminal_only(mirror: Mirror, monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    screen = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    mnist("test", None, [mirror.url])
    assert (NAMES[0] in screen.getvalue()) is terminal


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\x08",
        b"\0\0\x08\x02\0\0\0\1",
        b"\0\0\x08\0\1",
        idx(LABELS)[:-1],
        idx(LABELS) + b"\0",
        b"\0\0\x0d" + idx(LABELS)[3:],
        b"\0\0\x08\x02" + b"\xff" * 8,
    ],
)
def test_what_is_no_idx_file_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match="some-name"):
        parse_idx("some-name", content)


def npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, IMAGES)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("read", "name"), [(hwd1000, "hwd1000/hwd1000.npz"), (pendigits, strokes.PENDIGITS), (omniglot, strokes.OMNIGLOT)]
)
def test_damaged_files_of_the_other_sources_are_refused_by_name(
    tmp_path: Path, read: Callable[[Path], object], name: str
) -> None:
    file = tmp_path / name
    packed = gzip.compress(b'[{"strokes": 1}]')
    with pytest.raises(DataError, match=str(file)):
        read(tmp_path)
    file.parent.mkdir()
    for content in (
        b"",
        b"garbage",
        packed[:10] + b"\xff" * 30,
        packed[:-4],
        packed,
        gzip.compress(b"1"),
        npy(),
        b"PK\3\4",
    ):
        file.write_bytes(content)
        with pytest.raises(DataError, match=str(file)):
            read(tmp_path)


@pytest.mark.skipif(not REAL_FOLDER, reason=f"{FOLDER_VARIABLE} names no folder with MNIST")
@pytest.mark.parametrize(("split", "count"), [("train", 60_000), ("test", 10_000)])
def test_real_mnist(split: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "MNIST_SHA256", REAL_SHA256)
    found = mnist(split, Path(REAL_FOLDER))
    assert found.images.shape == (count, 28, 28)
    assert np.bincount(found.labels).min() > count // 12
    assert found.images[:, 0, 0].max() == 0
