"""One drawing through every interface: the same digit, with the same confidence."""

import base64
import json
import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from inkdigit import Recognizer

from ..serving import INKDIGIT, Service
from .page_object import InkdigitPage
from .test_files import payload
from .test_streamlit import SLOW

Read = tuple[str, float]  # the digit and its confidence


def test_a_drawing_gets_the_same_answer_from_every_interface(
    ui: InkdigitPage, service: Service, browser: Browser, gradio: Service, streamlit: Service, tmp_path: Path
) -> None:
    ui.draw([*ui.strokes(2), *ui.strokes(3)])  # one over the other, so that the confidence is low
    ui.settle()
    drawing = base64.b64decode(ui.drawing().partition(",")[2])
    answer = Recognizer().predict(drawing)
    assert answer.confidence < 0.99
    read = {
        "page": (ui.text("digit"), share(ui.text("confidence"))),
        "/v1/predict": by_http(service, "/v1/predict", "digit", drawing),
        "/predict": by_http(service, "/predict", "prediction", drawing),
        "command": by_command(tmp_path / "drawing.png", drawing),
        "Gradio": by_gradio(browser, gradio, drawing),
        "Streamlit": by_streamlit(browser, streamlit, drawing),
    }
    for interface, (digit, confidence) in read.items():
        assert digit == str(answer.digit), interface
        assert confidence == pytest.approx(answer.confidence, abs=1e-3), interface


def share(text: str) -> float:
    found = re.search(r"([\d.]+)\s*%", text)
    assert found, text
    return float(found[1]) / 100


def by_http(service: Service, route: str, key: str, drawing: bytes) -> Read:
    answer = service.http.post(route, files={"file": ("drawing.png", drawing)}).json()
    return str(answer[key]), answer["confidence"]


def by_command(path: Path, drawing: bytes) -> Read:
    path.write_bytes(drawing)
    done = subprocess.run([INKDIGIT, "predict", "--json", str(path)], capture_output=True, check=True)
    answer = json.loads(done.stdout)
    return str(answer["digit"]), answer["confidence"]


def by_gradio(browser: Browser, app: Service, drawing: bytes) -> Read:
    with browser.new_page() as page:
        page.goto(app.url)
        page.get_by_role("tab", name="Upload").click()
        page.locator("#image input[type=file]").set_input_files([payload("drawing.png", drawing)])
        words = page.locator(".words textarea:visible")
        expect(words).to_have_value(re.compile("%$"))
        return page.locator(".digit h2:visible").inner_text(), share(words.input_value())


def by_streamlit(browser: Browser, app: Service, drawing: bytes) -> Read:
    with browser.new_page() as page:
        page.goto(app.url)
        page.get_by_role("tab", name="Upload").click(timeout=SLOW)
        page.locator("input[type=file]").set_input_files([payload("drawing.png", drawing)])
        cells = page.get_by_test_id("stTable").locator("tbody tr").first.locator("td")
        expect(cells).to_have_count(4, timeout=SLOW)
        return cells.nth(1).inner_text(), share(cells.nth(2).inner_text())
