"""`/docs` in Chromium: it renders offline, and *Try it out* takes a file and shows the answer."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, Route

from ..pictures import encoded, seven
from ..serving import Service

SEVEN: FilePayload = {"name": "seven.png", "mimeType": "image/png", "buffer": encoded(seven())}


@pytest.fixture
def docs(browser: Browser, service: Service) -> Iterator[Page]:
    page = browser.new_page()
    problems: list[str] = []

    def refuse(route: Route) -> None:
        problems.append(f"request to {route.request.url}")
        route.abort()

    page.route(lambda url: not url.startswith((service.url, "data:", "blob:")), refuse)
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"{service.url}/docs")
    yield page
    page.close()
    assert problems == []


def opened(docs: Page, path: str) -> Locator:
    """Open *Try it out* of the operation at a path."""
    operation = docs.locator(".opblock", has=docs.locator(f".opblock-summary-path[data-path='{path}']"))
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    return operation


def answer(operation: Locator) -> str:
    operation.get_by_role("button", name="Execute").click()
    return operation.locator(".live-responses-table .response-col_description pre").first.inner_text()


@pytest.mark.parametrize("kind", ["multipart/form-data", "image/*"])
def test_a_picture_can_be_tried_out(docs: Page, kind: str) -> None:
    operation = opened(docs, "/v1/predict")
    operation.locator(".body-param-content-type select, select.content-type").first.select_option(kind)
    operation.locator("input[type=file]").set_input_files([SEVEN])
    assert json.loads(answer(operation))["digit"] == 7


def test_a_batch_can_be_tried_out(docs: Page) -> None:
    operation = opened(docs, "/v1/predict/batch")
    if not operation.locator("input[type=file]").count():
        operation.get_by_role("button", name="Add").first.click()
    operation.locator("input[type=file]").first.set_input_files([SEVEN])
    assert [result["digit"] for result in json.loads(answer(operation))["results"]] == [7]
