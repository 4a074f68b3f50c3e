"""The number reader's geometry: the pyramid, its boxes, suppression and crops."""

import pytest
import torch

from inkdigit.train.model.detector import (
    CELL,
    CLASSES,
    CROP,
    LEVELS,
    STEP,
    CropClassifier,
    Detector,
    NumberReader,
    crops_of,
    normalise,
    pyramid,
    to_picture,
    unsuppressed,
)


@pytest.fixture(scope="module")
def reader() -> NumberReader:
    torch.manual_seed(0)
    return NumberReader(Detector(), CropClassifier()).eval()


@pytest.mark.parametrize("level", range(LEVELS))
def test_a_spot_is_found_at_its_place_on_every_level(level: int) -> None:
    picture = torch.zeros(1, 1, 640, 896)
    y, x = 320, 512
    picture[..., y - 64 : y + 64, x - 64 : x + 64] = 1
    plane, inside = pyramid(picture)
    height, width = plane.shape[2] // 3 * 2, plane.shape[3]
    left = 0 if level == 0 else round(width * (1 - 2 ** (1 - level)))
    top = 0 if level == 0 else height
    part = plane[0, 0, top : top + height // 2**level, left : left + width // 2**level]
    rows, columns = (part > 0.5).nonzero().T
    middle = torch.tensor([columns.float().mean() + 0.5, rows.float().mean() + 0.5])
    cell = ((middle + torch.tensor([left, top])) / torch.tensor(CELL)).long()
    box = torch.cat([middle + torch.tensor([left, top])] * 2)[None]
    rows_of_cells, columns_of_cells = torch.tensor(height // CELL[1]), torch.tensor(width // CELL[0])
    found = to_picture(box, cell[:1], cell[1:], columns_of_cells, rows_of_cells)
    assert torch.allclose(found[0, :2], torch.tensor([x, y]).float(), atol=2**level)
    assert inside[0, 0, :640, :896].all()
    assert plane.shape[2] * 2 % (3 * STEP) == 0


@pytest.mark.parametrize(("boxes", "kept"), [
    ([(0, 0, 10, 20), (1, 0, 11, 20), (30, 0, 40, 20)], [True, False, True]),
    ([(0, 0, 20, 40), (2, 2, 18, 19)], [True, False]),  # a loop of an 8
    ([(0, 0, 20, 40), (4, 34, 7, 38)], [True, True]),  # a point under a 7
    ([(0, 0, 10, 20), (8, 0, 18, 20)], [True, True]),  # neighbours that touch
        ([(0, 0, 10, 20), (5, 0, 15, 20)], [True, True]),  # slanted neighbours
        ([(0, 0, 20, 40), (12, 0, 19, 40)], [True, False]),  # the stem of a 1 with an upstroke
    # What suppresses another is suppressed itself: the third stays.
    ([(0, 0, 10, 20), (3, 0, 13, 20), (6, 0, 16, 20)], [True, False, True]),
])  # fmt: skip
def test_the_more_certain_of_two_overlapping_boxes_stays(boxes: list[tuple[int, ...]], kept: list[bool]) -> None:
    assert unsuppressed(torch.tensor(boxes).float()).tolist() == kept


def test_crops_are_squares_around_boxes() -> None:
    plane = torch.zeros(1, 1, 96, 96)
    plane[..., 40:60, 30:40] = 1
    crop = crops_of(plane, torch.tensor([[30.0, 40, 40, 60]]), torch.tensor([0]))
    assert crop.shape == (1, 1, CROP, CROP)
    inked = (crop[0, 0] > 0.5).nonzero()
    assert (inked.float().mean(0) - (CROP - 1) / 2).abs().max() < 1
    assert len(inked) / CROP**2 == pytest.approx(200 / 28**2, rel=0.15)


@pytest.mark.parametrize(("gain", "shift"), [(1.0, 0.0), (0.3, 0.5), (0.5, 0.1)])
def test_contrast_and_brightness_make_little_difference(gain: float, shift: float) -> None:
    torch.manual_seed(0)
    picture = torch.rand(1, 1, 96, 96)
    inside = torch.ones_like(picture)
    assert torch.allclose(normalise(picture, inside), normalise(picture * gain + shift, inside), atol=0.15)


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (28, 28), (600, 40), (521, 700)])
def test_a_picture_of_any_size_is_read(size: tuple[int, int], reader: NumberReader) -> None:
    pixels = torch.randint(0, 256, (1, *size), dtype=torch.uint8)
    boxes, probabilities, is_mark, truncated = reader(pixels)
    assert probabilities.shape == (len(boxes), CLASSES)
    assert torch.allclose(probabilities.sum(1), torch.ones(len(boxes)), atol=1e-5)
    assert is_mark.dtype == truncated.dtype == torch.bool
    assert (boxes >= 0).all()
    assert (boxes[:, 2] <= size[1]).all()
    assert (boxes[:, 3] <= size[0]).all()
