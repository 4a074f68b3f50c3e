"""Run models with ONNX Runtime: images to predictions and readings. Thresholds and labels are the contract's."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .constraints import Constraints
from .errors import ArtefactError, InputError
from .image import READ_SIDE, ImageLike, Pixels, load_pixels, open_image
from .model_file import (
    DEFAULT_MODEL,
    DEFAULT_READER,
    NUMBER,
    ORT_ERRORS,
    OUTPUTS,
    Contract,
    model_path,
    open_artefact,
    split_name,
)
from .number_reader import NumberReader
from .prediction import Model, Prediction
from .reading import Reading

PIXELS_WAITING = 4_000_000  # decoded pictures that are held to find those of one size
# Of one call of the graph: what more pictures take leaves a processor's caches, and is slower by a quarter.
PIXELS_PER_CALL, PICTURES_PER_CALL = 640_000, 32
MARGIN = 0.05  # of a picture's sides: what other views of it leave out, or add, all around


class Recognizer:
    """Read digits with one artefact.

    `model` is a shipped model's name, or the path of an artefact (it ends in `.onnx`); with `NAME=` before it, it goes
    by that name. Read-only after `__init__`, so threads may share it. Raises ArtefactError, and where a graph
    that loads turns out not to run, only when it reads a picture.
    """

    def __init__(self, model: str | Path = DEFAULT_MODEL) -> None:
        name, model = split_name(model)
        session, contract = open_artefact(model_path(model))
        contract = replace(contract, name=name or contract.name)
        self._reader: NumberReader | None = None
        self._opening = threading.Lock()
        self.has_own_reader = contract.task == NUMBER
        if self.has_own_reader:
            self._reader = NumberReader(session, contract)
            session, contract = open_artefact(model_path(DEFAULT_MODEL))
        self._session, self.contract = session, contract
        self._model = Model(self.contract.name, self.contract.version)

    def predict(self, image: ImageLike) -> Prediction:
        """Read one image: a path, bytes, a PIL image, or an array [H, W] or [H, W, 1|3|4].

        Raises InputError where it cannot be read, or is blank.
        """
        return self.predict_pixels(load_pixels(image))

    @property
    def reader(self) -> NumberReader:
        """Return the number reader, which is opened on first use. Raises ArtefactError where it is refused."""
        with self._opening:
            if self._reader is None:
                self._reader = NumberReader(*open_artefact(model_path(DEFAULT_READER)))
            return self._reader

    def use_reader(self, reader: NumberReader) -> None:
        """Read numbers with a reader that is already open, instead of opening another one."""
        with self._opening:
            self._reader = reader

    def read(
        self,
        image: ImageLike,
        *,
        allow: str | None = None,
        pattern: str | None = None,
        choices: Sequence[str] | None = None,
    ) -> Reading:
        """Return the numbers on an image, whole pages too: it takes what `predict` takes.

        A picture without a number has an empty reading. `allow` holds the only characters that may occur; `pattern` is
        a regular expression that each number matches; `choices` are all that a number may be. A number for which
        nothing that matches is probable has `is_match` False. Raises InputError where the image cannot be read, or a
        constraint cannot be met.
        """
        return self._read(image, self.reader.constraints(allow, pattern, choices))

    def read_batch(
        self,
        images: Sequence[ImageLike],
        *,
        allow: str | None = None,
        pattern: str | None = None,
        choices: Sequence[str] | None = None,
    ) -> list[Reading | InputError]:
        """Return the readings of images in their order, an InputError in the place of one that failed.

        Raises InputError where a constraint cannot be met.
        """
        constraints = self.reader.constraints(allow, pattern, choices)
        readings: list[Reading | InputError] = []
        for image in images:
            try:
                readings.append(self._read(image, constraints))
            except InputError as error:
                readings.append(error)
        return readings

    def _read(self, image: ImageLike, constraints: Constraints | None) -> Reading:
        opened = open_image(image)
        return self.reader.read_pixels(opened.pixels(READ_SIDE), opened.reduction(READ_SIDE), constraints)

    def predict_pixels(self, pixels: Pixels) -> Prediction:
        """Read pixels as `load_pixels` gives them, uint8 [H, W]. Raises InputError where they are blank."""
        (answer,) = self.predict_pixels_batch(pixels[None])
        if isinstance(answer, InputError):
            raise answer
        return answer

    def predict_batch(self, images: Sequence[ImageLike]) -> list[Prediction | InputError]:
        """Read many images; the answers come in their order, an InputError in the place of one that failed."""
        answers: dict[int, Prediction | InputError] = {}
        waiting: list[tuple[int, Pixels]] = []
        held = 0
        for place, image in enumerate(images):
            try:
                pixels = load_pixels(image)
            except InputError as error:
                answers[place] = error
                continue
            waiting.append((place, pixels))
            held += pixels.size
            if held >= PIXELS_WAITING:
                answers.update(self._answer_all(waiting))
                waiting, held = [], 0
        answers.update(self._answer_all(waiting))
        return [answers[place] for place in range(len(images))]

    def _answer_all(self, waiting: list[tuple[int, Pixels]]) -> Iterator[tuple[int, Prediction | InputError]]:
        for batch in _equal_sizes(waiting):
            answers = self.predict_pixels_batch(np.stack([pixels for _, pixels in batch]))
            yield from zip((place for place, _ in batch), answers, strict=True)

    def predict_pixels_batch(self, pixels: NDArray[np.uint8]) -> list[Prediction | InputError]:
        """Predict pixels of equal size, uint8 [N, H, W]; an InputError stands for a blank.

        Test-time augmentation: pictures whose prediction is not sure are predicted in three other views, and the mean
        counts. The localizer finds the ink in each view, but its mistakes differ. Raises ArtefactError if the graph
        cannot run.
        """
        outputs = self._run(pixels)
        unsure = np.flatnonzero(outputs.inked & (outputs.probabilities.max(1) < self.contract.thresholds.confidence))
        if len(unsure):
            views = [self._run(view) for view in augmented_views(pixels[unsure])]
            outputs.put(unsure, averaged([outputs.part(unsure), *views]))
        return [
            self._answer(*row) for row in zip(outputs.probabilities, outputs.frames, outputs.digitness, strict=True)
        ]

    def _run(self, pixels: NDArray[np.uint8]) -> "Outputs":
        try:
            return Outputs(*self._session.run(list(OUTPUTS), {"pixels": pixels}))
        except ORT_ERRORS as error:
            raise ArtefactError(f"The graph of the model {self.contract.name} fails when it runs.") from error

    def _answer(
        self, probabilities: NDArray[np.float32], frame: NDArray[np.float32], digitness: np.float32
    ) -> Prediction | InputError:
        if digitness == 0:
            return InputError("Nothing is drawn on the picture.", "blank_image")
        contract: Contract = self.contract
        return Prediction(
            contract.labels,
            tuple(probabilities.tolist()),
            float(digitness),
            frame,
            contract.thresholds,
            self._model,
        )


@dataclass(frozen=True)
class Outputs:
    """The model's `OUTPUTS`, in their order: probabilities [N, C], frames [N, 28, 28], digitness [N]."""

    probabilities: NDArray[np.float32]
    frames: NDArray[np.float32]
    digitness: NDArray[np.float32]

    @property
    def inked(self) -> NDArray[np.bool_]:
        """Return which pictures have ink, bool [N]."""
        return self.digitness > 0

    def part(self, places: NDArray[np.int64]) -> "Outputs":
        """Return the outputs for the pictures at some places."""
        return Outputs(self.probabilities[places], self.frames[places], self.digitness[places])

    def put(self, places: NDArray[np.int64], others: "Outputs") -> None:
        """Replace the outputs of the pictures at some places."""
        self.probabilities[places] = others.probabilities
        self.frames[places] = others.frames
        self.digitness[places] = others.digitness


