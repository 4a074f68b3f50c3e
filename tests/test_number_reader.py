"""Whole numbers through `Recognizer.read`, on the shipped model: what it promises, not how well it reads."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkdigit import InputError, Recognizer
from inkdigit.image import ImageLike
from inkdigit.model_file import DEFAULT_MODEL, DEFAULT_READER, model_path

from .pictures import Grey, digits, encoded


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer()


def row(count: int = 4, side: int = 64) -> tuple[Grey, str]:
    """Return handwritten digits side by side on a white page, and their text."""
    images, labels = digits(18, side)
    page = np.pad(np.concatenate(images[-count:], 1), side // 2, constant_values=255)
    return page, "".join(map(str, labels[-count:]))


def test_a_row_of_digits_is_read(recognizer: Recognizer) -> None:
    pixels, text = row()
    reading = recognizer.read(pixels)
    assert sum(one in reading.text for one in text) >= 3
    assert reading.model.name == DEFAULT_READER
    for number in reading.numbers:
        left, top, right, bottom = number.box
        assert 20 < left < right < pixels.shape[1] - 20
        assert 20 < top < bottom < pixels.shape[0] - 20


def test_a_path_bytes_an_image_and_an_array_agree(recognizer: Recognizer, tmp_path: Path) -> None:
    pixels, _ = row()
    (tmp_path / "row.png").write_bytes(encoded(pixels))
    images: list[ImageLike] = [tmp_path / "row.png", encoded(pixels), Image.fromarray(pixels), pixels]
    readings = [recognizer.read(image).as_dict() for image in images]
    assert all(reading == readings[0] for reading in readings)


def test_boxes_are_px_of_the_original(recognizer: Recognizer) -> None:
    pixels, _ = row()
    big = np.pad(pixels.repeat(2, 0).repeat(2, 1), ((0, 0), (0, 4000)), constant_values=255)
    small = np.pad(pixels, ((0, 0), (0, 2000)), constant_values=255)
    readings = recognizer.read(big), recognizer.read(small)
    boxes = [np.array([number.box for number in reading.numbers]) for reading in readings]
    assert readings[0].text == readings[1].text != ""
    assert np.allclose(boxes[0], 2 * boxes[1], atol=2)


def test_boxes_are_those_of_the_upright_picture(recognizer: Recognizer) -> None:
    pixels, _ = row()
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° to the right
    lying = Image.fromarray(np.rot90(pixels))
    reading = recognizer.read(encoded(lying, exif=exif))
    assert reading.as_dict() == recognizer.read(pixels).as_dict()
    assert reading.draw(encoded(lying, exif=exif)).size == pixels.shape[::-1]


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (28, 28), (300, 1000)])
@pytest.mark.parametrize("level", [0, 255])
def test_a_blank_has_an_empty_reading(recognizer: Recognizer, shape: tuple[int, int], level: int) -> None:
    reading = recognizer.read(np.full(shape, level, np.uint8))
    assert (reading.text, reading.numbers, reading.confidence, reading.is_sure) == ("", (), 1.0, True)


def test_only_the_allowed_characters_are_read(recognizer: Recognizer) -> None:
    pixels, _ = row(8)
    assert set(recognizer.read(pixels, allow="123").text) <= set("123 \n")
    with pytest.raises(InputError) as refused:
        recognizer.read(pixels, allow="12x")
    assert refused.value.code == "bad_constraint"
    with pytest.raises(InputError):
        recognizer.read_batch([pixels], allow="")


def test_numbers_match_a_pattern_or_are_choices(recognizer: Recognizer) -> None:
    pixels, text = row()
    for number in recognizer.read(pixels, pattern=r"\d{4}|\d-\d+").numbers:
        assert re.fullmatch(r"\d{4}|\d-\d+", number.text) or not number.is_match
        assert "".join(symbol.text for symbol in number.symbols) == number.text
    others = [f"{(int(text) + step) % 10000:04}" for step in range(1, 10)]
    (found,) = recognizer.read(pixels, choices=[text, *others]).numbers
    assert (found.text, found.is_match) == (text, True)
    strange = recognizer.read(pixels, choices=["111111111"])
    assert (strange.is_match, strange.is_sure, strange.numbers[0].as_dict()["is_match"]) == (False, False, False)
    with pytest.raises(InputError):
        recognizer.read_batch([pixels], pattern="(")


def test_a_batch_keeps_its_order_and_an_error_takes_the_place_of_a_failure(recognizer: Recognizer) -> None:
    pixels, _ = row()
    first, failed, last = recognizer.read_batch([pixels, b"no image", pixels[:, :128]])
    assert isinstance(failed, InputError)
    assert first == recognizer.read(pixels)
    assert last == recognizer.read(pixels[:, :128])


def test_a_model_replaces_that_of_its_own_task_alone() -> None:
    own = Recognizer(f"mine={model_path(DEFAULT_READER)}")
    assert own.contract.name == DEFAULT_MODEL
    assert own.read(np.full((9, 9), 255, np.uint8)).model.name == "mine"
    assert Recognizer("tiny").reader.contract.name == DEFAULT_READER


def test_threads_open_one_reader_and_share_it() -> None:
    recognizer, (pixels, _) = Recognizer(), row()
    with ThreadPoolExecutor(8) as pool:
        readings = list(pool.map(recognizer.read, [pixels] * 16))
        readers = set(map(id, pool.map(lambda _: recognizer.reader, range(16))))
    assert len(readers) == 1
    assert all(reading == readings[0] for reading in readings)


def test_more_marks_than_the_graph_keeps_are_said_to_be_too_many(recognizer: Recognizer) -> None:
    crowd = np.tile(row(8, 20)[0][10:-10], (100, 12))
    reading = recognizer.read(crowd)
    assert reading.is_truncated
    assert reading.as_dict()["is_truncated"] is True
    assert sum(len(number.symbols) for number in reading.numbers) <= 1024
