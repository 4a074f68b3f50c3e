"""Terminal output of commands: results on stdout; warnings, errors and progress on stderr."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

FEW = 64  # pictures that take less than a second


@contextmanager
def writing() -> Iterator[None]:
    """Exit with code 2 and one sentence if stdout cannot be written; a closed pipe is no error."""
    try:
        yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:  # which Typer ends quietly
        raise
    except OSError as error:
        # What is left in the buffer would fail again at the end (the manual of `signal`, on SIGPIPE).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        fail(f"The result cannot be written: {error.strerror}.")


def say(line: str) -> None:
    """Print one line of the command's result."""
    with writing():
        print(line, flush=True)  # noqa: T201


def warn(line: str) -> None:
    """Print one line on stderr."""
    print(line, file=sys.stderr)  # noqa: T201


def fail(sentence: str) -> NoReturn:
    """Print what is wrong on stderr and exit with code 2."""
    warn(f"inkdigit: {sentence}")
    raise SystemExit(2)


@contextmanager
def progress_bar(description: str, total: int) -> Iterator[Any]:
    """Show a bar on stderr where that is a terminal and there is work for over a second; yield its `advance`."""
    if not sys.stderr.isatty() or total < FEW:
        yield lambda count: None
        return
    from rich.console import Console  # noqa: PLC0415  for a bar alone
    from rich.progress import Progress  # noqa: PLC0415

    bar: Progress
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(description, total=total)
        yield lambda count: bar.advance(task, count)


def training_progress(*more: "ProgressColumn") -> "Progress":
    """Return a Rich progress bar on stderr with `more` columns at its end; silent where stderr is no terminal."""
    from rich.console import Console  # noqa: PLC0415  only training pays for it
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), *more)
    return Progress(*columns, console=console, disable=not console.is_terminal)
