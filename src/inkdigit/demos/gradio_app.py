"""The Gradio app: draw a digit or open an image, and see the answer. `gradio_server` serves it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder, is_in_or_equal

from ..errors import InputError
from ..image import ImageLike
from ..prediction import Prediction, data_url, percent
from ..reading import Reading
from ..recognizer import Recognizer
from ..server.corrections import Corrections
from ..server.error_responses import RequestError
from ..server.loaded_models import choose
from . import canvas
from .corrections import QUESTION, WHAT, notice, parts_of, store
from .numbers import annotated_png, is_number

KEEP_UPLOADS = 3600  # seconds until an uploaded image is deleted
EXAMPLES = Path(__file__).parent / "examples"
INVITATION = "Write a digit or a number. Any size, anywhere."
Models = Callable[[], Mapping[str, Recognizer]]  # returns the models by name; a service may reload them
# Of the components: probabilities, sentence, frame as HTML, text of the number, the picture with boxes as HTML, and the
# parts of the number that can be corrected.
Outputs = tuple[gr.Label, str, str, gr.Textbox, gr.HTML, gr.Dropdown]


class Handlers:
    """The app's event handlers. Each answers with the models that are loaded at that time."""

    def __init__(self, models: Models, corrections: Corrections | None = None) -> None:
        self._models = models
        self.corrections = corrections

    def read(self, image: ImageLike | None, model: str | None) -> Outputs:
        """Return what to show for an image: a number where it has more than one symbol; empty outputs without one."""
        if not image:
            return _nothing("")
        models = self._models()
        try:
            answer = choose(models, model).predict(image)
            reading = next(iter(models.values())).read(image)  # one number reader for all models
            return _number(reading, image, self.corrections) if is_number(reading, answer) else _digit(answer)
        except (InputError, RequestError) as error:
            return _nothing(str(error))

    def read_drawing(self, sent: str | None, model: str | None) -> Outputs:
        """Return what to show for the canvas, which sends a data URL."""
        return self.read(canvas.decode_png(sent), model)

    def correct(self, label: str | None, image: ImageLike | None, model: str | None, part: str | None = None) -> str:
        """Store what the answer to an image, or to a part of it, should have been, and return a sentence."""
        if not image or not label or not self.corrections:
            return ""
        try:
            recognizer = choose(self._models(), model)
        except RequestError as error:
            return str(error)
        return store(self.corrections, recognizer, image, label, part)

    def correct_drawing(self, label: str | None, sent: str | None, model: str | None, part: str | None = None) -> str:
        """Store what the answer to the canvas should have been."""
        return self.correct(label, canvas.decode_png(sent), model, part)


def _nothing(sentence: str) -> Outputs:
    return _label(None), sentence, "", gr.Textbox("", visible=False), gr.HTML("", visible=False), _parts(None)


def _digit(answer: Prediction) -> Outputs:
    frame = answer.as_dict(frame=True)["frame"]
    seen = f'<img src="{frame}" alt="The 28 by 28 pixels that the classifier saw">'
    sentence = f"{answer.verdict} {percent(answer.confidence)}"
    return _label(answer), sentence, seen, gr.Textbox("", visible=False), gr.HTML("", visible=False), _parts(None)


def _number(reading: Reading, image: ImageLike, corrections: Corrections | None) -> Outputs:
    sentence = f"{reading.verdict} {percent(reading.confidence)}"
    boxes = f'<img src="{data_url(annotated_png(reading, image))}" alt="The picture with boxes over the numbers">'
    lines = len(reading.text.splitlines())
    text = gr.Textbox(reading.text, lines=lines, visible=True)
    parts = _parts(reading if corrections else None)
    return gr.Label({}, visible=False), sentence, "", text, gr.HTML(boxes, visible=True), parts


def _parts(reading: Reading | None) -> gr.Dropdown:
    """Return the list of what can be corrected in a reading.

    Gradio must take any value: another worker than the one that offered the choices may get the answer.
    """
    names = [part.name for part in parts_of(reading)] if reading else []
    return gr.Dropdown(
        names,
        value=names[0] if names else "",
        label=WHAT,
        visible=bool(names),
        allow_custom_value=True,
        elem_classes="part",
    )


def _label(answer: Prediction | None) -> gr.Label:
    """Return the list of probabilities; paler where the image is probably no digit."""
    is_doubtful = answer is not None and not answer.is_digit
    return gr.Label(
        _shown_probabilities(answer) if answer else {},
        label="Nearest digit" if is_doubtful else "Digit",
        elem_classes=["digit", "doubt"] if is_doubtful else ["digit"],
        visible=True,
    )


def _shown_probabilities(answer: Prediction) -> dict[str, float]:
    """Return the probability of each label, for Gradio to sort and show in whole percents.

    All but the highest are cut to whole percents: Gradio keeps the order of equal values, so labels that show the same
    percentage stay in the order of the labels and do not change places with every stroke.
    """
    top = str(answer.labels[answer.probabilities.index(answer.confidence)])
    cut = {label: int(100 * share) / 100 for label, share in zip(answer.labels, answer.probabilities, strict=True)}
    return {top: answer.confidence} | {label: share for label, share in cut.items() if label != top}


