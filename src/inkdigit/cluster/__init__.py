"""Inkdigit on a Ray cluster (extra `ray`): files in bulk by Ray Data, and the HTTP service by Ray Serve."""

from .predictor import Predictor

__all__ = ["Predictor"]
