"""Check that the service answers, for a container's health check: `python -m inkdigit.server.healthcheck`."""

import sys

from ..settings import Settings
from .launch import is_answering, reachable


def main() -> int:
    """Return 0 if the service that the variables describe answers, else 1."""
    settings = Settings()
    return int(not is_answering(reachable(settings.host), settings.port, "/healthz"))


if __name__ == "__main__":
    sys.exit(main())
