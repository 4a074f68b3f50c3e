"""The Gradio door in real Chromium: a digit drawn without touching a tool, pictures opened, answers cleared."""

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from inkdigit import Recognizer
from inkdigit.apps.words import percent
from inkdigit.artefact import DEFAULT_MODEL, model_path

from ..pictures import encoded, seven
from ..serving import Service, serving
from .desk import cut_off
from .strokes import DIGITS, placed
from .test_pictures import TEXT, payload, picture

SIDE = 360  # of the part of the canvas that is drawn on
SLOW = 90_000  # ms: Gradio's canvas is WebGL, which a machine without a GPU computes


@pytest.fixture(scope="module")
def gradio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The app with a second model: a copy of the first under another name."""
    pytest.importorskip("gradio", reason="the extra gradio is not installed")
    other = tmp_path_factory.mktemp("models") / "other.onnx"
    shutil.copy(model_path(DEFAULT_MODEL), other)
    with serving("--model", DEFAULT_MODEL, "--model", str(other), door="gradio") as started:
        yield started


@pytest.fixture(scope="module")
def mounted() -> Iterator[Service]:
    pytest.importorskip("gradio", reason="the extra gradio is not installed")
    with serving("--gradio") as started:
        yield started


@pytest.fixture
def app(browser: Browser, gradio: Service) -> Iterator[Page]:
    yield from opened(browser, f"{gradio.url}/")


def opened(browser: Browser, address: str) -> Iterator[Page]:
    """Open the app, cut off from other hosts; afterwards nothing may have gone wrong."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(SLOW)
    problems: list[str] = []
    cut_off(page, address, problems)
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(address)
    yield page
    page.close()
    assert problems == []


def draw(page: Page, digit: int) -> None:
    """Draw on the sketchpad as soon as it is there, and touch no tool."""
    page.locator("#pad button[aria-label=Brush].highlight").wait_for()
    box = page.locator("#pad canvas").first.bounding_box()
    assert box is not None
    left, top = box["x"] + (box["width"] - SIDE) / 2, box["y"] + (box["height"] - SIDE) / 2
    for stroke in placed(DIGITS[digit], left + 0.3 * SIDE, top + 0.2 * SIDE, 0.4 * SIDE, 0.6 * SIDE):
        page.mouse.move(*stroke[0])
        page.mouse.down()
        for point in stroke[1:]:
            page.mouse.move(*point, steps=3)
        page.mouse.up()


def expect_digit(page: Page, digit: str) -> None:
    expect(page.locator("#digit h2")).to_have_text(digit, timeout=SLOW)


def words(page: Page) -> str:
    return page.locator("#words textarea").input_value()


def test_a_digit_is_drawn_without_a_tool_read_and_cleared(app: Page) -> None:
    draw(app, 4)
    expect_digit(app, "4")
    expect(app.locator("#digit .confidence-set")).to_have_count(10)
    assert re.match(r"A clear four\. \d\d\.\d+%", words(app))
    assert app.locator("#frame img").evaluate("image => image.naturalWidth") == 28
    app.get_by_role("button", name="Clear canvas").click()
    expect(app.locator("#digit h2")).to_have_count(0, timeout=SLOW)
    expect(app.locator("#frame img")).to_have_count(0)
    draw(app, 7)
    expect_digit(app, "7")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("three.png", picture(3)),
        ("three.jpg", picture(3, "JPEG")),
        ("clear.png", picture(3, mode="RGBA")),
        ("turned.jpg", encoded(seven(1700), "JPEG")),
    ],
)
def test_a_picture_is_read_as_the_library_reads_its_bytes(app: Page, name: str, content: bytes) -> None:
    answer = Recognizer().predict(content)
    app.get_by_role("tab", name="Upload").click()
    app.locator("#picture input[type=file]").set_input_files([payload(name, content)])
    expect_digit(app, str(answer.digit))
    assert words(app).endswith(percent(answer.confidence))


def test_what_is_no_picture_gets_a_sentence(app: Page) -> None:
    app.get_by_role("tab", name="Upload").click()
    app.locator("#picture input[type=file]").set_input_files([payload("list.png", TEXT)])
    expect(app.locator("#words textarea")).to_have_value(re.compile("not a picture"), timeout=SLOW)
    expect(app.locator("#digit h2")).to_have_count(0)


def test_examples_are_read_by_either_model_and_a_scribble_is_no_digit(app: Page) -> None:
    app.get_by_role("tab", name="Upload").click()
    app.locator("button.gallery-item").first.click()
    expect_digit(app, "3")
    app.get_by_label("Model").click()
    app.get_by_role("option", name="other.onnx").click()
    app.locator("button.gallery-item").last.click()
    expect(app.locator("#words textarea")).to_have_value(re.compile("^Not"), timeout=SLOW)


def test_the_service_has_it_at_gradio_and_keeps_its_own_policy(browser: Browser, mounted: Service) -> None:
    assert (
        "unsafe-inline" not in mounted.http.get("/", headers={"Accept": "text/html"}).headers["content-security-policy"]
    )
    assert mounted.http.get("/gradio").headers["location"].endswith("gradio/")
    for page in opened(browser, f"{mounted.url}/gradio/"):
        draw(page, 2)
        expect_digit(page, "2")
