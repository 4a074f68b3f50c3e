"""Pixels to predictions, on the shipped model."""

import os
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from inkdigit import InputError, Prediction, Recognizer
from inkdigit.image import ImageLike
from inkdigit.model_file import DEFAULT_MODEL, OUTPUTS, model_path, open_artefact
from inkdigit.recognizer import MARGIN, Outputs, augmented_views, averaged

from .browser.strokes import DIGITS, placed
from .pictures import digits, encoded, seven


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer()


def agree(one: Prediction | InputError, other: Prediction | InputError) -> None:
    assert isinstance(one, Prediction)
    assert isinstance(other, Prediction)
    assert one.probabilities == other.probabilities
    assert np.array_equal(one.frame, other.frame)
    assert one.digitness == other.digitness


def test_handwritten_digits_are_read(recognizer: Recognizer) -> None:
    images, labels = digits()
    answers = [recognizer.predict(image) for image in images]
    assert sum(answer.digit == label for answer, label in zip(answers, labels, strict=True)) >= 40


@pytest.mark.parametrize("margin", [0.05, 0.2, 0.8])
@pytest.mark.parametrize("width", [3, 4, 6, 30, 60], ids="{} px of 600".format)
def test_lines_from_a_two_hundredth_to_a_tenth_of_a_digit_are_read(
    recognizer: Recognizer, width: int, margin: float
) -> None:
    border = 600 * margin + width / 2
    answers = []
    for strokes in DIGITS.values():
        page = Image.new("L", (round(450 + 2 * border), round(600 + 2 * border)), 255)
        for stroke in placed(strokes, border, border, 450, 600):
            ImageDraw.Draw(page).line(stroke, fill=0, width=width, joint="curve")
        answers.append(recognizer.predict(page))
    assert [answer.digit for answer in answers] == list(DIGITS)
    assert all(answer.is_digit for answer in answers if answer.digit != 1), "a straight bar need not be a 1"


@pytest.mark.parametrize("x", [10, 96, 150, 470])
@pytest.mark.parametrize("y", [10, 96, 230, 400])
def test_a_dot_is_ink(recognizer: Recognizer, x: int, y: int) -> None:
    page = Image.new("L", (480, 480), 255)
    ImageDraw.Draw(page).ellipse((x - 7, y - 7, x + 7, y + 7), fill=0)
    assert recognizer.predict(page).frame.max() > 0.5


@pytest.mark.parametrize("width", [12, 36])
@pytest.mark.parametrize("x", [30, 190])
@pytest.mark.parametrize("y", [60, 240, 420])
def test_a_bar_is_ink_as_a_seven_begins_with_one(recognizer: Recognizer, x: int, y: int, width: int) -> None:
    page = Image.new("L", (480, 480), 255)
    ImageDraw.Draw(page).line((x, y, x + 240, y), fill=0, width=width)
    assert recognizer.predict(page).frame.max() > 0.25, "a cell of its frame is 12 px"


@pytest.mark.parametrize("slope", [0, 15, 50])
@pytest.mark.parametrize("noise", [0, 1, 3])
def test_an_empty_page_is_blank_however_it_is_lit(recognizer: Recognizer, slope: int, noise: int) -> None:
    light = np.linspace(200, 200 + slope, 640) + np.random.default_rng(1).normal(0, noise, (480, 640))
    with pytest.raises(InputError) as error:
        recognizer.predict(light.clip(0, 255).astype(np.uint8))
    assert error.value.code == "blank_image"


@pytest.mark.parametrize("side", [28, 280, 1200])
def test_a_prediction_keeps_its_ranges(recognizer: Recognizer, side: int) -> None:
    answer = recognizer.predict(seven(side))
    assert answer.digit == 7
    assert answer.labels == recognizer.contract.labels == tuple("0123456789")
    assert sum(answer.probabilities) == pytest.approx(1, abs=1e-5)
    assert 0 < answer.digitness <= 1
    assert answer.frame.shape == (28, 28)
    assert answer.frame.dtype == np.float32
    assert 0 <= answer.frame.min() <= answer.frame.max() <= 1


