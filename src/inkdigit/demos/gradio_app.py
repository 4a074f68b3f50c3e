"""The Gradio door: draw a digit or open a picture, and see the answer. Hands on what it gets, and knows no pixels."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder, is_in_or_equal

from ..errors import InputError
from ..image import ImageLike
from ..prediction import Prediction
from ..recognizer import Recognizer
from ..server.error_responses import RequestError
from ..server.service import choose
from . import canvas
from .wording import NUMERALS, percent, verdict

KEEP = 3600  # seconds that a visitor's picture stays on the disk
EXAMPLES = Path(__file__).parent / "examples"
INVITATION = "Write a digit. Any size, anywhere."
Models = Callable[[], Mapping[str, Recognizer]]  # by their names; a service may read them again
Shown = tuple[gr.Label, str, str]


class Reader:
    """Answer by the models that there are at the time."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def read(self, image: ImageLike | None, model: str | None) -> Shown:
        """Read the image, if there is one; give the probabilities by label, a sentence, and the frame as HTML."""
        if not image:
            return _label(None), "", ""
        try:
            answer = choose(self._models(), model).predict(image)
        except (InputError, RequestError) as error:
            return _label(None), str(error), ""
        seen = f'<img src="{answer.as_dict(frame=True)["frame"]}" alt="The 28 by 28 pixels that the network saw">'
        return _label(answer), f"{verdict(answer)} {percent(answer.confidence)}", seen

    def read_drawing(self, sent: str | None, model: str | None) -> Shown:
        """Read what the paper sent."""
        return self.read(canvas.picture(sent), model)


def _label(answer: Prediction | None) -> gr.Label:
    """Show an answer's probabilities; paler where it is no digit."""
    shares = dict(zip(answer.labels, answer.probabilities, strict=True)) if answer else {}
    doubt = answer is not None and not answer.is_digit
    return gr.Label(
        shares,
        label="Nearest digit" if doubt else "Digit",
        num_top_classes=len(NUMERALS),
        elem_classes=["digit", "doubt"] if doubt else ["digit"],
    )


class Guarded(gr.Blocks):
    """Take of a client no file but one that was uploaded: neither another of the server's nor one at an address.

    Every event of every component comes by here, before Gradio copies or fetches anything. Gradio itself looks only
    where a client marks what it sends as a file, and only after its own `launch`, which a mounted app has not.
    """

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *rest: Any, **named: Any) -> Any:
        """Prepare an event's inputs. Raises gradio.Error, whether the file is there or not."""
        _check_files(inputs)
        return await super().preprocess_data(block_fn, inputs, *rest, **named)


def _check_files(sent: Any) -> None:
    if isinstance(sent, dict):
        if "path" in sent:
            _uploaded(sent["path"])
        sent = list(sent.values())
    if isinstance(sent, list):
        for each in sent:
            _check_files(each)


def _uploaded(path: Any) -> str:
    """Give the path of a file that was uploaded, and is still there. Raises gradio.Error."""
    if isinstance(path, str):
        with suppress(OSError, ValueError):  # of what can be no file's name
            if is_in_or_equal(path, get_upload_folder()) and Path(path).is_file():
                return path
    raise gr.Error("This picture was not uploaded here, or is deleted by now.", print_exception=False)


def build(models: Models) -> gr.Blocks:
    """Lay the app out."""
    reader = Reader(models)
    names = list(models())
    blocks = Guarded(title="Inkdigit", analytics_enabled=False, delete_cache=(KEEP, KEEP))
    blocks.has_launched = True  # else Gradio checks nothing of what it copies
    with blocks:
        gr.Markdown("# Inkdigit\nReads handwritten digits, while you write them.")
        model = gr.Dropdown(names, label="Model", visible=len(names) > 1)
        with gr.Tab("Draw"), gr.Row():
            with gr.Column(scale=2):
                pad = _pad()
            _show(pad, model, reader.read_drawing, INVITATION)
        with gr.Tab("Upload"), gr.Row():
            with gr.Column(scale=2):
                picture = _picture()
            _show(picture, model, reader.read)
    return blocks


def _pad() -> gr.HTML:
    return gr.HTML(
        "",
        show_label=False,
        container=True,
        elem_id="pad",
        html_template=canvas.ELEMENTS,
        css_template=canvas.LOOKS,
        js_on_load=canvas.script() + "drawingCanvas(element, (picture) => (props.value = picture));",
        apply_default_css=False,
    )


def _picture() -> gr.Image:
    picture = gr.Image(
        label="Drop, paste or photograph a digit",
        elem_id="picture",
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard", "webcam"],
        height=460,
        buttons=[],
    )
    # Gradio would open the file itself, and fail with words of its own: what is a picture is image.py's to say.
    picture.preprocess = _path_of  # type: ignore[method-assign]
    gr.Examples([[str(path)] for path in sorted(EXAMPLES.glob("*.png"))], picture)
    return picture


def _path_of(payload: Any) -> Any:
    return payload and _uploaded(payload.path)


def _show(source: gr.HTML | gr.Image, model: gr.Dropdown, reader: Callable[..., Shown], invitation: str = "") -> None:
    """Lay out the answer to a source, which is read when it or the model changes: one at a time, the last always."""
    with gr.Column(scale=3):
        with gr.Row(equal_height=True):
            words = gr.Textbox(label="In words", placeholder=invitation, elem_classes="words", lines=3, min_width=200)
            frame = gr.HTML(label="Seen as", show_label=True, container=True, elem_classes="frame")
        answer = _label(None)
    changes = [source.change, model.change]
    shown = [answer, words, frame]
    # Without Gradio's queue an answer is one response, whichever process gives it.
    gr.on(changes, reader, [source, model], shown, queue=False, show_progress="hidden", trigger_mode="always_last")
