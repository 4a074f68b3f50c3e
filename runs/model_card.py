"""Write docs/MODEL_CARD.md from the shipped model files: their contracts, and the digit model's scores.

    python runs/model_card.py --data DIR [--seeds runs/a/inkdigit.onnx runs/b/inkdigit.onnx …]

`--seeds` names artefacts of one recipe from nothing, which differ by `--seed N`: they are scored anew, and give mean ±
standard deviation.
"""

import argparse
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from inkdigit import Recognizer
from inkdigit.evaluation.scores import NO_DIGITS, SOURCES, Score, auroc, score
from inkdigit.model_file import DEFAULT_MODEL, DEFAULT_READER, model_path, open_artefact
from inkdigit.train.fit.number_calibration import SURE_RIGHT as NUMBERS_SURE_RIGHT
from inkdigit.train.model.calibration import COUNTED, SURE_RIGHT

CARD = Path(__file__).parent.parent / "docs" / "MODEL_CARD.md"

TEXT = """# Model card: {name} {version}

Written by `runs/model_card.py` from the shipped artefact; every figure is measured through `Recognizer`.

## What it is

One ONNX file of {size:.2f} MB with {parameters:,} parameters. It takes a gray picture of any size and polarity, and returns ten
calibrated probabilities, the 28×28 frame that the classifier saw, and digitness: the probability that the picture is one
digit at all. Inside, the localizer (an encoder and decoder on a 96×96 grid) finds the ink, and looks at its surroundings a
second time at higher resolution in larger pictures. Framing cuts the ink out and centres it. The network `{architecture}`
classifies it (`-int8`: all its layers but the first compute in 8 bits; localizer and framing in float). Where the answer is
not sure, `Recognizer` uses test-time augmentation: it classifies three more views (the negative, without its margins, and the
negative with wider margins) and averages all four.

It is meant for one handwritten digit in a picture: drawn with a pen, a finger or a mouse, scanned or photographed. Whole
numbers have [a model of their own](#whole-numbers). Neither is meant for printed type, or for decisions about people that
nobody checks.

## Data

| source | used for | licence |
|---|---|---|
| MNIST training set (LeCun, Cortes, Burges) | training; {validation} pictures for validation | CC BY-SA 3.0 |
| pen digits (Alpaydin, Alimoglu; UCI 81), 20 of 30 writers | training; {validation_writers} writers for validation | CC BY 4.0 |
| fonts DejaVu Sans and STIX General, from matplotlib | training, as pictures without a digit | Bitstream Vera; SIL OFL 1.1 |
| MNIST test set; pen digits of writers 3, 6, … 30; HWD-1000 (MIT); Omniglot (MIT) | scores only | |

What is drawn from them for training:

| pictures | how many | drawn by |
|---|---|---|
| MNIST's digits, redrawn along their middle lines with pens of every width | all but the boldest | `train/synth/pens.py` |
| pen digits with pens of every width, in varied styles: rounded corners, shorter or longer ends, moved and joined strokes, other proportions | each several times | `train/synth/pens.py` |
| invented digits in forms of other countries and of fast hands: flagged ones, crossed sevens, slashed zeros, open fours | {invented:,} | `train/synth/forms.py` |
| invented signs that are no digit: random strokes, blots, irregular outlines, rings, coils | {invented:,} | `train/synth/forms.py` |
| letters and symbols of two fonts, thinned and drawn by hand | {invented:,} | `train/synth/glyphs.py` |
| other pictures without a digit: scribbles, quadrilaterals, pairs of digits, overwritten digits, noise, empty paper, dead leaves (Lee, Mumford, Huang 2001) | | `train/synth/negatives.py` |
| photographed sheets with all of these | up to {sheets:,} a run | `train/synth/sheet.py` |

A sheet has some of these difficulties, never all: uneven light, shadows, glare, folds, stains, holes, fingers and objects;
ruled, squared and dotted paper, printed boxes, small print, ink from the back, rings and underlines; neighbouring digits;
the desk around the sheet; noise, blur, JPEG, 1 bit a pixel, missing pixels. Digits are dark or light, anywhere, from a
twentieth of the picture's size, with aspect ratios up to 12:1.

The localizer trains on the sheets, some of them empty. The classifier trains on the frames that the real graph makes of the
sheets and of plain pictures.

Evaluation pictures are not in the training data, but some kinds are similar. Irregular outlines share their number of
corners with the polygons of `bench/digitness.py`, and squares are in both; rings and coils resemble spirals; Latin letters of
other fonts are 52 of Omniglot's 476 characters. No other script of Omniglot is trained on.

The contract in the file names the SHA-256 of each source and the recipe of its run. `runs/train.sh` rebuilds the
model file from the data. The run:

{recipe}

## Scores

Through `Recognizer` with {machine}.

| source | count | accuracy | 95 % interval | worst digit | NLL | ECE | accuracy on the surest 99 % |
|---|---|---|---|---|---|---|---|
{rows}

{spread}

Digitness tells digits from {others}.
`bench/digitness.py` scores scribbles, shapes and letters likewise.

An answer counts as a digit from digitness {digitness} on, and as sure from confidence {confidence} on; both were chosen
on validation, where {counted:.1%} of the plain digits count as digits and {sure_right:.1%} of the sure answers are right. The confidence is
calibrated there too, by a temperature that falls as digitness grows.

## What it is bad at

- Two or more digits in one picture: it answers with one of them, or says that this is no digit.
- Lines that cross the digit and are as dark and thick as its ink; hairlines on ruled paper; ink with hardly any contrast.
- Digits ringed closely by a thick pen, which may be read as a zero; digits cropped to the ink of a pen so wide that more is
  ink than paper; sharp shadows of a hand or of leaves, which may be taken for broad ink. `bench/geometry.py` measures these:
  see [the results](../bench/RESULTS.md).
- Straight bars, which may be a 1 or no digit.
- Small bright notes on a dark, grainy desk, and objects close to a digit (measured by `bench/ways.py`).
- Screens of apps, whose buttons it takes for ink, and hairlines on bricks, cloth and leaves (`bench/around.py`).
- Digits upside down or turned by more than about 30°.
- Letters that look like digits (O, I, S, Z, l), which it takes for digits.
- Handwriting that differs from what American and Turkish writers of the 1990s wrote, more than its augmentation does.

"""
NUMBERS = """## Whole numbers

`numbers.onnx`, one file of {size:.2f} MB with {parameters:,} parameters, takes a gray picture of any size and returns symbols with boxes
and calibrated probabilities: the digits, `.`, `,`, `-`, `/`, and "other" for a mark that is none of them. A fully
convolutional detector (after CenterNet: Zhou, Wang, Krähenbühl 2019) looks at an image pyramid and finds symbols of every
size; a second network classifies a closer crop of each. `layout.py` groups the symbols into numbers and rows.

**Data.** MNIST's training set less {held_out:,} pictures, the pen digits of the training writers less {held_out_writers} of them, invented digit
forms, and letters of eight fonts (DejaVu, STIX). From these, scenes are drawn by one hand each: lists, table cells, boxed forms,
dates, fractions, amounts; touching, overlapping and crossed-out digits; words, signs, scribbles and print beside and without
numbers; every paper, light and camera (`train/synth/scene.py`). No real number was trained on. `orand_dev` and `meza_dev`
are for validation; their errors were looked at while scenes and layout were made.

**Confidence.** A number's confidence is the probability that all of it is right: the product of its symbols' probabilities,
calibrated on {calibrated_on:,} composed numbers of writers that no scene shows (Platt 1999). It is sure from {confidence} on, the lowest
threshold at which {sure_right:.1%} of the sure numbers in that validation set are right.

![How often composed numbers are right, against their confidence](pictures/numbers-reliability.png)

**Scores.** Of {numbers:,} composed validation numbers {accuracy:.1%} are read exactly right. [bench/RESULTS.md](../bench/RESULTS.md) has the figures of
`bench/reading.py`, which shares no paper, font, line or writer with training, and those of real cheques and log-books.

**What it is bad at.** Marks of a pixel or two, such as faint decimal points; digits that overlap by half of their width; 1s that
touch their neighbours; letters and signs of unknown scripts beside numbers, of which some become digits; printed digits,
which it was not trained on.

The run: {recipe}
"""


