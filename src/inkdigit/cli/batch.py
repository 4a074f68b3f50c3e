"""Read many images on all cores, in order.

ONNX Runtime and most decoders release Python's global interpreter lock, so threads are enough.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

from ..errors import InputError
from ..image import ImageLike
from ..prediction import Prediction
from ..recognizer import Recognizer

CHUNK = 64  # images that one task reads
CHUNKS_AHEAD = 2  # tasks per thread that are submitted before their results are needed

Results = list[Prediction | InputError]


def predict_many(recognizer: Recognizer, images: Iterable[ImageLike]) -> Iterator[Prediction | InputError]:
    """Yield what `predict_batch` returns, in order. Takes images from the iterable only as they are needed."""
    remaining = iter(images)
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        pending: deque[Future[Results]] = deque()
        while True:
            while len(pending) < threads * CHUNKS_AHEAD and (chunk := list(islice(remaining, CHUNK))):
                pending.append(pool.submit(recognizer.predict_batch, chunk))
            if not pending:
                return
            yield from pending.popleft().result()
