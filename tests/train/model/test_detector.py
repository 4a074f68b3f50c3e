"""The number reader: its arithmetic without training, and what holds for any picture."""

import pytest
import torch
from torch import Tensor

from inkdigit.train.model.detector import (
    CLASSES,
    CROP,
    LEVELS,
    MOST,
    OTHER,
    OVERLAP,
    STRIDE,
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
    """Return an untrained reader that takes every peak for a candidate."""
    torch.manual_seed(1)
    detector = Detector()
    torch.nn.init.constant_(detector.head[1].bias[0], 2.0)  # type: ignore[arg-type]
    return NumberReader(detector.eval(), CropClassifier().eval()).eval()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 90), (34, 60), (100, 521), (261, 7)])
def test_any_picture_gives_probabilities_and_boxes_inside_it(reader: NumberReader, height: int, width: int) -> None:
    pixels = torch.randint(0, 256, (1, height, width), dtype=torch.uint8)
    with torch.inference_mode():
        boxes, probabilities, is_mark, truncated = reader(pixels)
    assert boxes.shape == (len(probabilities), 4)
    assert probabilities.shape == (len(is_mark), CLASSES)
    assert truncated.shape == (1,)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(len(probabilities)))
    assert boxes.min() >= 0
    assert (boxes <= torch.tensor([width, height, width, height])).all()
    assert (probabilities[is_mark].argmax(1) == OTHER).all()


def test_more_candidates_than_are_kept_are_reported(reader: NumberReader) -> None:
    # One weak cell in nine is a peak of its 3×3, so 600×800 px have more peaks than are kept.
    pixels = torch.randint(0, 256, (1, 600, 800), dtype=torch.uint8)
    with torch.inference_mode():
        boxes, *_, truncated = reader(pixels)
    assert truncated.item()
    assert len(boxes) <= MOST


@pytest.mark.parametrize("level", range(4))
def test_a_spot_of_every_level_is_found_where_it_is_in_the_picture(level: int) -> None:
    picture = torch.zeros(1, 1, 300, 420)
    picture[:, :, 128:192, 192:256] = 1
    plane, _ = pyramid(picture)
    rows, columns = (side // STRIDE for side in plane.shape[2:])
    rows = rows // 3 * 2
    top, left = (0, 0) if level == 0 else (rows * STRIDE, int((1 - 2.0 ** (1 - level)) * columns * STRIDE))
    shrunk = 2**level
    part = plane[0, 0, top : top + 320 // shrunk, left : left + 448 // shrunk]
    y, x = (part > 0.5).nonzero(as_tuple=True)
    inside = torch.stack([x.min() + left, y.min() + top, x.max() + left + 1, y.max() + top + 1]).float()[None]
    middle = (inside[:, :2] + inside[:, 2:]) / 2
    cells = (middle / STRIDE).long()
    found = to_picture(inside, cells[:, 0], cells[:, 1], torch.tensor(columns), torch.tensor(rows))
    torch.testing.assert_close(found, torch.tensor([[192.0, 128.0, 256.0, 192.0]]))
    assert level < LEVELS


def greedy(boxes: Tensor) -> list[bool]:
    """Suppress one box after another, the most certain first: of about equal boxes, by their intersection alone."""
    kept: list[int] = []
    for number, box in enumerate(boxes):
        overlaps = []
        for other in boxes[kept]:
            shared = (torch.minimum(box[2:], other[2:]) - torch.maximum(box[:2], other[:2])).clamp(min=0).prod()
            overlaps.append(float(shared / (0.85 * (box[2:] - box[:2]).prod())))
        if all(overlap <= OVERLAP for overlap in overlaps):
            kept.append(number)
    return [number in kept for number in range(len(boxes))]


def test_suppression_in_rounds_is_greedy_suppression() -> None:
    torch.manual_seed(2)
    corner = torch.rand(120, 2) * torch.tensor([400.0, 100.0])
    boxes = torch.cat([corner, corner + 20], 1)
    kept = unsuppressed(boxes)
    assert kept.tolist() == greedy(boxes)
    assert 0 < kept.sum() < len(boxes)


def test_a_dot_beside_a_digit_is_kept() -> None:
    digit, dot, part = [0.0, 0.0, 20.0, 40.0], [17.0, 36.0, 21.0, 40.0], [2.0, 2.0, 18.0, 22.0]
    assert unsuppressed(torch.tensor([digit, dot, part])).tolist() == [True, True, False]


def test_inverted_and_dimmed_brightness_is_normalised_alike() -> None:
    torch.manual_seed(3)
    plane = torch.rand(1, 1, 64, 96)
    inside = torch.ones_like(plane)
    usual = normalise(plane, inside)
    torch.testing.assert_close(normalise(1 - plane, inside), -usual, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(normalise(0.3 + 0.6 * plane, inside), usual, atol=0.02, rtol=0.02)
    assert not normalise(plane, torch.zeros_like(plane)).any()


def test_a_crop_is_centred_on_its_box() -> None:
    x = torch.arange(96.0).expand(1, 1, 96, 96)
    crop = crops_of(x, torch.tensor([[30.0, 30.0, 50.0, 40.0]]), torch.tensor([0]))
    assert crop.shape == (1, 1, CROP, CROP)
    # The centre of cell x is at x + 0.5 px; a side of 28 px is 1.4 times the box's longer one.
    torch.testing.assert_close(crop[0, 0, 0] + 0.5, 40 + 28 * ((torch.arange(CROP) + 0.5) / CROP - 0.5))