def test_what_a_picture_is_given_as_makes_no_difference(recognizer: Recognizer, tmp_path: Path) -> None:
    page = seven()
    (tmp_path / "seven.png").write_bytes(encoded(page))
    same: list[ImageLike] = [tmp_path / "seven.png", str(tmp_path / "seven.png"), encoded(page)]
    same += [Image.fromarray(page), page[..., None], np.dstack([page] * 3), page / 255]
    for image in same:
        agree(recognizer.predict(image), recognizer.predict(page))


def test_a_batch_equals_single_answers_in_order_with_errors_in_place(recognizer: Recognizer) -> None:
    pages, _ = digits(6)
    sizes = (28, 96, 200, 96, 2000, 28)
    images: list[ImageLike] = [
        np.asarray(Image.fromarray(page).resize((size, size))) for page, size in zip(pages, sizes, strict=True)
    ]
    images[2:2] = [b"no picture", np.full((96, 96), 255, np.uint8), "none.png", np.zeros((2, 2, 2))]
    answers = recognizer.predict_batch(images)
    codes = [answer.code if isinstance(answer, InputError) else None for answer in answers]
    assert codes == [None, None, "unsupported_format", "blank_image", "unreadable_file", "bad_array", *[None] * 4]
    for image, answer in zip(images, answers, strict=True):
        if isinstance(answer, Prediction):
            agree(answer, recognizer.predict(image))


def test_an_empty_batch_has_no_answers(recognizer: Recognizer) -> None:
    assert recognizer.predict_batch([]) == []


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (480, 640)])
def test_a_blank_picture_has_no_answer(recognizer: Recognizer, level: int, shape: tuple[int, int]) -> None:
    with pytest.raises(InputError) as caught:
        recognizer.predict(np.full(shape, level, np.uint8))
    assert caught.value.code == "blank_image"


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (1, 1600), (1600, 1), (3, 5)])
def test_the_smallest_and_longest_pictures_are_answered(recognizer: Recognizer, shape: tuple[int, int]) -> None:
    page = np.full(shape, 255, np.uint8)
    page.flat[page.size // 2] = 0
    (answer,) = recognizer.predict_batch([page])
    assert np.isfinite(answer.probabilities).all() if isinstance(answer, Prediction) else answer.code == "blank_image"


def test_a_small_digit_on_blotchy_paper_is_found(recognizer: Recognizer) -> None:
    """Blotches far larger than the digit are no ink beside it."""
    pages = []
    for digit, strokes in DIGITS.items():
        random = np.random.default_rng(digit)
        blotches = Image.fromarray(random.normal(170, 7, (5, 6)).astype(np.float32))
        paper = np.asarray(blotches.resize((640, 480), Image.Resampling.BICUBIC)) + random.normal(0, 3, (480, 640))
        page = Image.fromarray(paper.clip(0, 255).astype(np.uint8))
        pen = ImageDraw.Draw(page)
        left, top = random.integers(30, (560, 400))
        for stroke in placed(strokes, left, top, 30, 40):
            pen.line(stroke, 50, 4, "curve")
        pages.append(np.asarray(page))
    answers = recognizer.predict_batch(pages)
    assert sum(isinstance(a, Prediction) and a.digit == d for d, a in zip(DIGITS, answers, strict=True)) >= 9


def test_a_digit_on_a_note_on_a_dark_desk_is_read(recognizer: Recognizer) -> None:
    """The paper is what is beside the ink, though most of the picture is as dark as that."""
    pages = []
    for digit, strokes in DIGITS.items():
        random = np.random.default_rng(digit)
        desk = random.normal(80, 5, (480, 640)).clip(0, 255).astype(np.uint8)
        page = Image.fromarray(desk)
        pen = ImageDraw.Draw(page)
        left, top = random.integers(60, (440, 280))
        pen.rectangle((left - 40, top - 30, left + 140, top + 150), 235)
        for stroke in placed(strokes, left, top, 100, 120):
            pen.line(stroke, 70, 9, "curve")
        pages.append(np.asarray(page))
    answers = recognizer.predict_batch(pages)
    assert sum(isinstance(a, Prediction) and a.digit == d for d, a in zip(DIGITS, answers, strict=True)) >= 9


def test_what_is_not_sure_is_read_in_other_views_too(recognizer: Recognizer) -> None:
    session, contract = open_artefact(model_path(DEFAULT_MODEL))
    squares = np.random.default_rng(1).choice(np.array([30, 220], np.uint8), (6, 6, 6)).repeat(16, 1).repeat(16, 2)
    pages = np.stack([seven(96), *squares, 255 - seven(96)])
    readings = [Outputs(*session.run(list(OUTPUTS), {"pixels": each})) for each in (pages, *augmented_views(pages))]
    doubtful = readings[0].probabilities.max(1) < contract.thresholds.confidence
    assert doubtful.tolist() == [False, *[True] * 6, False]
    answers = recognizer.predict_pixels_batch(pages)
    for place, answer in enumerate(answers):
        assert isinstance(answer, Prediction)
        agree(answer, recognizer.predict_pixels(pages[place]))
        used = readings if doubtful[place] else readings[:1]
        means = (np.mean([each.probabilities[place] for each in used], 0), np.mean([r.digitness[place] for r in used]))
        assert answer.probabilities == pytest.approx(means[0], abs=1e-6)
        assert answer.digitness == pytest.approx(means[1], abs=1e-6)
        surest = max(used, key=lambda each: each.probabilities[place, answer.labels.index(str(answer.digit))])
        assert np.array_equal(answer.frame, surest.frames[place])


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (96, 64)])
def test_views_have_less_margin_or_more(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (2, *shape), np.uint8)
    negative, near, far = augmented_views(pixels)
    y, x = ((outer - inner) // 2 for outer, inner in zip(shape, near.shape[1:], strict=True))
    assert np.array_equal(255 - negative, pixels)
    assert np.array_equal(near, pixels[:, y : shape[0] - y, x : shape[1] - x])
    assert np.array_equal(255 - far[:, y : shape[0] + y, x : shape[1] + x], pixels)
    assert (y, x) == pytest.approx((MARGIN * shape[0], MARGIN * shape[1]), abs=0.5)
    assert far.shape[1:] == (shape[0] + 2 * y, shape[1] + 2 * x)


def test_a_reading_that_finds_no_ink_changes_nothing() -> None:
    first, second = (
        Outputs(np.array([[0.5, 0.4]] * 2, np.float32), np.full((2, 28, 28), frame), np.full(2, digitness))
        for frame, digitness in ((0.1, 0.6), (0.2, 0.0))
    )
    second.digitness[1], second.probabilities[1] = 0.2, (0.1, 0.8)
    whole = averaged([first, second])
    assert whole.probabilities == pytest.approx(np.array([[0.5, 0.4], [0.3, 0.6]]))
    assert whole.digitness == pytest.approx([0.6, 0.4])
    assert whole.frames[:, 0, 0] == pytest.approx([0.1, 0.2])


def test_threads_share_one_recognizer(recognizer: Recognizer) -> None:
    images, _ = digits(40)
    alone = [recognizer.predict(image) for image in images]
    with ThreadPoolExecutor(8) as pool:
        for one, other in zip(alone, pool.map(recognizer.predict, images), strict=True):
            agree(one, other)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="resident memory is read from /proc")
