"""Many pictures on all cores. The graph and most decoders run outside Python's lock, so threads are enough."""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

from .errors import InputError
from .image import ImageLike
from .prediction import Prediction
from .recognizer import Recognizer

CHUNK = 64  # pictures that a thread takes at a time
AHEAD = 2  # chunks a thread that may be done before they are asked for

Answers = list[Prediction | InputError]


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
