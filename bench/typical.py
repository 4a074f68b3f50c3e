"""The reference app: a typical digit service, around the classifier of one of our model files.

    TYPICAL_NETWORK=network.onnx uvicorn --app-dir bench typical:app

It takes one picture in a form, converts it with Pillow to 28×28 gray, inverts it if the paper is bright, and runs ONNX
Runtime. It has no framing, limits, metrics or error handling. `load.py` extracts the network and starts this app.
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
# The default 0 uses all cores. On a single core, one thread is faster.
options.intra_op_num_threads = int(os.environ.get("TYPICAL_THREADS", "0"))
session = ort.InferenceSession(os.environ["TYPICAL_NETWORK"], options)
INPUT = session.get_inputs()[0].name


@app.post("/predict")
async def predict(file: UploadFile) -> dict[str, Any]:
    """Predict one picture."""
    image = Image.open(io.BytesIO(await file.read())).convert("L").resize((28, 28))
    values = np.asarray(image, dtype=np.float32) / 255
    if values.mean() > 0.5:
        values = 1 - values
    probabilities = session.run(None, {INPUT: values[None, None]})[0][0]
    digit = int(probabilities.argmax())
    return {"digit": digit, "confidence": float(probabilities[digit]), "probabilities": probabilities.tolist()}
