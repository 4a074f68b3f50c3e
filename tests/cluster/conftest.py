"""One small Ray cluster for the tests of a process; without Ray they are skipped."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

TRIES = 5
MEMORY = 100 * 1024**2  # bytes of the object store
VARIABLES = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",  # as nice as the tests themselves: on a busy machine, Ray's 15 is too slow
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "120",
    "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "120",
}

if importlib.util.find_spec("ray") is None:
    collect_ignore_glob = ["test_*.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ray's own warnings are not ours."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore"))


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Start a cluster of two cores, and return its address."""
    os.environ |= VARIABLES
    import ray

    start()
    try:
        yield ray.get_runtime_context().gcs_address
    finally:
        ray.shutdown()


def start() -> None:
    """Start it, again where that takes longer than the 30 seconds that Ray allows: the machine is busy."""
    import ray

    for left in reversed(range(TRIES)):
        try:
            ray.init("local", num_cpus=2, object_store_memory=MEMORY, include_dashboard=False, log_to_driver=False)
            return
        except Exception:  # Ray raises just that
            ray.shutdown()
            if not left:
                raise
