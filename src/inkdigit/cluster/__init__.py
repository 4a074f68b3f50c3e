"""Inkdigit on a Ray cluster (extra `ray`): files in bulk by Ray Data, and the HTTP service by Ray Serve."""

from .predictor import Predictor
from .sources import list_pages

__all__ = ["Predictor", "list_pages"]
