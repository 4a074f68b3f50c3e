"""The yardstick: the digit service that everybody writes, around the bare network of one of our artefacts.

    TYPICAL_NETWORK=network.onnx uvicorn --app-dir bench typical:app

One picture in a form, Pillow to grey and 28×28, turned over where the paper is bright, then ONNX Runtime: no framing,
no limits, no metrics, and no error but a traceback. `load.py` cuts the network, starts this, and compares.
"""

import io
import os
from typing import Any

import numpy as np
import onnxruntime as ort
from fastapi import FastAPI, UploadFile
from PIL import Image

app = FastAPI()
options = ort.SessionOptions()
# Everybody leaves it at 0, for all cores; one thread serves this app better where it has one core.
options.intra_op_num_threads = int(os.environ.get("TYPICAL_THREADS", "0"))
session = ort.InferenceSession(os.environ["TYPICAL_NETWORK"], options)
INPUT = session.get_inputs()[0].name


@app.post("/predict")
async def predict(file: UploadFile) -> dict[str, Any]:
    """Read one picture."""
    image = Image.open(io.BytesIO(await file.read())).convert("L").resize((28, 28))
    values = np.asarray(image, dtype=np.float32) / 255
    if values.mean() > 0.5:
        values = 1 - values
    probabilities = session.run(None, {INPUT: values[None, None]})[0][0]
    digit = int(probabilities.argmax())
    return {"digit": digit, "confidence": float(probabilities[digit]), "probabilities": probabilities.tolist()}
