"""*How it sees it*: the way from the picture to the answer, and why. And what axe finds on the page."""

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

from .conftest import OpenDesk
from .desk import Desk
from .test_pictures import payload, picture

AXE: dict[str, Any] = {"resultTypes": ["violations"]}


def opened(desk: Desk) -> None:
    desk.page.get_by_text("How it sees it").click()


def test_the_way_of_a_drawing_is_shown_with_what_the_service_says_of_why(desk: Desk) -> None:
    desk.draw(desk.strokes(4))
    desk.settle()
    opened(desk)
    expect(desk.part("why")).to_be_visible()
    drawn = desk.drawing()
    assert desk.page.locator("#sees-picture").get_attribute("src") == drawn
    recognizer = Recognizer()
    answer = recognizer.predict(base64.b64decode(drawn.partition(",")[2]))
    frame = desk.page.locator("#sees-frame").get_attribute("src")
    assert frame == answer.as_dict(frame=True)["frame"]
    shown = desk.evaluate("document.getElementById('why').style.getPropertyValue('--why')")
    png = base64.b64decode(shown.partition(",")[2].partition(")")[0].strip('"'))
    expected = Image.open(io.BytesIO(occlusion_png(occlusion(recognizer, answer))))
    assert np.abs(np.asarray(Image.open(io.BytesIO(png)), float) - np.asarray(expected, float)).max() <= 2
    assert desk.part("ranks").locator("li").first.inner_text().split() == ["4", *desk.text("confidence").split()]


def test_it_follows_the_desk_and_is_empty_where_that_is(desk: Desk) -> None:
    opened(desk)
    expect(desk.part("why")).to_be_hidden()
    desk.open(payload("three.png", picture(3)))
    expect(desk.part("ranks").locator("li").first).to_contain_text("3")
    expect(desk.part("why")).to_be_visible()
    desk.page.keyboard.press("Escape")
    expect(desk.part("why")).to_be_hidden()
    expect(desk.part("ranks").locator("li")).to_have_count(0)


def test_why_is_asked_only_where_it_is_shown(desk: Desk) -> None:
    asked: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url))
    desk.draw(desk.strokes(7))
    desk.settle()
    assert not any("why" in url for url in asked)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_serious(open_desk: OpenDesk, scheme: str, width: int) -> None:
    desk = open_desk(viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
    assert serious(desk) == []
    desk.draw(desk.strokes(4))
    desk.settle()
    opened(desk)
    expect(desk.part("why")).to_be_visible()
    desk.open(*[payload(f"{digit}.png", picture(digit)) for digit in (3, 5)], payload("list.txt", b"milk"))
    expect(desk.part("files").locator("tbody tr")).to_have_count(3)
    assert serious(desk) == []


def serious(desk: Desk) -> list[tuple[str, Any]]:
    found = Axe().run(desk.page, options=AXE).response["violations"]
    return [
        (problem["id"], [node["html"] for node in problem["nodes"]])
        for problem in found
        if problem["impact"] in {"serious", "critical"}
    ]
