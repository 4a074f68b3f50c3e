"""What every door does before it opens: settings, extras, the port, and the word that it answers."""

import contextlib
import errno
import http.client
import socket
import tempfile
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import CliApp, CliSettingsSource

from ..settings import DoorSettings, explain

TRACES = "OTEL_EXPORTER_OTLP_ENDPOINT"  # OpenTelemetry's own name; where it is set, spans go there
MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"  # Prometheus's own name, of a folder in which several workers count together
READY_POLL = 0.1  # seconds
S = TypeVar("S", bound=DoorSettings)


class SetupError(Exception):
    """Say in one sentence why a door cannot open."""


def read_settings(kind: type[S], flags: Sequence[str]) -> S:
    """Read a command's flags, whose names, help and defaults are the settings' own. Raises SetupError."""
    try:
        source = CliSettingsSource[S](kind, add_argument_method=_add_argument)
        return CliApp.run(kind, cli_args=list(flags), cli_settings_source=source)
    except ValidationError as error:
        raise SetupError(explain(error)) from error


def _add_argument(parser: ArgumentParser, *names: str, **options: Any) -> None:
    """Add an option; one of several texts is shown as such, and not as Python writes its type and an empty tuple."""
    if str(options.get("metavar")).startswith("tuple["):
        options |= {"metavar": "str,...", "help": options["help"].removesuffix(" (default: ())")}
    parser.add_argument(*names, **options)


def need_extra(extra: str, module: str = "") -> None:
    """Check that an extra's module is there, by default the one of its name. Raises SetupError."""
    try:
        found = find_spec(module or extra)
    except ModuleNotFoundError:  # nor is the package that it is in
        found = None
    if found is None:
        raise SetupError(f"{extra.title()} is not installed: pip install 'inkdigit[{extra}]'.")


def with_free_port(settings: S) -> S:
    """Take the port for a moment, as a server would share it with whoever has it; name it. Raises SetupError.

    A host's name becomes its address, as Granian takes no other.
    """
    host, port = free_address(settings.host, settings.port)
    return settings.model_copy(update={"host": host, "port": port})


def free_address(host: str, port: int) -> tuple[str, int]:
    """Give a host's address, and the port, or a free one for 0. Raises SetupError where it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as taken:
            address, port, *_ = taken.getsockname()
            return address, port
    except TypeError as error:  # of the encoding of names
        raise SetupError(f"{host} is no host's name.") from error
    except OSError as error:
        reason = "another program uses it" if error.errno == errno.EADDRINUSE else error.strerror or error
        raise SetupError(f"Cannot listen on {host}:{port}: {reason}.") from error


@contextlib.contextmanager
def scratch(what: str) -> Iterator[str]:
    """Make a folder to keep something in, for as long as a door is open. Raises SetupError."""
    try:
        folder = tempfile.TemporaryDirectory(prefix=f"inkdigit-{what}-")
    except OSError as error:
        raise SetupError(f"There is no place to keep {what} in: {error.strerror}.") from error
    with folder as name:
        yield name


def announce(name: str, host: str, port: int, path: str, say: Callable[[str], None]) -> None:
    """Say a door's address as soon as it answers on `path`, from a thread."""
    host = reachable(host)

    def wait() -> None:
        while not answers(host, port, path):
            time.sleep(READY_POLL)
        say(f"{name} is at http://{f'[{host}]' if ':' in host else host}:{port}")

    threading.Thread(target=wait, daemon=True).start()


def reachable(host: str) -> str:
    """Give the address by which this machine reaches what listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def answers(host: str, port: int, path: str) -> bool:
    """Tell whether a GET of `path` is answered with 200."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    return False
