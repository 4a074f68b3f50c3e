"""Training on one's own pictures, and on the weights of an artefact."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from inkdigit import Recognizer
from inkdigit.errors import DataError
from inkdigit.evaluation.scores import DIGITS
from inkdigit.model_file import model_path, open_artefact, weights_beside
from inkdigit.prediction import Thresholds
from inkdigit.train.custom_dataset import custom_corpora, custom_folder, files_of
from inkdigit.train.export.quantize import export_int8
from inkdigit.train.export.run_export import export_run, export_run_program
from inkdigit.train.model.calibration import Temperature
from inkdigit.train.model.classifiers import NETWORKS
from inkdigit.train.model.framing import Framing
from inkdigit.train.model.graph import Graph
from inkdigit.train.model.localizer import Localizer
from inkdigit.train.recipe import Recipe
from inkdigit.train.run import train
from inkdigit.train.run_dir import NOTES, RECIPE, WEIGHTS, Notes, require_same_data, save, start_run
from inkdigit.train.training_log import METRICS
from inkdigit.train.warm_start import folded, initial_graph, weights_of

from ..pictures import digits

NAMES = ("four", "seven", "two words")  # any names; their order is the labels'


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Lay out a folder of labelled folders: pictures of several sizes and formats, and files that are none."""
    folder = tmp_path / "mine"
    images, labels = digits(200)
    for name, label in zip(NAMES, (4, 7, 2), strict=True):
        (folder / name).mkdir(parents=True)
        of_label = [image for image, each in zip(images, labels, strict=True) if each == label]
        for number, image in enumerate(of_label[:12]):
            page = Image.fromarray(np.pad(image, ((number, 0), (0, 2 * number)), constant_values=255))
            page.save(folder / name / f"{number}.{'jpg' if number % 2 else 'png'}")
    (folder / "four" / "notes.txt").write_text("to do: write more fours")
    (folder / "seven" / ".hidden").write_text("of the system")
    (folder / "seven" / "cut.png").write_bytes((folder / "seven" / "0.png").read_bytes()[:200])
    Image.new("L", (50, 50), 255).save(folder / "seven" / "blank.png")
    (folder / "nothing in it").mkdir()
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("of a program")
    return folder


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "inkdigit", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},  # threads that wait for each other take minutes on a busy machine
    )


