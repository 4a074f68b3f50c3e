"""What people already call: the same answers under the names that other digit services use. Renames keys, no more."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from ..prediction import Prediction
from . import openapi
from .responses import READ, Reply
from .routes import page, read_prediction, service_of

NAMES: Final = ("prediction", "predict", "predicted_digit", "predicted_class")

router = APIRouter(tags=["For clients of other digit services"])


@router.post(
    "/predict",
    response_model=openapi.CompatAnswer,
    openapi_extra=openapi.image_body(),
    responses=openapi.problems(*openapi.WORK_PROBLEMS),
)
@router.post(
    "/predict_test",
    response_model=openapi.CompatAnswer,
    openapi_extra=openapi.image_body(),
    responses=openapi.problems(*openapi.WORK_PROBLEMS),
)
async def predict(request: Request) -> Response:
    """Read the digit on one picture, and name it in every way that clients of such services look for."""
    return Reply(renamed(await read_prediction(request, service_of(request).recognizer(None))))


def renamed(prediction: Prediction) -> dict[str, Any]:
    """Write an answer under the compatible names."""
    answer = prediction.as_dict()
    digit = dict.fromkeys(NAMES, answer["digit"])
    return {**digit, "confidence": answer["confidence"], "probabilities": answer["probabilities"]}


@router.api_route("/health", methods=READ, include_in_schema=False)
async def health(request: Request) -> Response:
    """Tell that the model is there."""
    return Reply({"status": "healthy", "model_loaded": service_of(request).is_ready, "device": "cpu"})


@router.api_route("/ui", methods=READ, include_in_schema=False)
async def ui(request: Request) -> Response:
    """Give the page."""
    return await page(request)
