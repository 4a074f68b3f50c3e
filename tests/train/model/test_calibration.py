"""Calibration: the temperature that is fitted is the one that the answers were drawn with, and never a bad one."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from inkdigit import Recognizer
from inkdigit.evaluation.datasets import Labelled
from inkdigit.evaluation.drift import DIGIT
from inkdigit.evaluation.scores import score
from inkdigit.model_file import model_path
from inkdigit.train.export.onnx_export import rewrite_contract
from inkdigit.train.export.run_export import raise_confidence_threshold
from inkdigit.train.model.calibration import SURE_RIGHT, Temperature, confidence_threshold, likeliest_temperature

from ...pictures import digits


def test_the_temperature_of_drawn_answers_is_found() -> None:
    """Labels are drawn from logits that are the sharper, the more digitness there is."""
    random = torch.Generator().manual_seed(1)
    logits, digitness = torch.randn(20_000, 10, generator=random) * 2, torch.randn(20_000, generator=random) * 4
    true = Temperature(0.3, 0.1)
    labels = torch.multinomial(true(logits, digitness), 1, generator=random)[:, 0]
    found = likeliest_temperature(logits, digitness, labels)
    assert (found.sharpness, found.by_digitness) == pytest.approx((true.sharpness, true.by_digitness), abs=0.03)
    likelihood = [functional.nll_loss(each(logits, digitness).log(), labels) for each in (found, true, Temperature())]
    assert likelihood[0] <= likelihood[1] < likelihood[2]


def test_what_is_sure_is_right() -> None:
    """Of 1,000 answers every tenth is wrong, but none of the surest 400."""
    confidence = torch.linspace(0.999, 0.5, 1000)
    probabilities = torch.stack([confidence, 1 - confidence], 1)
    labels = torch.zeros(1000, dtype=torch.int64)
    labels[400::10] = 1
    assert confidence_threshold(probabilities, labels) == pytest.approx(float(confidence[399]))
    assert confidence_threshold(probabilities, 1 - labels) == 1.0


@pytest.mark.parametrize("scale", [0.1, 20.0, 200.0])
def test_no_digitness_is_so_extreme_that_a_temperature_makes_things_worse(scale: float) -> None:
    random = torch.Generator().manual_seed(2)
    logits, digitness = torch.randn(300, 10, generator=random), torch.randn(300, generator=random) * scale
    labels = torch.where(torch.rand(300, generator=random) < 0.5, logits.argmax(1), 3)
    found = likeliest_temperature(logits, digitness, labels)(logits, digitness)
    assert functional.nll_loss(found.log(), labels) <= functional.cross_entropy(logits, labels)


def test_an_artefact_is_settled_on_a_confidence_by_which_what_is_sure_is_right(tmp_path: Path) -> None:
    """Read through Recognizer, as it is served: again where it is not sure."""
    images, labels = digits(600)
    pictures = Labelled(np.stack(images), np.array(labels), {})
    path = tmp_path / "mine.onnx"
    shutil.copy(model_path("tiny"), path)
    limits = Recognizer(path).contract.thresholds
    rewrite_contract(path, thresholds=replace(limits, confidence=0.3))

    def right() -> float:
        recognizer = Recognizer(path)
        answers = score(recognizer, pictures)
        sure = answers.probabilities.max(1) >= recognizer.contract.thresholds.confidence
        assert sure.mean() > 0.5
        return float((answers.answers == answers.labels)[sure].mean())

    assert right() < SURE_RIGHT
    counted = raise_confidence_threshold(path, pictures)
    assert right() >= SURE_RIGHT
    assert sum(counted[DIGIT].values()) == 600
    before = path.read_bytes()
    assert raise_confidence_threshold(path, pictures) == counted
    assert path.read_bytes() == before  # enough was right already
