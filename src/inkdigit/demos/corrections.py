"""What the Gradio and Streamlit apps share to take corrections: the sentences, and storing one."""

from ..corrections.intake import check_label, new_correction
from ..corrections.records import NewCorrection
from ..errors import InputError
from ..image import ImageLike
from ..recognizer import Recognizer
from ..server.corrections import Corrections
from ..server.error_responses import RequestError
from .numbers import is_number

QUESTION = "Wrong? It says:"


def notice(corrections: Corrections) -> str:
    """Return the sentence that says what is stored, and for how long."""
    return (
        "This sends the picture to be learnt from. Stored are the picture, what you say is right, the model with its "
        f"answer, and the time, for {corrections.limits.days} days; of a number its box alone; nothing about you."
    )


def store(corrections: Corrections, recognizer: Recognizer, image: ImageLike, label: str) -> str:
    """Store what the answer to an image should have been; return a sentence, also where it is refused."""
    try:
        correction = _correction(recognizer, image, label)
        receipt = corrections.add(correction)
    except (InputError, RequestError) as error:
        return str(error)
    how = f"To delete it, keep its id {receipt['id']} and its secret {receipt['secret']}."
    return f"Stored: {correction.label}. Thank you. {how}"


def _correction(recognizer: Recognizer, image: ImageLike, label: str) -> NewCorrection:
    """Answer once more, as the app did, and make the correction of that. Raises InputError."""
    answer, reading = recognizer.predict(image), recognizer.read(image)
    if not is_number(reading, answer):
        label = check_label(label, "digit", recognizer.contract.labels)
        return new_correction(image, "digit", label, str(answer.digit), answer.confidence, answer.model)
    if len(reading.numbers) > 1:
        raise InputError("Of several numbers, the page can correct one; here, open a picture of it.", "bad_correction")
    (number,) = reading.numbers
    label = check_label(label, "number", ())
    return new_correction(image, "number", label, number.text, number.confidence, reading.model, number.box)
