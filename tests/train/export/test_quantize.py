"""The network in int8: only its layers, with the same frames, and only where it reads as well."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from inkdigit import ArtefactError, Recognizer
from inkdigit.evaluation.datasets import Labelled
from inkdigit.evaluation.scores import score
from inkdigit.model_file import DEFAULT_MODEL, model_path
from inkdigit.train.export.onnx_export import export
from inkdigit.train.export.quantize import LAYERS, quantise, refuse_a_loss
from inkdigit.train.warm_start import from_model_file

from ...pictures import digits, seven


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the shipped model in float."""
    path, shipped = tmp_path_factory.mktemp("float") / "float.onnx", model_path(DEFAULT_MODEL)
    export(from_model_file(shipped)[2], Recognizer(shipped).contract, [seven()[None]], path)
    return path


@pytest.fixture(scope="module")
def int8(whole: Path) -> Path:
    """Quantise that, calibrated on the frames of drawn digits."""
    frames = [answer.frame for answer in map(Recognizer(whole).predict, digits(100)[0])]
    path = whole.with_name("int8.onnx")
    quantise(
        whole,
        path,
        from_model_file(model_path(DEFAULT_MODEL))[2].network,
        (np.stack(frames) * 255).round().astype(np.uint8),
    )
    return path


def test_only_the_networks_layers_but_the_first_are_quantised(int8: Path) -> None:
    nodes = onnx.load(int8).graph.node
    made_by = {output: node for node in nodes for output in node.output}
    layers = [node for node in nodes if node.op_type in LAYERS]
    in_int8 = [node for node in layers if made_by.get(node.input[1]) is not None]
    assert {made_by[node.input[1]].op_type for node in in_int8} == {"DequantizeLinear"}
    assert all("network." in made_by[node.input[1]].input[0] for node in in_int8)
    others = [node.input[1] for node in layers if node not in in_int8]
    assert [name for name in others if not name.startswith("framing.")] == ["network.features.0.0.weight"]
    assert len(in_int8) == 7


def test_frames_are_the_same_and_digits_are_read_as_well(whole: Path, int8: Path) -> None:
    images, labels = digits(200)
    before, after = Recognizer(whole), Recognizer(int8)
    assert np.array_equal(after.predict(seven()).frame, before.predict(seven()).frame)
    data = Labelled(np.stack(images), np.array(labels), {})
    assert abs(score(after, data).accuracy - score(before, data).accuracy) <= 0.02
    assert int8.stat().st_size < 0.7 * whole.stat().st_size
    assert after.contract == before.contract
    answers = [after.predict(image) for image in images]
    assert len({answer.digitness for answer in answers}) > 0.9 * len(images)  # in 8 bits many were equal
    assert all(len(set(answer.probabilities)) == 10 for answer in answers)


def test_what_reads_worse_is_refused() -> None:
    images, labels = digits(40)
    before = score(Recognizer(), Labelled(np.stack(images), np.array(labels), {}))
    worse = score(Recognizer(), Labelled(np.stack(images)[::-1], np.array(labels), {}))
    refuse_a_loss(before, before)
    with pytest.raises(ArtefactError, match=r"over 0\.05 points less, so nothing is written"):
        refuse_a_loss(before, worse)