def augmented_views(pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Yield three views of pictures [N, H, W]: negatives, without their margins, and negatives with wider margins."""
    height, width = pixels.shape[1:]
    y, x = round(MARGIN * height), round(MARGIN * width)
    yield 255 - pixels
    yield pixels[:, y : height - y, x : width - x]
    yield 255 - np.pad(pixels, ((0, 0), (y, y), (x, x)), mode="edge")


def averaged(views: Sequence[Outputs]) -> Outputs:
    """Return the mean of the outputs for views of the same pictures; views without ink do not count.

    The first view has ink on all pictures. The frame is that of the view with the highest probability of the answer.
    """
    probabilities, frames, digitness = (
        np.stack(every) for every in zip(*(vars(each).values() for each in views), strict=True)
    )
    inked = np.stack([each.inked for each in views])
    weights = inked / inked.sum(0, dtype=np.float32)
    whole = (weights[..., None] * probabilities).sum(0)
    pictures = np.arange(len(whole))
    surest = (weights * probabilities[:, pictures, whole.argmax(1)]).argmax(0)
    return Outputs(whole, frames[surest, pictures], (weights * digitness).sum(0))


def _equal_sizes(waiting: list[tuple[int, Pixels]]) -> Iterator[list[tuple[int, Pixels]]]:
    """Group pictures of equal size, as many as one call takes (a larger picture stands alone)."""
    by_size = sorted(waiting, key=lambda item: item[1].shape)
    for (height, width), group in groupby(by_size, key=lambda item: item[1].shape):
        members = list(group)
        step = max(1, min(PICTURES_PER_CALL, PIXELS_PER_CALL // (height * width)))
        for start in range(0, len(members), step):
            yield members[start : start + step]
