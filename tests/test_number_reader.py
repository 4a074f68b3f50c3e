"""Whole numbers through `Recognizer.read`, with the shipped number reader."""

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkdigit import ArtefactError, InputError, Reading, Recognizer
from inkdigit.model_file import model_path

from .pictures import digits, encoded, seven


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer()


def strip(text: str, gap: int = 2, scale: int = 2) -> np.ndarray:
    """Digits side by side, ink bright on 0, uint8 [H, W]."""
    images, labels = digits(200, 28)
    drawn = {label: np.asarray(image) for image, label in zip(images, labels, strict=True)}
    parts = [np.pad(drawn[int(symbol)], ((0, 0), (0, gap))) for symbol in text]
    return np.pad(np.concatenate(parts, 1), 24).repeat(scale, 0).repeat(scale, 1)


def test_numbers_are_read_from_every_kind_of_input(tmp_path: Path, recognizer: Recognizer) -> None:
    page = 255 - strip("42")
    (tmp_path / "page.png").write_bytes(encoded(page))
    texts = {
        recognizer.read(image).text
        for image in (page, Image.fromarray(page), encoded(page), tmp_path / "page.png", str(tmp_path / "page.png"))
    }
    assert texts == {"42"}


@pytest.mark.parametrize("scale", [1, 2, 5])
@pytest.mark.parametrize("negative", [False, True])
def test_boxes_lie_around_the_digits(scale: int, negative: bool, recognizer: Recognizer) -> None:
    page = strip("70", 12, scale)
    reading = recognizer.read(255 - page if negative else page)
    assert reading.text.replace(" ", "") == "70"
    symbols = [symbol for number in reading.numbers for symbol in number.symbols]
    middles = [(symbol.box[0] + symbol.box[2]) / 2 / scale for symbol in symbols]
    assert middles == pytest.approx([24 + 14, 24 + 40 + 14], abs=6)


def test_what_is_shrunk_is_still_in_px_of_the_original(recognizer: Recognizer) -> None:
    page = np.full((400, 3600), 255, np.uint8)
    drawn = 255 - strip("4", 0, 8)
    page[: min(400, drawn.shape[0]), 2400 : 2400 + drawn.shape[1]] = drawn[:400]
    reading = recognizer.read(page)
    assert reading.text == "4"
    left, _, right, _ = reading.numbers[0].box
    assert 2400 < left < right < 2400 + drawn.shape[1]


@pytest.mark.parametrize("shape", [(1, 1), (40, 60), (700, 900)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_nothing_is_read_on_an_even_page(shape: tuple[int, int], level: int, recognizer: Recognizer) -> None:
    reading = recognizer.read(np.full(shape, level, np.uint8))
    assert (reading.text, reading.numbers, reading.confidence, reading.is_sure) == ("", (), 1.0, True)


def test_only_allowed_characters_are_read(recognizer: Recognizer) -> None:
    assert set(recognizer.read(strip("1234567890", 8), allow="37").text) <= set("37 \n")
    for refused in ("", "x", "7 "):
        with pytest.raises(InputError) as error:
            recognizer.read(strip("7"), allow=refused)
        assert error.value.code == "bad_constraint"


def test_a_batch_has_its_errors_in_place(recognizer: Recognizer) -> None:
    first, broken, last = recognizer.read_batch([strip("7"), b"no picture", strip("42")])
    assert isinstance(first, Reading)
    assert isinstance(last, Reading)
    assert (first.text, last.text) == ("7", "42")
    assert isinstance(broken, InputError)


def test_a_picture_full_of_marks_is_read_in_bounded_time(recognizer: Recognizer) -> None:
    page = np.tile(strip("8", 0, 1)[20:56, 20:56], (60, 60))
    reading = recognizer.read(page)
    assert sum(len(number.symbols) for number in reading.numbers) <= 1024


def test_threads_share_a_reader_that_is_opened_once() -> None:
    recognizer, readers = Recognizer(), list[object]()
    threads = [threading.Thread(target=lambda: readers.append(recognizer.reader)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, readers))) == 1


def test_a_model_of_the_task_number_replaces_the_reader_alone(tmp_path: Path) -> None:
    copy = tmp_path / "mine.onnx"
    copy.write_bytes(model_path("numbers").read_bytes())
    recognizer = Recognizer(f"own={copy}")
    assert recognizer.contract.name == "inkdigit"
    assert recognizer.predict(seven()).digit == 7
    assert recognizer.read(strip("7")).model.name == "own"
    copy.write_bytes(copy.read_bytes()[:1000])
    with pytest.raises(ArtefactError):
        Recognizer(copy)
