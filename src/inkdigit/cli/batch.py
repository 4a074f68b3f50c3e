"""Many pictures: which files they are, and reading them on all cores.

The graph and most decoders run outside Python's lock, so threads are enough.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from ..errors import InputError
from ..image import ImageLike
from ..image.formats import picture_suffixes
from ..prediction import Prediction
from ..recognizer import Recognizer

CHUNK = 64  # pictures that a thread takes at a time
AHEAD = 2  # chunks a thread that may be done before they are asked for

Answers = list[Prediction | InputError]


def picture_files(inputs: list[str]) -> Iterator[str]:
    """Name every file; a folder stands for the pictures in it, by name, and in the folders below it."""
    for name in inputs:
        if name != "-" and os.path.isdir(name):  # noqa: PTH112  Path's raises where it may not look
            found = sorted(path for path in Path(name).rglob("*") if path.suffix.lower() in picture_suffixes())
            yield from (str(path) for path in found if not is_no_file(path))
        else:
            yield name


def is_no_file(path: Path) -> bool:
    """Tell whether something else is there: a folder, or a pipe, which would be waited for."""
    return os.path.exists(path) and not os.path.isfile(path)  # noqa: PTH110, PTH113  likewise


def predict_many(recognizer: Recognizer, images: Iterable[ImageLike]) -> Iterator[Prediction | InputError]:
    """Read images, which are taken as they are needed; the answers come in their order, as from `predict_batch`."""
    remaining = iter(images)
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Answers]] = deque()
        while True:
            while len(waiting) < threads * AHEAD and (chunk := list(islice(remaining, CHUNK))):
                waiting.append(pool.submit(recognizer.predict_batch, chunk))
            if not waiting:
                return
            yield from waiting.popleft().result()
