"""The errors of this package, along the path of a picture.

    bytes ──image──▶ pixels ──recognizer──▶ Prediction ──▶ interface
              │                  │
              InputError         InputError (blank image)

    file ──model_file──▶ Recognizer        data set ──datasets──▶ training
              │                                       │
              ArtefactError                           DataError

`InputError` is about an image that cannot be read: `image` and `recognizer` raise it, and interfaces show its sentence.
`ArtefactError` is about a model file: `model_file` raises it before anything starts, and `recognizer` if the file's
graph fails when it runs. `DataError` is about training and evaluation: a data set that is missing, damaged or
unsuitable, or settings that are refused. `ClusterError` is about a job on a cluster: one that cannot be reached, or a
source or destination that is refused before the job starts.
"""

from typing import Literal

InputCode = Literal[
    "unreadable_file",  # the path cannot be opened
    "unsupported_format",  # not one of the picture formats that we read
    "too_many_bytes",
    "too_many_pixels",
    "too_many_pages",  # of a PDF
    "encrypted_file",  # a PDF that needs a password
    "broken_image",  # a known format, but truncated or damaged
    "bad_array",  # wrong shape, type or range
    "blank_image",  # nothing is drawn on it
    "bad_constraint",  # what numbers are said to look like cannot be
    "bad_fields",  # what is said of a form's fields cannot be
    "bad_correction",  # what a picture is said to have been cannot be
]


class InputError(ValueError):
    """An image cannot be read: one sentence for people, and a `code` for programs."""

    def __init__(self, message: str, code: InputCode) -> None:
        super().__init__(message)
        self.code: InputCode = code


class ArtefactError(RuntimeError):
    """A model file is refused: one sentence that says why."""


class DataError(RuntimeError):
    """A data set or a training run's settings are refused: one sentence that says why."""


class ClusterError(RuntimeError):
    """A job on a cluster is refused or has failed: one sentence that says why."""
