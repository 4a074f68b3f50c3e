"""How well scikit-learn's digits are read: 1,797 of 8×8 cells by 43 Turkish writers, none of them trained on.

    python bench/enlarged.py [--model NAME|FILE.onnx]…

They are enlarged bicubically to 160×160, and read with a margin on each side and without, dark on white and negative.
"""

import argparse
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

from inkdigit import Prediction, Recognizer
from inkdigit.model_file import DEFAULT_MODEL

SIDE, MARGIN = 160, 80  # px
STRONGEST = 16  # of the cells' levels
WANTED = {MARGIN: 98, 0: 96}


def conditions(pictures: NDArray[np.uint8]) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield the pictures, dark on white, in every condition, with the condition's name."""
    for margin, wanted in WANTED.items():
        padded = np.pad(pictures, ((0, 0), (margin, margin), (margin, margin)), constant_values=255)
        yield f"margin of {margin} px (wanted: {wanted} %)", padded
        yield f"margin of {margin} px, negative", 255 - padded


def main() -> None:
    """Print how many are read right in every condition, by every model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append")
    recognizers = [Recognizer(name) for name in parser.parse_args().model or [DEFAULT_MODEL]]
    source = load_digits()
    cells = (255 - source.images * (255 / STRONGEST)).round().astype(np.uint8)
    pictures = np.stack(
        [np.asarray(Image.fromarray(each).resize((SIDE, SIDE), Image.Resampling.BICUBIC)) for each in cells]
    )
    for name, shown in conditions(pictures):
        parts = []
        for recognizer in recognizers:
            known = zip(recognizer.predict_batch(list(shown)), source.target, strict=True)
            right = [isinstance(answer, Prediction) and answer.digit == label for answer, label in known]
            parts.append(100 * np.mean(right))
        print(f"{name:40}" + "".join(f"{part:8.2f}" for part in parts), flush=True)


if __name__ == "__main__":
    main()
