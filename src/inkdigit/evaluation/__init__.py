"""Data sets, scores, reports and drift: how good a model is, measured through `Recognizer`. Needs no torch."""
