"""Learn corrections: fine-tune the classifier, and keep the result only if it reads better and forgets nothing."""

import shutil
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from ..corrections.records import Correction
from ..errors import DataError
from ..evaluation.datasets import Labelled
from ..evaluation.scores import DIGITS, score
from ..files import atomic_path, check_writable
from ..model_file import SUFFIX, is_run, model_path, previous_of, weights_beside
from ..recognizer import Recognizer
from ..terminal import warn
from .corpus import Corpus, corpora, framed, framed_sheets, readable, validation_frames
from .correction_data import Example, doubts_about, examples_of, framed_examples, held_out_ids
from .data import Frames, concat
from .export.run_export import at_hand, export_run, labelled
from .fit.corrections import fit_corrections, remembering
from .fit.trainers import accuracy, resolve_precision
from .model.calibration import choose_thresholds, fit_temperature
from .model.classifiers import Network
from .model.framing import Framing
from .model.graph import Graph
from .recipe import Recipe
from .run import choose_device, with_what_is_there
from .run_dir import Notes, save
from .warm_start import SPLIT, folded, refuse_other, weights_of

FEWEST = 12  # digits of corrections, of which a quarter is held out
REPLAYED = 10_000  # frames of MNIST's that are seen again
FALL = 0.001  # accuracy that an evaluation source may lose
ATTEMPT = "attempt"  # folder in the run's folder
Ask = Callable[[Sequence[str]], bool]  # shows sentences about doubtful labels; True: learn from them too


@dataclass(frozen=True)
class Base:
    """Hold the model that is fine-tuned, and the recipe as it runs."""

    recipe: Recipe
    graph: Graph


@dataclass(frozen=True)
class Lesson:
    """Hold the digits that are learnt, as frames, those that are held out, and what the contract says of all."""

    frames: Frames
    held_out: list[Example]
    learnt: dict[str, object]


@dataclass(frozen=True)
class Outcome:
    """Hold what came of a run: the model file, or why it was not kept."""

    model_file: Path | None
    reasons: list[str]


def learn(
    corrections: Sequence[Correction], recipe: Recipe, folder: Path | None, out: Path, name: str, device: str, ask: Ask
) -> Outcome:
    """Fine-tune on corrections, and put the model file into `out` only if it passes; its predecessor stays beside it.

    Raises DataError, ArtefactError.
    """
    check_writable(out)
    with torch.device(choose_device(device)):
        base = _base_of(recipe)
        lesson = _lesson_of(corrections, folded(base.graph.framing), ask)
        notes, graph, validation = _fit(base, lesson, folder, name)
    attempt = out / ATTEMPT
    shutil.rmtree(attempt, ignore_errors=True)
    save(notes, graph.cpu(), attempt)
    candidate = export_run(attempt, None, folder, labelled(validation))
    reasons = compare(_model_file(recipe.begin_with), candidate, lesson.held_out, folder)
    if reasons:
        return Outcome(None, reasons)
    return Outcome(put_in_place(candidate, out / candidate.name, _model_file(recipe.begin_with)), [])


def _base_of(recipe: Recipe) -> Base:
    """Open the model that is fine-tuned. Raises DataError and ArtefactError."""
    earlier, labels, graph = weights_of(recipe.begin_with)
    if labels != DIGITS:
        raise DataError(f"{recipe.begin_with} reads {', '.join(labels)}; corrections are of the ten digits.")
    precision = resolve_precision(recipe.precision, torch.get_default_device().type)
    recipe = replace(recipe, network=str(earlier["network"]), precision=precision)
    refuse_other(recipe.begin_with, earlier, recipe, SPLIT)
    return Base(recipe, graph)


def _lesson_of(corrections: Sequence[Correction], framing: Framing, ask: Ask) -> Lesson:
    """Choose what is learnt and held out. Raises DataError where there is too little."""
    examples, frames = _chosen(corrections, framing, ask)
    if len(examples) < FEWEST:
        raise DataError(f"The corrections have too few digits to learn from: {len(examples)}, not {FEWEST}.")
    apart = held_out_ids(examples)
    training = [place for place, each in enumerate(examples) if each.correction not in apart]
    held_out = [each for each in examples if each.correction in apart]
    warn(f"learning {len(training)} digits; {len(held_out)} are held out")
    return Lesson(_part(frames, training), held_out, _learnt(corrections, examples))


def _fit(base: Base, lesson: Lesson, folder: Path | None, name: str) -> tuple[Notes, Graph, Frames]:
    """Fine-tune and calibrate. Return the run's notes, the new model, and what it was validated on."""
    recipe, camera = with_what_is_there(base.recipe, folder), folded(base.graph.framing)
    torch.manual_seed(recipe.seed)
    known, validated, sources = corpora(recipe, folder, recipe.seed)
    replayed = _replayed(known, recipe, camera)
    validation = validation_frames(camera, validated, bool(recipe.sheets))
    network = _fine_tuned(base.graph.network, replayed, lesson.frames, recipe, validation)
    temperature = fit_temperature(network, validation)
    thresholds = choose_thresholds(network, validation, temperature)
    reached = {kind: accuracy(network, frames) for kind, frames in validation.items()}
    notes = Notes(name, recipe, sources, temperature, thresholds, reached, corrections=lesson.learnt)
    return notes, Graph(base.graph.framing, network, temperature), concat(*validation.values())


