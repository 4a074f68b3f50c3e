"""The review page in Chromium, opened as a file."""

import csv
import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, expect

from inkdigit.forms.review import review_page
from inkdigit.forms.table import Cell, Table, crop_of

CROP = crop_of(Image.new("RGB", (60, 40), "white"), (5, 5, 50, 30))


def table() -> Table:
    sure = Cell("42", 0.99, True, (), "</script><b>a</b>.png", CROP)
    unsure = Cell("-7", 0.4, False, ("-1", "-4"), "=1+1.png", CROP)
    return Table(["file", "text", "is_sure"], [["</script><b>a</b>.png", sure, True], ["=1+1.png", unsure, False]])


def test_what_is_not_sure_comes_first_and_the_csv_holds_the_corrections(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "review.html").write_text(review_page(table(), "marks.csv"), encoding="utf-8")
    page = browser.new_page(offline=True)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto((tmp_path / "review.html").as_uri())
    texts = page.get_by_role("textbox")
    expect(texts).to_have_count(2)
    assert [field.input_value() for field in texts.all()] == ["-7", "42"]
    assert page.locator("img").evaluate_all("images => images.every((image) => image.naturalWidth > 0)")
    page.get_by_role("button", name="-1").click()
    texts.nth(1).fill("043")
    expect(page.get_by_text("2 read, 1 not sure, 2 corrected")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save CSV").click()
    assert download.value.suggested_filename == "marks.csv"
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text())))
    assert rows == [
        ["file", "text", "is_sure"],
        ["</script><b>a</b>.png", "043", "True"],
        ["'=1+1.png", "-1", "False"],
    ]
    assert problems == []
    page.close()
