"""Learning corrections: what is learnt is kept only if nothing else is forgotten, and one can go back."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from inkdigit import Recognizer, __version__
from inkdigit.corrections.picture import stored_picture
from inkdigit.corrections.records import Correction, NewCorrection
from inkdigit.corrections.store import Limits, Store
from inkdigit.errors import DataError
from inkdigit.evaluation.datasets import Labelled
from inkdigit.model_file import model_path, previous_of, weights_beside
from inkdigit.train import correction_run
from inkdigit.train.corpus import Corpus, Digits
from inkdigit.train.correction_data import Example
from inkdigit.train.correction_run import compare, learn, put_in_place
from inkdigit.train.data import Frames
from inkdigit.train.export import run_export
from inkdigit.train.fit.corrections import remembering
from inkdigit.train.model.classifiers import NETWORKS
from inkdigit.train.recipe import named_recipe

from ..cli.command import inkdigit
from ..pictures import digits, encoded, seven

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)


def level_one(place: int) -> np.ndarray:
    """Draw a one that lies on its side, never twice alike: nobody's digit."""
    random = np.random.default_rng(place)
    page = Image.new("L", (400, 400), 255)
    left, right = random.uniform(60, 120), random.uniform(280, 340)
    high, low = random.uniform(190, 210, 2), random.uniform(235, 265)
    points = [(left, high[0]), (right, high[1]), (right - 60, low)]
    ImageDraw.Draw(page).line(points, fill=0, width=int(random.uniform(18, 30)), joint="curve")
    return np.asarray(page.resize((100, 100), Image.Resampling.BOX))


def corrections(count: int) -> list[Correction]:
    pictures = [stored_picture(level_one(place)) for place in range(count)]
    fields = ("digit", "1", "7", "inkdigit", "0.1.0")
    times = [NOW + timedelta(hours=place) for place in range(count)]
    return [Correction(*fields, pictures[at], 0.9, str(at), times[at]) for at in range(count)]  # type: ignore[arg-type]


@pytest.fixture
def little_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replay, validate, and score on a few of scikit-learn's digits, in the place of MNIST's and the pens'."""
    pictures, labels = digits(1400, 28)
    images, classes = 255 - np.stack(pictures), np.array(labels)
    known, held_out = (
        Corpus({"mnist": Digits(torch.tensor(images[part]), torch.tensor(classes[part]))})
        for part in (slice(0, 960), slice(960, 1200))
    )
    scored = Labelled(images[1200:], classes[1200:], {})
    monkeypatch.setattr(correction_run, "corpora", lambda *_: (known, held_out, {}))
    monkeypatch.setattr(run_export, "samples", lambda _: [images[:20]])
    for module in (run_export, correction_run):
        monkeypatch.setattr(module, "at_hand", lambda *_: iter([("few", scored)]))


@pytest.mark.usefixtures("little_data")
def test_what_is_learnt_is_read_and_in_the_contract(tmp_path: Path) -> None:
    given = {"begin_with": "inkdigit", "pens": 0, "sheets": 0, "epochs": 6, "rate": 0.002}
    asked: list[str] = []

    def ask(sentences: Sequence[str]) -> bool:
        asked.extend(sentences)
        return True

    before, new = Recognizer(), [level_one(place) for place in range(100, 120)]
    outcome = learn(corrections(32), named_recipe("corrections", given), None, tmp_path, "mine", "cpu", ask)
    assert outcome.reasons == []
    assert outcome.model_file == tmp_path / "mine.onnx"
    after = Recognizer(outcome.model_file)
    assert after.contract.corrections == {"count": 32, "digits": 32, "last": "2026-12-02T16:00:00+00:00"}
    assert after.contract.version == f"{__version__}+corrections.32"
    right = [sum(model.predict(picture).digit == 1 for picture in new) for model in (before, after)]
    assert right[0] <= 10
    assert right[1] >= 18
    assert previous_of(outcome.model_file).read_bytes() == model_path("inkdigit").read_bytes()


def test_too_few_corrections_are_refused(tmp_path: Path) -> None:
    recipe = named_recipe("corrections", {"begin_with": "inkdigit"})
    for every in ([], corrections(5)):
        with pytest.raises(DataError, match=r"no correction|too few digits"):
            learn(every, recipe, None, tmp_path, "mine", "cpu", lambda _: True)
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_forgets_or_does_not_learn_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correction_run, "at_hand", lambda *_: iter([("mnist-test", None)]))  # the contracts have scores
    held_out = [Example("a", seven(), 7)]
    reasons = compare(model_path("inkdigit"), model_path("tiny"), held_out, None)
    assert len(reasons) == 2
    assert "held-out corrections do not improve: 100.0% before, 100.0% now" in reasons[0]
    assert "mnist-test falls by more than 0.1 points" in reasons[1]


def test_weights_go_only_so_far_as_nothing_is_forgotten() -> None:
    torch.manual_seed(0)
    old, new = NETWORKS["tiny"](10).eval(), NETWORKS["tiny"](10).eval()
    frames = torch.randint(0, 256, (300, 28, 28), dtype=torch.uint8)
    labels = old(frames[:, None].float() / 255)[0].argmax(1)
    same, part = remembering(old, old, {"mnist": Frames(frames, labels)})
    assert part == 1
    mixed, part = remembering(old, new, {"mnist": Frames(frames, labels)})
    assert part < 1
    for name, values in mixed.state_dict().items():
        if values.is_floating_point():
            assert torch.allclose(values, old.state_dict()[name].lerp(new.state_dict()[name], part))
            assert torch.equal(same.state_dict()[name], old.state_dict()[name])


def test_the_command_goes_back(tmp_path: Path) -> None:
    shipped, tiny = model_path("inkdigit"), model_path("tiny")
    target = put_in_place(tiny, tmp_path / "mine.onnx", shipped)
    out, _ = inkdigit("models", "--back", target)
    assert f"is inkdigit {Recognizer().contract.version} again" in out
    assert [path.read_bytes() for path in (target, previous_of(target))] == [shipped.read_bytes(), tiny.read_bytes()]
    weights = [weights_beside(path).read_bytes() for path in (target, previous_of(target))]
    assert weights == [weights_beside(path).read_bytes() for path in (shipped, tiny)]
    files = sorted(path.name for path in tmp_path.rglob("*"))
    assert files == ["mine.onnx", "mine.onnx", "mine.safetensors", "mine.safetensors", "previous"]
    inkdigit("models", "--back", target)
    assert target.read_bytes() == tiny.read_bytes()
    assert "There is no model that" in inkdigit("models", "--back", tmp_path / "other.onnx", code=2)[1]


def test_the_command_says_why_nothing_is_learnt(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'c.db'}"
    store = Store(url)
    store.add(NewCorrection("digit", "7", "1", "inkdigit", "1", encoded(seven()), 0.9), Limits(30, 10, 10))
    store.close()
    line = ["train", "--from", "inkdigit", "--corrections", url, "--out", tmp_path / "run"]
    assert "too few digits to learn from: 1, not 12" in inkdigit(*line, code=2)[1]
    assert not (tmp_path / "run").exists()
