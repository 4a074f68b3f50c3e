"""A web server as simple as any that people have: it sends files, and compresses nothing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Quiet(SimpleHTTPRequestHandler):
    """Send a folder's files, and note which."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if code == HTTPStatus.OK:
            self.server.sent.append(self.path)  # type: ignore[attr-defined]


@contextmanager
def static_server(folder: Path, port: int = 0) -> Iterator[tuple[str, list[str]]]:
    """Serve a folder; yield its address and the paths of the files that are sent."""
    with ThreadingHTTPServer(("127.0.0.1", port), partial(Quiet, directory=str(folder))) as server:
        server.daemon_threads = True
        sent: list[str] = []
        server.sent = sent  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", sent
        finally:
            server.shutdown()
            thread.join()