class UploadsOnly(gr.Blocks):
    """Blocks that accept from a client only files that it uploaded, neither the server's own files nor URLs.

    `preprocess_data` sees the inputs of every event before Gradio copies or downloads anything. Gradio's own check
    covers only inputs that the client marks as a file, and only apps started by `launch`, not mounted ones.
    """

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *rest: Any, **named: Any) -> Any:
        """Prepare an event's inputs. Raises gradio.Error for any other file, whether it exists or not."""
        _check_files(inputs)
        return await super().preprocess_data(block_fn, inputs, *rest, **named)


def _check_files(sent: Any) -> None:
    if isinstance(sent, dict):
        if "path" in sent:
            _require_uploaded(sent["path"])
        sent = list(sent.values())
    if isinstance(sent, list):
        for each in sent:
            _check_files(each)


def _require_uploaded(path: Any) -> str:
    """Return the path of an uploaded file that still exists. Raises gradio.Error for anything else."""
    if isinstance(path, str):
        with suppress(OSError, ValueError):  # raised for strings that cannot be a file name
            if is_in_or_equal(path, get_upload_folder()) and Path(path).is_file():
                return path
    raise gr.Error("This picture was not uploaded here, or is deleted by now.", print_exception=False)


def build(models: Models, corrections: Corrections | None = None) -> gr.Blocks:
    """Build the app; it asks for corrections where there is a store for them."""
    handlers = Handlers(models, corrections)
    names = list(models())
    labels = next(iter(models().values())).contract.labels
    blocks = UploadsOnly(title="Inkdigit", analytics_enabled=False, delete_cache=(KEEP_UPLOADS, KEEP_UPLOADS))
    blocks.has_launched = True  # otherwise Gradio does not check the files that it copies
    with blocks:
        gr.Markdown("# Inkdigit\nReads handwritten digits and numbers, while you write them.")
        model = gr.Dropdown(names, label="Model", visible=len(names) > 1)
        with gr.Tab("Draw"), gr.Row():
            with gr.Column(scale=2):
                drawing = _canvas()
            with gr.Column(scale=3):
                part = _answer(drawing, model, handlers.read_drawing, INVITATION)
                _correction([drawing, model, part], handlers.correct_drawing, corrections, labels)
        with gr.Tab("Upload"), gr.Row():
            with gr.Column(scale=2):
                image = _upload()
            with gr.Column(scale=3):
                part = _answer(image, model, handlers.read)
                _correction([image, model, part], handlers.correct, corrections, labels)
    return blocks


def _canvas() -> gr.HTML:
    return gr.HTML(
        "",
        show_label=False,
        container=True,
        elem_id="canvas",
        html_template=canvas.HTML,
        css_template=canvas.CSS,
        js_on_load=canvas.script() + "drawingCanvas(element, (png) => (props.value = png));",
        apply_default_css=False,
    )


def _upload() -> gr.Image:
    image = gr.Image(
        label="Drop, paste or photograph a digit or a number",
        elem_id="image",
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard", "webcam"],
        height=460,
        buttons=[],
    )
    # Gradio would decode the file itself and fail with messages of its own; decoding belongs to `inkdigit.image`.
    image.preprocess = _uploaded_path  # type: ignore[method-assign]
    gr.Examples([[str(path)] for path in sorted(EXAMPLES.glob("*.png"))], image)
    return image


def _uploaded_path(payload: Any) -> Any:
    return payload and _require_uploaded(payload.path)


def _answer(
    source: gr.HTML | gr.Image, model: gr.Dropdown, handler: Callable[..., Outputs], invitation: str = ""
) -> gr.Dropdown:
    """Add the components that show the answer, and update them when the source or the model changes.

    Returns the one that chooses what is wrong, which stands before those of `_correction`.
    """
    with gr.Row(equal_height=True):
        words = gr.Textbox(label="In words", placeholder=invitation, elem_classes="words", lines=3, min_width=200)
        frame = gr.HTML(label="Seen as", show_label=True, container=True, elem_classes="frame")
    text = gr.Textbox(label="Number", elem_classes="number", buttons=["copy"], visible=False)
    boxes = gr.HTML(label="Boxes", show_label=True, container=True, elem_classes="boxes", visible=False)
    label = _label(None)
    changes = [source.change, model.change]
    part = _parts(None)
    outputs = [label, words, frame, text, boxes, part]
    # `queue=False`: an answer is one response, so any worker can give it. `always_last`: one request at a time, and the
    # newest change is always read.
    gr.on(changes, handler, [source, model], outputs, queue=False, show_progress="hidden", trigger_mode="always_last")
    return part


def _correction(
    answered: Sequence[gr.HTML | gr.Image | gr.Dropdown],
    handler: Callable[..., str],
    corrections: Corrections | None,
    labels: Sequence[str],
) -> None:
    """Add the components that ask for what is right: a click for a digit, Enter for a number or a symbol of it.

    `answered` are the source, the model, and what of the answer is wrong.
    """
    if corrections is None:
        return
    with gr.Group(elem_classes="correction"):
        digit = gr.Radio(list(labels), label=f"{QUESTION} a digit", elem_classes="right-digit")
        number = gr.Textbox(
            label=f"{QUESTION} a number or a symbol (Enter sends)", max_lines=1, elem_classes="right-number"
        )
        sent = gr.Markdown(notice(corrections), elem_classes="sent", container=True)
    digit.input(handler, [digit, *answered], sent, queue=False, show_progress="hidden")
    digit.input(lambda: None, None, digit, queue=False, show_progress="hidden")  # the next click is one again
    number.submit(handler, [number, *answered], sent, queue=False, show_progress="hidden")
