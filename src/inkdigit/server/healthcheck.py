"""Tell whether the service lives, as a container's health check asks: `python -m inkdigit.server.healthcheck`."""

import sys

from ..settings import Settings
from .launch import answers, reachable


def main() -> int:
    """Ask the service that the variables describe; give 0 where it answers, and 1 where it does not."""
    settings = Settings()
    return int(not answers(reachable(settings.host), settings.port, "/healthz"))


if __name__ == "__main__":
    sys.exit(main())
