"""Milliseconds from pen-up to the answer on the page, in a real Chromium.

    python bench/page.py [--drawings 60]

Sevens are drawn by mouse at several places and sizes, in as many moves as a hand makes in half a second. Two times are
taken from the page's pointerup: until the prediction of the complete strokes is there, which is shown at once (wanted
on loopback: a 95th percentile of 60 ms), and until the page is no longer busy, as the number is read too.
"""

import argparse
import shutil
import statistics
import time

from playwright.sync_api import FloatRect, Page, sync_playwright

from load import started

WATCH = """
window.digits = [];
window.times = [];
let lifted = 0;
const reallyFetch = window.fetch;
window.fetch = async (path, init) => {
  const start = lifted;
  const reply = await reallyFetch(path, init);
  if (start && String(path).startsWith("v1/predict")) {
    window.digits.push(performance.now() - start);
    lifted = 0;
  }
  return reply;
};
addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("form");
  document.querySelector("canvas").addEventListener("pointerup", () => {
    const start = (lifted = performance.now());
    const look = () => {
      if (form.ariaBusy === "true") setTimeout(look, 1);
      else window.times.push(performance.now() - start);
    };
    setTimeout(look, 0);
  });
});
"""


def draw(page: Page, box: FloatRect, left: float, top: float, size: float) -> None:
    """Draw a seven; its upper left corner and size are fractions of the canvas."""

    def at(x: float, y: float) -> tuple[float, float]:
        return box["x"] + box["width"] * (left + x * size), box["y"] + box["height"] * (top + y * size)

    page.mouse.move(*at(0, 0))
    page.mouse.down()
    for step in range(1, 31):
        page.mouse.move(*(at(step / 12, 0) if step <= 12 else at(1 - (step - 12) / 30, (step - 12) / 18)))
        time.sleep(0.015)
    page.mouse.up()


def main() -> None:
    """Draw, and print the median, the 95th percentile and the slowest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drawings", type=int, default=60)
    options = parser.parse_args()
    with started(["inkdigit", "serve"], "/readyz") as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.add_init_script(WATCH)
        page.goto(server.url)
        box = page.locator("canvas").bounding_box()
        assert box is not None
        for number in range(options.drawings):
            draw(page, box, 0.1 + 0.05 * (number % 7), 0.1 + 0.05 * (number % 5), 0.25 + 0.05 * (number % 8))
            while len(page.evaluate("() => window.times")) <= number:
                time.sleep(0.02)
            assert page.get_by_test_id("digit").inner_text()
            page.get_by_test_id("clear").click()
        digits, numbers = page.evaluate("() => [window.digits, window.times]")
        browser.close()
    for name, took in (("prediction (wanted 60)", digits), ("number", numbers)):
        p95 = statistics.quantiles(took, n=20)[18]
        print(f"pen-up to {name}: median {statistics.median(took):.0f} ms, p95 {p95:.0f} ms, most {max(took):.0f} ms")


if __name__ == "__main__":
    main()
