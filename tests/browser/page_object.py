"""Page object: draws, opens files and reads the page as a person does, and records errors."""

from collections.abc import Sequence
from typing import Any, cast

from playwright.sync_api import BrowserContext, ConsoleMessage, FilePayload, Locator, Page, Route

from .strokes import DIGITS, Point, Stroke, placed

# Counts the page's requests. With `delay`, an answer comes late, even if its request was aborted: it really arrives
# after the page has moved on.
SPY = """
window.asks = { count: 0, flight: 0, most: 0, delay: 0, bodies: [] };
const reallyFetch = window.fetch;
window.fetch = async (path, init) => {
  if (!String(path).startsWith("v1/predict")) return reallyFetch(path, init);
  const asks = window.asks;
  asks.count++;
  asks.most = Math.max(asks.most, ++asks.flight);
  asks.bodies.push(init.body);
  try {
    if (!asks.delay) return await reallyFetch(path, init);
    const reply = await reallyFetch(path, { ...init, signal: undefined });
    await new Promise((wake) => setTimeout(wake, asks.delay));
    return reply;
  } finally {
    asks.flight--;
  }
};
"""
# Playwright's wait_for_function evaluates a string, which the service's Content-Security-Policy forbids.
SETTLE = """async () => {
  const isSettled = () => asks.count > 0 && document.getElementById("form").ariaBusy === "false";
  for (let i = 0; i < 1000 && !isSettled(); i++) await new Promise((wake) => setTimeout(wake, 10));
  return isSettled();
}"""
# Chromium warns about repeated reads of a canvas, so this reads a copy of the one pixel.
GREY = """([x, y]) => {
  const canvas = document.querySelector("canvas");
  const probe = new OffscreenCanvas(1, 1).getContext("2d");
  probe.drawImage(canvas, -Math.round(x * canvas.width), -Math.round(y * canvas.height));
  return probe.getImageData(0, 0, 1, 1).data[0];
}"""
MIDDLE = (0.35, 0.25, 0.3, 0.5)

Box = tuple[float, float, float, float]  # left, top, width, height as fractions of the canvas


def cut_off(where: Page | BrowserContext, base: str, found: list[str]) -> None:
    """Refuse and record every request to a host other than that of `base`."""

    def refuse(route: Route) -> None:
        found.append(f"request to {route.request.url}")
        route.abort()

    where.route(lambda url: not url.startswith(base), refuse)


class InkdigitPage:
    """One open page and the problems that it reported."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.found: list[str] = []
        self.forgiven: list[str] = []
        page.add_init_script(SPY)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.found.append(f"page error: {error}"))

    def fresh(self) -> "InkdigitPage":
        """Reload the page and forget earlier problems."""
        self.page.mouse.up()
        self.page.goto(self.base)
        self.found.clear()
        self.forgiven.clear()
        return self

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.found.append(f"console {message.type}: {message.text}")

    def forgive(self, text: str) -> None:
        """Ignore problems that contain a text: the browser logs every refusal of the service."""
        self.forgiven.append(text)

    @property
    def problems(self) -> list[str]:
        return [problem for problem in self.found if not any(text in problem for text in self.forgiven)]

    def read_numbers(self) -> None:
        """Let the service read numbers; else `conftest.without_number` answers for it."""
        self.page.route("**/v1/read**", lambda route: route.continue_())

    def part(self, name: str) -> Locator:
        return self.page.get_by_test_id(name)

    def text(self, name: str) -> str:
        return self.part(name).inner_text()

    def asks(self, key: str) -> int:
        return cast(int, self.page.evaluate(f"asks.{key}"))

    def at(self, x: float, y: float) -> Point:
        """Return the window position of a point on the canvas, given as fractions of its sides."""
        box = self.part("canvas").bounding_box()
        assert box is not None
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def strokes(self, digit: int, box: Box = MIDDLE) -> list[Stroke]:
        (left, top), (right, bottom) = self.at(box[0], box[1]), self.at(box[0] + box[2], box[1] + box[3])
        return placed(DIGITS[digit], left, top, right - left, bottom - top)

    def draw(self, strokes: Sequence[Stroke]) -> None:
        """Draw with the mouse."""
        for stroke in strokes:
            self.press(stroke)
            self.page.mouse.up()

    def press(self, stroke: Stroke) -> None:
        """Draw one stroke and keep the button down."""
        self.page.mouse.move(*stroke[0])
        self.page.mouse.down()
        for point in stroke[1:]:
            self.page.mouse.move(*point, steps=1)

    def draw_by_finger(self, strokes: Sequence[Stroke]) -> None:
        client = self.page.context.new_cdp_session(self.page)

        def touch(kind: str, *points: Point) -> None:
            places = [{"x": x, "y": y} for x, y in points]
            client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

        for stroke in strokes:
            touch("touchStart", stroke[0])
            for point in stroke[1:]:
                touch("touchMove", point)
            touch("touchEnd")
        client.detach()

    def settle(self) -> None:
        """Wait until the last request is answered."""
        assert self.page.evaluate(SETTLE), "the page sent no request, or keeps sending"

    def read(self, digit: int, box: Box = MIDDLE, *, by_finger: bool = False) -> str:
        """Draw a digit on the empty canvas, return the digit that is read, and clear."""
        strokes = self.strokes(digit, box)
        if by_finger:
            self.draw_by_finger(strokes)
        else:
            self.draw(strokes)
        self.settle()
        digit_read = self.text("digit")
        self.page.keyboard.press("Escape")
        return digit_read

    def open(self, *files: FilePayload) -> None:
        self.part("upload").set_input_files(list(files))

    def hand_over(self, event: str, files: Sequence[tuple[str, str, bytes]]) -> None:
        """Paste or drop files (name, type, bytes) anywhere on the page."""
        self.page.evaluate(
            """([event, files]) => {
              const data = new DataTransfer();
              for (const [name, type, bytes] of files)
                data.items.add(new File([new Uint8Array(bytes)], name, { type }));
              const init = { bubbles: true, cancelable: true };
              document.querySelector("footer").dispatchEvent(
                event === "paste"
                  ? new ClipboardEvent(event, { ...init, clipboardData: data })
                  : new DragEvent(event, { ...init, dataTransfer: data }));
            }""",
            [event, [[name, kind, list(data)] for name, kind, data in files]],
        )

    def evaluate(self, script: str) -> Any:
        return self.page.evaluate(script)

    def drawing(self) -> str:
        """Return the canvas as a data URL."""
        return cast(str, self.page.evaluate("document.querySelector('canvas').toDataURL()"))

    def grey(self, x: float, y: float) -> int:
        """Return one pixel, 0 ink to 255 paper, at fractions of the canvas's sides."""
        return cast(int, self.page.evaluate(GREY, [x, y]))
