"""Read pages for the command: their numbers, the pictures of these, and copies with boxes."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import InputError
from ..image import ImageLike, upright_image
from ..prediction import Model
from ..reading import Number, Reading, Symbol
from .table import crop_of


class Named(Protocol):
    """An image with the name that it has in the output."""

    @property
    def name(self) -> str:
        """Return the name."""

    @property
    def image(self) -> ImageLike:
        """Return what `Recognizer` takes."""


@dataclass(frozen=True)
class Page:
    """What was read on a page, the pictures of its numbers, and a copy of the page with boxes, as a PNG."""

    answer: Reading | InputError
    crops: Sequence[bytes] = ()
    copy: bytes = b""


@dataclass(frozen=True)
class PageReader:
    """Read pages.

    `read_batch` is `Recognizer.read_batch`; `known` returns the answer for a page that was read before, or None.
    """

    read_batch: Callable[[Sequence[ImageLike]], list[Reading | InputError]]
    known: Callable[[str], Reading | None]
    needs_crops: bool
    needs_copy: bool

    def __call__(self, pages: Sequence[Named]) -> list[Page]:
        """Return what is read on each page."""
        return [self._page(page) for page in pages]

    def _page(self, page: Named) -> Page:
        answer: Reading | InputError | None = self.known(page.name)
        if answer is None:
            (answer,) = self.read_batch([page.image])
        if isinstance(answer, InputError) or not (self.needs_crops or self.needs_copy):
            return Page(answer)
        try:
            picture = upright_image(page.image)
        except InputError as error:
            return Page(error)
        crops = [crop_of(picture, number.box) for number in answer.numbers] if self.needs_crops else []
        return Page(answer, crops, _png(answer, picture) if self.needs_copy else b"")


def _png(reading: Reading, picture: Any) -> bytes:
    buffer = io.BytesIO()
    reading.draw(picture).save(buffer, "PNG")
    return buffer.getvalue()


def reading_from(values: Mapping[str, Any], threshold: float) -> Reading:
    """Return the reading that `Reading.as_dict` wrote."""
    numbers = tuple(
        Number(
            **{
                **number,
                "box": tuple(number["box"]),
                "symbols": tuple(Symbol(**{**symbol, "box": tuple(symbol["box"])}) for symbol in number["symbols"]),
            }
        )
        for number in values["numbers"]
    )
    return Reading(numbers, threshold, Model(**values["model"]), values.get("is_truncated", False), upright_image)
