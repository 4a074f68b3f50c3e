"""What the Gradio and Streamlit apps share to show numbers: when to, and the picture with boxes."""

import io

from ..image import ImageLike
from ..prediction import Prediction
from ..reading import Reading

LONGEST_SIDE = 1200  # px of the picture with boxes: enough for a screen


def is_number(reading: Reading, answer: Prediction) -> bool:
    """Return whether a reading is shown in place of the digit: it has more than one symbol, and is not less certain.

    `isNumber` in server/web/form.js has the same rule.
    """
    has_several_symbols = sum(len(number.symbols) for number in reading.numbers) > 1
    return has_several_symbols and (reading.is_sure or not (answer.is_digit and answer.is_sure))


def annotated_png(reading: Reading, image: ImageLike) -> bytes:
    """Return the picture with boxes and text as a PNG. Raises InputError where it cannot be opened."""
    picture = reading.draw(image)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
