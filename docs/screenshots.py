"""Take the screenshots of the documentation: run `python -m docs.screenshots` in the repository's root."""

from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.browser import test_forms, test_gradio, test_streamlit
from tests.browser.canvas import draw
from tests.browser.page_object import InkdigitPage
from tests.browser.test_files import payload
from tests.chromium import ARGUMENTS, CHROMIUM, PATIENCE
from tests.forms.sheets import CODE, MARK, blank, filled
from tests.serving import serving

FOLDER = Path(__file__).parent / "pictures"
EXAMPLES = Path(__file__).parent.parent / "src/inkdigit/demos/examples"
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


def of_the_page(browser: Browser, address: str) -> None:
    """Take screenshots of a digit, its explanation, a table of files, a number, and a phone in dark mode."""
    ui = InkdigitPage(browser.new_page(viewport=WIDE), address).fresh()
    ui.draw(ui.strokes(4))
    ui.settle()
    shoot(ui.page, "page")
    ui.page.get_by_text("How it sees it").click()
    ui.part("why").wait_for()
    shoot(ui.page, "how-it-sees-it", "[data-testid=explanation]")
    ui.open(*[payload(path.name[2:], path.read_bytes()) for path in sorted(EXAMPLES.glob("*.png"))])
    ui.page.get_by_role("button", name="Download CSV").wait_for()
    shoot(ui.page, "table", "[data-testid=files]")
    ui.fresh()
    ui.draw([*ui.strokes(4, (0.25, 0.3, 0.2, 0.4)), *ui.strokes(2, (0.46, 0.3, 0.2, 0.4))])
    expect(ui.part("number")).to_have_text("42")
    ui.settle()
    shoot(ui.page, "number")
    of_forms(ui.fresh())
    phone = browser.new_page(viewport=PHONE, color_scheme="dark", has_touch=True, is_mobile=True)
    ui = InkdigitPage(phone, address).fresh()
    ui.draw_by_finger(ui.strokes(3))
    ui.settle()
    shoot(phone, "phone")


def of_forms(ui: InkdigitPage) -> None:
    """Take a screenshot of two fields on a sheet, and the table of three sheets."""
    test_forms.open_sheet(ui, test_forms.payload("blank.png", blank()))
    test_forms.mark(ui, CODE, "code")
    test_forms.mark(ui, MARK, "mark")
    sheets = [test_forms.payload(f"{place}.png", filled(*marks)) for place, marks in enumerate(test_forms.MARKS[:3], 1)]
    ui.part("sheets").set_input_files(sheets)
    expect(ui.part("form-csv")).to_be_enabled()
    shoot(ui.page, "forms", "[data-testid=forms]")


def of_gradio(browser: Browser, address: str) -> None:
    """Take a screenshot of a drawing."""
    page = browser.new_page(viewport=WIDE)
    page.goto(address)
    draw(page, 4)
    test_gradio.expect_digit(page, "4")
    shoot(page, "gradio")


def of_streamlit(browser: Browser, address: str) -> None:
    """Take a screenshot of a drawing."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(address)
    draw(page, 2)
    test_streamlit.expect_digit(page, "2")
    page.locator("[data-testid=stVegaLiteChart] svg").wait_for()
    shoot(page, "streamlit")


def shoot(page: Page, name: str, part: str = "body") -> None:
    """Save a screenshot of the window, or of a part of the page."""
    page.mouse.move(1, 1)
    page.wait_for_timeout(500)  # animations of bars and charts end
    path = FOLDER / f"{name}.png"
    if part == "body":
        page.screenshot(path=path)
    else:
        page.locator(part).screenshot(path=path)


def main() -> None:
    """Start each server in turn and take its screenshots."""
    FOLDER.mkdir(exist_ok=True)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS.split())
        for command, take in {"serve": of_the_page, "gradio": of_gradio, "streamlit": of_streamlit}.items():
            with serving(command=command) as service:
                take(browser, f"{service.url}/")
        browser.close()


if __name__ == "__main__":
    main()
