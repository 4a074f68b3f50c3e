"""The contract: a file that does not fit is refused with both values named."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from inkdigit import ArtefactError, Recognizer
from inkdigit.model_file import (
    CONTRACT_VERSION,
    DEFAULT_MODEL,
    DEFAULT_READER,
    NUMBER,
    Contract,
    artefacts,
    is_run,
    model_names,
    model_path,
    open_artefact,
)
from inkdigit.prediction import Thresholds

CONTRACT = Contract(
    name="tiny",
    version="0.0.1",
    labels=("0", "1", "2"),
    architecture="none",
    thresholds=Thresholds(digitness=0.5, confidence=0.8),
    recipe={"epochs": 1},
    sources={"some-file": "00ff"},
    scores={"mnist-test": {"accuracy": 0.1}},
    inkdigit="0.1.0",
    commit="",
)


def tiny(labels: int | str = 3, frame: int = TensorProto.FLOAT, name: str = "pixels", rank: int = 1) -> onnx.ModelProto:
    """Build a graph with the contract's tensors that answers constants; the arguments spoil it."""
    n = helper.make_tensor("n", TensorProto.INT64, [1], [0])
    out = [
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", labels]),
        helper.make_tensor_value_info("frame", frame, ["N", 28, 28]),
        helper.make_tensor_value_info("digitness", TensorProto.FLOAT, ("N", 1)[:rank]),
    ]
    pixels = helper.make_tensor_value_info(name, TensorProto.UINT8, ["N", "H", "W"])
    count = labels if isinstance(labels, int) else 3
    shapes = {"probabilities": [count], "frame": [28, 28], "digitness": [1][: rank - 1]}
    nodes = [helper.make_node("Shape", [name], ["whole"]), helper.make_node("Gather", ["whole", "n"], ["batch"])]
    initial = [n]
    for output, shape in shapes.items():
        initial.append(helper.make_tensor(f"{output}-rest", TensorProto.INT64, [len(shape)], shape))
        kind = frame if output == "frame" else TensorProto.FLOAT
        value = helper.make_tensor("v", kind, [1], [1])
        nodes.append(helper.make_node("Concat", ["batch", f"{output}-rest"], [f"{output}-shape"], axis=0))
        nodes.append(helper.make_node("ConstantOfShape", [f"{output}-shape"], [output], value=value))
    graph = helper.make_graph(nodes, "tiny", [pixels], out, initial)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def crashing(model: onnx.ModelProto) -> onnx.ModelProto:
    """Spoil a graph so that it loads, and fails when it runs."""
    return _after_digitness(model, "Reshape", helper.make_tensor("seven", TensorProto.INT64, [1], [7]))


def blind(model: onnx.ModelProto) -> onnx.ModelProto:
    """Spoil a graph so that every picture is blank to it."""
    return _after_digitness(model, "Mul", helper.make_tensor("nothing", TensorProto.FLOAT, [1], [0]))


def _after_digitness(model: onnx.ModelProto, operator: str, constant: TensorProto) -> onnx.ModelProto:
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = ["before" if name == "digitness" else name for name in names]
    model.graph.initializer.append(constant)
    model.graph.node.append(helper.make_node(operator, ["before", constant.name], ["digitness"]))
    return model


