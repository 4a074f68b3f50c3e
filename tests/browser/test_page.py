"""The page around the canvas: layout, keyboard, accessibility, an unreachable service, models."""

import json

import pytest
from playwright.sync_api import Route, expect

from inkdigit.server.routes import PAGE_FILES

from .conftest import OpenPage
from .page_object import InkdigitPage

LAYOUT = """[...document.querySelectorAll("[data-testid], h2, button, .button, .cell")]
  .filter((part) => part.checkVisibility())
  .filter((part) => !["digit", "number", "confidence", "verdict", "error", "preview"].includes(part.dataset.testid))
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
def test_nothing_overflows_and_nothing_moves(open_page: OpenPage, scheme: str, width: int, height: int) -> None:
    phone = width < 900
    ui = open_page(viewport={"width": width, "height": height}, color_scheme=scheme, has_touch=phone, is_mobile=phone)
    expect(ui.part("model")).to_be_visible()
    before = ui.evaluate(LAYOUT)
    ui.draw(ui.strokes(7))
    ui.settle()
    assert ui.text("digit") == "7"
    assert ui.evaluate("document.documentElement.scrollWidth") == width
    assert ui.evaluate(LAYOUT) == before, "the answer must not move what is there"
    paper = ui.part("canvas").bounding_box()
    assert paper is not None
    assert paper["width"] == pytest.approx(paper["height"], abs=1)
    assert paper["y"] + paper["height"] < height


def test_targets_for_fingers_are_large(open_page: OpenPage) -> None:
    ui = open_page(viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True)
    sizes = ui.evaluate(
        """[...document.querySelectorAll("button, .button, select, footer a")].filter((part) => part.offsetParent)
          .map((part) => [part.textContent, part.offsetHeight, part.offsetWidth])"""
    )
    assert len(sizes) >= 5, "undo, clear, open, camera, and the link"
    assert [size for size in sizes if size[1] < 44 or size[2] < 44] == []


def test_the_keyboard_reaches_everything_and_its_place_is_seen(ui: InkdigitPage) -> None:
    expect(ui.part("model")).to_be_visible()
    seen = []
    for _ in range(8):
        ui.page.keyboard.press("Tab")
        seen.append(ui.evaluate("document.activeElement.dataset.testid ?? document.activeElement.tagName"))
        outline = """(() => {
          const part = document.activeElement;
          return [part, part.closest(".button")].some((one) => one && getComputedStyle(one).outlineStyle === "solid");
        })()"""
        assert ui.evaluate(outline), f"{seen[-1]} shows no focus"
    assert seen == ["model", "undo", "clear", "upload", "SUMMARY", "SUMMARY", "SUMMARY", "A"]


def test_a_screen_reader_hears_the_verdict(ui: InkdigitPage) -> None:
    assert ui.part("verdict").get_attribute("aria-live") == "polite"
    ui.press(ui.strokes(2)[0])
    form = ui.page.get_by_role("region", name="Answer")
    expect(form).to_have_attribute("aria-busy", "true")
    ui.page.mouse.up()
    expect(form).to_have_attribute("aria-busy", "false")


def test_motion_is_reduced_where_asked(open_page: OpenPage) -> None:
    ui = open_page(reduced_motion="reduce")
    expect(ui.part("bars").locator("li")).to_have_count(10)
    duration = "getComputedStyle(document.querySelector('.bars i'), '::before').transitionDuration"
    assert ui.evaluate(duration) == "0s"


def test_an_unreachable_service_is_named_and_asked_again(open_page: OpenPage) -> None:
    ui = open_page()
    ui.page.clock.install()
    ui.page.route("**/v1/predict*", lambda route: route.abort("connectionrefused"))
    ui.draw(ui.strokes(7))
    expect(ui.part("error")).to_contain_text("does not answer")
    assert ui.text("digit") == ""
    ui.page.unroute("**/v1/predict*")
    ui.page.clock.fast_forward(2000)
    expect(ui.part("digit")).to_have_text("7")
    expect(ui.part("error")).to_have_text("")
    ui.forgive("ERR_CONNECTION_REFUSED")


def test_a_busy_service_is_asked_again_after_the_time_that_it_names(open_page: OpenPage) -> None:
    ui = open_page()
    ui.page.clock.install()
    answers = iter([True])

    def busy_once(route: Route) -> None:
        if next(answers, False):
            route.fulfill(status=503, headers={"Retry-After": "1"}, body=json.dumps({"detail": "Busy.", "code": "x"}))
        else:
            route.fallback()

    ui.page.route("**/v1/predict*", busy_once)
    ui.draw(ui.strokes(7))
    expect(ui.part("error")).to_contain_text("busy")
    assert ui.text("digit") == ""
    ui.page.clock.fast_forward(1000)
    expect(ui.part("digit")).to_have_text("7")
    ui.forgive("status of 503")


def test_only_an_answer_that_is_waited_for_is_said_to_take_long(open_page: OpenPage) -> None:
    ui = open_page()
    ui.page.clock.install()
    ui.page.route("**/v1/predict*", lambda _: None)  # never answered
    with ui.page.expect_request("**/v1/predict*"):
        ui.draw(ui.strokes(7))
    ui.page.clock.fast_forward(6500)
    expect(ui.part("error")).to_contain_text("takes long")
    ui.part("clear").click()
    with ui.page.expect_request("**/v1/predict*"):
        ui.draw(ui.strokes(7))
    ui.part("clear").click()
    expect(ui.part("error")).to_have_text("")
    ui.page.clock.fast_forward(6500)
    assert ui.text("error") == ""


def test_a_failure_that_is_no_json_gets_a_sentence(ui: InkdigitPage) -> None:
    ui.page.route("**/v1/predict*", lambda route: route.fulfill(status=500, body="<html>oops</html>"))
    ui.draw(ui.strokes(7))
    expect(ui.part("error")).to_contain_text("500")
    ui.forgive("status of 500")


def test_the_model_is_chosen_where_there_are_several(open_page: OpenPage) -> None:
    ui = open_page()
    asked: list[str] = []
    ui.page.on("request", lambda request: asked.append(request.url))
    ui.part("model").select_option("tiny")
    ui.draw(ui.strokes(7))
    expect(ui.part("digit")).to_have_text("7")
    assert any("model=tiny" in url for url in asked)
    models: dict[str, list[dict[str, object]]] = {"models": [{"name": "inkdigit", "labels": list("0123456789")}]}
    ui.page.route("**/v1/models", lambda route: route.fulfill(json=models))
    with ui.page.expect_response("**/v1/models"):
        ui.page.reload()
    expect(ui.part("model")).to_be_hidden()
    models["models"].append({"name": "small one", "labels": ["A"]})
    ui.page.reload()
    ui.part("model").select_option("small one")
    ui.draw(ui.strokes(7))
    expect(ui.part("error")).to_contain_text("model")
    assert any("model=small%20one" in url for url in asked)
    ui.forgive("status of 404")
    ui.part("model").select_option("inkdigit")
    expect(ui.part("digit")).to_have_text("7")


def test_the_page_is_small_and_holds_no_foreign_address() -> None:
    files = [path for path in PAGE_FILES.directory.iterdir() if path.is_file()]  # type: ignore[union-attr]
    assert sum(path.stat().st_size for path in files) < 100_000
    for path in files:
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text
        assert "https://" not in text
