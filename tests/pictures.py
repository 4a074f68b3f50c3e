"""Pictures that the tests share; every machine can make them."""

import io
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Grey = NDArray[np.uint8]


def seven(side: int = 200) -> Grey:
    """Draw a seven, black on white, at half the side and off the middle: uint8 [side, side]."""
    page = Image.new("L", (4 * side, 4 * side), 255)
    points = [(1.2 * side, 0.8 * side), (3.0 * side, 0.8 * side), (1.9 * side, 2.8 * side)]
    ImageDraw.Draw(page).line(points, fill=0, width=side // 4, joint="curve")
    return np.asarray(page.resize((side, side), Image.Resampling.BOX))


@cache
def digits(count: int = 50, side: int = 96) -> tuple[list[Grey], list[int]]:
    """Return handwritten digits of scikit-learn's (8×8), enlarged to `side`, dark on white, with their labels."""
    from sklearn.datasets import load_digits

    source = load_digits()
    small = [(255 - image * 255 / 16).round().astype(np.uint8) for image in source.images[:count]]
    images = [np.pad(image, 1, constant_values=255) for image in small]
    big = [np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)) for image in images]
    return big, [int(label) for label in source.target[:count]]


def encoded(picture: Image.Image | NDArray[Any], kind: str = "PNG", **options: object) -> bytes:
    """Return a picture as a file's bytes."""
    buffer = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(buffer, kind, **options)
    return buffer.getvalue()


def pdf(*pages: Image.Image, dpi: float = 100) -> bytes:
    """Return a PDF with an image on each page."""
    buffer = io.BytesIO()
    first, *others = (page.copy() for page in pages)  # Pillow keeps options of a save in the images
    first.save(buffer, "PDF", resolution=dpi, save_all=True, append_images=others)
    return buffer.getvalue()


def encrypted_pdf() -> bytes:
    """Return a PDF that asks for a password: no such key is known."""
    entry = b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <" + b"00" * 32 + b"> /U <" + b"00" * 32 + b"> >>"
    data = pdf(Image.new("L", (50, 100), 255))
    return data.replace(b"trailer\n<<", b"trailer\n<< /ID [<00> <00>] " + entry, 1)