def test_a_network_of_ones_own_pictures(mine: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    quick = ("--set=sheets=300", "--epochs=3", "--set=rate=0.01", "--network=tiny", "--device=cpu", "--name=mine")
    answer = command("train", f"--data={mine}", f"--out={out}", *quick)
    assert answer.returncode == 0, answer.stderr
    assert "notes.txt is left out: This is not a picture" in answer.stderr
    assert "cut.png is left out: " in answer.stderr
    assert "blank.png is left out: Nothing is drawn on the picture." in answer.stderr
    assert "hidden" not in answer.stderr
    assert ".git" not in answer.stderr
    assert "nothing in it: no files, so it is no label" in answer.stderr
    for name in NAMES:
        assert f"{name}: 12 of 1" in answer.stderr
    recognizer = Recognizer(out / "mine.onnx")
    assert recognizer.contract.labels == NAMES
    assert recognizer.contract.scores.keys() == {"held-out"}
    assert recognizer.predict(mine / "four" / "1.jpg").digit in NAMES
    assert {path.name for path in out.glob("*.png")} == {"curves.png", "confusion.png", "mistakes.png"}


def test_every_fifth_picture_is_held_out_whatever_else_is_there(mine: Path) -> None:
    framing = weights_of("inkdigit")[2].framing
    training, validation, sources = custom_corpora(Recipe(sheets=0), mine, framing)
    before = dict(zip(files_of(mine).paths, files_of(mine).held_out(), strict=True))
    held_out = sum(before.values())
    assert len(validation.sources["own"].labels) == held_out
    assert len(training.sources["own"].labels) == 36 - held_out
    assert list(sources) == ["own"]
    (mine / "seven" / "another.png").write_bytes((mine / "four" / "0.png").read_bytes())
    after = dict(zip(files_of(mine).paths, files_of(mine).held_out(), strict=True))
    assert all(after[path] == held for path, held in before.items() if path.parent.name != "seven")


@pytest.mark.parametrize(
    ("sources", "labels", "named", "sentence"),
    [
        ({"own": "00ff"}, NAMES, False, "name their folder by --data"),
        ({"own": "00ff"}, (*NAMES, "ten"), True, "was not trained on the pictures in"),
        ({"train-images-idx3-ubyte": "00ff"}, NAMES, True, "but on train-images-idx3-ubyte"),
    ],
)
def test_an_export_with_other_data_is_refused(
    sources: dict[str, str], labels: tuple[str, ...], named: bool, sentence: str, mine: Path, tmp_path: Path
) -> None:
    built = Graph(Framing(Localizer()), NETWORKS["tiny"](len(labels)), Temperature())
    notes = Notes("mine", Recipe(network="tiny"), sources, Temperature(), Thresholds(0.5, 0.5), {}, labels=labels)
    save(notes, built, tmp_path / "run")
    mnists = tmp_path / "data"
    (mnists / "mnist").mkdir(parents=True)
    for export in (export_run, export_run_program, export_int8):
        with pytest.raises(DataError, match=sentence):
            export(tmp_path / "run", None, mine if named else mnists)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {NOTES, WEIGHTS}


def test_few_pictures_are_repeated_up_to_half_the_sheets(mine: Path) -> None:
    training, _, _ = custom_corpora(Recipe(sheets=300), mine, weights_of("inkdigit")[2].framing)
    assert 120 <= len(training.sources["own"].labels) <= 150


@pytest.mark.parametrize(
    ("flags", "name", "sentence"),
    [
        ({"batch": 1000}, "mine", "fewer than a batch of 1000"),
        ({"epochs": 0, "batch": 10}, "mine", "Nothing can be learnt in 0 epochs"),
        ({}, "two/words", "not 'two/words'"),
        ({}, "", "not ''"),
    ],
)
def test_a_refused_run_takes_nothing_away(
    flags: dict[str, Any], name: str, sentence: str, mine: Path, tmp_path: Path
) -> None:
    kept = [tmp_path / "network.checkpoint.safetensors", tmp_path / METRICS, tmp_path / RECIPE]
    for path in kept:
        path.write_text("of an earlier run")
    with pytest.raises(DataError, match=sentence):
        train(Recipe(**{"localizer": "inkdigit", "sheets": 0, **flags}), mine, tmp_path, name, "cpu")
    assert [path.read_text() for path in kept] == 3 * ["of an earlier run"]


def test_a_run_goes_on_with_the_same_pictures_only(mine: Path, tmp_path: Path) -> None:
    recipe, framing = Recipe(), weights_of("inkdigit")[2].framing
    sources = custom_corpora(recipe, mine, framing)[2]
    start_run(recipe, sources, tmp_path / "run")
    require_same_data(custom_corpora(recipe, mine, framing)[2], tmp_path / "run")
    (mine / "four" / "0.png").rename(mine / "seven" / "99.png")
    with pytest.raises(DataError, match="was begun with other data: own had another SHA-256"):
        require_same_data(custom_corpora(recipe, mine, framing)[2], tmp_path / "run")


@pytest.mark.parametrize("out", ["file", "file/run", "/proc/run"])
def test_a_run_that_cannot_be_written_is_refused_before_data_is_read(out: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=f"{out} cannot be written: "):
        train(Recipe(), tmp_path / "missing", tmp_path / out, "mine", "cpu")


@pytest.mark.parametrize("names", [(), ("0",), ("0", "1")])
def test_a_folder_without_pictures_is_one_sentence(names: tuple[str, ...], tmp_path: Path) -> None:
    folder, out = tmp_path / "mine", tmp_path / "run"
    for name in names:
        (folder / name).mkdir(parents=True)
        if len(names) == 1:
            Image.fromarray(digits()[0][0]).save(folder / name / "only.png")
    folder.mkdir(exist_ok=True)
    answer = command("train", f"--data={folder}", f"--out={out}")
    assert answer.returncode == 2
    sentence = f"{folder} holds neither MNIST nor two folders of pictures, each named by its label."
    assert answer.stderr == f"inkdigit: {sentence}\n"
    assert not out.exists()


def test_a_label_whose_pictures_cannot_be_read_is_refused(mine: Path) -> None:
    (mine / "letters").mkdir()
    (mine / "letters" / "a.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="no picture of letters"):
        custom_corpora(Recipe(), mine, weights_of("inkdigit")[2].framing)


def test_mnists_folder_is_no_folder_of_labels(tmp_path: Path) -> None:
    assert custom_folder(tmp_path) == tmp_path
    (tmp_path / "mnist").mkdir()
    assert custom_folder(tmp_path) is None
    with pytest.raises(DataError, match=r"There is no folder .*missing\."):
        custom_folder(tmp_path / "missing")


def test_an_artefacts_weights_come_back() -> None:
    session, contract = open_artefact(model_path("inkdigit"))
    _, labels, graph = weights_of("inkdigit")
    assert labels == contract.labels
    images = np.stack(digits(20)[0])
    with torch.inference_mode():
        probabilities, frame, _ = graph(torch.as_tensor(images))
    wanted, seen = session.run(["probabilities", "frame"], {"pixels": images})
    assert probabilities.argmax(1).tolist() == wanted.argmax(1).tolist()
    np.testing.assert_allclose(frame.numpy(), seen, atol=1e-3)


def test_a_folded_framing_frames_alike() -> None:
    torch.manual_seed(0)
    framing = weights_of("inkdigit")[2].framing
    for name, values in framing.state_dict().items():
        if "running" in name:
            values.add_(torch.rand_like(values) * 0.1)
    images = torch.as_tensor(np.stack(digits(20)[0]))
    without = folded(framing)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in without.modules())
    with torch.inference_mode():
        torch.testing.assert_close(without(images), framing(images), atol=1e-3, rtol=1e-3)
        assert not torch.equal(framing(images)[0], weights_of("inkdigit")[2].framing(images)[0])  # it was changed


def test_other_labels_get_a_new_last_layer() -> None:
    recipe = Recipe(begin_with="inkdigit", localizer_epochs=0)
    same = initial_graph(recipe, DIGITS, ())
    other = initial_graph(recipe, ("a", "b", "c"), ())
    assert same is not None
    assert other is not None
    assert (same.network.classify.out_features, other.network.classify.out_features) == (10, 3)
    assert torch.equal(same.network.detect.state_dict()["0.weight"], other.network.detect.state_dict()["0.weight"])
    with pytest.raises(DataError, match="was trained with network flagship, not lenet5"):
        initial_graph(Recipe(network="lenet5", begin_with="inkdigit"), DIGITS, ())


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [(None, r"other\.safetensors must lie beside it"), (b"{}", "damaged"), ("lenet5", "weights of another version")],
)
def test_a_model_file_without_its_weights_is_refused(
    weights: bytes | str | None, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "other.onnx"
    shutil.copyfile(model_path("inkdigit"), path)
    if isinstance(weights, bytes):
        weights_beside(path).write_bytes(weights)
    elif weights:
        shutil.copyfile(weights_beside(model_path(weights)), weights_beside(path))
    with pytest.raises(DataError, match=sentence):
        weights_of(str(path))