def listed(values: Mapping[str, Any]) -> str:
    """Write a recipe's values in a row."""
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in values.items() if value not in ("", {}))


def row(name: str, result: Score) -> str:
    """Write a source's figures as a row."""
    low, high = result.interval
    label, part = result.worst
    return (
        f"| {name} | {len(result.labels):,} | {result.accuracy:.2%} | {low:.2%} – {high:.2%} | {label}: {part:.1%} "
        f"| {result.nll:.4f} | {result.ece:.4f} | {result.at_coverage(0.99):.2%} |"
    )


def spread(seeds: list[Recognizer], folder: Path | None) -> str:
    """Write mean ± standard deviation over seeds of one recipe from nothing."""
    if len(seeds) < 2:
        return "These are the figures of one seed; [bench/RESULTS.md](../bench/RESULTS.md) has those of three."
    parts = []
    for source, read in SOURCES.items():
        data = read(folder)
        values = [100 * score(recognizer, data).accuracy for recognizer in seeds]
        each = ", ".join(f"{value:.2f}" for value in values)
        parts.append(f"{source} {np.mean(values):.3f} ± {np.std(values, ddof=1):.3f} % ({each})")
    numbers = ", ".join(str(recognizer.contract.recipe["seed"]) for recognizer in seeds)
    return (
        "These are the figures of one seed. A network made from nothing, which this one teaches (`runs/train.sh` has the recipe), reads,\n"
        f"from seeds {numbers}, mean ± standard deviation: {'; '.join(parts)}."
    )


