"""Fixtures that several tests share."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import pytest

from .serving import Service, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """One Chromium for all tests: Playwright starts once in a process."""
    from .chromium import chromium

    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """One started service for all tests that leave it as it was."""
    with serving("--body-timeout", "1.5") as started:
        yield started


@pytest.fixture(scope="session")
def client(service: Service) -> httpx.Client:
    """Real HTTP to the started service."""
    return service.http


LONGEST = ("test_run.py", "test_custom_dataset.py", "test_notebooks.py", "test_correction_run.py")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Start every process with its share of the longest tests: at the end, all but one would wait for them.

    pytest-xdist splits the tests into as many runs as there are processes, which later take tests from each other.
    """
    count: int = getattr(config, "workerinput", {"workercount": 1})["workercount"]
    longest = [item for item in items if item.path.name in LONGEST]
    others = [item for item in items if item.path.name not in LONGEST]
    size = -(-len(items) // count)
    items[:] = []
    for process in range(count):
        share = longest[process::count]
        items += [*share, *others[: size - len(share)]]
        del others[: size - len(share)]
