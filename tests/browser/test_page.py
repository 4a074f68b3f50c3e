"""The page around the drawing: looks, keyboard, a service that is away, models."""

import json

import pytest
from playwright.sync_api import Route, expect

from inkdigit.server.routes import PAGE_FILES

from .conftest import OpenDesk
from .desk import Desk

LAYOUT = """[...document.querySelectorAll("[data-testid], h2, button, .button, .cell")]
  .filter((part) => !["digit", "confidence", "verdict", "error", "preview"].includes(part.dataset.testid))
  .map((part) => { const box = part.getBoundingClientRect(); return [box.x, box.y, box.width, box.height].join(); })"""


@pytest.mark.parametrize(
    ("scheme", "width", "height"),
    [
        ("dark", 320, 640),
        ("light", 390, 844),
        ("dark", 390, 844),
        ("light", 768, 1024),
        ("light", 844, 390),
        ("dark", 1280, 800),
    ],
)
def test_nothing_overflows_and_nothing_moves(open_desk: OpenDesk, scheme: str, width: int, height: int) -> None:
    phone = width < 900
    desk = open_desk(viewport={"width": width, "height": height}, color_scheme=scheme, has_touch=phone, is_mobile=phone)
    expect(desk.part("model")).to_be_visible()
    before = desk.evaluate(LAYOUT)
    desk.draw(desk.strokes(7))
    desk.settle()
    assert desk.text("digit") == "7"
    assert desk.evaluate("document.documentElement.scrollWidth") == width
    assert desk.evaluate(LAYOUT) == before, "the answer must not move what is there"
    paper = desk.part("canvas").bounding_box()
    assert paper is not None
    assert paper["width"] == pytest.approx(paper["height"], abs=1)
    assert paper["y"] + paper["height"] < height


def test_targets_for_fingers_are_large(open_desk: OpenDesk) -> None:
    desk = open_desk(viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True)
    sizes = desk.evaluate(
        """[...document.querySelectorAll("button, .button, select, footer a")].filter((part) => part.offsetParent)
          .map((part) => [part.textContent, part.offsetHeight, part.offsetWidth])"""
    )
    assert len(sizes) >= 5, "undo, clear, open, camera, and the link"
    assert [size for size in sizes if size[1] < 44 or size[2] < 44] == []


def test_the_keyboard_reaches_everything_and_its_place_is_seen(desk: Desk) -> None:
    expect(desk.part("model")).to_be_visible()
    seen = []
    for _ in range(6):
        desk.page.keyboard.press("Tab")
        seen.append(desk.evaluate("document.activeElement.dataset.testid ?? document.activeElement.tagName"))
        outline = """(() => {
          const part = document.activeElement;
          return [part, part.closest(".button")].some((one) => one && getComputedStyle(one).outlineStyle === "solid");
        })()"""
        assert desk.evaluate(outline), f"{seen[-1]} shows no focus"
    assert seen == ["model", "undo", "clear", "upload", "SUMMARY", "A"]


def test_a_screen_reader_hears_the_verdict(desk: Desk) -> None:
    assert desk.part("verdict").get_attribute("aria-live") == "polite"
    desk.press(desk.strokes(2)[0])
    form = desk.page.get_by_role("region", name="Answer")
    expect(form).to_have_attribute("aria-busy", "true")
    desk.page.mouse.up()
    expect(form).to_have_attribute("aria-busy", "false")


def test_motion_is_reduced_where_asked(open_desk: OpenDesk) -> None:
    desk = open_desk(reduced_motion="reduce")
    expect(desk.part("bars").locator("li")).to_have_count(10)
    duration = "getComputedStyle(document.querySelector('.bars i'), '::before').transitionDuration"
    assert desk.evaluate(duration) == "0s"


def test_a_service_that_is_away_is_said_to_be_and_comes_back(desk: Desk) -> None:
    desk.page.route("**/v1/predict*", lambda route: route.abort("connectionrefused"))
    desk.draw(desk.strokes(7))
    expect(desk.part("error")).to_contain_text("does not answer")
    assert desk.text("digit") == ""
    desk.page.unroute("**/v1/predict*")
    expect(desk.part("digit")).to_have_text("7")
    expect(desk.part("error")).to_have_text("")
    desk.forgive("ERR_CONNECTION_REFUSED")


def test_a_busy_service_is_asked_again_when_it_says(desk: Desk) -> None:
    answers = iter([True])

    def busy_once(route: Route) -> None:
        if next(answers, False):
            route.fulfill(status=503, headers={"Retry-After": "1"}, body=json.dumps({"detail": "Busy.", "code": "x"}))
        else:
            route.fallback()

    desk.page.route("**/v1/predict*", busy_once)
    desk.draw(desk.strokes(7))
    expect(desk.part("error")).to_contain_text("busy")
    expect(desk.part("digit")).to_have_text("7")
    desk.forgive("status of 503")


def test_only_an_answer_that_is_waited_for_is_said_to_take_long(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.page.clock.install()
    desk.page.route("**/v1/predict*", lambda _: None)  # never answered
    with desk.page.expect_request("**/v1/predict*"):
        desk.draw(desk.strokes(7))
    desk.page.clock.fast_forward(6500)
    expect(desk.part("error")).to_contain_text("takes long")
    desk.part("clear").click()
    with desk.page.expect_request("**/v1/predict*"):
        desk.draw(desk.strokes(7))
    desk.part("clear").click()
    expect(desk.part("error")).to_have_text("")
    desk.page.clock.fast_forward(6500)
    assert desk.text("error") == ""


def test_a_failure_that_is_no_json_gets_a_sentence(desk: Desk) -> None:
    desk.page.route("**/v1/predict*", lambda route: route.fulfill(status=500, body="<html>oops</html>"))
    desk.draw(desk.strokes(7))
    expect(desk.part("error")).to_contain_text("500")
    desk.forgive("status of 500")


def test_the_model_is_chosen_where_there_are_several(open_desk: OpenDesk) -> None:
    desk = open_desk()
    asked: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url))
    desk.part("model").select_option("tiny")
    desk.draw(desk.strokes(7))
    expect(desk.part("digit")).to_have_text("7")
    assert any("model=tiny" in url for url in asked)
    models: dict[str, list[dict[str, object]]] = {"models": [{"name": "inkdigit", "labels": list("0123456789")}]}
    desk.page.route("**/v1/models", lambda route: route.fulfill(json=models))
    with desk.page.expect_response("**/v1/models"):
        desk.page.reload()
    expect(desk.part("model")).to_be_hidden()
    models["models"].append({"name": "small one", "labels": ["A"]})
    desk.page.reload()
    desk.part("model").select_option("small one")
    desk.draw(desk.strokes(7))
    expect(desk.part("error")).to_contain_text("model")
    assert any("model=small%20one" in url for url in asked)
    desk.forgive("status of 404")
    desk.part("model").select_option("inkdigit")
    expect(desk.part("digit")).to_have_text("7")


def test_the_page_is_small_and_holds_no_foreign_address() -> None:
    files = [path for path in PAGE_FILES.directory.iterdir() if path.is_file()]  # type: ignore[union-attr]
    assert sum(path.stat().st_size for path in files) < 100_000
    for path in files:
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text
        assert "https://" not in text
