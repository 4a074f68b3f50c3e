"""Start a server: settings, extras, a free port, and the line that says where it listens."""

import contextlib
import errno
import http.client
import os
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

from ..settings import ServerSettings, explain

TRACES = "OTEL_EXPORTER_OTLP_ENDPOINT"  # OpenTelemetry's variable: spans are sent there if it is set
MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"  # Prometheus's variable: the folder that workers share
UPLOADS = "GRADIO_TEMP_DIR"  # Gradio's variable
READY_POLL = 0.1  # seconds
S = TypeVar("S", bound=ServerSettings)


class SetupError(Exception):
    """A server cannot start: one sentence that says why."""


def read_settings(kind: type[S], flags: Sequence[str]) -> S:
    """Parse a command's flags; names, help and defaults come from the settings. Raises SetupError."""
    try:
        source = CliSettingsSource[S](kind, add_argument_method=_add_argument)
        return CliApp.run(kind, cli_args=list(flags), cli_settings_source=source)
    except ValidationError as error:
        raise SetupError(explain(error)) from error


def _add_argument(parser: ArgumentParser, *names: str, **options: Any) -> None:
    """Add an option; show a tuple option as `str,...`, and a secret one as `str`, not as Python's type."""
    if options.get("metavar") == "SecretStr":
        options |= {"metavar": "str", "help": options["help"].removesuffix(" (default: )")}
    if str(options.get("metavar")).startswith("tuple["):
        options |= {"metavar": "str,...", "help": options["help"].removesuffix(" (default: ())")}
    parser.add_argument(*names, **options)


def need_extra(extra: str, module: str = "") -> None:
    """Raise SetupError if an extra's module is missing; by default the module has the extra's name."""
    try:
        found = find_spec(module or extra)
    except ModuleNotFoundError:  # its package is missing too
        found = None
    if found is None:
        raise SetupError(f"{extra.title()} is not installed: pip install 'inkdigit[{extra}]'.")


def with_free_port(settings: S) -> S:
    """Return the settings with a numeric address and a port that is free. Raises SetupError.

    Granian would share a port that another program has, and takes no host names.
    """
    host, port = free_address(settings.host, settings.port)
    return settings.model_copy(update={"host": host, "port": port})


def free_address(host: str, port: int) -> tuple[str, int]:
    """Return a host's address and the port, or a free one for 0. Raises SetupError if it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as taken:
            address, port, *_ = taken.getsockname()
            return address, port
    except TypeError as error:  # from encoding the name
        raise SetupError(f"{host} is no host's name.") from error
    except OSError as error:
        reason = "another program uses it" if error.errno == errno.EADDRINUSE else error.strerror or error
        raise SetupError(f"Cannot listen on {host}:{port}: {reason}.") from error


@contextlib.contextmanager
def scratch(what: str) -> Iterator[str]:
    """Make a temporary folder for as long as a server runs. Raises SetupError."""
    try:
        folder = tempfile.TemporaryDirectory(prefix=f"inkdigit-{what}-")
    except OSError as error:
        raise SetupError(f"There is no place to keep {what} in: {error.strerror}.") from error
    with folder as name:
        yield name


@contextlib.contextmanager
def own_uploads() -> Iterator[None]:
    """Keep Gradio's uploads in a folder of this server's own, unless the user named one.

    Gradio names them by their content, and a server that stops would delete those of another on the same machine.
    """
    if UPLOADS in os.environ:
        yield
        return
    with scratch("uploads") as folder:
        os.environ[UPLOADS] = folder
        try:
            yield
        finally:
            del os.environ[UPLOADS]


def announce(name: str, host: str, port: int, path: str, say: Callable[[str], None]) -> None:
    """Print a server's address, from a thread, as soon as it answers on `path`."""
    host = reachable(host)

    def wait() -> None:
        while not is_answering(host, port, path):
            time.sleep(READY_POLL)
        say(f"{name} is at http://{f'[{host}]' if ':' in host else host}:{port}")

    threading.Thread(target=wait, daemon=True).start()


def reachable(host: str) -> str:
    """Return the address by which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def is_answering(host: str, port: int, path: str) -> bool:
    """Return whether a GET of `path` is answered with 200."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    return False
