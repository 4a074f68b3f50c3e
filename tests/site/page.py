"""The static site's page: the page object of the browser tests, whose requests go to workers."""

from playwright.sync_api import Page

from ..browser.page_object import InkdigitPage

# Counts what workers are asked to predict, as `page_object.SPY` counts requests. A reading is answered at once, with no
# number, unless `asks.reads`: it takes far longer than a prediction, and most tests are about digits.
SPY = """
const empty = { text: "", confidence: 1, is_sure: true, numbers: [] };
const reallyPost = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (message) {
  if (message.kind === "read" && !asks.reads)
    return setTimeout(() => this.dispatchEvent(new MessageEvent("message", { data: { answer: empty } })));
  if (message.kind === "predict") {
    asks.count++;
    asks.most = Math.max(asks.most, ++asks.flight);
    asks.bodies.push(message.blob);
    const count = ({ data }) => {
      if (data.file) return;
      asks.flight--;
      this.removeEventListener("message", count);
    };
    this.addEventListener("message", count);
  }
  return reallyPost.call(this, message);
};
"""


class SitePage(InkdigitPage):
    """One open page of the static site."""

    def __init__(self, page: Page, base: str) -> None:
        super().__init__(page, base)
        self.page.add_init_script(SPY)
        self.is_open = False

    def fresh(self) -> "SitePage":
        """Empty the page and forget earlier problems; it is loaded once, because the models take long."""
        if not self.is_open:
            super().fresh()
            self.is_open = True
        self.page.mouse.up()
        self.page.keyboard.press("Escape")
        self.evaluate(
            """scrollTo(0, 0);
            document.getElementById("explanation").open = false;
            document.getElementById("close").click();
            Object.assign(asks, { count: 0, most: 0, bodies: [], reads: false })"""
        )
        self.found.clear()
        self.forgiven.clear()
        return self

    def read_numbers(self) -> None:
        """Let the worker read numbers; else `SPY` answers for it."""
        self.evaluate("asks.reads = true")
