"""The Streamlit app: draw a digit, or open many images as a table. `streamlit_server` starts it.

Streamlit runs this file as a script, so its imports are absolute and starting the server cannot be part of it.
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
CSS = """<style>
.stMainBlockContainer { padding-top: 3rem; }
[data-testid=stMetricValue] { font-size: 5.5rem; line-height: 1; font-weight: 700; }
[data-testid=stImage] img { image-rendering: pixelated; }
</style>"""


@st.cache_resource
def recognizers(models: tuple[str, ...]) -> dict[str, Recognizer]:
    """Open the models once for all visitors; return them by name. Raises ArtefactError."""
    return load(models)


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
            show_answer(recognizer, drawing, count)
        else:
            st.info("Write a digit. Any size, anywhere.")


def _drawing() -> bytes:
    """Show the canvas; return the drawing as a PNG, empty where nothing is drawn."""
    start = "drawingCanvas(parentElement, (png) => setStateValue('png', png))"
    script = f"{canvas.script()}export default ({{ parentElement, setStateValue }}) => {start};"
    mount = st.components.v2.component("drawing_canvas", html=canvas.HTML, css=canvas.CSS, js=script)
    return canvas.decode_png(mount(key="drawing_canvas", on_png_change=lambda: None).png)


def show_answer(recognizer: Recognizer, image: bytes, count: int) -> None:
    """Show one answer: digit, sentence, frame, a table of the `count` most probable labels, and a bar chart of all."""
    try:
        answer = recognizer.predict(image)
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


def show_files(recognizer: Recognizer) -> None:
    """Read several files into a table that can be downloaded."""
    files = st.file_uploader("Images of digits", accept_multiple_files=True)
    if not files:
        return
    answers = recognizer.predict_batch([file.getvalue() for file in files])
    named = [(file.name, answer) for file, answer in zip(files, answers, strict=True)]
    st.table(pd.DataFrame([_table_row(*each) for each in named]), hide_index=True)
    table = io.StringIO()
    write = csv_writer(table)
    for each in named:
        write(*each)
    st.download_button("Download CSV", table.getvalue(), "inkdigit.csv", "text/csv")


def _table_row(name: str, answer: Prediction | InputError) -> dict[str, str]:
    if isinstance(answer, InputError):
        return {"file": name, "digit": "", "confidence": "", "in words": str(answer)}
    confidence = percent(answer.confidence)
    return {"file": name, "digit": str(answer.digit), "confidence": confidence, "in words": verdict(answer)}


if __name__ == "__main__":
    page()
