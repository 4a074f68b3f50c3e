"""A whole training run on a little of the real data, and exports that fail."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from inkdigit import ArtefactError, Recognizer, __version__
from inkdigit.cli.main import main
from inkdigit.errors import DataError
from inkdigit.evaluation.scores import DIGITS
from inkdigit.model_file import Contract, model_path
from inkdigit.prediction import Thresholds
from inkdigit.train.export import onnx_export, torch_export
from inkdigit.train.export.run_export import place_of
from inkdigit.train.model.calibration import Temperature
from inkdigit.train.model.classifiers import NETWORKS
from inkdigit.train.model.framing import Framing
from inkdigit.train.model.graph import Graph
from inkdigit.train.model.localizer import Localizer
from inkdigit.train.recipe import Recipe
from inkdigit.train.run_dir import NOTES, WEIGHTS, Notes, load, save
from inkdigit.train.synth.glyphs import FONTS
from inkdigit.train.warm_start import (
    SPLIT,
    initial_graph,
    teachers_of,
    weights_of,
)

from ..pictures import digits, seven

needs_data = pytest.mark.skipif(
    "INKDIGIT_DATA" not in os.environ, reason="training reads real data: INKDIGIT_DATA names no folder"
)
TINY = (
    "--set=pictures=1500",
    "--set=validation=300",
    "--set=pens=1",
    "--set=redrawn=1",
    "--set=invented=200",
    "--set=sheets=400",
    "--set=localizer-epochs=1",
    "--device=cpu",
)


def contract() -> Contract:
    return Contract(
        "test", "1", tuple("0123456789"), "flagship", Thresholds(0.5, 0.5), {}, {}, {}, inkdigit=__version__, commit=""
    )


def graph() -> Graph:
    torch.manual_seed(0)
    return Graph(Framing(Localizer()), NETWORKS["flagship"](10), Temperature()).eval()


def samples() -> list[np.ndarray]:
    return [np.stack(digits(8)[0]), seven(150)[None]]


def test_a_program_for_torch_reads_as_the_graph_and_carries_the_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = graph()
    torch_export.export_program(built, contract(), samples(), tmp_path / "new.pt2")
    inside = {torch_export.CONTRACT_FILE: ""}
    program = torch.export.load(tmp_path / "new.pt2", extra_files=inside).module()
    pixels = torch.as_tensor(seven(73)[None].copy())  # a size that the export has not seen
    assert all(map(torch.allclose, program(pixels), built(pixels)))
    assert json.loads(inside[torch_export.CONTRACT_FILE])["name"] == contract().name
    good = (tmp_path / "new.pt2").read_bytes()
    monkeypatch.setattr(onnx_export, "TOLERANCE", -1.0)
    with pytest.raises(ArtefactError, match="differs from torch"):
        torch_export.export_program(built, contract(), samples(), tmp_path / "new.pt2")
    assert (tmp_path / "new.pt2").read_bytes() == good
    assert [path.name for path in tmp_path.iterdir()] == ["new.pt2"]


def test_a_failed_export_leaves_the_last_good_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "model.onnx"
    target.write_bytes(b"the last good file")
    # A translation takes seconds, so this one is of another model: it cannot agree with the graph.
    monkeypatch.setattr(onnx_export, "to_onnx", lambda _: onnx.load(model_path("tiny")))
    with pytest.raises(ArtefactError, match="differs from torch"):
        onnx_export.export(graph(), contract(), samples(), target)
    assert target.read_bytes() == b"the last good file"
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_an_export_to_where_nothing_can_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"new\.onnx cannot be written: "):
        onnx_export.export(graph(), contract(), samples(), tmp_path / "file" / "new.onnx")


def test_the_file_of_an_export_is_judged_by_its_name_beforehand(tmp_path: Path) -> None:
    assert place_of(None, tmp_path, "mine.onnx") == tmp_path / "mine.onnx"
    with pytest.raises(DataError, match=r"ends in \.onnx, not .*noext"):
        place_of(tmp_path / "noext", tmp_path, "mine.onnx")


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_reads_frames(network: str) -> None:
    logits, digitness = NETWORKS[network](12).eval()(torch.rand(3, 1, 28, 28))
    assert (logits.shape, digitness.shape) == ((3, 12), (3,))


def test_an_export_loads_and_agrees_with_the_framing_inside(tmp_path: Path) -> None:
    torch.manual_seed(0)
    built = Graph(weights_of("tiny")[2].framing, NETWORKS["conv2-dropout"](12), Temperature()).eval()
    twelve = dataclasses.replace(contract(), labels=tuple("0123456789AB"))  # the number of classes follows the data
    onnx_export.export(built, twelve, samples(), tmp_path / "new.onnx")
    exported = Recognizer(tmp_path / "new.onnx")
    assert exported.contract == twelve
    assert len(exported.predict(seven(90)).probabilities) == len(twelve.labels)
    assert [path.name for path in tmp_path.iterdir()] == ["new.onnx"]


def test_tiny_is_tiny() -> None:
    assert sum(each.numel() for each in NETWORKS["tiny"](10).parameters()) < 20_000


@pytest.mark.parametrize(
    "flag", ["--network=resnet900", "--set=optimiser=lucky", "--set=precision=int3", "--device=tpu", "--device=mps"]
)
def test_what_is_not_there_is_one_sentence(
    flag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["inkdigit", "train", "--out", str(tmp_path / "run"), flag])
    with pytest.raises(SystemExit, match="2"):
        main()
    printed = capsys.readouterr().err
    assert printed.startswith("inkdigit: There is no ")
    assert printed.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_run_begins_with_the_weights_of_another_of_the_same_split(tmp_path: Path) -> None:
    first = Recipe(epochs=4, seed=7)
    built = graph()
    save(Notes("first", first, {}, Temperature(), Thresholds(0.5, 0.5), {}), built, tmp_path)
    begun = initial_graph(Recipe(begin_with=str(tmp_path), epochs=1, seed=7), DIGITS, SPLIT)
    assert begun is not None
    assert all(torch.equal(value, built.state_dict()[key]) for key, value in begun.state_dict().items())
    with pytest.raises(DataError, match="was trained with validation_writers 3, not 2"):
        initial_graph(Recipe(begin_with=str(tmp_path), validation_writers=2), DIGITS, SPLIT)


def test_teachers_may_have_any_network_but_know_the_same_labels_and_split(tmp_path: Path) -> None:
    other = tmp_path / "other"
    save(Notes("other", Recipe(validation=4000), {}, Temperature(), Thresholds(0.5, 0.5), {}), graph(), other)
    teachers = teachers_of(Recipe(teachers="tiny,lenet5"), DIGITS, SPLIT)
    frames = torch.rand(3, 1, 28, 28)
    for teacher, name in zip(teachers, ("tiny", "lenet5"), strict=True):
        assert torch.allclose(teacher(frames)[0], weights_of(name)[2].network(frames)[0], atol=1e-4)
    with pytest.raises(DataError, match="was trained with validation 4000, not 5000"):
        teachers_of(Recipe(teachers=f"tiny,{other}"), DIGITS, SPLIT)
    with pytest.raises(DataError, match="tiny knows other labels"):
        teachers_of(Recipe(teachers="tiny"), ("a", "b"), ())
    with pytest.raises(ArtefactError, match="There is no model named"):
        teachers_of(Recipe(teachers="tiny,"), DIGITS, SPLIT)


@pytest.mark.parametrize("damaged", [NOTES, WEIGHTS])
def test_a_damaged_run_is_one_sentence(damaged: str, tmp_path: Path) -> None:
    save(Notes("first", Recipe(), {}, Temperature(), Thresholds(0.5, 0.5), {}), graph(), tmp_path)
    (tmp_path / damaged).write_bytes((tmp_path / damaged).read_bytes()[:100])
    with pytest.raises(DataError, match="is damaged"):
        load(tmp_path)


def test_bad_data_takes_nothing_away(tmp_path: Path) -> None:
    out, empty = tmp_path / "run", tmp_path / "empty"
    for folder in (out, empty):
        folder.mkdir()
    kept = [out / "localizer.checkpoint.safetensors", out / "metrics.jsonl", out / "recipe.json"]
    for path in kept:
        path.write_text("of an earlier run")
    command = [sys.executable, "-m", "inkdigit", "train", "--out", str(out), "--data", str(empty)]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    assert answer.returncode == 2, answer.stderr
    assert [path.read_text() for path in kept] == 3 * ["of an earlier run"]


@needs_data
def test_train_then_export_again(tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "inkdigit"]
    flags = [*TINY, "--epochs=4", "--set=localizer-epochs=4"]
    subprocess.run([*command, "train", "--out", str(out), *flags], check=True, capture_output=True)
    first = Recognizer(out / "inkdigit.onnx").contract
    assert first.recipe["sheets"] == 400
    assert first.scores["mnist-test"]["accuracy"] > 0.9
    assert sum(first.validation["digit"].values()) > 300  # the digits validated on, and a fifth as many on paper
    assert set(first.sources) == {
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "pendigits/pendigits-orig.tra.gz",
        *FONTS,
    }
    drawn = {path.name for path in out.glob("*.png")}
    assert drawn == {"curves.png", "confusion.png", "mistakes.png"}
    subprocess.run([*command, "export", str(out), "--to", str(tmp_path / "b.onnx")], check=True, capture_output=True)
    assert Recognizer(tmp_path / "b.onnx").contract == first


def training_pictures_alone(folder: Path) -> Path:
    """A folder with MNIST's training files and nothing that scores, which takes most of a short run's time."""
    mnist = folder / "data" / "mnist"
    mnist.mkdir(parents=True)
    for path in (Path(os.environ["INKDIGIT_DATA"]).resolve() / "mnist").glob("train-*"):
        (mnist / path.name).symlink_to(path)
    return mnist.parent


@needs_data
def test_mnist_alone_is_enough(tmp_path: Path) -> None:
    folder = training_pictures_alone(tmp_path)
    out = tmp_path / "first"
    command = [sys.executable, "-m", "inkdigit", "train", "--data", str(folder), *TINY, "--out"]
    alone = subprocess.run([*command, str(out), "--epochs=1"], check=False, capture_output=True, text=True)
    assert alone.returncode == 0, alone.stderr
    assert "training without pen digits: they are not at " in alone.stderr
    first = Recognizer(out / "inkdigit.onnx").contract
    assert "mnist-test is not scored" in alone.stderr
    assert first.scores == {}
    assert first.recipe["pens"] == 0
    second = tmp_path / "second"  # its localizer learns, and its network is kept
    subprocess.run(
        [*command, str(second), f"--from={out}", "--set=pens=0", "--epochs=0"], check=True, capture_output=True
    )
    assert Recognizer(second / "inkdigit.onnx").contract.recipe["begin_with"] == "first"
    before, after = load(out)[1].state_dict(), load(second)[1].state_dict()
    same = {key for key, value in before.items() if torch.equal(value, after[key])}
    assert {key for key in before if key.startswith("network.")} <= same
    learnt = {key for key in before if key.startswith("framing.") and key.endswith("weight")}
    assert not learnt & same


@needs_data
def test_ctrl_c_keeps_what_was_learnt(tmp_path: Path) -> None:
    out = tmp_path / "run"
    data = training_pictures_alone(tmp_path)
    command = [sys.executable, "-u", "-m", "inkdigit", "train", "--data", str(data), "--out", str(out), "--epochs=400"]
    command += TINY
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("network epoch"):
                break
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(timeout=120) == 0, rest
    assert "what was learnt so far is kept" in rest
    assert Recognizer(out / "inkdigit.onnx").contract.labels == tuple("0123456789")
