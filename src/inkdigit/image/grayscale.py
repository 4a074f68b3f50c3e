"""Colour to gray: ink of any colour, on paper or on a transparent canvas, stays different from its background."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Levels = NDArray[np.uint8]  # of brightness


def to_gray(values: Levels) -> Levels:
    """Return colours, uint8 [H, W, 3|4], as gray [H, W] in which ink of any colour differs from the paper."""
    if values.shape[2] == 3:
        return values[..., 0] if _is_project(values) else _project(np.ascontiguousarray(values))
    words = np.ascontiguousarray(values).view("<u4")[..., 0]  # red is a word's lowest byte, alpha its highest
    is_gray = np.array_equal(words.astype(np.uint16), (words >> 8).astype(np.uint16))  # red and green, green and blue
    colours = words.astype(np.uint8) if is_gray else np.ascontiguousarray(values[..., :3])
    if (alpha := (words >> 24).astype(np.uint8)).min() < 255:
        colours = _on_paper(colours, alpha)
    return colours if colours.ndim == 2 else _project(colours)


def _is_project(values: Levels) -> bool:
    """Return whether red, green and blue are equal in all of [H, W, 3]; comparing whole rows is what is fast."""
    rows = values.reshape(len(values), -1)
    is_colour = np.arange(rows.shape[1] - 1) % 3 < 2  # beside red, and beside green
    return not ((rows[:, 1:] != rows[:, :-1]) & is_colour).any()


def _on_paper(colours: Levels, alpha: Levels) -> Levels:
    """Lay colours [H, W] or [H, W, 3] by their alpha [H, W] on the paper that shows them."""
    highest = alpha.max()
    if highest == 0:
        return np.full_like(alpha, 255)
    strong = alpha > highest // 2
    planes = colours.reshape(*alpha.shape, -1)
    visible = planes.reshape(alpha.size, -1).compress(strong.ravel(), axis=0).T
    cover = alpha[..., None].astype(np.uint16)
    blended = planes * cover + _paper(visible, strong) * (255 - cover) + 128  # at most 65,153
    page: Levels = ((blended + (blended >> 8)) >> 8).astype(np.uint8)  # by 255, rounded
    return page.reshape(colours.shape)


def _paper(visible: Levels, strong: NDArray[np.bool_]) -> Levels:
    """Choose the colour [1|3] that fills what is transparent; `visible` [1|3, N] is seen, at `strong` [H, W].

    What is a sheet with ink on it (more colours than one, and most of its box is covered) goes on with its own most
    common colour. All else is ink, and its paper is black or white, whichever is further from it.
    """
    spread = (visible.max(1) - visible.min(1)).max()
    if spread > 64 and visible.shape[1] > 0.6 * _box(strong):
        return np.asarray(np.median(visible, axis=1), np.uint8)
    return np.full(len(visible), 255 if visible.mean() < 128 else 0, np.uint8)


def _box(strong: NDArray[np.bool_]) -> int:
    """Count the pixels of the smallest box around what is true."""
    rows, columns = (np.flatnonzero(strong.any(axis)) for axis in (1, 0))
    return int((rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1))


def _project(colours: Levels) -> Levels:
    """Project [H, W, 3] on the direction in which its colours differ most, so that ink of any hue stays ink.

    The direction is the first principal component of the colours (Pearson, 1901), scaled so that its weights' absolute
    values sum to 1: no value leaves 0..255.
    """
    picture = Image.fromarray(colours)
    sample = np.asarray(picture.reduce(max(1, max(picture.size) // 128))).reshape(-1, 3)
    direction = np.linalg.eigh(np.cov(sample.astype(np.float32), rowvar=False, bias=True))[1][:, -1]
    direction *= np.sign(direction[np.abs(direction).argmax()]) / np.abs(direction).sum()
    offset = -255 * direction[direction < 0].sum()
    return np.asarray(picture.convert("L", (*direction.tolist(), float(offset))))
