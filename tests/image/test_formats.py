"""The formats that are read, and those that are refused."""

import pytest

from inkdigit.image.formats import picture_suffixes

from .files import refused


def test_suffixes_are_those_of_the_formats() -> None:
    assert {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".mpo"} <= picture_suffixes()
    assert not {".pdf", ".svg", ".txt", ".eps"} & picture_suffixes()


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"P5 1 1 255 x"]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    assert refused(data) == "unsupported_format"
