"""Limits of bytes and pixels, which claims of size must not get around."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkdigit.image import MAX_BYTES, MAX_PIXELS, load_pixels

from ..pictures import encoded
from .files import claims, hidden, refused


@pytest.mark.filterwarnings("default::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("name", claims())
def test_a_tiny_file_that_claims_to_be_huge_is_refused(name: str) -> None:
    assert refused(claims()[name]) == ("broken_image" if name == "WebP" else "too_many_pixels")


def test_limits_of_pictures_and_arrays() -> None:
    side = int(MAX_PIXELS**0.5)
    assert load_pixels(encoded(Image.new("1", (side, side)))).shape == (1024, 1024)
    assert refused(Image.new("1", (side, side + 1))) == "too_many_pixels"
    assert refused(np.broadcast_to(np.uint8(0), (side, side + 1))) == "too_many_pixels"
    assert refused(bytes(MAX_BYTES + 1)) == "too_many_bytes"


def test_a_file_over_the_limit_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(1 << 40)
    assert refused(tmp_path / "large.png") == "too_many_bytes"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_claims_of_size_take_no_memory(tmp_path: Path) -> None:
    for number, data in enumerate([*claims().values(), *(data for data, _ in hidden().values())]):
        (tmp_path / str(number)).write_bytes(data)
    script = (
        "import re, sys, warnings; from inkdigit.errors import InputError; from inkdigit.image import load_pixels\n"
        "from inkdigit.image.formats import picture_formats\n"
        "warnings.simplefilter('ignore'); picture_formats()\n"
        "peak = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
        "before = peak()\n"
        "for name in sys.argv[1:]:\n"
        "    try: load_pixels(name)\n"
        "    except InputError: pass\n"
        "print((peak() - before) // 1024)"
    )
    command = [sys.executable, "-c", script, *(str(path) for path in sorted(tmp_path.iterdir()))]
    assert int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) < 20  # MiB