def _chosen(corrections: Sequence[Correction], framing: Framing, ask: Ask) -> tuple[list[Example], Frames]:
    """Return the digits to learn from and hold out, with their frames; says what is left out, and asks."""
    examples = examples_of(corrections, Recognizer())
    if not examples:
        raise DataError("There is no correction with a digit to learn from.")
    examples, frames = framed_examples(examples, framing)
    doubts = doubts_about(examples, frames)
    for sentence in _sentences(examples, doubts.refused):
        warn(f"left out, because like pictures are labelled otherwise: {sentence}")
    out = set(doubts.refused)
    if doubts.asked and not ask(_sentences(examples, doubts.asked)):
        out |= set(doubts.asked)
    kept = [place for place in range(len(examples)) if place not in out]
    return [examples[place] for place in kept], _part(frames, kept)


def _sentences(examples: Sequence[Example], places: Sequence[int]) -> list[str]:
    return [f"{examples[place].correction}: labelled {examples[place].label}" for place in places]


def _part(frames: Frames, places: Sequence[int]) -> Frames:
    index = torch.tensor(places, dtype=torch.int64)
    return Frames(frames.frames[index], frames.labels[index])


def _replayed(known: Corpus, recipe: Recipe, framing: Framing) -> Frames:
    """Frame a little of what the model knows: MNIST's digits, pen digits, and both on paper."""
    mnist = known.sources["mnist"]
    index = torch.randperm(len(mnist.labels))[:REPLAYED]
    parts = [framed(framing, mnist.pictures[index], mnist.labels[index])]
    parts += [framed(framing, each.pictures, each.labels) for name, each in known.sources.items() if name != "mnist"]
    if recipe.sheets:
        parts.append(framed_sheets(framing, readable(framing, known.sheets(recipe.sheets))))
        parts.append(framed_sheets(framing, known.nothing(recipe.sheets // 6)))
    return concat(*parts)


def _fine_tuned(
    network: Network, replayed: Frames, corrected: Frames, recipe: Recipe, validation: dict[str, Frames]
) -> Network:
    old = deepcopy(network).eval()
    new = fit_corrections(network, replayed, corrected, recipe, None)
    mixed, part = remembering(old, new, validation)
    warn(f"{part:.0%} of the change is kept, so that validation reads what it read")
    return mixed


def _learnt(corrections: Sequence[Correction], examples: Sequence[Example]) -> dict[str, object]:
    """Return what the contract says of the corrections: how many, and the time of the last one."""
    ids = {each.correction for each in examples}
    last = max(each.created for each in corrections if each.id in ids)
    return {"count": len(ids), "digits": len(examples), "last": last.isoformat(timespec="seconds")}


def _model_file(begin_with: str) -> Path:
    """Return the model file of what a run begins with. Raises ArtefactError and DataError."""
    if not is_run(begin_with):
        return model_path(begin_with)
    found = sorted(Path(begin_with).glob(f"*{SUFFIX}"))
    if len(found) != 1:
        raise DataError(f"{begin_with} has {len(found)} model files: name the one to begin with.")
    return found[0]


def compare(old: Path, new: Path, held_out: Sequence[Example], folder: Path | None) -> list[str]:
    """Return why a new model is not kept: held-out corrections do not improve, or a source falls. Empty: keep it."""
    before, after = Recognizer(old), Recognizer(new)
    data = _labelled(held_out)
    was, is_now = score(before, data).accuracy, score(after, data).accuracy
    warn(f"held-out corrections: {was:.1%} right before, {is_now:.1%} now")
    reasons = [] if is_now > was else [f"held-out corrections do not improve: {was:.1%} before, {is_now:.1%} now"]
    for source, pictures in at_hand(DIGITS, folder):
        known = before.contract.scores.get(source) or score(before, pictures).summary()
        was, is_now = known["accuracy"], after.contract.scores[source]["accuracy"]
        warn(f"{source}: {was:.2%} before, {is_now:.2%} now")
        if is_now < was - FALL - 1e-9:
            reasons.append(f"{source} falls by more than {100 * FALL:g} points: {was:.2%} before, {is_now:.2%} now")
    return reasons


def _labelled(examples: Sequence[Example]) -> Labelled:
    images = np.empty(len(examples), object)
    images[:] = [each.pixels for each in examples]
    return Labelled(images, np.array([each.label for each in examples]), {})


def put_in_place(candidate: Path, target: Path, begun_with: Path) -> Path:
    """Rename a candidate to the target; keep the file that was there, or the one that the run was initialised from.

    Their float weights, where they have some, go first: a model file is never without its own for long.
    """
    before = target if target.exists() else begun_with
    for source, place in ((before, previous_of(target)), (candidate, target)):
        for path, copy in ((weights_beside(source), weights_beside(place)), (source, place)):
            if path.exists():
                with atomic_path(copy) as draft:
                    shutil.copyfile(path, draft)
    return target
