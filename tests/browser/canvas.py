"""Draw on the canvas that Gradio and Streamlit share."""

from playwright.sync_api import Locator, Page

from .strokes import DIGITS, placed


def canvas(page: Page) -> Locator:
    return page.get_by_label("Drawing area. Write a digit here.")


MIDDLE = (0.3, 0.2, 0.4, 0.6)  # left, top, width, height as fractions of the canvas


def draw(page: Page, digit: int, place: tuple[float, float, float, float] = MIDDLE) -> None:
    """Draw a digit as soon as there is a canvas, without choosing a tool."""
    box = canvas(page).bounding_box()
    assert box is not None
    left, top, width, height = (part * box["width"] for part in place)
    for stroke in placed(DIGITS[digit], box["x"] + left, box["y"] + top, width, height):
        page.mouse.move(*stroke[0])
        page.mouse.down()
        for point in stroke[1:]:
            page.mouse.move(*point, steps=3)
        page.mouse.up()
