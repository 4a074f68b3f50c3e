"""Metrics of one worker, as Prometheus reads them."""

import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from inkdigit.errors import InputError
from inkdigit.prediction import Model, Prediction, Thresholds
from inkdigit.reading import Number, Reading
from inkdigit.server.metrics import Metrics

MODEL = {"model": "m", "version": "1"}


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """Return a sample, or None."""
    text = bytes(metrics.response().body).decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return float(sample.value)
    return None


def prediction() -> Prediction:
    """Return a sure 1."""
    frame = np.zeros((28, 28), np.float32)
    return Prediction(("0", "1"), (0.1, 0.9), 0.8, frame, Thresholds(0.5, 0.5), Model("m", "1"))


def test_a_prediction_counts_its_digit_its_confidence_and_its_digitness() -> None:
    metrics = Metrics()
    metrics.predicted(prediction())
    metrics.predicted(prediction())
    assert value(metrics, "inkdigit_predictions_total", **MODEL, digit="1") == 2
    assert value(metrics, "inkdigit_confidence_sum", **MODEL) == 1.8
    assert value(metrics, "inkdigit_digitness_sum", **MODEL) == 1.6


def test_a_refusal_counts_its_code_whoever_refused() -> None:
    metrics = Metrics()
    error = InputError("Nothing is drawn on the picture.", "blank_image")
    metrics.predicted(error)
    metrics.read(error)
    metrics.refused("not_found")
    assert value(metrics, "inkdigit_refused_total", code="blank_image") == 2
    assert value(metrics, "inkdigit_refused_total", code="not_found") == 1


def test_a_reading_counts_its_numbers_by_whether_they_are_sure() -> None:
    metrics = Metrics()
    numbers = tuple(Number("7", confidence, (0, 0, 1, 1), 0, ()) for confidence in (0.99, 0.95, 0.2))
    metrics.read(Reading(numbers, 0.9, Model("m", "1")))
    assert value(metrics, "inkdigit_numbers_total", **MODEL, sure="true") == 2
    assert value(metrics, "inkdigit_numbers_total", **MODEL, sure="false") == 1


def test_seconds_are_observed_by_stage_and_by_request() -> None:
    metrics = Metrics()
    metrics.stages(0.25, 0.5)
    metrics.request("POST", "/v1/predict", "200", 1.0)
    assert value(metrics, "inkdigit_decode_seconds_sum") == 0.25
    assert value(metrics, "inkdigit_inference_seconds_sum") == 0.5
    labels = {"method": "POST", "route": "/v1/predict", "status": "200"}
    assert value(metrics, "inkdigit_request_seconds_count", **labels) == 1
