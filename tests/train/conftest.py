"""What all tests of training share."""

import pytest


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Return a started command one thread: on small data several wait for each other, for minutes beside other work."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
