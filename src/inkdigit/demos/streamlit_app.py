"""The Streamlit app: draw a digit, or open many images as a table. `streamlit_server` starts it.

Streamlit runs this file as a script, so its imports are absolute and starting the server cannot be part of it.
"""

import hashlib
import io

import pandas as pd
import streamlit as st

from inkdigit.demos import canvas
from inkdigit.demos.corrections import QUESTION, WHAT, notice, parts_of
from inkdigit.demos.corrections import store as store_correction
from inkdigit.demos.numbers import annotated_png, is_number
from inkdigit.errors import InputError
from inkdigit.output import csv_writer
from inkdigit.prediction import Prediction, frame_png, percent
from inkdigit.reading import Reading
from inkdigit.recognizer import Recognizer
from inkdigit.server.corrections import Corrections, opened
from inkdigit.server.loaded_models import load
from inkdigit.settings import StreamlitSettings

ACCENT = "#4f5bd5"
CSS = """<style>
.stMainBlockContainer { padding-top: 3rem; }
[data-testid=stMetricValue] { font-size: 5.5rem; line-height: 1; font-weight: 700; }
[data-testid=stImage] img { image-rendering: pixelated; }
</style>"""


@st.cache_resource
def recognizers(models: tuple[str, ...]) -> dict[str, Recognizer]:
    """Open the models once for all visitors; return them by name. Raises ArtefactError."""
    return load(models)


@st.cache_resource
def corrections() -> Corrections | None:
    """Open the store of corrections once, if there is one. Raises SetupError and DataError."""
    return opened(StreamlitSettings())


def page() -> None:
    """Show the app."""
    st.set_page_config("Inkdigit", canvas.ICON, layout="wide")
    st.html(CSS)
    st.title("Inkdigit")
    chosen, rows = st.columns(2)
    loaded = recognizers(StreamlitSettings().offered)
    recognizer = loaded[chosen.selectbox("Model", list(loaded))]
    labels = len(recognizer.contract.labels)
    count = rows.slider("Rows of the table", 1, labels, min(3, labels))
    draw, upload = st.tabs(["Draw", "Upload"])
    with draw:
        show_drawing(recognizer, count)
    with upload:
        show_files(recognizer)


def show_drawing(recognizer: Recognizer, count: int) -> None:
    """Show the canvas and, next to it, the answer."""
    left, right = st.columns(2)
    with left:
        drawing = _drawing()
    with right:
        if drawing:
            number = show_answer(recognizer, drawing, count)
            ask_for_correction(recognizer, drawing, number)
        else:
            st.info("Write a digit or a number. Any size, anywhere.")


def _drawing() -> bytes:
    """Show the canvas; return the drawing as a PNG, empty where nothing is drawn."""
    start = "drawingCanvas(parentElement, (png) => setStateValue('png', png))"
    script = f"{canvas.script()}export default ({{ parentElement, setStateValue }}) => {start};"
    mount = st.components.v2.component("drawing_canvas", html=canvas.HTML, css=canvas.CSS, js=script)
    return canvas.decode_png(mount(key="drawing_canvas", on_png_change=lambda: None).png)


def show_answer(recognizer: Recognizer, image: bytes, count: int) -> Reading | None:
    """Show the answer to an image: a number where it has more than one symbol, which is returned, else a digit."""
    try:
        answer, reading = recognizer.predict(image), recognizer.read(image)
    except InputError as error:
        st.warning(str(error))
        return None
    if is_number(reading, answer):
        show_number(reading, image)
        return reading
    show_digit(answer, count)
    return None


