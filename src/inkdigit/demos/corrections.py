"""What the Gradio and Streamlit apps share to take corrections: the sentences, and storing one."""

from dataclasses import dataclass

from ..corrections.intake import check_label, new_correction
from ..corrections.records import NewCorrection, Task
from ..errors import InputError
from ..image import ImageLike
from ..reading import Box, Reading
from ..recognizer import Recognizer
from ..server.corrections import Corrections
from ..server.error_responses import RequestError
from .numbers import is_number

QUESTION = "Wrong? It says:"
WHAT = "What is wrong"


@dataclass(frozen=True)
class Part:
    """What of a reading can be corrected: a number, or one symbol of it. No two of a reading have the same name."""

    name: str
    task: Task
    answer: str
    confidence: float
    box: Box


def parts_of(reading: Reading) -> list[Part]:
    """Return the numbers of a reading, and after them their symbols, as the page lists them."""
    numbers: list[Part] = []
    symbols: list[Part] = []
    for place, number in enumerate(reading.numbers, 1):
        name = number.text if len(reading.numbers) == 1 else f"{number.text} ({place} of {len(reading.numbers)})"
        numbers.append(Part(name, "number", number.text, number.confidence, number.box))
        for at, symbol in enumerate(number.symbols, 1):
            inside = f"{symbol.text}, {at} of {len(number.symbols)} in {name}"
            symbols.append(Part(inside, "symbol", symbol.text, symbol.confidence, symbol.box))
    return [*numbers, *symbols]


def notice(corrections: Corrections) -> str:
    """Return the sentence that says what is stored, and for how long."""
    return (
        "This sends the picture to be learnt from. Stored are the picture, what you say is right, the model with its "
        f"answer, and the time, for {corrections.limits.days} days; of a number its box alone; nothing about you."
    )


def store(
    corrections: Corrections, recognizer: Recognizer, image: ImageLike, label: str, part: str | None = None
) -> str:
    """Store what the answer to an image should have been; return a sentence, also where it is refused.

    `part` names what of a number is wrong, as `parts_of` does; without it, the only number.
    """
    try:
        correction = _correction(recognizer, image, label, part)
        receipt = corrections.add(correction)
    except (InputError, RequestError) as error:
        return str(error)
    how = f"To delete it, keep its id {receipt['id']} and its secret {receipt['secret']}."
    return f"Stored: {correction.label}. Thank you. {how}"


def _correction(recognizer: Recognizer, image: ImageLike, label: str, part: str | None) -> NewCorrection:
    """Answer once more, as the app did, and make the correction of that. Raises InputError."""
    answer, reading = recognizer.predict(image), recognizer.read(image)
    if not is_number(reading, answer):
        label = check_label(label, "digit", recognizer.contract.labels)
        return new_correction(image, "digit", label, str(answer.digit), answer.confidence, answer.model)
    wrong = _chosen(reading, part)
    label = check_label(label, wrong.task, ())
    return new_correction(image, wrong.task, label, wrong.answer, wrong.confidence, reading.model, wrong.box)


def _chosen(reading: Reading, name: str | None) -> Part:
    """Return the part with a name; without one, the only number. Raises InputError."""
    parts = parts_of(reading)
    found = [part for part in parts if part.name == name] if name else parts[: len(reading.numbers)]
    if len(found) != 1:
        raise InputError("Choose which number or symbol of the picture is wrong.", "bad_correction")
    return found[0]
