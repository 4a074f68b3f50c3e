"""Fixtures: Chromium, which can reach nothing but the service under test."""

import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, ViewportSize

from inkdigit.model_file import DEFAULT_MODEL, model_path

from ..serving import Service, serving
from .page_object import InkdigitPage, cut_off

WINDOW: ViewportSize = {"width": 1280, "height": 800}
OpenPage = Callable[..., InkdigitPage]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the text of the open pages to a failed test's report, for failures on other machines."""
    report = yield
    browser = getattr(item, "funcargs", {}).get("browser")
    if report.failed and isinstance(browser, Browser):
        for page in [page for context in browser.contexts for page in context.pages]:
            report.sections.append((page.url, page.locator("body").aria_snapshot()))
    return report


def without_number(route: Route) -> None:
    """Answer that there is no number: reading takes far longer than predicting, and most tests are about digits."""
    empty = {"text": "", "confidence": 1.0, "is_sure": True, "numbers": []}
    route.fulfill(json={"results": [empty] * 16} if "batch" in route.request.url else empty)


@contextmanager
def opened(browser: Browser, base: str, **options: Any) -> Iterator[InkdigitPage]:
    """Open the page in a browser context of its own; requests to other hosts are refused and recorded."""
    context = browser.new_context(**options)
    ui = InkdigitPage(context.new_page(), base)
    cut_off(context, base, ui.found)
    context.route("**/v1/read**", without_number)
    yield ui
    context.close()


@pytest.fixture
def open_page(browser: Browser, service: Service) -> Iterator[OpenPage]:
    """Return a function that opens the page as on some device; fail if a page reported a problem."""
    with ExitStack() as stack:
        pages: list[InkdigitPage] = []

        def open_one(**options: Any) -> InkdigitPage:
            pages.append(stack.enter_context(opened(browser, f"{service.url}/", **options)))
            return pages[-1].fresh()

        yield open_one
        assert [problem for ui in pages for problem in ui.problems] == []


@pytest.fixture(scope="session")
def window(browser: Browser, service: Service) -> Iterator[InkdigitPage]:
    with opened(browser, f"{service.url}/", viewport=WINDOW) as ui:
        yield ui


@pytest.fixture
def ui(window: InkdigitPage) -> Iterator[InkdigitPage]:
    """Open the page in a window of 1280×800 that the tests share, which is faster than one each."""
    window.page.unroute_all()
    window.page.set_viewport_size(WINDOW)
    yield window.fresh()
    assert window.problems == []


@pytest.fixture(scope="session")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a second model: a copy of the shipped one under another name."""
    copy = shutil.copy(model_path(DEFAULT_MODEL), tmp_path_factory.mktemp("models") / "copy.onnx")
    return f"other={copy}"


@pytest.fixture(scope="session")
def gradio(other_model: str) -> Iterator[Service]:
    """Start the Gradio app with two models."""
    pytest.importorskip("gradio", reason="the extra gradio is not installed")
    with serving("--model", DEFAULT_MODEL, "--model", other_model, command="gradio") as started:
        yield started


@pytest.fixture(scope="session")
def streamlit(other_model: str) -> Iterator[Service]:
    """Start the Streamlit app with two models."""
    pytest.importorskip("streamlit", reason="the extra streamlit is not installed")
    with serving("--model", DEFAULT_MODEL, "--model", other_model, command="streamlit") as started:
        yield started
