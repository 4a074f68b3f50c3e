"""What is stored of a correction. Needs no database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Task = Literal["digit", "symbol", "number"]  # a symbol is cut out of a number


@dataclass(frozen=True)
class NewCorrection:
    """A picture with its right label, and the answer that the label corrects."""

    task: Task
    label: str
    answer: str
    model: str
    version: str
    picture: bytes  # PNG, gray, without metadata
    confidence: float | None  # of the answer, 0..1


@dataclass(frozen=True)
class Correction(NewCorrection):
    """A correction as the store holds it; `created` is in UTC."""

    id: str
    created: datetime


@dataclass(frozen=True)
class Receipt:
    """What the sender of a correction gets: the id, and the secret that deletes it."""

    id: str
    secret: str
