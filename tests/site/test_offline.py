"""The service worker in real Chromium: without a network, and after an upgrade."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from inkdigit.site.build import build_site

from ..browser.test_drawing import PHONE
from ..browser.test_explanation import serious
from ..browser.test_files import payload, picture
from .page import SitePage
from .serving import static_server

CONTROLLED = """async () => {
  const workers = navigator.serviceWorker;
  for (let i = 0; i < 6000 && !workers.controller; i++) await new Promise((wake) => setTimeout(wake, 10));
  return workers.controller !== null;
}"""
MODELS = """async () => {
  const service = await import(document.querySelector("script").src.replace("app.js", "service.js"));
  return (await service.models()).map(({ name }) => name);
}"""
FOLDERS = (
    """[...new Set(performance.getEntriesByType("resource").flatMap(({ name }) => name.match(/web-\\w+/) ?? []))]"""
)


@pytest.fixture
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    options: dict[str, Any] = getattr(request, "param", {})
    with browser.new_context(**options) as context:
        yield context


def opened(context: BrowserContext, address: str) -> SitePage:
    return SitePage(context.new_page(), address).fresh()


@pytest.mark.parametrize(
    "context",
    [{"viewport": {"width": 1280, "height": 800}, "bypass_csp": True}, PHONE],
    ids=["desk", "phone"],
    indirect=True,
)
def test_after_one_visit_the_site_needs_no_network(context: BrowserContext, site: Path) -> None:
    hosts: list[str] = []
    context.on("request", lambda request: hosts.append(request.url))
    with static_server(site) as (address, sent):
        ui = opened(context, address)
        assert ui.page.evaluate(CONTROLLED)
    assert [path for path in set(sent) if sent.count(path) > 1] in ([], ["/"]), "nothing is sent twice but index.html"
    ui.page.goto(address)
    by_finger = ui.page.evaluate("navigator.maxTouchPoints > 0")
    assert ui.read(7, by_finger=by_finger) == "7"
    strokes = [*ui.strokes(4, (0.25, 0.3, 0.2, 0.4)), *ui.strokes(2, (0.46, 0.3, 0.2, 0.4))]
    ui.read_numbers()
    (ui.draw_by_finger if by_finger else ui.draw)(strokes)
    expect(ui.part("number")).to_have_text("42")
    if not by_finger:
        assert serious(ui) == []
    ui.open(
        payload("three.png", picture(3)), payload("five.jpg", picture(5, "JPEG")), payload("cut.png", picture(3)[:90])
    )
    expect(ui.part("files").locator("tbody tr")).to_have_count(3)
    assert "damaged" in ui.part("files").inner_text()
    assert all(url.startswith((address, "blob:", "data:")) for url in hosts)


def test_a_tab_after_an_upgrade_gets_the_new_build_and_the_old_tab_keeps_its_own(
    context: BrowserContext, runtime: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    build_site(folder, runtime)
    with static_server(folder) as (address, _):
        first = opened(context, address)
        assert first.page.evaluate(CONTROLLED)
        build_site(folder, runtime, ["tiny"])
        second = opened(context, address)
        assert (first.page.evaluate(MODELS), second.page.evaluate(MODELS)) == (["inkdigit"], ["tiny"])
        assert (first.read(7), second.read(7)) == ("7", "7")
        taken = "navigator.serviceWorker.getRegistration().then((found) => !found.installing && !found.waiting)"
        wait_until(second.page, "() => caches.keys().then((kept) => kept.length === 2)")  # it is being installed
        wait_until(second.page, f"() => {taken}")
        folders = [ui.page.evaluate(FOLDERS) for ui in (first, second)]
        assert [len(names) for names in folders] == [1, 1], "no build mixes with another"
        assert folders[0] != folders[1]
    third = opened(context, address)  # without a network
    assert third.page.evaluate(MODELS) == ["tiny"]
    assert (first.read(3), third.read(3)) == ("3", "3")


def wait_until(page: Page, condition: str) -> None:
    """Wait for a condition, a function; Playwright's own way is forbidden by the site's Content-Security-Policy."""
    for _ in range(600):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(condition)
