"""`inkdigit bulk` on a small cluster: what is written, resumed and refused.

Ray is imported by the tests, not while they are collected: that takes seconds, and warns.
"""

import http.server
import io
import json
import os
import re
import socket
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet
from pyarrow.fs import FileSystem

from inkdigit import InputError, Prediction, Recognizer
from inkdigit.errors import ClusterError
from inkdigit.image import Pdf

from ..cli.command import inkdigit
from ..pictures import digits, encoded, pdf

Row = dict[str, Any]
PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
BUCKET = "s3://id:secret@forms"


def rows(folder: Path) -> list[Row]:
    return sorted(parquet.read_table(folder).to_pylist(), key=lambda row: str(row["file"]))


def save(folder: Path, count: int = 40) -> list[bytes]:
    """Write PNG files and a broken one among them; return their contents in the order of the files' names."""
    folder.mkdir(parents=True)
    contents = [encoded(picture) for picture in digits(count)[0]]
    contents[3] = contents[3][:90]
    for number, content in enumerate(contents):
        (folder / f"{number:03}.png").write_bytes(content)
    return contents


def expected(contents: list[bytes]) -> list[tuple[str | None, float | None, str | None]]:
    """Return digit, confidence and error code of each, as the library has them."""
    answers = Recognizer().predict_batch(contents)
    return [
        (None, None, each.code) if isinstance(each, InputError) else (str(each.digit), each.confidence, None)
        for each in answers
    ]


def found(folder: Path) -> list[tuple[str | None, float | None, str | None]]:
    return [(row["digit"], row["confidence"], row["error_code"]) for row in rows(folder)]


