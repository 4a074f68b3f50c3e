"""Pictures that are read batcher, each with its own answer, and the short way to the routes that read them."""

import asyncio

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from inkdigit import InputError, Prediction, Recognizer
from inkdigit.server.batching import PICTURES, Batcher

from ..asynchronous import run
from ..pictures import digits, encoded, seven

BLANK = np.full((96, 96), 255, np.uint8)


class Counting(Recognizer):
    """Counts how many pictures each call of the graph had."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []

    def predict_pixels_batch(self, pixels: NDArray[np.uint8]) -> list[Prediction | InputError]:
        self.calls.append(len(pixels))
        return super().predict_pixels_batch(pixels)


def test_each_of_many_sizes_gets_its_own_answer_in_few_calls() -> None:
    recognizer, batcher = Counting(), Batcher()
    images = [*digits(10)[0], BLANK, seven(28), *digits(12)[0][10:], seven(64), seven(28)]

    async def read_all() -> list[Prediction | InputError | BaseException]:
        readings = (batcher.predict(recognizer, image) for image in images)
        return [
            answer if isinstance(answer, BaseException) else answer[0]
            for answer in await asyncio.gather(*readings, return_exceptions=True)
        ]

    answers = run(read_all())
    assert sum(recognizer.calls) == len(images)
    assert max(recognizer.calls) == PICTURES
    assert len(recognizer.calls) == 4  # eight and five of 96×96, two of 28×28, one of 64×64
    for image, answer in zip(images, answers, strict=True):
        if image is BLANK:
            assert isinstance(answer, InputError)
            continue
        assert isinstance(answer, Prediction)
        assert answer.probabilities == recognizer.predict(image).probabilities


def test_one_that_gives_up_leaves_the_others_their_answers() -> None:
    recognizer, batcher = Counting(), Batcher()

    async def read_all() -> list[int | str]:
        tasks = [asyncio.create_task(batcher.predict(recognizer, seven(28 + place % 2))) for place in range(6)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        tasks[3].cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        return [answer[0].digit for answer in answers if not isinstance(answer, BaseException)]

    assert run(read_all()) == [7] * 4
    assert not batcher._pending


@pytest.mark.parametrize("path", ["/v1/predict", "/predict", "/predict_test", "/v1/predict/batch"])
@pytest.mark.parametrize("content", [encoded(seven(64)), encoded(BLANK), b"no picture", b""], ids=len)
def test_a_request_without_a_query_is_answered_like_any(client: httpx.Client, path: str, content: bytes) -> None:
    for sent in ({"files": {"file": content}}, {"content": content, "headers": {"Content-Type": "image/png"}}):
        short, long = client.post(path, **sent), client.post(f"{path}?long=way", **sent)
        assert (short.status_code, short.json()) == (long.status_code, long.json())
