"""What Gradio and Streamlit share: the paper to write on, with its looks, its script and what it sends, and the icon.

Gradio has a sketchpad of its own, but that drops the first change when it comes early, sends changes out of order, so
that an old answer may stay after clearing, and needs seconds for a stroke where there is no GPU.
"""

import base64
from pathlib import Path

ICON = Path(__file__).parent.parent / "server" / "web" / "icon.svg"
ELEMENTS = """<canvas width="480" height="480" aria-label="Paper. Write a digit on it."></canvas>
<button>Undo</button> <button aria-label="Clear canvas">Clear</button>"""
LOOKS = """
canvas { display: block; box-sizing: border-box; width: 100%; max-width: 456px; margin-bottom: 12px; touch-action: none;
  cursor: crosshair; background: #fff; border: 1px solid #8888; border-radius: 8px; }
button { min-height: 44px; margin-right: 8px; padding: 0 20px; font: inherit; color: inherit; cursor: pointer;
  background: transparent; border: 1px solid #8888; border-radius: 8px; }
"""


def script() -> str:
    """Return the JavaScript that defines `drawingCanvas(element, send)`; `send` gets a PNG data URL, or ""."""
    return Path(__file__).with_name("canvas.js").read_text(encoding="utf-8")


def picture(sent: object) -> bytes:
    """Give the bytes of the PNG that the paper sent; none where nothing is drawn, or something else was sent."""
    if not isinstance(sent, str):
        return b""
    try:
        return base64.b64decode(sent.partition(",")[2])
    except ValueError:
        return b""
