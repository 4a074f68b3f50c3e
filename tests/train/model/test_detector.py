"""The number reader's module: its pyramid, boxes and suppression, and the graph that it is exported as."""

from pathlib import Path

import numpy as np
import pytest
import torch

from inkdigit import __version__
from inkdigit.model_file import NUMBER, NUMBER_OUTPUTS, Contract, open_artefact
from inkdigit.prediction import Thresholds
from inkdigit.train.export.number_export import export_numbers
from inkdigit.train.fit.number_calibration import LABELS
from inkdigit.train.model.classifiers import fused
from inkdigit.train.model.detector import (
    CLASSES,
    LEVELS,
    OTHER,
    STRIDE,
    CropClassifier,
    Detector,
    NumberReader,
    boxes_at,
    pyramid,
    to_picture,
    unsuppressed,
)


def reader() -> NumberReader:
    """Build an untrained reader that finds something on almost every picture."""
    torch.manual_seed(0)
    made = NumberReader(Detector(), CropClassifier()).eval()
    torch.nn.init.constant_(made.detector.head[1].bias[0], -1.0)  # type: ignore[arg-type]
    return made


@pytest.mark.parametrize("level", range(1, LEVELS))
def test_a_box_returns_from_its_level_to_the_picture(level: int) -> None:
    """A square that is dark on its level's part of the plane has its box in px of the picture."""
    picture = torch.ones(1, 1, 200, 450)
    picture[..., 64:192, 128:384] = 0
    plane, _ = pyramid(picture)
    rows, columns = (torch.tensor(side // STRIDE) for side in plane.shape[2:])
    upper = plane.shape[2] // 3 * 2
    left = round((1 - 2.0 ** (1 - level)) * plane.shape[3])
    part = plane[0, 0, upper:, left : left + 450 // 2**level] < 0.5
    y, x = (
        each[part[: 200 // 2**level].nonzero()[:, place]]
        for place, each in ((0, torch.arange(999)), (1, torch.arange(999)))
    )
    box = torch.tensor([[left + x.min(), upper + y.min(), left + x.max() + 1, upper + y.max() + 1]]).float()
    cell = (torch.tensor([(left + int(x.min())) // STRIDE]), torch.tensor([(upper + int(y.min())) // STRIDE]))
    assert to_picture(box, *cell, columns, rows // 3 * 2).tolist() == [[128.0, 64.0, 384.0, 192.0]]


def test_a_box_lies_around_its_cell() -> None:
    """Log distances of 0 are 8 px from the cell's middle."""
    found = boxes_at(torch.zeros(1, 4), torch.tensor([3]), torch.tensor([1]))
    assert found.tolist() == [[6.0, -2.0, 22.0, 14.0]]


def test_suppression_keeps_the_most_certain_and_what_only_the_suppressed_overlaps() -> None:
    """Of a chain a–b–c, b falls to a and so cannot suppress c; a dot inside a digit's box is no part of it."""
    chain = torch.tensor([[0.0, 0, 10, 20], [4, 0, 14, 20], [8, 0, 18, 20], [1, 1, 3, 3]])
    assert unsuppressed(chain).tolist() == [True, False, True, True]


def test_the_model_file_reads_pictures_of_any_size_like_torch(tmp_path: Path) -> None:
    """One pixel, a line, a picture that is enlarged and one that is not; an export proves itself on them."""
    random = np.random.default_rng(0)
    sizes = ((1, 1), (1, 900), (33, 70), (300, 520), (521, 400))
    images = [random.integers(0, 256, size, np.uint8) for size in sizes]
    target, made = tmp_path / "numbers.onnx", fused(reader())
    calibration = {"scale": 1.0, "bias": 0.0}
    contract = Contract(
        "numbers", "1", LABELS, "detector", Thresholds(0.0, 0.5), {}, {}, {}, __version__, "", task=NUMBER,
        calibration=calibration,
    )  # fmt: skip
    export_numbers(made, contract, [pixels[None] for pixels in images], target)
    session, _ = open_artefact(target)
    for pixels in images:
        boxes, probabilities, is_mark, _ = session.run(list(NUMBER_OUTPUTS), {"pixels": pixels[None]})
        assert len(boxes) == len(probabilities) == len(is_mark)
        assert probabilities.sum(1) == pytest.approx(1, abs=1e-5)
        assert (boxes >= 0).all()
        assert (boxes[:, 2:] <= pixels.shape[::-1]).all()
    assert target.stat().st_size <= 2_000_000


def test_a_faint_symbol_is_doubtful_and_ends_no_number() -> None:
    """Only what is written and no symbol is a mark: a dot of which it is not certain that it is there is none."""
    made, logits = reader(), torch.full((3, CLASSES), -5.0)
    logits[0, 10] = logits[1, OTHER] = logits[2, OTHER] = 5  # a dot, a letter, a shadow
    objectness = torch.tensor([-0.3, -0.3, -3.0])
    made.calibration = torch.tensor([0.5, 0.5, 1.0, 0.0])
    made.candidates = lambda pixels: (torch.zeros(3, 4), objectness, logits, logits, torch.zeros(1))  # type: ignore[method-assign]
    _, probabilities, is_mark, _ = made(torch.zeros(1, 8, 8, dtype=torch.uint8))
    assert probabilities.argmax(1).tolist() == [OTHER] * 3
    assert is_mark.tolist() == [False, True, False]
