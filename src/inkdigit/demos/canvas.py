"""The drawing canvas that the Gradio and Streamlit apps share: its HTML, CSS and script, and what it sends.

Gradio's own sketchpad loses an early first stroke, sends changes out of order, so that an old answer may stay after
clearing, and takes seconds per stroke where there is no GPU.
"""

import base64
from pathlib import Path

ICON = Path(__file__).parent.parent / "server" / "web" / "icon.svg"
HTML = """<canvas width="480" height="480" aria-label="Drawing area. Write a digit here."></canvas>
<button>Undo</button> <button aria-label="Clear canvas">Clear</button>"""
CSS = """
canvas { display: block; box-sizing: border-box; width: 100%; max-width: 456px; margin-bottom: 12px; touch-action: none;
  cursor: crosshair; background: #fff; border: 1px solid #8888; border-radius: 8px; }
button { min-height: 44px; margin-right: 8px; padding: 0 20px; font: inherit; color: inherit; cursor: pointer;
  background: transparent; border: 1px solid #8888; border-radius: 8px; }
"""


def script() -> str:
    """Return the JavaScript that defines `drawingCanvas(element, send)`; `send` gets a PNG data URL, or ""."""
    return Path(__file__).with_name("canvas.js").read_text(encoding="utf-8")


def decode_png(sent: object) -> bytes:
    """Return the PNG in the data URL that the canvas sent; empty where nothing is drawn or something else was sent."""
    if not isinstance(sent, str):
        return b""
    try:
        return base64.b64decode(sent.partition(",")[2])
    except ValueError:
        return b""
