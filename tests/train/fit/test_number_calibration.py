"""Calibration of the number reader: labels of candidates, confidence and its threshold."""

import numpy as np
import pytest
import torch

from inkdigit.layout import Calibration
from inkdigit.train.fit.number_calibration import LABELS, SURE_RIGHT, choose_thresholds, labels_of
from inkdigit.train.model.detector import CLASSES, OTHER
from inkdigit.train.synth.scene import NumberPicture


def test_the_labels_are_the_classes() -> None:
    assert len(LABELS) == CLASSES
    assert LABELS[OTHER] == "other"


def test_a_candidate_has_the_class_of_the_symbol_that_it_overlaps() -> None:
    boxes = np.array([[0, 0, 10, 20], [12, 0, 22, 20]], np.float32)
    picture = NumberPicture(np.zeros((30, 30), np.uint8), "47", boxes, np.array([4, 7]))
    found = torch.tensor([[1.0, 1, 10, 20], [13, 0, 22, 19], [0, 0, 4, 4], [6, 0, 16, 20]])
    assert labels_of(found, picture).tolist() == [4, 7, OTHER, OTHER]


def test_confidence_is_fitted_and_the_threshold_lets_through_only_right_ones() -> None:
    random = np.random.default_rng(1)
    certain = random.uniform(0.5, 1, 4000)
    right = random.random(4000) < 1 - (1 - certain) ** 2  # surer than they say
    thresholds, calibration = choose_thresholds(certain, right)
    fitted = np.array([calibration(value) for value in certain])
    low, high = fitted < 0.8, fitted > 0.95
    assert right[low].mean() == pytest.approx(fitted[low].mean(), abs=0.04)
    assert right[high].mean() == pytest.approx(fitted[high].mean(), abs=0.02)
    sure = fitted >= thresholds.confidence
    assert right[sure].mean() >= SURE_RIGHT - 0.001
    assert sure.any()


def test_where_no_share_is_right_often_enough_nothing_is_sure() -> None:
    thresholds, _ = choose_thresholds(np.linspace(0.5, 0.99, 50), np.zeros(50, bool))
    assert thresholds.confidence == 1.0


def test_a_calibration_is_monotonic() -> None:
    calibrated = [Calibration(0.7, -0.3)(value) for value in np.linspace(0, 1, 20)]
    assert calibrated == sorted(calibrated)