def test_a_folder_is_read_once_and_resumed(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from inkdigit.cluster import bulk
    from inkdigit.cluster.bulk import Job, Result, run

    monkeypatch.setitem(bulk.FILE_ROWS, "predict", 8)
    source, target = tmp_path / "in [1]", tmp_path / "in [1]" / "out"
    contents = save(source)
    job = Job(str(source), str(target))
    assert run(job) == Result(rows=40, errors=1)
    assert found(target) == expected(contents)

    parts = sorted(target.glob("*.parquet"))
    assert len(parts) > 2
    parts[0].unlink()  # was not begun
    parts[1].write_bytes(parts[1].read_bytes()[:-20])  # was not written to its end
    kept = {part: part.read_bytes() for part in parts[2:]}
    assert run(Job(str(source), str(target), resume=True, workers=1)) == Result(rows=40, errors=1)
    assert found(target) == expected(contents)
    assert {part: part.read_bytes() for part in kept} == kept
    assert run(Job(str(source), str(target), resume=True)) == Result(rows=40, errors=1)  # nothing is left to do


def test_a_pdf_counts_as_its_pages_and_one_that_is_half_done_is_resumed(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pypdfium2", reason="the extra `pdf` is not installed")
    from inkdigit.cluster import bulk
    from inkdigit.cluster.bulk import Job, Result, run

    monkeypatch.setattr(bulk, "PAGES", 2)  # a task
    monkeypatch.setitem(bulk.FILE_ROWS, "predict", 2)
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    pages = [Image.fromarray(picture) for picture in digits(9)[0]]
    (source / "forms.pdf").write_bytes(pdf(*pages))
    (source / "broken.pdf").write_bytes(b"%PDF-1.7")
    job = Job(str(source), str(target), workers=2)
    assert run(job) == Result(rows=10, errors=1)
    broken, *answers = rows(target)
    assert (broken["file"], broken["error_code"]) == (str(source / "broken.pdf"), "broken_image")
    assert [row["file"] for row in answers] == [f"{source}/forms.pdf#{page}" for page in range(1, 10)]
    read = Recognizer().predict_batch(list(Pdf(source / "forms.pdf").pages(9)))
    assert [row["digit"] for row in answers] == [str(each.digit) for each in read if isinstance(each, Prediction)]

    parts = sorted(target.glob("*.parquet"))
    assert len(parts) > 2
    parts[1].unlink()
    kept = {part: part.read_bytes() for part in parts if part.exists()}
    assert run(Job(str(source), str(target), resume=True, workers=1)) == Result(rows=10, errors=1)
    assert rows(target) == [broken, *answers]
    assert {part: part.read_bytes() for part in kept} == kept


def test_without_pdfium_a_pdf_is_refused_before_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from inkdigit.cluster.bulk import Job, run

    save(tmp_path / "in", 4)
    (tmp_path / "in" / "a.PDF").write_bytes(b"%PDF-1.7")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ClusterError, match=r"inkdigit\[pdf\]"):
        run(Job(str(tmp_path / "in"), str(tmp_path / "out")))
    assert not (tmp_path / "out").exists()


def test_the_command_on_shards(address: str, tmp_path: Path) -> None:
    contents = save(tmp_path / "in", 10)
    shards = tmp_path / "shards"
    shards.mkdir()
    parquet.write_table(pa.table({"bytes": contents}), shards / "a.parquet")
    with tarfile.open(shards / "b.tar", "w") as archive:
        for name, content in (("1.png", contents[0]), ("1.json", b"{}")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    (shards / "c.tar").write_bytes((shards / "b.tar").read_bytes()[:700])
    (shards / "d.parquet").write_bytes(b"no Parquet")
    parquet.write_table(pa.table({"label": [1]}), shards / "e.parquet")
    target = tmp_path / "out"
    out, err = inkdigit("bulk", shards, target, "--address", address, code=1)
    assert (out, err) == ("14 rows, 4 of them errors.\n", "")
    answers = rows(target)
    assert [Path(row["file"]).name for row in answers] == [
        *(f"a.parquet#{number}" for number in range(10)),
        "b.tar#1.png",
        "c.tar",
        "d.parquet",
        "e.parquet",
    ]
    assert found(target)[:10] == expected(contents)
    assert all("cannot be read" in row["error"] for row in answers[-3:])


def test_the_pipeline_of_the_documentation(address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / "scans", 5)
    (code,) = re.findall(r"```py\n(.*?)```", PAGE.read_text(), re.DOTALL)
    exec(compile(code.replace("/data", str(tmp_path)), PAGE.name, "exec"), {})
    lines = sorted(capsys.readouterr().out.splitlines())
    assert [line.split()[0] for line in lines] == [str(tmp_path / "scans" / f"{number:03}.png") for number in range(5)]
    assert "truncated" in lines[3]


@pytest.fixture
def options() -> Iterator[str]:
    """Start an S3 server on loopback with the bucket `forms`; return the options of its URLs."""
    server = pytest.importorskip("moto.server", reason="the extra dev is not installed").ThreadedMotoServer(
        "127.0.0.1", 0, verbose=False
    )
    server.start()
    host, port = server.get_host_and_port()
    options = f"?scheme=http&region=us-east-1&endpoint_override={host}:{port}"
    filesystem, _ = FileSystem.from_uri(f"{BUCKET}{options}&allow_bucket_creation=true")
    filesystem.create_dir("forms")
    try:
        yield options
    finally:
        server.stop()


def test_an_object_store(address: str, options: str, tmp_path: Path) -> None:
    from inkdigit.cluster.bulk import MANIFEST, Job, Result, run

    contents = save(tmp_path / "in", 5)
    filesystem, _ = FileSystem.from_uri(f"{BUCKET}{options}")
    for path in (tmp_path / "in").iterdir():
        with filesystem.open_output_stream(f"forms/in/{path.name}") as stream:
            stream.write(path.read_bytes())
    job = Job(f"{BUCKET}/in/00[0-3].png{options}", f"{BUCKET}/out{options}")
    assert run(job) == Result(4, 1)
    table = parquet.read_table("forms/out", filesystem=filesystem).sort_by("file")
    assert table["file"].to_pylist() == [f"s3://forms/in/00{number}.png" for number in range(4)]
    assert table["digit"].to_pylist() == [digit for digit, *_ in expected(contents[:4])]
    with filesystem.open_input_stream(f"forms/out/{MANIFEST}") as stream:
        assert b"secret" not in stream.read()
    with pytest.raises(ClusterError, match=r"^s3://forms/out is not empty"):
        run(job)


class Denying(http.server.BaseHTTPRequestHandler):
    """A store that refuses everybody."""

    def do_HEAD(self) -> None:
        self.send_response(403)
        self.end_headers()

    do_GET = do_HEAD  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent."""


def test_missing_credentials_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from inkdigit.cluster.bulk import Job, run

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Denying) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = f"s3://forms/in?scheme=http&region=eu-west-1&endpoint_override=127.0.0.1:{server.server_port}"
        try:
            with pytest.raises(ClusterError) as error:
                run(Job(place, str(tmp_path / "out")))
        finally:
            server.shutdown()
    assert str(error.value) == "s3://forms/in cannot be read: the store refuses it; are its credentials set?"
    assert not (tmp_path / "out").exists()


def test_what_is_refused_is_one_sentence_and_changes_nothing(tmp_path: Path) -> None:
    from inkdigit.cluster.bulk import MANIFEST, Job, run

    source, target = tmp_path / "in", tmp_path / "out"
    save(source, 4)
    (tmp_path / "empty").mkdir()
    target.mkdir()
    (target / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("")
    for job, sentence in (
        (Job(str(tmp_path / "empty"), str(tmp_path / "new")), "There is no picture in "),
        (Job(str(tmp_path / "none"), str(tmp_path / "new")), "There is no picture in "),
        (Job("nowhere://x", str(tmp_path / "new")), "cannot be opened: Protocol not known"),
        (Job(str(source), str(target)), "is not empty; --resume"),
        (Job(str(source), str(target), resume=True), "holds no job of inkdigit bulk"),
        (Job(str(source), str(tmp_path / "file" / "new")), "cannot be written: "),
        (Job(str(source), "/proc/new"), "cannot be written: "),
    ):
        with pytest.raises(ClusterError, match=sentence) as error:
            run(job)
        assert "\n" not in str(error.value)
    manifest = {"source": str(source), "task": "read", "model": "numbers", "version": "0"}
    (target / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ClusterError, match="is another job's: its task is read, and not predict"):
        run(Job(str(source), str(target), resume=True))
    assert sorted(path.name for path in target.iterdir()) == [MANIFEST, "mine.txt"]
    assert not (tmp_path / "new").exists()


def test_a_cluster_that_nobody_runs_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    save(tmp_path / "in", 4)
    out, err = inkdigit("bulk", tmp_path / "in", tmp_path / "out", "--address", f"127.0.0.1:{port}", code=2)
    assert (out, err.count("\n")) == ("", 1)
    assert list((tmp_path / "out").iterdir()) == []
    assert err.startswith(f"inkdigit: The Ray cluster 127.0.0.1:{port} cannot be reached: ")


def test_without_ray_the_extra_is_named(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['ray'] = None\n")
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    _, err = inkdigit("bulk", tmp_path, tmp_path / "out", code=2, PYTHONPATH=paths)
    assert err == "inkdigit: Ray is not installed: pip install 'inkdigit[ray]'.\n"
