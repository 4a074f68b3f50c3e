"""Routes that clients of other digit services call: the same predictions under other names."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from ..prediction import Prediction
from . import openapi
from .responses import READ, Reply
from .routes import WithoutParameters, page, predict_body, service_of

NAMES: Final = ("prediction", "predict", "predicted_digit", "predicted_class")

router = APIRouter(tags=["For clients of other digit services"], route_class=WithoutParameters)


@router.post(
    "/predict",
    summary="Predict one digit (compatible names)",
    response_model=openapi.CompatBody,
    openapi_extra=openapi.image_body(),
    responses=openapi.problems("bad_constraint"),
)
@router.post(
    "/predict_test",
    summary="Predict one digit (compatible names, alias)",
    response_model=openapi.CompatBody,
    openapi_extra=openapi.image_body(),
    responses=openapi.problems("bad_constraint"),
)
async def predict(request: Request) -> Response:
    """Predict the digit on one picture, under every name that clients of such services look for."""
    return Reply(renamed(await predict_body(request, service_of(request).recognizer(None))))


def renamed(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction under the compatible names."""
    answer = prediction.as_dict()
    digit = dict.fromkeys(NAMES, answer["digit"])
    return {**digit, "confidence": answer["confidence"], "probabilities": answer["probabilities"]}


@router.api_route("/health", methods=READ, include_in_schema=False)
async def health(request: Request) -> Response:
    """Report that the model is loaded."""
    return Reply({"status": "healthy", "model_loaded": service_of(request).is_ready, "device": "cpu"})


@router.api_route("/ui", methods=READ, include_in_schema=False)
async def ui(request: Request) -> Response:
    """Return the page."""
    return await page(request)
