"""The training loop: a stopped run continues as if nothing had happened."""

import json
import os
import re
import signal
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from inkdigit.errors import DataError
from inkdigit.train.corpus import Corpus, Digits
from inkdigit.train.data import Frames
from inkdigit.train.fit.loop import OPTIMISERS, Loop, Stopped, checkpoint_of, descend
from inkdigit.train.fit.losses import TAUGHT
from inkdigit.train.fit.trainers import fit_classifier, outputs, resolve_precision
from inkdigit.train.model.classifiers import NETWORKS, convolution
from inkdigit.train.recipe import Recipe
from inkdigit.train.training_log import EVENTS, METRICS, enable_tensorboard

COUNT, BATCH, EPOCHS = 230, 20, 3


def loop(recipe: Recipe) -> Loop:
    """Begin a small run with batch normalisation, whose buffers must come back too.

    Its second convolution has more than one input channel: the weights' layout in memory is not the checkpoint's.
    """
    torch.manual_seed(recipe.seed)
    layers = convolution(1, 4), convolution(4, 8), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2)
    module = nn.Sequential(*layers)
    return Loop(module, COUNT, EPOCHS, recipe)


def run(state: Loop, out: Path, stop_at: int = -1) -> None:
    """Train on pictures of noise with new noise in every step; press Ctrl-C in step `stop_at`."""
    pictures = torch.rand(COUNT, 1, 6, 6, generator=torch.Generator().manual_seed(7))

    def loss(index: Tensor) -> Tensor:
        if state.step == stop_at:
            os.kill(os.getpid(), signal.SIGINT)
        batch = pictures[index]
        state.losses[index] = torch.rand(len(index))
        return functional.cross_entropy(state.module(batch + torch.randn_like(batch)), (batch[:, 0, 0, 0] > 0.5).long())

    descend("stage", state, loss, out, dict)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize(("stop_at", "revisited"), [(2, 1), (10, 1), (11, 1), (25, 1), (10, 0.6), (11, 0.6), (14, 0.6)])
def test_a_resumed_run_is_bit_equal_to_a_straight_one(
    tmp_path: Path, optimiser: str, stop_at: int, revisited: float
) -> None:
    recipe = Recipe(batch=BATCH, optimiser=optimiser, rate=0.01, revisited=revisited)
    straight = loop(recipe)
    run(straight, tmp_path)
    with pytest.raises(Stopped):
        run(loop(recipe), tmp_path, stop_at)
    resumed = loop(recipe)
    resumed.restore(checkpoint_of(tmp_path, "stage"))
    assert resumed.step == stop_at + 1
    run(resumed, tmp_path)
    for kind in ("module", "average"):
        states = [getattr(each, kind).state_dict() for each in (straight, resumed)]
        assert states[0].keys() == states[1].keys()
        assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert torch.equal(straight.order, resumed.order)


def test_later_epochs_visit_the_hardest_pictures_and_some_of_the_others() -> None:
    state = loop(Recipe(batch=BATCH, revisited=0.5))
    first, later = COUNT // BATCH, COUNT // 2 // BATCH
    assert state.steps == first + (EPOCHS - 1) * later
    assert [state.epoch_of(step) for step in (0, first - 1, first, first + later)] == [
        (0, 0),
        (0, first - 1),
        (1, 0),
        (2, 0),
    ]
    state.batch()
    assert sorted(state.order.tolist()) == list(range(COUNT))
    state.losses = torch.rand(COUNT)
    hardest = set(state.losses.topk(round(COUNT / 2 / 3)).indices.tolist())
    epochs = []
    for _ in range(2):
        state.step = first
        state.batch()
        epochs.append(set(state.order.tolist()))
        assert len(state.order) == len(epochs[-1]) == COUNT // 2
        assert hardest <= epochs[-1]
    assert len(epochs[0] & epochs[1]) < 0.9 * COUNT / 2


def test_later_epochs_visit_any_pictures_where_all_are_equally_hard() -> None:
    state = loop(Recipe(batch=BATCH, revisited=0.5))  # as a localizer, which notes no losses
    visits = torch.zeros(COUNT)
    for _ in range(40):
        state.step = COUNT // BATCH
        state.batch()
        visits[state.order] += 1
    assert int(visits.min()) > 0
    assert int(visits.max()) < 40


