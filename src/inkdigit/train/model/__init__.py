"""The parts of the model, and the whole as one module: localizer, framing, classifiers, calibration, graph."""
