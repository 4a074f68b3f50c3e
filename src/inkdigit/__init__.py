"""Inkdigit reads handwritten digits.

>>> from inkdigit import Recognizer
>>> Recognizer().predict("seven.jpg").digit
7
"""

from .errors import ArtefactError, InputError
from .prediction import Prediction
from .reading import Number, Reading, Symbol
from .recognizer import Recognizer

__all__ = [
    "ArtefactError",
    "InputError",
    "Number",
    "Prediction",
    "Reading",
    "Recognizer",
    "Symbol",
    "__version__",
]
__version__ = "0.1.0"  # of the package too: to ask what is installed would take 50 ms of every start
