"""Fixtures that several tests share."""

from collections.abc import Iterator

import httpx
import pytest

from .serving import Service, serving


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """One started service for all tests that leave it as it was."""
    with serving("--body-timeout", "1.5") as started:
        yield started


@pytest.fixture(scope="session")
def client(service: Service) -> httpx.Client:
    """Real HTTP to the started service."""
    return service.http


LONGEST = ("test_run.py", "test_custom_dataset.py", "test_notebooks.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the longest tests first: at the end, all but one process would wait for them."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