def written(folder: Path, model: onnx.ModelProto, changes: dict[str, str | None]) -> Path:
    """Write a model with the contract, some of its metadata replaced, or left out where None."""
    metadata = {**CONTRACT.metadata(), **changes}
    helper.set_model_props(model, {key: value for key, value in metadata.items() if value is not None})
    path = folder / "tiny.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ArtefactError) as caught:
        Recognizer(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_contract_is_read_as_it_was_written(tmp_path: Path) -> None:
    _, contract = open_artefact(written(tmp_path, tiny(), {"of-later-versions": "ignored"}))
    assert contract == CONTRACT


def test_the_first_artefacts_have_no_figures_of_validation(tmp_path: Path) -> None:
    _, contract = open_artefact(written(tmp_path, tiny(), {"validation": None}))
    assert contract.validation == {}


def test_labels_are_the_contracts(tmp_path: Path) -> None:
    answer = Recognizer(written(tmp_path, tiny(), {"labels": '["a", "b", "c"]'})).predict([[0, 1]])  # type: ignore[arg-type]
    assert (answer.digit, answer.model.name, answer.frame.shape) == ("a", "tiny", (28, 28))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"contract_version": str(CONTRACT_VERSION + 1)}, [str(CONTRACT_VERSION + 1), str(CONTRACT_VERSION)]),
        ({"contract_version": None}, ["contract_version"]),
        ({"contract_version": "one"}, ["JSON"]),
        ({"labels": '["0", "1"]'}, ["3 probabilities", "2 labels"]),
        ({"labels": "7"}, ["malformed"]),
        ({"thresholds": None, "recipe": None}, ["recipe, thresholds"]),
        ({"thresholds": "[]"}, ["malformed"]),
        ({"thresholds": '{"digitness": 0.5}'}, ["malformed"]),
        ({"thresholds": '{"digitness": "high", "confidence": 0.5}'}, ["malformed"]),
        ({"thresholds": '{"digitness": NaN, "confidence": 0.5}'}, ["malformed"]),
        ({"thresholds": '{"digitness": true, "confidence": 0.5}'}, ["malformed"]),
        ({"name": "12"}, ["malformed"]),
        ({"name": '""'}, ["malformed"]),
        ({"labels": '["1", "1", "1"]'}, ["malformed"]),
        ({"scores": "[1]"}, ["malformed"]),
        ({"scores": '{"mnist-test": 3}'}, ["malformed"]),
        ({"scores": '{"mnist-test": {"accuracy": "high"}}'}, ["malformed"]),
        ({"validation": "[1]"}, ["malformed"]),
    ],
)
def test_a_contract_that_does_not_fit_is_refused(
    tmp_path: Path, changes: dict[str, str | None], words: list[str]
) -> None:
    sentence = refusal(written(tmp_path, tiny(), changes))
    assert all(word in sentence for word in words)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lambda: tiny(frame=TensorProto.DOUBLE), ["tensor(double)", "tensor(float)"]),
        (lambda: tiny(name="picture"), ["'picture'", "'pixels'"]),
        (lambda: tiny(rank=2), ["('tensor(float)', 2)", "('tensor(float)', 1)"]),
        (lambda: tiny(labels=4), ["4 probabilities", "3 labels"]),
    ],
)
def test_tensors_that_do_not_fit_are_refused(
    tmp_path: Path, model: Callable[[], onnx.ModelProto], words: list[str]
) -> None:
    sentence = refusal(written(tmp_path, model(), {}))
    assert all(word in sentence for word in words)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x08\x0a" * 50, bytes(1000)])
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.onnx"
    path.write_bytes(content)
    refusal(path)


def test_half_a_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "half.onnx"
    path.write_bytes(model_path(DEFAULT_MODEL).read_bytes()[:100_000])
    refusal(path)


def test_a_graph_that_loads_and_does_not_run_is_an_error_of_the_artefact(tmp_path: Path) -> None:
    recognizer = Recognizer(written(tmp_path, crashing(tiny()), {}))
    with pytest.raises(ArtefactError, match=r"model tiny fails"):
        recognizer.predict(np.zeros((9, 9), np.uint8))


def test_a_file_that_is_missing_or_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.onnx").mkdir()
    for name in ("none.onnx", "folder.onnx", f"{'long' * 1000}.onnx"):
        refusal(tmp_path / name)


def test_names_are_the_shipped_models() -> None:
    assert model_names()[0] == DEFAULT_MODEL
    for name in model_names():
        _, contract = open_artefact(model_path(name))
        assert contract.name == name
        assert contract.labels[:10] == tuple("0123456789")
        assert (contract.task == NUMBER) == (name == DEFAULT_READER)
        assert all(len(digest) == 64 for digest in contract.sources.values())
        assert json.loads(contract.metadata()["labels"]) == list(contract.labels)
    with pytest.raises(ArtefactError, match=f"no model named best.*{DEFAULT_MODEL}"):
        model_path("best")


def test_a_folder_named_like_a_shipped_model_does_not_hide_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / DEFAULT_MODEL).mkdir()
    assert artefacts([DEFAULT_MODEL]) == {DEFAULT_MODEL: model_path(DEFAULT_MODEL)}
    assert not is_run(DEFAULT_MODEL)
    (tmp_path / DEFAULT_MODEL / "mine.onnx").touch()
    assert artefacts([f"./{DEFAULT_MODEL}"]) == {f"./{DEFAULT_MODEL}": Path(DEFAULT_MODEL) / "mine.onnx"}