def test_every_epoch_leaves_a_line_of_figures(tmp_path: Path) -> None:
    run(loop(Recipe(batch=BATCH)), tmp_path)
    lines = [json.loads(line) for line in (tmp_path / METRICS).read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert all(line["loss"] > 0 and line["stage"] == "stage" for line in lines)
    assert lines[-1]["rate"] < lines[0]["rate"]


def test_a_terminal_shows_a_bar_for_paper_and_for_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")  # rich takes any stream for a terminal
    zeros = torch.zeros(2, 28, 28, dtype=torch.uint8)
    assert len(Corpus({"mnist": Digits(zeros, torch.zeros(2))}).sheets(1).labels) > 0
    assert "paper" in capsys.readouterr().err
    run(loop(Recipe(batch=BATCH)), tmp_path)
    assert re.search(r"stage .*━.*loss \d", capsys.readouterr().err)


def test_tensorboard_is_told_what_the_metrics_say(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    enable_tensorboard(tmp_path)
    run(loop(Recipe(batch=BATCH)), tmp_path)
    lines = [json.loads(line) for line in (tmp_path / METRICS).read_text().splitlines()]
    events = EventAccumulator(str(tmp_path / EVENTS)).Reload()
    for name in ("loss", "rate", "seconds"):
        written = [(event.step, event.value) for event in events.Scalars(f"stage/{name}")]
        assert written == [(line["epoch"], pytest.approx(line[name])) for line in lines]


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_broken_checkpoint_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken").write_bytes(content)
    with pytest.raises(DataError, match="is no checkpoint of this run"):
        loop(Recipe(batch=BATCH)).restore(tmp_path / "broken")


def test_a_checkpoint_of_other_pictures_is_refused(tmp_path: Path) -> None:
    run(loop(Recipe(batch=BATCH)), tmp_path)
    more = Loop(loop(Recipe(batch=BATCH)).module, COUNT + 1, EPOCHS, Recipe(batch=BATCH))
    with pytest.raises(DataError, match="it had 230 pictures, and there are 231"):
        more.restore(checkpoint_of(tmp_path, "stage"))


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="taken-away cannot be written: No such file or directory"):
        run(loop(Recipe(batch=BATCH)), tmp_path / "taken-away")


def test_fewer_pictures_than_a_batch_are_refused() -> None:
    with pytest.raises(DataError, match="fewer than a batch"):
        loop(Recipe(batch=COUNT + 1))


def test_no_epoch_is_refused() -> None:
    with pytest.raises(DataError, match="Nothing can be learnt in 0 epochs"):
        Loop(nn.Linear(2, 2), COUNT, 0, Recipe(batch=BATCH))


@pytest.mark.parametrize(
    ("able", "precision"),
    [
        ({"cpu_name": "AMD EPYC", "avx512_bf16": True}, "bfloat16"),
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True}, "float32"),
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": True}, "bfloat16"),
        ({"architecture": "aarch64"}, "float32"),
    ],
)
def test_auto_is_the_precision_that_a_processor_is_sooner_in(
    able: dict[str, object], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)  # of machines that are not this one
    assert resolve_precision("auto", "cpu") == precision
    assert resolve_precision("float32", "cpu") == "float32"


class Sure(nn.Module):
    """Say of whatever is shown that it is a 3, or no digit at all."""

    def __init__(self, digitness: float) -> None:
        super().__init__()
        self.digitness = digitness

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits [N, 10] and digitness logits [N]."""
        threes = functional.one_hot(torch.full((len(frames),), 3), 10) * 50.0
        return threes, torch.full((len(frames),), self.digitness)


def test_the_mean_of_the_teachers_is_learnt_beside_the_labels() -> None:
    torch.manual_seed(1)
    frames = Frames(torch.randint(0, 256, (64, 28, 28), dtype=torch.uint8), torch.arange(64) % 2)
    recipe = Recipe(batch=32, epochs=60, precision="float32", distortion=0, label_smoothing=0)
    teachers = (Sure(50), Sure(-50))
    network = fit_classifier(NETWORKS["lenet5"](10).train(), frames, frames, recipe, teachers=teachers)
    logits, digitness = outputs(network, frames)
    assert logits.softmax(1)[:, 3].mean() == pytest.approx(TAUGHT, abs=0.03)
    assert logits.softmax(1)[:, :2].sum(1).mean() == pytest.approx(1 - TAUGHT, abs=0.03)
    assert digitness.sigmoid().mean() == pytest.approx(1 - TAUGHT / 2, abs=0.05)
