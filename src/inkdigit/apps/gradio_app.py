"""The Gradio door: draw a digit or open a picture, and see the answer. Hands on what it gets, and knows no pixels."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI

from ..errors import InputError
from ..image import MAX_BYTES, ImageLike
from ..recognizer import Recognizer
from ..settings import DoorSettings, GradioSettings
from .gradio_look import CSP, CSS, TAKE_BRUSH
from .setup import announce, with_free_port
from .shell import SecurityHeaders
from .words import NUMERALS, percent, verdict

SIDE = 400  # of the canvas, in px
PEN = 8  # its radius, in px
KEEP = 3600  # seconds that a visitor's picture stays on the disk
EXAMPLES = Path(__file__).parent / "examples"
Shown = tuple[dict[str, float], str, str]
LIVE: Any = {"show_progress": "hidden", "trigger_mode": "always_last", "concurrency_limit": 2}


def serve(settings: GradioSettings, say: Callable[[str], None]) -> None:
    """Serve the app until a signal ends it; `say` gets the address. Raises SetupError and ArtefactError."""
    recognizer(settings.model[0])
    settings = with_free_port(settings)
    app = FastAPI(openapi_url=None)
    mount(app, settings, "/")
    app.add_middleware(SecurityHeaders, policies={"/": CSP})
    announce("Gradio", settings.host, settings.port, "/", say)
    uvicorn.run(app, host=settings.host, port=settings.port, log_level="warning")


def mount(app: FastAPI, settings: DoorSettings, path: str) -> None:
    """Put the Gradio app under a path of another."""
    theme = gr.themes.Default(primary_hue="indigo", neutral_hue="slate")
    gr.mount_gradio_app(
        app,
        build(settings.offered),
        path,
        js=TAKE_BRUSH,
        css=CSS,
        theme=theme,
        max_file_size=MAX_BYTES,
        ssr_mode=False,
        footer_links=[],
    )


@cache
def recognizer(model: str) -> Recognizer:
    """Open a model once. Raises ArtefactError."""
    return Recognizer(model)


def read(desk: list[ImageLike], model: str) -> Shown:
    """Read the image on the desk, if one is there; give the probabilities by label, a sentence, the frame as HTML."""
    if not desk:
        return {}, "", ""
    try:
        answer = recognizer(model).predict(desk[0])
    except InputError as error:
        return {}, str(error), ""
    seen = f'<img src="{answer.as_dict(frame=True)["frame"]}" alt="The 28 by 28 pixels that the network saw">'
    sentence = f"{verdict(answer)} {percent(answer.confidence)}"
    return dict(zip(answer.labels, answer.probabilities, strict=True)), sentence, seen


def drawn(drawing: dict[str, Any] | None) -> list[ImageLike]:
    """Put a drawing on the desk: uint8 [H, W, 4], or nothing."""
    return [] if drawing is None or drawing["composite"] is None else [drawing["composite"]]


def opened(path: str | None) -> list[ImageLike]:
    """Put a picture's file on the desk, or nothing."""
    return [path] if path else []


def _path_of(payload: Any) -> Any:
    return payload and payload.path


def build(models: list[str]) -> gr.Blocks:
    """Lay the app out."""
    blocks: gr.Blocks = gr.Blocks(title="Inkdigit", analytics_enabled=False, delete_cache=(KEEP, KEEP))
    with blocks:
        gr.Markdown("# Inkdigit\nReads handwritten digits, while you write them.")
        desk = gr.State([], time_to_live=KEEP)  # what is to be read: one image, or none
        with gr.Row():
            with gr.Column():
                _inputs(desk)
            with gr.Column():
                model = gr.Dropdown(
                    [(Path(model).name, model) for model in models], label="Model", visible=len(models) > 1
                )
                with gr.Row():
                    words = gr.Textbox(label="In words", elem_id="words", lines=3, scale=2)
                    frame = gr.HTML(label="Seen as", show_label=True, container=True, elem_id="frame")
                answer = gr.Label(label="Digit", num_top_classes=len(NUMERALS), elem_id="digit")
        gr.on([desk.change, model.change], read, [desk, model], [answer, words, frame], **LIVE)
    return blocks


def _inputs(desk: gr.State) -> None:
    """Lay out both ways in; what is drawn, opened or turned to lies on the desk."""
    with gr.Tab("Draw") as drawing:
        pad = gr.Sketchpad(
            label="Write a digit",
            elem_id="pad",
            format="png",
            image_mode="RGBA",
            canvas_size=(SIDE, SIDE),
            fixed_canvas=True,
            height=SIDE + 60,
            layers=False,
            transforms=(),
            buttons=[],
            brush=gr.Brush(default_size=PEN, colors=["#000000"], color_mode="fixed"),
        )
    with gr.Tab("Upload") as upload:
        picture = gr.Image(
            label="Drop, paste or photograph a digit",
            elem_id="picture",
            type="filepath",
            image_mode=None,
            sources=["upload", "clipboard", "webcam"],
            height=SIDE + 60,
            buttons=[],
        )
        # Gradio would open the file itself, and fail with words of its own: what is a picture is image.py's to say.
        picture.preprocess = _path_of  # type: ignore[method-assign]
        examples = gr.Dataset(
            components=[gr.Image(render=False)],
            samples=[[str(path)] for path in sorted(EXAMPLES.glob("*.png"))],
            label="Examples",
        )
        examples.click(lambda sample: sample[0], examples, picture)
    gr.on([pad.change, pad.clear, drawing.select], drawn, pad, desk, **LIVE)
    gr.on([picture.change, upload.select], opened, picture, desk, **LIVE)
