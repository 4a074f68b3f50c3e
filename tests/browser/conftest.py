"""Chromium, cut off from everything but one started service."""

import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, ViewportSize, expect, sync_playwright

from inkdigit.model_file import DEFAULT_MODEL, model_path

from ..serving import Service, serving
from .desk import Desk, cut_off

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)

PATIENCE = 20_000  # ms that something expected may take: other work on a machine must fail no test
WINDOW: ViewportSize = {"width": 1280, "height": 800}
OpenDesk = Callable[..., Desk]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to a failed test's report what its pages say: a failure on another machine cannot be looked at."""
    report = yield
    browser = getattr(item, "funcargs", {}).get("browser")
    if report.failed and isinstance(browser, Browser):
        for page in [page for context in browser.contexts for page in context.pages]:
            report.sections.append((page.url, page.locator("body").aria_snapshot()))
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS.split())
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, base: str, **options: Any) -> Iterator[Desk]:
    """Open the page in a context of its own, in which every other host is refused and noted."""
    context = browser.new_context(**options)
    desk = Desk(context.new_page(), base)
    cut_off(context, base, desk.found)
    yield desk
    context.close()


@pytest.fixture
def open_desk(browser: Browser, service: Service) -> Iterator[OpenDesk]:
    """Open the page as on some device; afterwards nothing may have gone wrong there."""
    with ExitStack() as stack:
        desks: list[Desk] = []

        def open_one(**options: Any) -> Desk:
            desks.append(stack.enter_context(opened(browser, f"{service.url}/", **options)))
            return desks[-1].fresh()

        yield open_one
        assert [problem for desk in desks for problem in desk.problems] == []


@pytest.fixture(scope="session")
def window(browser: Browser, service: Service) -> Iterator[Desk]:
    with opened(browser, f"{service.url}/", viewport=WINDOW) as desk:
        yield desk


@pytest.fixture
def desk(window: Desk) -> Iterator[Desk]:
    """Open the page in a window of 1280×800, which the tests use one after another: that is faster than new ones."""
    window.page.unroute_all()
    window.page.set_viewport_size(WINDOW)
    yield window.fresh()
    assert window.problems == []


@pytest.fixture(scope="session")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give a second model: a copy of the first under another name."""
    copy = shutil.copy(model_path(DEFAULT_MODEL), tmp_path_factory.mktemp("models") / "copy.onnx")
    return f"other={copy}"


@pytest.fixture(scope="session")
def gradio(other_model: str) -> Iterator[Service]:
    """Start the Gradio app with two models."""
    pytest.importorskip("gradio", reason="the extra gradio is not installed")
    with serving("--model", DEFAULT_MODEL, "--model", other_model, door="gradio") as started:
        yield started


@pytest.fixture(scope="session")
def streamlit(other_model: str) -> Iterator[Service]:
    """Start the Streamlit app with two models."""
    pytest.importorskip("streamlit", reason="the extra streamlit is not installed")
    with serving("--model", DEFAULT_MODEL, "--model", other_model, door="streamlit") as started:
        yield started
