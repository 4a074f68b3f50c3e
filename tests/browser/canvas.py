"""Draw on the canvas that Gradio and Streamlit share."""

from playwright.sync_api import Locator, Page

from .strokes import DIGITS, placed


def canvas(page: Page) -> Locator:
    return page.get_by_label("Drawing area. Write a digit here.")


def draw(page: Page, digit: int) -> None:
    """Draw a digit as soon as there is a canvas, without choosing a tool."""
    box = canvas(page).bounding_box()
    assert box is not None
    side = box["width"]
    for stroke in placed(DIGITS[digit], box["x"] + 0.3 * side, box["y"] + 0.2 * side, 0.4 * side, 0.6 * side):
        page.mouse.move(*stroke[0])
        page.mouse.down()
        for point in stroke[1:]:
            page.mouse.move(*point, steps=3)
        page.mouse.up()
