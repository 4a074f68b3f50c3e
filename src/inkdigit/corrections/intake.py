"""Check what a person says is right, and make of it what the store holds."""

from collections.abc import Sequence

from ..errors import InputError
from ..image import ImageLike
from ..prediction import Model
from ..reading import Box
from .picture import stored_picture
from .records import NewCorrection, Task

SYMBOLS = "0123456789.,-/"
LONGEST = 64  # characters of a number's label, and of a model's name or version


def check_label(label: str, task: Task, labels: Sequence[str]) -> str:
    """Return a label without spaces around. Raises InputError where it cannot be right.

    `labels` are those of the model that predicted a digit.
    """
    label = label.strip()
    if task == "digit" and label not in labels:
        raise InputError(f"The right label is one of {', '.join(labels)}.", "bad_correction")
    if task == "symbol" and (len(label) != 1 or label not in SYMBOLS):
        raise InputError(f"The right symbol is one of {SYMBOLS}", "bad_correction")
    if task == "number" and not (0 < len(label) <= LONGEST and set(label) <= {*SYMBOLS, " "}):
        raise InputError(f"The right number has 1 to {LONGEST} of the symbols {SYMBOLS} and spaces.", "bad_correction")
    return label


def new_correction(
    image: ImageLike, task: Task, label: str, answer: str, confidence: float, model: Model, box: Box | None = None
) -> NewCorrection:
    """Return a correction of the answer to an image, or to what is in a box of it. Raises InputError."""
    return NewCorrection(task, label, answer, model.name, model.version, stored_picture(image, box), confidence)
