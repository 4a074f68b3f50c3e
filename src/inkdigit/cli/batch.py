"""Work on many images on all cores, in order.

ONNX Runtime and most decoders release Python's global interpreter lock, so threads are enough.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

CHUNKS_AHEAD = 2  # tasks per thread that are submitted before their results are needed
Image = TypeVar("Image")
Answer = TypeVar("Answer")


def in_order(
    answer: Callable[[Sequence[Image]], list[Answer]], images: Iterable[Image], chunk: int
) -> Iterator[Answer]:
    """Yield what `answer` returns for the images, `chunk` of them a call. Takes images only as they are needed.

    Where the caller stops, as on Ctrl-C, what has not begun is left out.
    """
    remaining = iter(images)
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        pending: deque[Future[list[Answer]]] = deque()
        try:
            while True:
                while len(pending) < threads * CHUNKS_AHEAD and (part := list(islice(remaining, chunk))):
                    pending.append(pool.submit(answer, part))
                if not pending:
                    return
                yield from pending.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
