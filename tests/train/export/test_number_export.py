"""The number reader's model file, and which of its candidates end a number."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from inkdigit import __version__
from inkdigit.model_file import NUMBER, NUMBER_OUTPUTS, Contract, open_artefact
from inkdigit.prediction import Thresholds
from inkdigit.train.export.number_export import export_numbers
from inkdigit.train.fit.number_calibration import LABELS
from inkdigit.train.model.classifiers import fused
from inkdigit.train.model.detector import CLASSES, OTHER, CropClassifier, Detector, NumberReader


def reader() -> NumberReader:
    """Build an untrained reader that finds something on almost every picture."""
    torch.manual_seed(0)
    detector = Detector()
    layer = detector.head[1]
    assert isinstance(layer, nn.Conv2d)
    assert layer.bias is not None
    nn.init.constant_(layer.bias[:1], -1.0)
    return NumberReader(detector, CropClassifier()).eval()


def test_the_model_file_reads_pictures_of_any_size(tmp_path: Path) -> None:
    """One pixel, a line, a picture that is enlarged and one that is not; the export proves itself on them."""
    random = np.random.default_rng(0)
    sizes = ((1, 1), (1, 900), (33, 70), (300, 520), (521, 400))
    images = [random.integers(0, 256, (1, *size), np.uint8) for size in sizes]
    target = tmp_path / "numbers.onnx"
    thresholds, calibration = Thresholds(0.0, 0.5), {"scale": 1.0, "bias": 0.0}
    contract = Contract(
        "numbers", "1", LABELS, "detector", thresholds, {}, {}, {}, __version__, "",
        task=NUMBER, calibration=calibration,
    )  # fmt: skip
    export_numbers(fused(reader()), contract, images, target)
    session, _ = open_artefact(target)
    for pixels in images:
        boxes, probabilities, is_mark, _ = session.run(list(NUMBER_OUTPUTS), {"pixels": pixels})
        assert len(boxes) == len(probabilities) == len(is_mark)
        assert probabilities.sum(1) == pytest.approx(1, abs=1e-5)
        assert (boxes >= 0).all()
        assert (boxes.reshape(-1, 2) <= pixels.shape[:0:-1]).all()
    assert target.stat().st_size <= 2_000_000


class Fixed(NumberReader):
    """Find the same three candidates on every picture: a faint dot, a faint letter and a shadow."""

    def candidates(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return logits that are certain of the classes but not of the objects."""
        logits = torch.full((3, CLASSES), -5.0)
        logits[0, LABELS.index(".")] = logits[1, OTHER] = logits[2, OTHER] = 5
        return pixels.new_zeros(3, 4).float(), torch.tensor([-0.3, -0.3, -3.0]), logits, logits, torch.zeros(1)


def test_a_symbol_that_may_not_be_there_ends_no_number() -> None:
    """Only a written mark that is no symbol does; a faint dot is doubtful."""
    found = Fixed(Detector(), CropClassifier()).eval()(torch.zeros(1, 8, 8, dtype=torch.uint8))
    assert found[1].argmax(1).tolist() == [OTHER] * 3
    assert found[2].tolist() == [False, True, False]
