"""`inkdigit site` as a process, and what it writes."""

import os
import subprocess
from pathlib import Path

import pytest

from inkdigit.errors import ArtefactError, DataError
from inkdigit.site.build import PACKED, build_site

from ..serving import INKDIGIT


def command(*words: str | Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ if path is None else {**os.environ, "PATH": path}
    line = [INKDIGIT, "site", *map(str, words)]
    return subprocess.run(line, check=False, capture_output=True, text=True, env=environment)


def test_the_command_writes_a_site_over_an_earlier_one(site: Path, runtime: Path, tmp_path: Path) -> None:
    (tmp_path / "CNAME").touch()
    done = command(tmp_path / "site", "--runtime", runtime, "--model", "tiny")
    assert (done.returncode, done.stderr) == (0, "")
    (earlier,) = (tmp_path / "site").glob("web-*")
    (tmp_path / "site" / "CNAME").touch()
    build_site(tmp_path / "site", runtime)
    names = {path.relative_to(site) for path in site.rglob("*")}
    assert {path.relative_to(tmp_path / "site") for path in (tmp_path / "site").rglob("*")} == names | {Path("CNAME")}
    assert earlier.name not in {path.name for path in site.iterdir()}, "the folder is named after its content"


def test_nothing_names_another_host(site: Path) -> None:
    (web,) = site.glob("web-*")
    for path in [*site.glob("*.*"), *web.glob("*.*"), *web.glob("reader/*")]:
        if path.suffix in {".html", ".js", ".css", ".webmanifest"}:
            assert "://" not in path.read_text().replace("http://www.w3.org/2000/svg", ""), path


def test_the_first_load_is_small(site: Path) -> None:
    packed = sum(path.stat().st_size for path in site.rglob(f"*{PACKED}"))
    others = sum(path.stat().st_size for path in site.rglob("*.*") if path.suffix not in {PACKED, ".txt"})
    assert packed + others < 6.5e6


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "npm, which fetches onnxruntime-web, is not installed"),
        (["--runtime", "nowhere"], "nowhere has no onnxruntime-web"),
    ],
)
def test_without_the_runtime_there_is_a_sentence(tmp_path: Path, words: list[str], sentence: str) -> None:
    done = command(tmp_path / "site", *words, path=str(tmp_path))
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "site").exists()


def test_other_folders_and_faulty_models_are_refused(runtime: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    with pytest.raises(DataError, match="is not empty"):
        build_site(tmp_path, runtime)
    for models, words in ((["nothing"], "no model named"), (["tiny", "tiny"], "have the name tiny")):
        with pytest.raises(ArtefactError, match=words):
            build_site(tmp_path / "site", runtime, models)
    assert not (tmp_path / "site").exists()
