"""The static site in a real Chromium: bytes of the first visit, seconds to an answer, milliseconds from pen-up to one.

    python bench/site.py [--drawings 40] [--runtime DIR]

The site comes from a server that compresses nothing. A first visit ends when the service worker keeps the site; its
bytes are all that the server has sent. A repeat visit opens the page in a new tab, at a fourth of the processor's speed
(which Chromium's own tools set, and which slows the page's thread but not its workers), draws a seven at once and waits
for the answer. Then digits and two-digit numbers are drawn by mouse at several places, and two times are taken from the
page's pointerup: until the prediction of the complete strokes is there, and until the number is. Wanted: at most
6.5 MB, 2 s, and 95th percentiles of 60 ms and 400 ms.
"""

import argparse
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import BrowserContext, FloatRect, Page, sync_playwright

from inkdigit.site.build import build_site
from inkdigit.site.runtime import find_runtime
from page import draw

SLOWDOWN = 4
SECONDS = 120  # that anything may take

# Notes when the worker has answered about what was drawn last, by its job: the answer to an earlier one comes first.
WATCH = """
window.took = { predict: [], read: [] };
let lifted = 0;
const reallyPost = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (message) {
  const start = lifted;
  const note = ({ data }) => {
    if (data.file) return;
    this.removeEventListener("message", note);
    if (start && start === lifted && took[message.kind]) took[message.kind].push(performance.now() - start);
  };
  this.addEventListener("message", note);
  return reallyPost.call(this, message);
};
addEventListener("pointerup", () => (lifted = performance.now()), true);
"""


class Counting(SimpleHTTPRequestHandler):
    """Send files, and count their bytes."""

    sent = 0

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing."""

    def copyfile(self, source, outputfile) -> None:  # type: ignore[no-untyped-def]
        """Send a file."""
        data = source.read()
        Counting.sent += len(data)
        outputfile.write(data)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder and yield its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Counting, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def wait(page: Page, condition: str) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + SECONDS
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, condition
        time.sleep(0.01)


def canvas_of(page: Page) -> FloatRect:
    """Return where the canvas is."""
    box = page.get_by_test_id("canvas").bounding_box()
    assert box is not None
    return box


def visit(context: BrowserContext, address: str, slowdown: int) -> tuple[Page, float]:
    """Open the page and draw a seven at once; return the page, and the seconds until the answer is there."""
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    start = time.perf_counter()
    page.goto(address)
    draw(page, canvas_of(page), 0.3, 0.3, 0.4)
    wait(page, "document.querySelector('[data-testid=digit]').textContent !== ''")
    return page, time.perf_counter() - start


def measure(page: Page, drawings: int) -> None:
    """Draw digits and numbers, and let the page note how long their answers take."""
    wait(page, "took.read.length > 0")
    page.evaluate("took.predict = [], took.read = []")
    box = canvas_of(page)
    for number in range(drawings):
        page.keyboard.press("Escape")
        for digit in range(1 + number % 2):
            draw(page, box, 0.1 + 0.4 * digit, 0.1 + 0.05 * (number % 5), 0.25 + 0.02 * (number % 5))
        wait(page, f"took.read.length > {number}")


def main() -> None:
    """Build the site, visit it, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drawings", type=int, default=40)
    parser.add_argument("--runtime", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, find_runtime(options.runtime) as runtime:
        build_site(Path(folder) / "site", runtime)
        with served(Path(folder) / "site") as address, sync_playwright() as playwright:
            context = playwright.chromium.launch_persistent_context(
                Path(folder) / "profile",
                executable_path=shutil.which("chromium"),
                args=["--no-sandbox", "--disable-gpu"],
            )
            context.add_init_script(WATCH)
            page, first = visit(context, address, 1)
            wait(page, "navigator.serviceWorker.controller !== null")
            print(f"first visit: {Counting.sent / 1e6:.2f} MB (wanted 6.5), answer after {first:.1f} s")
            time.sleep(5)  # the browser keeps what it has compiled
            page.close()
            page, _ = visit(context, address, 1)
            page.close()
            page, again = visit(context, address, SLOWDOWN)
            print(f"repeat visit, page {SLOWDOWN}× slower: answer after {again:.1f} s (wanted 2)")
            page.close()
            page, _ = visit(context, address, 1)
            measure(page, options.drawings)
            for name, wanted in (("predict", 60), ("read", 400)):
                took = page.evaluate(f"took.{name}")
                p95 = statistics.quantiles(took, n=20)[18]
                print(f"pen-up to {name}: median {statistics.median(took):.0f} ms, p95 {p95:.0f} ms (wanted {wanted})")
            context.close()


if __name__ == "__main__":
    main()
