"""The picture of a correction: gray, no larger than training needs, and without the metadata of its file."""

import io

import numpy as np
from PIL import Image

from ..errors import InputError
from ..image import PREDICT_SIDE, READ_SIDE, ImageLike, Pixels, open_image
from ..reading import Box

MAX_STORED = 512 * 1024  # bytes of a stored picture
MARGIN = 0.15  # of a box's longer side, kept around it


def stored_picture(image: ImageLike, box: Box | None = None) -> bytes:
    """Return an image, or what is in its `box` (px of the image, upright) and a little around, as a gray PNG.

    Raises InputError where the image cannot be read, is blank there, or has nothing in the box.
    """
    opened = open_image(image)
    pixels = opened.pixels(READ_SIDE)
    if box is not None:
        pixels = cut(pixels, box, opened.reduction(READ_SIDE))
    if pixels.min() == pixels.max():
        raise InputError("Nothing is drawn on the picture.", "blank_image")
    return _png(pixels)


def cut(pixels: Pixels, box: Box, reduction: int = 1) -> Pixels:
    """Return the part of pixels that is in a box of the image, and a little around.

    One of the pixels stands for `reduction` px of the image. Raises InputError where nothing is in the box.
    """
    left, top, right, bottom = (edge / reduction for edge in box)
    around = MARGIN * max(right - left, bottom - top)
    height, width = pixels.shape
    rows = slice(int(max(top - around, 0)), int(np.ceil(min(bottom + around, height))))
    columns = slice(int(max(left - around, 0)), int(np.ceil(min(right + around, width))))
    part = pixels[rows, columns]
    if part.size == 0:
        raise InputError("The box has no part of the picture in it.", "bad_array")
    return part


def _png(pixels: Pixels) -> bytes:
    """Encode pixels, reduced by half until they are within the limits: `predict` sees no more of a picture."""
    picture = Image.fromarray(pixels)
    factor = 1
    while True:
        buffer = io.BytesIO()
        picture.reduce(factor).save(buffer, "PNG", optimize=True)
        if max(picture.size) <= PREDICT_SIDE * factor and buffer.tell() <= MAX_STORED:
            return buffer.getvalue()
        factor *= 2
