"""Your own data: a folder with one folder of pictures for each label, of any sizes and formats that `image` reads."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import DataError, InputError
from ..evaluation.datasets import Labelled, data_folder
from ..image import Pixels, load_pixels, read_file
from ..terminal import training_progress, warn
from .corpus import Corpus, Digits, framed
from .data import Frames, concat
from .model.framing import Framing
from .recipe import Recipe

SOURCE = "own"  # what a run calls one's own pictures
HELD_OUT = 5  # every fifth picture of a label is held out
LOOKED_AT = 20  # pictures on which an export must prove itself


@dataclass(frozen=True)
class CustomCorpus(Corpus):
    """Hold pictures that the graph has framed already."""

    def clean(self, framing: Framing) -> dict[str, Frames]:  # noqa: ARG002
        """Return the frames as they are."""
        return {name: Frames(digits.pictures, digits.labels) for name, digits in self.sources.items()}


@dataclass(frozen=True)
class Files:
    """Hold the files of a folder of labelled folders, the number of each one's label, and folders without a file."""

    labels: tuple[str, ...]
    paths: list[Path]
    classes: list[int]
    empty: list[str]

    def held_out(self) -> list[bool]:
        """Say of each file whether it is held out: every fifth of a label's, in the order of their names' hashes."""
        seen = [0] * len(self.labels)
        out = {}
        for path, label in sorted(zip(self.paths, self.classes, strict=True), key=lambda item: shuffled(item[0])):
            seen[label] += 1
            out[path] = seen[label] % HELD_OUT == 0
        return [out[path] for path in self.paths]


def shuffled(path: Path) -> str:
    """Return a key by which files come in an order that has nothing to do with what is on them."""
    return hashlib.sha256(f"{path.parent.name}/{path.name}".encode(errors="surrogateescape")).hexdigest()


def custom_folder(folder: Path | None) -> Path | None:
    """Return the data folder, if one is named and holds no MNIST. Raises DataError where it is not there."""
    folder = data_folder(folder)
    if folder is None or (folder / "mnist").is_dir() or any(folder.glob("*-ubyte*")):
        return None
    return folder


def files_of(folder: Path) -> Files:
    """List a folder of labelled folders. Raises DataError where there are no two labels with files."""
    folders = (each for each in sorted(folder.iterdir()) if each.is_dir() and not each.name.startswith("."))
    every = {each.name: visible(each) for each in folders}
    found = {name: paths for name, paths in every.items() if paths}
    if len(found) < 2:
        raise DataError(f"{folder} holds neither MNIST nor two folders of pictures, each named by its label.")
    classes = [number for number, paths in enumerate(found.values()) for _ in paths]
    paths = [path for paths in found.values() for path in paths]
    return Files(tuple(found), paths, classes, sorted(every.keys() - found))


def visible(folder: Path) -> list[Path]:
    """List the files in a folder and below it that are not hidden."""
    inside = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in inside if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def custom_corpora(recipe: Recipe, folder: Path, framing: Framing) -> tuple[Corpus, Corpus, dict[str, str]]:
    """Read and frame a folder of labelled folders: what is trained on and validated on, and the SHA-256 of all files.

    Says on stderr what was read, and of every file that was not, why. The training frames are repeated so that they
    are no fewer than half the sheets of paper. Raises DataError where a label has no picture, or none is held out.
    """
    files = files_of(folder)
    digest, kept = hashlib.sha256(), []
    with training_progress() as progress:
        for path, label in progress.track(list(zip(files.paths, files.classes, strict=True)), description="reading"):
            frame, content = read_one(path, label, framing)
            digest.update(os.fsencode(path.relative_to(folder)) + content)  # a name decides on label and part
            kept.append(frame)
    say_what_was_read(files, kept)
    apart: dict[bool, list[Frames]] = {False: [], True: []}
    for frame, held_out in zip(kept, files.held_out(), strict=True):
        if frame:
            apart[held_out].append(frame)
    if not apart[True]:
        raise DataError(f"{folder} has too few pictures: every {HELD_OUT}th of a label is held out, and there is none.")
    training, validation = concat(*apart[False]), concat(*apart[True])
    copies = max(1, recipe.sheets // 2 // len(training.labels))
    repeated = Digits(training.frames.repeat(copies, 1, 1), training.labels.repeat(copies))
    held = Digits(validation.frames, validation.labels)
    return CustomCorpus({SOURCE: repeated}), CustomCorpus({SOURCE: held}), {SOURCE: digest.hexdigest()}


def read_one(path: Path, label: int, framing: Framing) -> tuple[Frames | None, bytes]:
    """Read and frame a file, and give its bytes; say on stderr why, where it holds no picture that can be read."""
    try:
        content = read_file(path)
        frame = framed(framing, torch.tensor(load_pixels(content))[None], torch.tensor([label]))
        if not len(frame.labels):
            raise InputError("Nothing is drawn on the picture.", "blank_image")
    except InputError as error:
        warn(f"{path} is left out: {error}")
        return None, b""
    return frame, content


def say_what_was_read(files: Files, kept: list[Frames | None]) -> None:
    """Say how many pictures each label has. Raises DataError where one has none."""
    for name in files.empty:
        warn(f"{name}: no files, so it is no label")
    for number, label in enumerate(files.labels):
        of_label = [frame for frame, each in zip(kept, files.classes, strict=True) if each == number]
        count = sum(frame is not None for frame in of_label)
        warn(f"{label}: {count} of {len(of_label)} files read")
        if count == 0:
            raise DataError(f"There is no picture of {label} that can be read.")


def held_out_pictures(folder: Path) -> Labelled:
    """Name the files that a run on this folder does not train on, in the place of pictures. Raises DataError."""
    files = files_of(folder)
    chosen = [place for place, held_out in enumerate(files.held_out()) if held_out and can_be_read(files.paths[place])]
    images: NDArray[np.object_] = np.empty(len(chosen), object)
    images[:] = [files.paths[place] for place in chosen]
    return Labelled(images, np.array([files.classes[place] for place in chosen]), {})  # type: ignore[arg-type]


def can_be_read(path: Path) -> bool:
    """Return whether a file is a picture."""
    try:
        load_pixels(path)
    except InputError:
        return False
    return True


def custom_samples(folder: Path) -> list[Pixels]:
    """Return some of the pictures, each uint8 [1, H, W]."""
    readable = (path for path in files_of(folder).paths if can_be_read(path))
    return [load_pixels(path)[None] for path, _ in zip(readable, range(LOOKED_AT), strict=False)]
