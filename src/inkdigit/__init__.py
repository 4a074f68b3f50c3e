"""Inkdigit reads handwritten digits.

>>> from inkdigit import Recognizer
>>> Recognizer().predict("seven.jpg").digit
7
"""

from importlib.metadata import version

from .errors import ArtefactError, InputError
from .prediction import Prediction
from .recognizer import Recognizer

__all__ = ["ArtefactError", "InputError", "Prediction", "Recognizer", "__version__"]
__version__ = version("inkdigit")
