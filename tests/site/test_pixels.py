"""pixels.js against `image/`: the same files give the same pixels, and what is refused gets the same sentence."""

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from inkdigit.errors import InputError
from inkdigit.image import MAX_BYTES, PREDICT_SIDE, load_pixels

from ..image.files import LOSSLESS, LOSSY, RGB, SEVEN, claims, transparent
from ..pictures import encoded
from .conftest import Run

Levels = NDArray[np.int_]

LOAD = """async (module, url, side) => {
  const blob = await (await fetch(url)).blob();
  const decoder = self.ImageDecoder;
  try {
    const { data, ...shape } = await module.loadPixels(blob, side);
    const reader = new FileReader();
    const loaded = new Promise((done) => (reader.onload = done));
    reader.readAsDataURL(new Blob([data]));
    await loaded;
    return { data: reader.result.split(",")[1], ...shape };
  } catch (error) {
    return { code: error.code, sentence: error.message };
  } finally {
    self.ImageDecoder = decoder;
  }
}"""
WITHOUT_DECODER = LOAD.replace("try {", "self.ImageDecoder = undefined; try {")


def answer(run: Run, data: bytes, side: int = PREDICT_SIDE, load: str = LOAD) -> Any:
    return run("pixels", load, f"data:;base64,{base64.b64encode(data).decode()}", side)


def pixels(run: Run, data: bytes, load: str = LOAD) -> Levels:
    found = answer(run, data, load=load)
    assert "code" not in found, found
    levels = np.frombuffer(base64.b64decode(found["data"]), np.uint8)
    return levels.reshape(found["height"], found["width"]).astype(int)


def hues(side: int = 300, noise: float = 4) -> Image.Image:
    """Return green ink on red paper, which are about equally bright."""
    ink = np.asarray(Image.fromarray(SEVEN).resize((side, side)), float)[..., None] / 255
    page = ink * (190, 80, 90) + (1 - ink) * (60, 150, 70)
    page += np.random.default_rng(0).normal(0, noise, page.shape)
    return Image.fromarray(page.clip(0, 255).astype(np.uint8))


