"""Fixtures of the command's tests."""

from pathlib import Path

import pytest

from ..pictures import encoded, seven


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with an image, a subfolder with an image and a broken one, and a text file."""
    (tmp_path / "b").mkdir()
    (tmp_path / "a.PNG").write_bytes(encoded(seven()))
    (tmp_path / "b" / "c.jpg").write_bytes(encoded(255 - seven(), "JPEG"))
    (tmp_path / "b" / "broken.png").write_bytes(encoded(seven())[:100])
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path
