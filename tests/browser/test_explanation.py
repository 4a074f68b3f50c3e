"""*How it sees it*: image, frame, occlusion map and probabilities. And accessibility, checked by axe."""

import base64
import io
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from inkdigit import Recognizer
from inkdigit.explain import occlusion, occlusion_png

from .conftest import OpenPage
from .page_object import InkdigitPage
from .test_files import payload, picture

AXE: dict[str, Any] = {"resultTypes": ["violations"]}


def opened(ui: InkdigitPage) -> None:
    ui.page.get_by_text("How it sees it").click()


def test_a_drawing_is_shown_with_its_frame_and_occlusion_map(ui: InkdigitPage) -> None:
    ui.draw(ui.strokes(4))
    ui.settle()
    opened(ui)
    expect(ui.part("why")).to_be_visible()
    drawn = ui.drawing()
    assert ui.page.locator("#explained-image").get_attribute("src") == drawn
    recognizer = Recognizer()
    answer = recognizer.predict(base64.b64decode(drawn.partition(",")[2]))
    frame = ui.page.locator("#explained-frame").get_attribute("src")
    assert frame == answer.as_dict(frame=True)["frame"]
    shown = ui.evaluate("document.getElementById('why').style.getPropertyValue('--why')")
    png = base64.b64decode(shown.partition(",")[2].partition(")")[0].strip('"'))
    expected = Image.open(io.BytesIO(occlusion_png(occlusion(recognizer, answer))))
    assert np.abs(np.asarray(Image.open(io.BytesIO(png)), float) - np.asarray(expected, float)).max() <= 2
    assert ui.part("ranks").locator("li").first.inner_text().split() == ["4", *ui.text("confidence").split()]


def test_it_follows_the_desk_and_is_empty_where_that_is(ui: InkdigitPage) -> None:
    opened(ui)
    expect(ui.part("why")).to_be_hidden()
    ui.open(payload("three.png", picture(3)))
    expect(ui.part("ranks").locator("li").first).to_contain_text("3")
    expect(ui.part("why")).to_be_visible()
    ui.page.keyboard.press("Escape")
    expect(ui.part("why")).to_be_hidden()
    expect(ui.part("ranks").locator("li")).to_have_count(0)


def test_the_occlusion_map_is_requested_only_when_it_is_shown(ui: InkdigitPage) -> None:
    asked: list[str] = []
    ui.page.on("request", lambda request: asked.append(request.url))
    ui.draw(ui.strokes(7))
    ui.settle()
    assert not any("why" in url for url in asked)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_serious(open_page: OpenPage, scheme: str, width: int) -> None:
    ui = open_page(viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
    assert serious(ui) == []
    ui.draw(ui.strokes(4))
    ui.settle()
    opened(ui)
    expect(ui.part("why")).to_be_visible()
    ui.open(*[payload(f"{digit}.png", picture(digit)) for digit in (3, 5)], payload("list.txt", b"milk"))
    expect(ui.part("files").locator("tbody tr")).to_have_count(3)
    assert serious(ui) == []


def serious(ui: InkdigitPage) -> list[tuple[str, Any]]:
    found = Axe().run(ui.page, options=AXE).response["violations"]
    return [
        (problem["id"], [node["html"] for node in problem["nodes"]])
        for problem in found
        if problem["impact"] in {"serious", "critical"}
    ]
