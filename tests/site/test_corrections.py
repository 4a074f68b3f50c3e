"""What can be downloaded from the static site: corrections as labelled folders, and the picture with boxes."""

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from inkdigit import Recognizer
from inkdigit.image import load_pixels

from ..browser.test_numbers import FOUR, TWO
from .page import SitePage

CORRECT = """async (corrections) => {
  const service = await import(document.querySelector("script").src.replace("app.js", "service.js"));
  const canvas = document.querySelector("canvas");
  const image = () => new Promise((done) => canvas.toBlob(done));
  const receipts = [];
  for (const correction of corrections) receipts.push(await service.correct(image, correction));
  await service.withdraw(receipts.at(-1));
}"""


def test_corrections_become_folders_that_training_takes(ui: SitePage, tmp_path: Path) -> None:
    ui.draw([*ui.strokes(4, FOUR), *ui.strokes(2, TWO)])
    ui.settle()
    given = [("7", None), ("4", [120, 144, 216, 336]), ("42", [120, 144, 320, 336]), ("/", [0, 0, 9, 9]), ("5", None)]
    ui.page.evaluate(CORRECT, [{"label": label, "box": box} for label, box in given])
    with ui.page.expect_download() as download:
        ui.page.get_by_role("button", name="Download 4 corrections").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    pixels = {path.parent.name: load_pixels(path) for path in (tmp_path / "digits").rglob("*.png")}
    assert pixels["7"].shape == (480, 480)
    assert pixels["4"].shape == (192 + 2 * 48, 96 + 2 * 48)
    assert Recognizer().predict(pixels["4"]).digit == 4
    with (tmp_path / "numbers" / "labels.csv").open(newline="") as file:
        assert [(row["file"], row["label"]) for row in csv.DictReader(file)] == [("3.png", "42"), ("4.png", "/")]
    pytest.importorskip("torch", reason="the extra train is not installed")
    from inkdigit.train.custom_dataset import files_of

    assert files_of(tmp_path / "digits").labels == ("4", "7")


def test_the_picture_can_be_downloaded_with_its_boxes(ui: SitePage) -> None:
    ui.read_numbers()
    button = ui.page.get_by_role("button", name="Download with boxes")
    ui.draw(ui.strokes(4, FOUR))
    ui.settle()
    expect(button).to_be_hidden()
    ui.draw(ui.strokes(2, TWO))
    expect(ui.part("number")).to_have_text("42")
    with ui.page.expect_download() as download:
        button.click()
    picture = Image.open(io.BytesIO(Path(download.value.path()).read_bytes())).convert("RGB")
    assert picture.size == (480, 480)
    assert (np.ptp(np.asarray(picture).astype(int), axis=2) > 60).sum() > 500, (
        "the boxes are coloured, and the ink is not"
    )
    ui.page.keyboard.press("Escape")
    expect(button).to_be_hidden()