def parameters(path: Path) -> int:
    """Count the numbers in an artefact's weights."""
    import onnx  # noqa: PLC0415  the extra `train`

    stored = onnx.load(path).graph.initializer
    weights = [each for each in stored if "weight" in each.name or "bias" in each.name]
    return sum(
        int(np.prod(each.dims))
        for each in weights
        if not each.name.endswith(("_scale", "_zero_point", ".scale", ".zero"))
    )


def numbers_section() -> str:
    """Write the section on the number reader from its contract."""
    path = model_path(DEFAULT_READER)
    contract = open_artefact(path)[1]
    return NUMBERS.format(
        size=path.stat().st_size / 1e6,
        parameters=parameters(path),
        **{key: contract.recipe[key] for key in ("held_out", "held_out_writers", "calibrated_on")},
        confidence=f"{contract.thresholds.confidence:.4f}",
        sure_right=NUMBERS_SURE_RIGHT,
        numbers=int(contract.scores["composed"]["numbers"]),
        accuracy=contract.scores["composed"]["accuracy"],
        recipe=listed(contract.recipe),
    )


def main() -> None:
    """Measure, and write the card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--seeds", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    path = model_path(DEFAULT_MODEL)
    recognizer = Recognizer()
    contract = recognizer.contract
    results = {name: score(recognizer, read(options.data)) for name, read in SOURCES.items()}
    digits = np.concatenate([result.digitness for result in results.values()])
    none = {name: score(recognizer, read(options.data)).digitness for name, read in NO_DIGITS.items()}
    card = TEXT.format(
        name=contract.name,
        version=contract.version,
        size=path.stat().st_size / 1e6,
        architecture=contract.architecture,
        parameters=parameters(path),
        **{key: contract.recipe[key] for key in ("validation", "validation_writers")},
        **{key: contract.recipe[key] for key in ("sheets", "invented")},
        recipe=listed(contract.recipe),
        machine=f"ONNX Runtime on {os.cpu_count()} cores ({platform.machine()})",
        rows="\n".join(row(name, result) for name, result in results.items()),
        spread=spread([Recognizer(path) for path in options.seeds], options.data),
        others=", ".join(
            f"{name} with an area under the ROC curve of {auroc(digits, values):.4f} "
            f"({(values >= contract.thresholds.digitness).mean():.0%} of that counts as digits nevertheless)"
            for name, values in none.items()
        ),
        digitness=contract.thresholds.digitness,
        confidence=f"{contract.thresholds.confidence:.4f}",
        counted=COUNTED,
        sure_right=SURE_RIGHT,
    )
    draft = CARD.with_suffix(".tmp")
    draft.write_text(card + numbers_section())
    draft.replace(CARD)


if __name__ == "__main__":
    main()
