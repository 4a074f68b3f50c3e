"""`inkdigit evaluate`, `models` and `drift`: how well models read, what they are, and whether their input changed."""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import DataError
from ..model_file import DEFAULT_MODEL
from ..terminal import progress_bar, say, warn
from .options import DataOption, ModelOption, require_extra

if TYPE_CHECKING:
    from ..evaluation.scores import Score
    from ..recognizer import Recognizer


def evaluate(
    named: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN|MODEL]...", help=f"Models to compare; default: {DEFAULT_MODEL}."),
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help="The same as naming it without this flag.")] = None,
    data: DataOption = None,
    source: Annotated[list[str] | None, typer.Option("--source", help="Only this test set; may be repeated.")] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="Folder for confusion.png and mistakes.png; for one model only.")
    ] = None,
) -> None:
    """Score models side by side on every test set; for a single model, also print its confusions.

    A run stands for the model files in its folder. A test set that was not asked for by name and is not there is
    skipped with a warning and exit code 1.
    """
    from ..evaluation.reports import print_confusions, print_scores  # noqa: PLC0415
    from ..evaluation.scores import SOURCES, recognizer_of_digits  # noqa: PLC0415
    from ..model_file import artefacts  # noqa: PLC0415

    _check_sources(source or ())
    paths = artefacts([*(named or ()), *(model or ())] or [DEFAULT_MODEL])
    recognizers = {name: recognizer_of_digits(path) for name, path in paths.items()}
    if pictures is not None and len(recognizers) > 1:
        raise typer.BadParameter("--pictures draws the mistakes of one model at a time")
    scores = _score_all(recognizers, source or (), data)
    print_scores(scores)
    if len(recognizers) == 1:
        ((name, recognizer),) = recognizers.items()
        only = {source: results[name] for source, results in scores.items() if results and source in SOURCES}
        print_confusions(only, recognizer.contract.labels)
        if pictures is not None:
            _draw_mistakes(recognizer, only, data, pictures)
    raise typer.Exit(int(None in scores.values()))


def _check_sources(named: Collection[str]) -> None:
    """Check that these test sets exist. Raises DataError."""
    from ..evaluation.scores import NO_DIGITS, SOURCES  # noqa: PLC0415

    known = SOURCES | NO_DIGITS
    if unknown := set(named) - known.keys():
        raise DataError(f"Unknown source: {', '.join(sorted(unknown))}. Choose from {', '.join(known)}.")


def _score_all(
    recognizers: "Mapping[str, Recognizer]", named: Collection[str], data: Path | None
) -> "dict[str, dict[str, Score] | None]":
    """Return the score of each model for each test set, named or all; None where the data is missing.

    Raises DataError where the data of a test set that was named is missing.
    """
    from ..evaluation.scores import NO_DIGITS, SOURCES  # noqa: PLC0415

    return {source: _score(recognizers, source, data, source in named) for source in named or SOURCES | NO_DIGITS}


def _score(
    recognizers: "Mapping[str, Recognizer]", source: str, data: Path | None, is_required: bool
) -> "dict[str, Score] | None":
    from ..evaluation.scores import NO_DIGITS, SOURCES, score  # noqa: PLC0415

    try:
        labelled = (SOURCES | NO_DIGITS)[source](data)
    except DataError as error:
        if is_required:
            raise
        warn(f"{source}: {error}")
        return None
    with progress_bar(source, len(labelled) * len(recognizers)) as advance:
        return {name: score(recognizer, labelled, advance) for name, recognizer in recognizers.items()}


def _draw_mistakes(recognizer: "Recognizer", results: "dict[str, Score]", data: Path | None, folder: Path) -> None:
    require_extra("train", "matplotlib", "Matplotlib")
    from ..evaluation.scores import SOURCES  # noqa: PLC0415
    from ..train.plots import plot_results  # noqa: PLC0415

    plot_results(recognizer, results, {name: SOURCES[name](data) for name in results}, folder)


def models(
    named: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN|MODEL]...", help="Only these; default: the shipped models.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print each model's contract as a JSON object.")] = False,
    back: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Exchange a model file with the one that `train --corrections` replaced."),
    ] = None,
) -> None:
    """List models with what they are and how accurate they are."""
    if back is not None:
        _go_back(back)
        return
    from ..model_file import artefacts, model_names, open_artefact  # noqa: PLC0415

    found = {name: (path, open_artefact(path)[1]) for name, path in artefacts(named or model_names()).items()}
    if as_json:
        for _, contract in found.values():
            say(json.dumps(asdict(contract)))
        return
    from ..evaluation.reports import model_table, print_table  # noqa: PLC0415

    print_table(model_table(found))


def _go_back(path: Path) -> None:
    """Exchange a model file and its float weights with their predecessors. Raises DataError and ArtefactError."""
    from ..files import swap  # noqa: PLC0415
    from ..model_file import open_artefact, previous_of, weights_beside  # noqa: PLC0415

    before = previous_of(path)
    if not before.is_file():
        raise DataError(f"There is no model that {path} replaced.")
    _, contract = open_artefact(before)
    swap(path, before)
    if weights_beside(path).is_file() and weights_beside(before).is_file():
        swap(weights_beside(path), weights_beside(before))
    say(f"{path} is {contract.name} {contract.version} again; a running service reads it after a SIGHUP")


def drift(
    sources: Annotated[list[str], typer.Argument(metavar="METRICS", help="URLs of /metrics, or saved copies of it.")],
    model: ModelOption = DEFAULT_MODEL,
    since: Annotated[
        list[str] | None, typer.Option("--since", help="Earlier copy of /metrics, whose counts are subtracted.")
    ] = None,
) -> None:
    """Compare what a service predicted with the model's validation; exit code 1 where the distributions differ."""
    require_extra("serve", "prometheus_client", "prometheus-client")
    from ..evaluation import drift as statistics  # noqa: PLC0415
    from ..model_file import model_path, open_artefact  # noqa: PLC0415

    _, contract = open_artefact(model_path(model))
    counted = statistics.served([statistics.read_metrics(source) for source in sources], contract)
    if since:
        earlier = statistics.served([statistics.read_metrics(source) for source in since], contract)
        counted = statistics.since(counted, earlier)
    distances = statistics.compare(contract, counted)
    for distance in distances:
        say(distance.sentence())
    raise typer.Exit(int(any(distance.parted for distance in distances)))
