"""The Gradio app in Chromium: drawing without choosing a tool, opening images, clearing."""

import base64
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from inkdigit import Recognizer
from inkdigit.prediction import percent

from ..pictures import encoded, seven
from ..serving import Service, serving
from .canvas import canvas, draw
from .page_object import cut_off
from .test_files import TEXT, payload, picture


@pytest.fixture(scope="module")
def mounted() -> Iterator[Service]:
    pytest.importorskip("gradio", reason="the extra gradio is not installed")
    with serving("--gradio", "--workers", "2") as started:
        yield started


@pytest.fixture
def app(browser: Browser, gradio: Service) -> Iterator[Page]:
    yield from opened(browser, f"{gradio.url}/")


def opened(browser: Browser, address: str) -> Iterator[Page]:
    """Open the app with requests to other hosts refused; fail if it reported a problem."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    problems: list[str] = []
    cut_off(page, address, problems)
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(address)
    yield page
    page.close()
    assert problems == []


LEFT, RIGHT = (0.25, 0.3, 0.2, 0.4), (0.46, 0.3, 0.2, 0.4)


def expect_digit(page: Page, digit: str) -> None:
    expect(page.locator(".digit h2")).to_have_text(digit)


def words(page: Page) -> Locator:
    return page.locator(".words textarea:visible")


def test_a_digit_is_drawn_without_a_tool_read_as_the_library_reads_it_and_cleared(app: Page) -> None:
    draw(app, 4)
    expect_digit(app, "4")
    expect(app.locator(".digit .confidence-set")).to_have_count(10)
    sent = canvas(app).evaluate("canvas => canvas.toDataURL('image/png')")
    answer = Recognizer().predict(base64.b64decode(sent.partition(",")[2]))
    expect(words(app)).to_have_value(f"A clear four. {percent(answer.confidence)}")
    expect(app.locator(".frame img")).to_have_attribute("src", answer.as_dict(frame=True)["frame"])
    app.get_by_role("button", name="Clear canvas").click()
    expect(app.locator(".digit h2")).to_have_count(0)
    expect(app.locator(".frame img")).to_have_count(0)
    draw(app, 7)
    expect_digit(app, "7")


def test_a_stroke_is_taken_back(app: Page) -> None:
    draw(app, 1)
    expect_digit(app, "1")
    draw(app, 7)
    app.get_by_role("button", name="Undo").click()
    expect_digit(app, "1")
    app.get_by_role("button", name="Undo").click()
    expect(app.locator(".digit h2")).to_have_count(0)


def test_a_number_is_drawn_with_boxes_and_undone(app: Page) -> None:
    draw(app, 4, LEFT)
    expect_digit(app, "4")
    draw(app, 2, RIGHT)
    number = app.locator(".number textarea:visible")
    expect(number).to_have_value(re.compile("4 ?2"))
    expect(app.locator(".boxes img:visible")).to_have_count(1)
    expect(app.locator(".digit h2")).to_have_count(0)
    app.get_by_role("button", name="Undo").click()
    expect_digit(app, "4")
    expect(number).to_have_count(0)


def test_the_last_drawing_wins_however_fast_they_come(app: Page) -> None:
    for digit in (3, 4, 5, 2):
        app.get_by_role("button", name="Clear canvas").click()
        draw(app, digit)
    expect_digit(app, "2")
    draw(app, 8)
    app.get_by_role("button", name="Clear canvas").click()
    app.wait_for_load_state("networkidle")
    expect(app.locator(".digit h2")).to_have_count(0)


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
    app.locator("#image input[type=file]").set_input_files([payload(name, content)])
    expect_digit(app, str(answer.digit))
    expect(words(app)).to_have_value(re.compile(re.escape(percent(answer.confidence)) + "$"))


def test_what_is_no_picture_gets_a_sentence(app: Page) -> None:
    app.get_by_role("tab", name="Upload").click()
    app.locator("#image input[type=file]").set_input_files([payload("list.png", TEXT)])
    expect(words(app)).to_have_value(re.compile("not a picture"))
    expect(app.locator(".digit h2")).to_have_count(0)


def test_examples_are_read_by_either_model_and_a_scribble_is_no_digit(app: Page) -> None:
    app.get_by_role("tab", name="Upload").click()
    app.locator("button.gallery-item").first.click()
    expect_digit(app, "3")
    app.get_by_label("Model").click()
    app.get_by_role("option", name="other").click()
    app.locator("button.gallery-item").last.click()
    expect(words(app)).to_have_value(re.compile("^Not"))


def test_several_workers_have_it_at_gradio_and_keep_their_own_policy(browser: Browser, mounted: Service) -> None:
    assert (
        "unsafe-inline" not in mounted.http.get("/", headers={"Accept": "text/html"}).headers["content-security-policy"]
    )
    assert mounted.http.get("/gradio").headers["location"].endswith("gradio/")
    assert mounted.http.get("/gradio/gradio_api/upload_progress?upload_id=1").status_code == 204
    for page in opened(browser, f"{mounted.url}/gradio/"):
        draw(page, 2)
        expect_digit(page, "2")
        page.get_by_role("tab", name="Upload").click()
        page.locator("#image input[type=file]").set_input_files([payload("three.png", picture(3))])
        expect(words(page)).to_have_value(re.compile("three"))