def turned(kind: str, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(RGB.crop((0, 0, 48, 32)), kind, exif=exif.tobytes())


def sheet() -> Image.Image:
    """Return a photographed sheet on a transparent canvas: what is around it goes on with its own colour."""
    alpha = np.zeros((80, 80), np.uint8)
    alpha[10:70, 12:68] = 255
    page = np.full((80, 80), 200, np.uint8)
    page[16:64, 16:64] = np.minimum(SEVEN, 200)
    return Image.fromarray(np.dstack([page, page, page, alpha]))


def faint() -> Image.Image:
    """Return dark blue ink of at most 20 of 255 of alpha: a canvas would lose its colour."""
    alpha = ((255 - SEVEN) // 13).astype(np.uint8)
    return Image.fromarray(np.dstack([np.full_like(alpha, value) for value in (20, 30, 120)] + [alpha]))


BROWSERS = [name for name in LOSSLESS if "TIFF" not in name]
DRAWN: dict[str, Callable[[], bytes]] = {
    **{name: LOSSLESS[name] for name in BROWSERS},
    "black ink": lambda: encoded(transparent(255 - SEVEN, 0)),
    "white ink, dark below": lambda: encoded(transparent(255 - SEVEN, 255, 0)),
    "grey ink": lambda: encoded(transparent(255 - SEVEN, 90)),
    "sheet": lambda: encoded(sheet()),
    "faint": lambda: encoded(faint()),
    "nothing": lambda: encoded(transparent(np.zeros_like(SEVEN), 0)),
    "hues": lambda: encoded(hues()),
    "hues, transparent": lambda: encoded(Image.merge("RGBA", [*hues(48).split(), Image.fromarray(255 - SEVEN)])),
    "large": lambda: encoded(np.random.default_rng(1).integers(0, 256, (30, 3500), np.uint8)),
    "large, coloured": lambda: encoded(hues(1620, 0)),
    "large, transparent": lambda: encoded(transparent(255 - SEVEN.repeat(34, 0).repeat(34, 1), 0)),
    **{f"PNG turned {turn}": lambda turn=turn: turned("PNG", turn) for turn in range(1, 9)},  # type: ignore[misc]
}


@pytest.mark.parametrize("name", DRAWN)
def test_lossless_files_give_the_same_pixels(run: Run, name: str) -> None:
    data = DRAWN[name]()
    np.testing.assert_allclose(pixels(run, data), load_pixels(data), atol=1)


@pytest.mark.parametrize("name", ["PNG RGB", "PNG 16 bit", "white ink, dark below", "sheet", "hues, transparent"])
def test_a_browser_without_imagedecoder_gives_them_too(run: Run, name: str) -> None:
    data = DRAWN[name]()
    found = pixels(run, data, WITHOUT_DECODER)
    np.testing.assert_allclose(found, load_pixels(data), atol=1)


PHOTOGRAPHED: dict[str, Callable[[], bytes]] = {
    **{name: LOSSY[name] for name in ("JPEG", "JPEG progressive", "MPO", "WebP lossy")},
    "JPEG, hues": lambda: encoded(hues(), "JPEG", quality=90),
    "JPEG, turned": lambda: turned("JPEG", 6),
}


@pytest.mark.parametrize("name", PHOTOGRAPHED)
def test_lossy_files_give_nearly_the_same_pixels(run: Run, name: str) -> None:
    data = PHOTOGRAPHED[name]()
    difference = np.abs(pixels(run, data) - load_pixels(data))
    assert difference.max() <= 8
    assert difference.mean() <= 1


def test_a_large_jpeg_is_reduced_nearly_as_it_is_decoded_smaller(run: Run) -> None:
    data = encoded(hues(1700, 0), "JPEG", quality=90)
    difference = np.abs(pixels(run, data) - load_pixels(data))
    assert difference.mean() <= 2


def test_the_reduction_is_told(run: Run) -> None:
    assert answer(run, encoded(np.zeros((20, 3300), np.uint8)), 3200)["reduction"] == 2


def without_palette() -> bytes:
    data = encoded(RGB.quantize(4))
    start = data.index(b"PLTE") - 4
    return data[:start] + data[start + 12 + int.from_bytes(data[start : start + 4], "big") :]


REFUSED = {
    "JPEG without its pixels": LOSSY["JPEG"]()[:2] + LOSSY["JPEG"]()[-2:],
    "PNG without a palette": without_palette(),
    "text": b"hello",
    "PDF": b"%PDF-1.7",
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    **{f"{name}, cut": (LOSSLESS | LOSSY)[name]()[:-200] for name in ("PNG RGB", "JPEG", "BMP", "WebP", "GIF")},
    **{f"{name}, begun": (LOSSLESS | LOSSY)[name]()[:30] for name in ("PNG", "JPEG", "BMP", "WebP", "GIF")},
    **{f"huge {name}": data for name, data in claims().items() if name not in {"TIFF", "WebP"}},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_gets_the_same_code(run: Run, name: str) -> None:
    with pytest.raises(InputError) as caught:
        load_pixels(REFUSED[name])
    found = answer(run, REFUSED[name])
    assert found.get("code") == caught.value.code
    assert found["sentence"].endswith(".")


@pytest.mark.parametrize("name", ["TIFF", "HEIC"])
def test_formats_that_the_browser_cannot_open_get_a_sentence(run: Run, name: str) -> None:
    data = LOSSLESS["TIFF"]() if name == "TIFF" else b"\0\0\0\x18ftypheic" + bytes(100)
    assert answer(run, data) == {
        "code": "unsupported_format",
        "sentence": f"This browser cannot open {name} pictures. Save the picture as PNG or JPEG.",
    }


def test_a_large_file_is_refused_before_it_is_read(run: Run) -> None:
    large = f"new Blob([new Uint8Array({MAX_BYTES + 1})])"
    script = f"(module) => module.loadPixels({large}, 1).catch((error) => error.code)"
    assert run("pixels", script) == "too_many_bytes"
