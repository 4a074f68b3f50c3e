"""Fixtures: the static site, served, and its page in Chromium."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from inkdigit.files import atomic_path
from inkdigit.site.build import build_site
from inkdigit.site.runtime import BINARY, SCRIPT, VERSION, find_runtime

from ..browser.conftest import WINDOW
from ..browser.page_object import cut_off
from .page import SitePage
from .serving import static_server

Run = Callable[..., Any]


@pytest.fixture(scope="session")
def runtime(request: pytest.FixtureRequest) -> Path:
    """Return a folder with onnxruntime-web's files, which npm fetches once."""
    kept = Path(request.config.cache.mkdir(f"onnxruntime-web-{VERSION}"))
    if not (kept / BINARY).exists():
        if shutil.which("npm") is None:  # any other failure, such as a wrong hash, must show
            pytest.skip("npm, which fetches onnxruntime-web, is not installed")
        with find_runtime(None) as found:
            for name in (SCRIPT, BINARY):
                with atomic_path(kept / name) as draft:
                    shutil.copy(found / name, draft)
    return kept


@pytest.fixture(scope="session")
def site(runtime: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a built site."""
    out = tmp_path_factory.mktemp("site")
    build_site(out, runtime)
    return out


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Serve the site."""
    with static_server(site) as (address, _):
        yield address


@pytest.fixture(scope="session")
def window(browser: Browser, address: str) -> Iterator[SitePage]:
    context = browser.new_context(viewport=WINDOW, service_workers="block")
    ui = SitePage(context.new_page(), address)
    cut_off(context, address, ui.found)
    yield ui
    context.close()


@pytest.fixture
def ui(window: SitePage) -> Iterator[SitePage]:
    """Open the page in a window of 1280×800 that the tests share."""
    window.page.set_viewport_size(WINDOW)
    ui = window.fresh()
    ui.forgive("registration blocked by Playwright")
    yield ui
    assert ui.problems == []


@pytest.fixture(scope="session")
def run(browser: Browser, address: str, site: Path) -> Iterator[Run]:
    """Return a function that calls a function of the site's modules with JSON values, and returns its result."""
    (folder,) = site.glob("web-*")
    with browser.new_context(service_workers="block") as context:
        page: Page = context.new_page()
        page.goto(f"{address}manifest.webmanifest")

        def call(modules: str, script: str, *values: Any) -> Any:
            """Evaluate `script`, a function of what the modules export and of the values."""
            imported = ", ".join(f"await import('/{folder.name}/reader/{module}.js')" for module in modules.split())
            exports = f"Object.assign({{}}, {imported})"
            line = f"async (json) => JSON.stringify(await ({script})({exports}, ...JSON.parse(json)))"
            return json.loads(page.evaluate(line, json.dumps(values)))  # Playwright's own way is slow for long lists

        yield call
