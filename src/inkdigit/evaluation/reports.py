"""What `evaluate` and `models` print: models side by side in one table, confusion matrices, and contracts."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..model_file import Contract
from ..terminal import say, writing
from .scores import NO_DIGITS, SOURCES, Score, auroc

WIDE = 1000  # characters of a line that no terminal cuts

Scores = Mapping[str, Mapping[str, Score]]  # by source, then by model


def _interval(result: Score) -> str:
    low, high = result.interval
    return f"{100 * low:.2f}-{100 * high:.2f}"


def _worst(result: Score) -> str:
    label, part = result.worst
    return f"{label}: {part:.1%}"


FIGURES: Mapping[str, Callable[[Score], str]] = {
    "accuracy": lambda result: f"{result.accuracy:.2%}",
    "95 %\ninterval": _interval,
    "worst\ndigit": _worst,
    "NLL": lambda result: f"{result.nll:.4f}",
    "ECE": lambda result: f"{result.ece:.4f}",
    "surest\n99 %": lambda result: f"{result.at_coverage(0.99):.2%}",
}


def print_table(table: Table) -> None:
    """Print a table on stdout; where that is no terminal, no line is folded."""
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console = Console(markup=False, highlight=False, emoji=False, width=WIDE)
    with writing():
        console.print(table)


def table_of(first: str, *others: str) -> Table:
    """Begin a table whose first column is text and whose others are figures."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column(first, overflow="fold", vertical="bottom")
    for head in others:
        table.add_column(head, justify="right", no_wrap=True, vertical="bottom")
    return table


def score_table(scores: Scores) -> Table:
    """Return the figures per source, and below each source per model where there are several.

    The interval is of the accuracy; `surest 99 %` is the accuracy on the pictures that were read with the most
    confidence. Of several models the most accurate is bold.
    """
    table = table_of("source", "count", *FIGURES)
    for source, results in scores.items():
        count = str(len(next(iter(results.values())).labels))
        if len(results) > 1:
            table.add_row(source, count)
        best = max(result.accuracy for result in results.values())
        for model, result in results.items():
            figures = [write(result) for write in FIGURES.values()]
            bold = "bold" if result.accuracy == best and len(results) > 1 else ""
            name, counted = (f"  {model}", "") if len(results) > 1 else (source, count)
            table.add_row(Text(name), counted, *figures, style=bold)
    return table


def digitness_table(digits: Scores, others: Scores) -> Table:
    """Return the area under the ROC curve of digitness, of each source of digits against each of no digits."""
    table = table_of("AUROC of digitness\nagainst", *digits)
    for source, results in others.items():
        if len(results) > 1:
            table.add_row(source)
        for model, other in results.items():
            areas = [f"{auroc(found[model].digitness, other.digitness):.4f}" for found in digits.values()]
            table.add_row(Text(f"  {model}" if len(results) > 1 else source), *areas)
    return table


def confusion_lines(table: NDArray[np.int64], labels: tuple[str, ...]) -> Iterator[str]:
    """Write a confusion matrix as text, a dot for no picture."""
    width = max(len(str(table.max())), *(len(label) for label in labels)) + 1
    yield "read as".rjust(8) + "".join(label.rjust(width) for label in labels)
    for label, row in zip(labels, table, strict=True):
        yield label.rjust(8) + "".join((str(count) if count else "·").rjust(width) for count in row)


def print_scores(scores: Mapping[str, Mapping[str, Score] | None]) -> None:
    """Print the scores of digits, and how well digitness separates them from pictures without a digit."""
    digits = {name: result for name, result in scores.items() if result and name in SOURCES}
    others = {name: result for name, result in scores.items() if result and name in NO_DIGITS}
    if digits:
        print_table(score_table(digits))
    if digits and others:
        say("")
        print_table(digitness_table(digits, others))


def print_confusions(results: Mapping[str, Score], labels: tuple[str, ...]) -> None:
    """Print one model's confusion matrix on each source."""
    for source, result in results.items():
        say(f"\n{source}")
        for line in confusion_lines(result.confusion, labels):
            say(line)


def model_table(models: Mapping[str, tuple[Path, Contract]]) -> Table:
    """List models: what each is, how large its file is, and the accuracy that it reached on each source."""
    sources = list(dict.fromkeys(source for _, contract in models.values() for source in contract.scores))
    table = table_of("model", "version", "network", "MB", *(source.replace("-", "-\n", 1) for source in sources))
    for name, (path, contract) in models.items():
        reached = [contract.scores.get(source, {}).get("accuracy") for source in sources]
        table.add_row(
            Text(name),
            contract.version,
            contract.architecture,
            f"{path.stat().st_size / 1e6:.2f}",
            *("" if value is None else f"{value:.2%}" for value in reached),
        )
    return table