def ask_for_correction(recognizer: Recognizer, image: bytes, reading: Reading | None) -> None:
    """Ask what is right, where there is a store: a click for a digit, Enter for a number or a symbol of it.

    Each picture, and each part of a number, asks afresh.
    """
    if not (store := corrections()):
        return
    key = hashlib.sha256(image).hexdigest()
    tasks = {each.name: each.task for each in parts_of(reading)} if reading else {}
    part = st.selectbox(WHAT, list(tasks), key=f"part-{key}") if tasks else None
    digit = st.pills(f"{QUESTION} a digit", recognizer.contract.labels, key=f"digit-{key}-{part}")
    number = st.text_input(f"{QUESTION} a {tasks.get(part or '', 'number')}", key=f"number-{key}-{part}")
    label = digit or number
    if label and st.session_state.get("sent") != (key, part, label):  # the script also runs again for other reasons
        st.session_state["sent"] = (key, part, label)
        st.session_state["reply"] = store_correction(store, recognizer, image, label, part)
    if label:
        st.success(st.session_state["reply"])
    st.caption(notice(store))


def show_number(reading: Reading, image: bytes) -> None:
    """Show a number: its text to copy, the sentence, and the picture with boxes."""
    label = "Number" if len(reading.numbers) == 1 else "Numbers"
    first = reading.text.splitlines()[0]
    st.metric(label, first, percent(reading.confidence), delta_color="off", delta_arrow="off")
    (st.success if reading.is_sure else st.warning)(reading.verdict)
    st.code(reading.text, language=None)
    st.image(annotated_png(reading, image), output_format="PNG")


def show_digit(answer: Prediction, count: int) -> None:
    """Show a digit: the sentence, frame, a table of the `count` most probable labels, and a bar chart of all."""
    figure, seen = st.columns(2)
    label = "Digit" if answer.is_digit else "Nearest digit"
    figure.metric(label, answer.digit, percent(answer.confidence), delta_color="off", delta_arrow="off")
    seen.image(frame_png(answer.frame), "Seen as 28 × 28", width=140, output_format="PNG")
    (st.success if answer.is_digit and answer.is_sure else st.warning)(answer.verdict)
    ranked = _probabilities(answer)
    top = ranked.nlargest(count, "probability")
    st.table(top.assign(probability=top["probability"].map(percent)))
    st.bar_chart(ranked, y_label="probability", x_label="digit", color=ACCENT, height=220)


def _probabilities(answer: Prediction) -> pd.DataFrame:
    index = pd.Index(answer.labels, name="digit")
    return pd.DataFrame({"probability": answer.probabilities}, index=index)


def show_files(recognizer: Recognizer) -> None:
    """Read several files into a table that can be downloaded."""
    files = st.file_uploader("Pictures of digits or numbers", accept_multiple_files=True)
    if not files:
        return
    names, images = [file.name for file in files], [file.getvalue() for file in files]
    answers, readings = recognizer.predict_batch(images), recognizer.read_batch(images)
    rows = [_table_row(*each) for each in zip(names, answers, readings, strict=True)]
    st.table(pd.DataFrame(rows, columns=["file", "read", "confidence", "in words"]), hide_index=True)
    st.download_button("Download CSV", _csv(names, answers, readings), "inkdigit.csv", "text/csv")


def _table_row(name: str, answer: Prediction | InputError, reading: Reading | InputError) -> tuple[str, str, str, str]:
    if isinstance(answer, InputError):
        return name, "", "", str(answer)
    if isinstance(reading, Reading) and is_number(reading, answer):
        return name, reading.text, percent(reading.confidence), reading.verdict
    return name, str(answer.digit), percent(answer.confidence), answer.verdict


def _csv(names: list[str], answers: list[Prediction | InputError], readings: list[Reading | InputError]) -> str:
    """Return the table of `inkdigit predict --csv` with a column `text`, that of the reading."""
    table = io.StringIO()
    write = csv_writer(table)
    for name, answer in zip(names, answers, strict=True):
        write(name, answer)
    table.seek(0)
    texts = [reading.text if isinstance(reading, Reading) else "" for reading in readings]
    return str(pd.read_csv(table, dtype=str, keep_default_na=False).assign(text=texts).to_csv(index=False))


if __name__ == "__main__":
    page()
