"""The service's own routes: `/v1`, health, metrics and the page."""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Query, Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from ..errors import InputError
from ..explain import occlusion, occlusion_png
from ..prediction import Prediction, data_url
from ..recognizer import Recognizer
from . import error_responses, openapi
from .metrics import Metrics
from .multipart import File
from .requests import Body, read_files, read_image
from .responses import READ, Reply
from .service import Service

ModelQuery = Annotated[str | None, Query(description="A loaded model's name; without it, the default.")]
FrameQuery = Annotated[bool, Query(description="Add the 28×28 that the network saw, as a PNG data URL.")]
WhyQuery = Annotated[
    bool, Query(description="Add what the answer rests on: a 28×28 PNG data URL, the more opaque the more.")
]

Answers = Sequence[Prediction | InputError]

router = APIRouter(tags=["Inkdigit"])


class _PageFiles(StaticFiles):
    """Serve the page's files; a browser asks each time whether they are still the same."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "no-cache"
        return response


PAGE_FILES: Final = _PageFiles(directory=Path(__file__).parent / "web", check_dir=False)


def service_of(request: Request) -> Service:
    """Give the service that the application was built with."""
    return cast(Service, request.app.state.service)


def metrics_of(request: Request) -> Metrics:
    """Give the counters of this worker."""
    return cast(Metrics, request.app.state.metrics)


async def read_prediction(request: Request, recognizer: Recognizer) -> Prediction:
    """Read the one picture of a request's body. Raises RequestError and InputError."""
    service = service_of(request)
    with service.memory.share() as take:
        size, read = await read_image(_body(request, take))
        return await service.predict(size, read, recognizer)


def _body(request: Request, take: Callable[[int], None]) -> Body:
    return Body(request, request.app.state.settings.body_timeout, take)


@router.post(
    "/v1/predict",
    response_model=openapi.Answer,
    openapi_extra=openapi.image_body(),
    responses=openapi.problems(*openapi.WORK_PROBLEMS),
)
async def predict(
    request: Request, model: ModelQuery = None, frame: FrameQuery = False, why: WhyQuery = False
) -> Response:
    """Read the digit on one picture: multipart (any field name), raw bytes as `image/*`, or JSON `{"data": [[…]]}`."""
    service = service_of(request)
    recognizer = service.recognizer(model)  # once: another may have been loaded by the time that this has answered
    prediction = await read_prediction(request, recognizer)
    answer = prediction.as_dict(frame=frame)
    if why:
        answer["why"] = await _why(service, prediction, recognizer)
    return Reply(answer)


async def _why(service: Service, prediction: Prediction, recognizer: Recognizer) -> str:
    return await service.gate.long(lambda: data_url(occlusion_png(occlusion(recognizer, prediction))))


@router.post(
    "/v1/predict/batch",
    response_model=openapi.BatchAnswer,
    openapi_extra=openapi.batch_body(),
    responses=openapi.problems(*openapi.WORK_PROBLEMS),
)
async def predict_batch(request: Request, model: ModelQuery = None, frame: FrameQuery = False) -> Response:
    """Read the digits on many pictures; the results are in their order, an error in the place of one that failed."""
    service = service_of(request)
    recognizer = service.recognizer(model)
    with service.memory.share() as take:
        files = await read_files(_body(request, take))
        answers, response = await service.gate.long(lambda: _answer_batch(recognizer, files, frame))
    for answer in answers:
        metrics_of(request).answered(answer)
    return response


def _answer_batch(recognizer: Recognizer, files: Sequence[File], frame: bool) -> tuple[Answers, Response]:
    """Read the files and write the results, in a thread: 256 previews alone take longer than 5 ms."""
    answers = recognizer.predict_batch([file.take() for file in files])
    results = [_result(file.name, answer, frame) for file, answer in zip(files, answers, strict=True)]
    return answers, Reply({"results": results})


def _result(name: str, answer: Prediction | InputError, frame: bool) -> dict[str, Any]:
    if isinstance(answer, InputError):
        return {"file": name, "error": error_responses.body(str(answer), answer.code)}
    return {"file": name, **answer.as_dict(frame=frame)}


@router.head("/v1/models", include_in_schema=False)
@router.get("/v1/models")
async def models(request: Request) -> Response:
    """List the loaded models with their contracts; the first is the default."""
    recognizers = service_of(request).recognizers.values()
    return Reply({"models": [asdict(recognizer.contract) for recognizer in recognizers]})


@router.api_route("/healthz", methods=READ, include_in_schema=False)
async def healthz() -> Response:
    """Tell that the process lives."""
    return Reply({"status": "ok"})


@router.api_route("/readyz", methods=READ, include_in_schema=False)
async def readyz(request: Request) -> Response:
    """Tell whether the models have answered a warm-up."""
    if not service_of(request).is_ready:
        raise error_responses.RequestError("The models have not answered yet.", "not_ready")
    return Reply({"status": "ready"})


@router.api_route("/metrics", methods=READ, include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Give the counters as Prometheus text."""
    return metrics_of(request).response()


@router.api_route("/", methods=READ, include_in_schema=False)
async def home(request: Request) -> Response:
    """Give a browser the page, and anything else the status that it may expect here."""
    if "text/html" in request.headers.get("accept", ""):
        return await page(request)
    return Reply({"status": "ok", "service": "inkdigit", "docs": "/docs"}, headers={"Vary": "Accept"})


@router.api_route("/favicon.ico", methods=READ, include_in_schema=False)
async def icon(request: Request) -> Response:
    """Give the icon to a browser that was told of none, as it is by JSON and by Gradio's page."""
    return await PAGE_FILES.get_response("icon.svg", request.scope)


async def page(request: Request) -> Response:
    """Give the page."""
    response = await PAGE_FILES.get_response("index.html", request.scope)
    response.headers["Vary"] = "Accept"
    return response
