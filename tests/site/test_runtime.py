"""onnxruntime-web from npm or a folder; `npm` is a script of the test's own where the real one must not succeed."""

from pathlib import Path

import pytest

from inkdigit.site import runtime as module
from inkdigit.site.runtime import BINARY, SCRIPT, RuntimeMissingError, find_runtime


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ('echo "another file" > "$5/onnxruntime-web.tgz"', "its hash differs"),
        ('echo "npm error network" >&2; exit 1', "cannot fetch onnxruntime-web .*: npm error network"),
        ("exit 0", "no file came"),
        ("exec sleep 9", "within 0.5 s"),
    ],
)
def test_npm_that_brings_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, sentence: str
) -> None:
    (tmp_path / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    if "sleep" in script:
        monkeypatch.setattr(module, "SECONDS", 0.5)
    with pytest.raises(RuntimeMissingError, match=sentence), find_runtime(None):
        raise AssertionError


@pytest.mark.parametrize("place", ["", "dist", "node_modules/onnxruntime-web/dist"])
def test_a_package_s_folder_may_be_named_at_any_level(tmp_path: Path, place: str) -> None:
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    for name in (SCRIPT, BINARY):
        (tmp_path / place / name).touch()
    with find_runtime(tmp_path) as found:
        assert found == tmp_path / place
