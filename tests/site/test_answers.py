"""The static site's answers against the library's: the same files, the same predictions and readings."""

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from inkdigit import InputError, Recognizer
from inkdigit.explain import occlusion, occlusion_png

from ..browser.strokes import DIGITS, placed
from ..pictures import Grey, encoded, seven
from .page import SitePage

SHARE = 2e-3  # by which a probability may differ: another processor's rounding
CALL = """async ([name, file, options, more]) => {
  const blob = new Blob([Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0))]);
  const folder = document.querySelector("script").src.replace("app.js", "");
  const service = await import(`${folder}service.js`);
  return service[name](blob, options, more).catch(({ message }) => ({ error: message }));
}"""


def drawn(*digits: int, step: float = 110, side: int = 480) -> Grey:
    """Draw digits by strokes, side by side; over one another where the step is 0."""
    page = Image.new("L", (side, side), 255)
    for place, digit in enumerate(digits):
        for stroke in placed(DIGITS[digit], 40 + step * place, 150, 90, 160):
            ImageDraw.Draw(page).line(stroke, fill=0, width=14, joint="curve")
    return np.asarray(page)


def transparent(ink: Grey) -> Image.Image:
    return Image.merge("RGBA", [*Image.new("RGB", ink.shape[::-1]).split(), Image.fromarray(255 - ink)])


FILES: dict[str, Callable[[], bytes]] = {
    "PNG": lambda: encoded(seven(200)),
    "JPEG": lambda: encoded(drawn(4, 2), "JPEG", quality=85),
    "transparent": lambda: encoded(transparent(drawn(3))),
    "unsure": lambda: encoded(drawn(2, 3, step=0)),
    "large": lambda: encoded(drawn(5)[120:360].repeat(7, 0).repeat(7, 1)),
    "rows": lambda: encoded(np.concatenate([drawn(1, 7, 4), drawn(2, 9)])),
}


@pytest.fixture
def call(ui: SitePage) -> Callable[..., Any]:
    ui.read_numbers()

    def answer(name: str, data: bytes, options: dict[str, Any] | None = None) -> Any:
        return ui.page.evaluate(CALL, [name, base64.b64encode(data).decode(), options or {}, {}])

    return answer


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer()


def image(url: str) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGBA"), float)


@pytest.mark.parametrize("name", FILES)
def test_a_file_gets_the_same_answers(call: Callable[..., Any], recognizer: Recognizer, name: str) -> None:
    data = FILES[name]()
    wanted, found = recognizer.predict(data).as_dict(frame=True), call("predict", data)
    assert found["probabilities"] == pytest.approx(wanted.pop("probabilities"), abs=SHARE)
    for key in ("confidence", "digitness"):
        assert found[key] == pytest.approx(wanted.pop(key), abs=SHARE)
    assert np.abs(image(found["frame"]) - image(wanted.pop("frame"))).max() <= 3
    assert {key: found[key] for key in wanted} == wanted
    reading, read = recognizer.read(data).as_dict(), call("read", data)
    assert {key: read[key] for key in ("text", "is_sure", "model")} == {
        key: reading[key] for key in ("text", "is_sure", "model")
    }
    for number, other in zip(read["numbers"], reading["numbers"], strict=True):
        assert number["box"] == pytest.approx(other["box"], abs=0.5)
        assert number["confidence"] == pytest.approx(other["confidence"], abs=5 * SHARE)
        assert number["row"] == other["row"]


def test_an_unsure_picture_is_predicted_in_other_views(recognizer: Recognizer) -> None:
    assert not recognizer.predict(FILES["unsure"]()).is_sure, "else the test above says nothing of them"


def test_the_occlusion_map_is_the_same(call: Callable[..., Any], recognizer: Recognizer) -> None:
    data = FILES["PNG"]()
    found = image(call("predict", data, {"why": True})["why"])
    png = occlusion_png(occlusion(recognizer, recognizer.predict(data)))
    assert np.abs(found - np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"), float)).max() <= 2


def test_constraints_and_refusals_have_the_library_s_sentences(
    call: Callable[..., Any], recognizer: Recognizer
) -> None:
    data = encoded(drawn(4, 2))
    assert call("read", data, {"allow": "17"})["text"] == recognizer.read(data, allow="17").text
    assert call("read", data, {"pattern": r"4\d|1"})["text"] == recognizer.read(data, pattern=r"4\d|1").text
    assert call("read", data, {"choices": "41\n47"})["text"] == recognizer.read(data, choices=["41", "47"]).text
    with pytest.raises(InputError) as caught:
        recognizer.read(data, allow="x")
    assert call("read", data, {"allow": "x"}) == {"error": str(caught.value)}
    with pytest.raises(InputError) as caught:
        recognizer.predict(encoded(np.full((60, 60), 255, np.uint8)))
    assert call("predict", encoded(np.full((60, 60), 255, np.uint8))) == {"error": str(caught.value)}
