"""The network in int8: only its layers, with the same frames, and only where it reads as well."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from inkdigit import ArtefactError, Recognizer
from inkdigit.artefact import DEFAULT_MODEL, model_path
from inkdigit.data import Labelled
from inkdigit.evaluate import score
from inkdigit.train.begin import from_artefact
from inkdigit.train.int8 import LAYERS, quantise, refuse_a_loss

from ..pictures import digits, seven


@pytest.fixture(scope="module")
def int8(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Quantise the shipped model, calibrated on the frames of drawn digits."""
    whole = model_path(DEFAULT_MODEL)
    frames = [answer.frame for answer in map(Recognizer(whole).predict, digits(100)[0])]
    path = tmp_path_factory.mktemp("int8") / "int8.onnx"
    quantise(whole, path, from_artefact(whole)[2].network, (np.stack(frames) * 255).round().astype(np.uint8))
    return path


def test_only_the_networks_layers_are_quantised(int8: Path) -> None:
    nodes = onnx.load(int8).graph.node
    made_by = {output: node for node in nodes for output in node.output}
    layers = [node for node in nodes if node.op_type in LAYERS]
    in_int8 = [node for node in layers if made_by.get(node.input[1]) is not None]
    assert {made_by[node.input[1]].op_type for node in in_int8} == {"DequantizeLinear"}
    assert all("network." in made_by[node.input[1]].input[0] for node in in_int8)
    assert all(node.input[1].startswith("framing.") for node in layers if node not in in_int8)
    assert len(in_int8) == 8


def test_frames_are_the_same_and_digits_are_read_as_well(int8: Path) -> None:
    images, labels = digits(200)
    shipped, small = Recognizer(), Recognizer(int8)
    assert np.array_equal(small.predict(seven()).frame, shipped.predict(seven()).frame)
    data = Labelled(np.stack(images), np.array(labels), {})
    assert abs(score(small, data).accuracy - score(shipped, data).accuracy) <= 0.02
    assert int8.stat().st_size < 0.7 * model_path(DEFAULT_MODEL).stat().st_size
    assert small.contract == shipped.contract


def test_what_reads_worse_is_refused() -> None:
    images, labels = digits(40)
    before = score(Recognizer(), Labelled(np.stack(images), np.array(labels), {}))
    worse = score(Recognizer(), Labelled(np.stack(images)[::-1], np.array(labels), {}))
    refuse_a_loss(before, before)
    with pytest.raises(ArtefactError, match=r"over 0\.05 points less, so nothing is written"):
        refuse_a_loss(before, worse)
