"""What the demos' drawing canvas sends."""

import base64

import pytest

from inkdigit.demos.canvas import decode_png, script


def test_a_data_url_holds_the_picture() -> None:
    assert decode_png("data:image/png;base64," + base64.b64encode(b"picture").decode()) == b"picture"


@pytest.mark.parametrize("sent", ["", None, 3, "no data URL", "data:image/png;base64,x", {"a": 1}])
def test_anything_else_is_an_empty_drawing(sent: object) -> None:
    assert decode_png(sent) == b""


def test_the_script_defines_what_the_apps_call() -> None:
    assert "drawingCanvas" in script()
