"""Models side by side: each scored on every source whose data is there, as the work goes on at the terminal."""

from collections.abc import Collection, Mapping
from pathlib import Path

from ..errors import DataError
from ..evaluation.scores import NO_DIGITS, SOURCES, Score, score
from ..recognizer import Recognizer
from ..terminal import progress_bar, warn

EVERY_SOURCE = SOURCES | NO_DIGITS
Results = dict[str, Score]  # by model


def check_sources(named: Collection[str]) -> None:
    """Check that there are sources of these names. Raises DataError."""
    if unknown := set(named) - EVERY_SOURCE.keys():
        raise DataError(f"There is no source {', '.join(sorted(unknown))}; there are: {', '.join(EVERY_SOURCE)}.")


def score_all(
    recognizers: Mapping[str, Recognizer], named: Collection[str], data: Path | None
) -> dict[str, Results | None]:
    """Score models on the sources named, or on every one; None stands for one whose data is not there.

    `data` is the folder of the data sets. Raises DataError where the data of a source that was named is not there.
    """
    return {source: _score(recognizers, source, data, source in named) for source in named or EVERY_SOURCE}


def _score(recognizers: Mapping[str, Recognizer], source: str, data: Path | None, asked: bool) -> Results | None:
    try:
        labelled = EVERY_SOURCE[source](data)
    except DataError as error:
        if asked:
            raise
        warn(f"{source}: {error}")
        return None
    with progress_bar(source, len(labelled) * len(recognizers)) as advance:
        return {name: score(recognizer, labelled, advance) for name, recognizer in recognizers.items()}