def test_a_phone_photograph_does_not_stay_in_memory(tmp_path: Path) -> None:
    small = Image.fromarray(seven(300))
    photo = small.resize((4000, 3000), Image.Resampling.BICUBIC)
    for name, picture in (("small", small), ("photo", photo)):
        (tmp_path / f"{name}.jpg").write_bytes(encoded(picture, "JPEG"))
        (tmp_path / f"{name}.png").write_bytes(encoded(picture, compress_level=1))
    script = (
        "import sys; from inkdigit import Recognizer\n"
        f"resident = lambda: int(open('/proc/self/statm').read().split()[1]) * {resource.getpagesize()} / 2**20\n"
        "recognizer = Recognizer()\n"
        "read = lambda name: [recognizer.predict(f'{sys.argv[1]}/{name}.{kind}') for kind in ('jpg', 'png')]\n"
        "read('small'); before = resident()\n"
        "for _ in range(3): read('photo')\n"
        "print(resident() - before)"
    )
    # glibc keeps up to twice the largest block that was given back, unless it is told how much (mallopt(3)).
    told = os.environ | {"MALLOC_TRIM_THRESHOLD_": str(2**17)}
    command = [sys.executable, "-c", script, str(tmp_path)]
    stays = subprocess.run(command, capture_output=True, text=True, check=True, env=told).stdout
    assert float(stays) < 2  # MiB, of the 11 that the photograph has in grey; ONNX Runtime's arena would keep 4
