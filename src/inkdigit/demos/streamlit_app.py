"""The Streamlit door: draw a digit, or open many pictures as a table. Hands on bytes, and knows no pixels.

Streamlit runs this file as a script, which is why its imports are absolute.
"""

import io

import pandas as pd
import streamlit as st

from inkdigit.demos import canvas
from inkdigit.demos.wording import percent, verdict
from inkdigit.errors import InputError
from inkdigit.output import csv_writer
from inkdigit.prediction import Prediction, frame_png
from inkdigit.recognizer import Recognizer
from inkdigit.server.loaded_models import load
from inkdigit.settings import StreamlitSettings

ACCENT = "#4f5bd5"
LOOKS = """<style>
.stMainBlockContainer { padding-top: 3rem; }
[data-testid=stMetricValue] { font-size: 5.5rem; line-height: 1; font-weight: 700; }
[data-testid=stImage] img { image-rendering: pixelated; }
</style>"""


@st.cache_resource
def recognizers(models: tuple[str, ...]) -> dict[str, Recognizer]:
    """Open models once for all visitors, by their names. Raises ArtefactError."""
    return load(models)


def page() -> None:
    """Lay the app out, and read what is on it."""
    st.set_page_config("Inkdigit", canvas.ICON, layout="wide")
    st.html(LOOKS)
    st.title("Inkdigit")
    chosen, wanted = st.columns(2)
    readers = recognizers(StreamlitSettings().offered)
    reader = readers[chosen.selectbox("Model", list(readers))]
    labels = len(reader.contract.labels)
    count = wanted.slider("Rows of the table", 1, labels, min(3, labels))
    draw, upload = st.tabs(["Draw", "Upload"])
    with draw:
        show_drawing(reader, count)
    with upload:
        show_files(reader)


def show_drawing(reader: Recognizer, count: int) -> None:
    """Show the paper and, next to it, how it is read."""
    left, right = st.columns(2)
    with left:
        drawing = _drawing()
    with right:
        if drawing:
            show_answer(reader, drawing, count)
        else:
            st.info("Write a digit. Any size, anywhere.")


def _drawing() -> bytes:
    """Mount the paper; give what is drawn as a PNG, or nothing."""
    tell = "drawingCanvas(parentElement, (picture) => setStateValue('picture', picture))"
    script = f"{canvas.script()}export default ({{ parentElement, setStateValue }}) => {tell};"
    mount = st.components.v2.component("drawing_canvas", html=canvas.ELEMENTS, css=canvas.LOOKS, js=script)
    return canvas.picture(mount(key="drawing_canvas", on_picture_change=lambda: None).picture)


def show_answer(reader: Recognizer, image: bytes, count: int) -> None:
    """Show one answer: the digit, in words, what the network saw, the `count` most probable, and all as bars."""
    try:
        answer = reader.predict(image)
    except InputError as error:
        st.warning(str(error))
        return
    figure, seen = st.columns(2)
    label = "Digit" if answer.is_digit else "Nearest digit"
    figure.metric(label, answer.digit, percent(answer.confidence), delta_color="off", delta_arrow="off")
    seen.image(frame_png(answer.frame), "Seen as 28 × 28", width=140, output_format="PNG")
    (st.success if answer.is_digit and answer.is_sure else st.warning)(verdict(answer))
    ranked = _probabilities(answer)
    top = ranked.nlargest(count, "probability")
    st.table(top.assign(probability=top["probability"].map(percent)))
    st.bar_chart(ranked, y_label="probability", x_label="digit", color=ACCENT, height=220)


def _probabilities(answer: Prediction) -> pd.DataFrame:
    index = pd.Index(answer.labels, name="digit")
    return pd.DataFrame({"probability": answer.probabilities}, index=index)


def show_files(reader: Recognizer) -> None:
    """Read several files into a table, which can be downloaded."""
    files = st.file_uploader("Pictures of digits", accept_multiple_files=True)
    if not files:
        return
    answers = reader.predict_batch([file.getvalue() for file in files])
    named = [(file.name, answer) for file, answer in zip(files, answers, strict=True)]
    st.table(pd.DataFrame([_shown(*each) for each in named]), hide_index=True)
    table = io.StringIO()
    write = csv_writer(table)
    for each in named:
        write(*each)
    st.download_button("Download CSV", table.getvalue(), "inkdigit.csv", "text/csv")


def _shown(name: str, answer: Prediction | InputError) -> dict[str, str]:
    if isinstance(answer, InputError):
        return {"file": name, "digit": "", "confidence": "", "in words": str(answer)}
    confidence = percent(answer.confidence)
    return {"file": name, "digit": str(answer.digit), "confidence": confidence, "in words": verdict(answer)}


if __name__ == "__main__":
    page()
