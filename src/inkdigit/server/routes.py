"""The routes of the service: predict, read, their batches, the models, health, metrics and the page."""

import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Query, Request
from fastapi.routing import APIRoute
from PIL import Image
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from ..errors import InputError
from ..explain import occlusion, occlusion_png
from ..image import ImageLike, PdfPage
from ..prediction import Prediction, data_url
from ..reading import Reading
from ..recognizer import Recognizer
from . import error_responses, openapi
from .metrics import Metrics
from .multipart import File, Form
from .requests import Body, GetImage, as_images, read_files, read_image
from .responses import READ, Reply
from .service import ReadConstraints, Service

ModelQuery = Annotated[str | None, Query(description="A loaded model's name; without it, the default.")]
FrameQuery = Annotated[bool, Query(description="Add the 28×28 that the classifier saw, as a PNG data URL.")]
WhyQuery = Annotated[
    bool, Query(description="Add the occlusion map: a 28×28 PNG data URL, opaque where the digit depends on it.")
]
AllowQuery = Annotated[
    str | None, Query(description="The only characters that may occur, such as `0123456789`.", examples=["0123456789"])
]
PatternQuery = Annotated[
    str | None, Query(description="A regular expression that each number matches.", examples=[r"\d{2}/\d{2}/\d{4}"])
]
ChoicesQuery = Annotated[
    list[str] | None,
    Query(
        description="All that a number may be; repeated, or one a line in a multipart field `choices`.",
        examples=[["1041", "1047"]],
    ),
]
AnnotatedQuery = Annotated[bool, Query(description="Add the picture with boxes and text, as a PNG data URL.")]


class WithoutParameters(APIRoute):
    """Call the endpoint directly when a request has no query: FastAPI's handling of parameters costs 0.25 ms.

    That is a third of the time to predict a small picture (`bench/load.py`). The app's exception handlers still apply.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["query_string"] or scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        response = await self.endpoint(Request(scope, receive))
        await response(scope, receive, send)


router = APIRouter(tags=["Inkdigit"])
prediction_router = APIRouter(tags=["Inkdigit"], route_class=WithoutParameters)


class _PageFiles(StaticFiles):
    """The page's files; a browser asks each time whether they have changed."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "no-cache"
        return response


PAGE_FILES: Final = _PageFiles(directory=Path(__file__).parent / "web", check_dir=False)


def service_of(request: Request) -> Service:
    """Return the service that the application was built with."""
    return cast(Service, request.app.state.service)


def metrics_of(request: Request) -> Metrics:
    """Return the metrics of this worker."""
    return cast(Metrics, request.app.state.metrics)


async def predict_body(request: Request, recognizer: Recognizer) -> Prediction:
    """Predict the one picture of a request's body. Raises RequestError and InputError."""
    service = service_of(request)
    with service.memory.share() as take:
        body = await read_image(_body(request, take))
        return await service.predict(body.size, body.get_image, recognizer)


def _body(request: Request, take: Callable[[int], None]) -> Body:
    return Body(request, request.app.state.settings.body_timeout, take)


@prediction_router.post(
    "/v1/predict",
    summary="Predict one digit",
    response_model=openapi.PredictionBody,
    openapi_extra=openapi.image_body(),
    responses=openapi.problems("bad_constraint"),
)
async def predict(
    request: Request, model: ModelQuery = None, frame: FrameQuery = False, why: WhyQuery = False
) -> Response:
    """Predict the digit on one picture.

    Send it as multipart (any field name), as raw bytes with `Content-Type: image/*`, or as JSON `{"data": [[…]]}`.
    """
    service = service_of(request)
    recognizer = service.recognizer(model)  # once, because a reload may replace it meanwhile
    prediction = await predict_body(request, recognizer)
    answer = prediction.as_dict(frame=frame)
    if why:
        answer["why"] = await _why(service, prediction, recognizer)
    return Reply(answer)


async def _why(service: Service, prediction: Prediction, recognizer: Recognizer) -> str:
    return await service.work.run_in_thread(lambda: data_url(occlusion_png(occlusion(recognizer, prediction))))


@router.post(
    "/v1/predict/batch",
    summary="Predict many digits",
    response_model=openapi.PredictionBatch,
    openapi_extra=openapi.batch_body(),
    responses=openapi.problems("bad_constraint"),
)
async def predict_batch(request: Request, model: ModelQuery = None, frame: FrameQuery = False) -> Response:
    """Predict the digits on many pictures. Results are in the files' order; a file that failed has an `error`.

    A PDF counts as its pages, which are named `FILE#PAGE`.
    """
    service = service_of(request)
    recognizer = service.recognizer(model)
    with service.memory.share() as take:
        files = (await read_files(_body(request, take))).files

        def work() -> tuple[Sequence[Prediction | InputError], Response]:
            with opened(files) as (names, images):
                predictions = recognizer.predict_batch(images)
            return predictions, _batch(names, predictions, lambda prediction: prediction.as_dict(frame=frame))

        predictions, response = await service.work.run_in_thread(work)
    for prediction in predictions:
        metrics_of(request).predicted(prediction)
    return response


@router.post(
    "/v1/read",
    summary="Read whole numbers",
    response_model=openapi.ReadingBody,
    openapi_extra=openapi.image_body(),
    responses=openapi.problems("blank_image"),
)
async def read(
    request: Request,
    model: ModelQuery = None,
    allow: AllowQuery = None,
    pattern: PatternQuery = None,
    choices: ChoicesQuery = None,
    annotated: AnnotatedQuery = False,
) -> Response:
    """Read the numbers on one picture, whole pages too: rows from top to bottom, each from left to right.

    Takes the same bodies as `/v1/predict`. A picture without a number has an empty `text`. A number for which nothing
    that `pattern` or `choices` allow is probable has `"is_match": false`.
    """
    service = service_of(request)
    recognizer = service.recognizer(model)
    with service.memory.share() as take:
        body = await read_image(_body(request, take))
        constraints = _constraints(allow, pattern, choices, body.form)
        reading = await service.read(body.get_image, recognizer, constraints)
        answer = reading.as_dict()
        if annotated:
            answer["annotated"] = await service.work.run_in_thread(lambda: _annotated(reading, body.get_image))
    return Reply(answer)


def _constraints(allow: str | None, pattern: str | None, choices: list[str] | None, form: Form) -> ReadConstraints:
    """Return the constraints of a query and of the field `choices`, which has one a line. Raises RequestError."""
    lines = form.text("choices")
    if lines is not None:
        choices = [*(choices or ()), *lines.splitlines()]
    return {"allow": allow, "pattern": pattern, "choices": choices}


def _annotated(reading: Reading, get_image: GetImage) -> str:
    return _picture_url(reading.draw(get_image()))


def _picture_url(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return data_url(buffer.getvalue())


@router.post(
    "/v1/read/batch",
    summary="Read whole numbers on many pictures",
    response_model=openapi.ReadingBatch,
    openapi_extra=openapi.batch_body(),
    responses=openapi.problems(),
)
async def read_batch(
    request: Request,
    model: ModelQuery = None,
    allow: AllowQuery = None,
    pattern: PatternQuery = None,
    choices: ChoicesQuery = None,
) -> Response:
    """Read the numbers on many pictures. Results are in the files' order; a file that failed has an `error`.

    A PDF counts as its pages, which are named `FILE#PAGE`.
    """
    service = service_of(request)
    recognizer = service.recognizer(model)
    with service.memory.share() as take:
        form = await read_files(_body(request, take))
        files, constraints = form.files, _constraints(allow, pattern, choices, form)

        def work() -> tuple[Sequence[Reading | InputError], Response]:
            with opened(files) as (names, images):
                readings = recognizer.read_batch(images, **constraints)
            return readings, _batch(names, readings, lambda reading: reading.as_dict())

        readings, response = await service.work.run_in_thread(work)
    for reading in readings:
        metrics_of(request).read(reading)
    return response


@contextmanager
def opened(files: Sequence[File]) -> Iterator[tuple[list[str], list[ImageLike]]]:
    """Yield the names and the images of a batch, and release its PDF files at the end."""
    images = as_images(files)
    try:
        yield [name for name, _ in images], [image for _, image in images]
    finally:
        for _, image in images:
            if isinstance(image, PdfPage):
                image.pdf.close()


def _batch(names: Sequence[str], answers: Sequence[Any], as_dict: Callable[[Any], dict[str, Any]]) -> Response:
    """Return the results of a batch; it runs in a thread, because 256 frames take longer than 5 ms."""
    results = [
        {"file": name, "error": error_responses.body(str(answer), answer.code)}
        if isinstance(answer, InputError)
        else {"file": name, **as_dict(answer)}
        for name, answer in zip(names, answers, strict=True)
    ]
    return Reply({"results": results})


@router.head("/v1/models", include_in_schema=False)
@router.get("/v1/models", summary="List the loaded models", responses=openapi.MODELS_EXAMPLE)
async def models(request: Request) -> Response:
    """Return the loaded models with their contracts, the default first; the number reader comes last.

    `corrections` says for how many days the service keeps a correction, or is null where it takes none.
    """
    recognizers = list(service_of(request).recognizers.values())
    contracts = [recognizer.contract for recognizer in recognizers]
    readers = {recognizer.reader.contract.name: recognizer.reader.contract for recognizer in recognizers}
    days = request.app.state.settings.corrections_days if request.app.state.corrections else None
    return Reply(
        {
            "models": [asdict(contract) for contract in (*contracts, *readers.values())],
            "corrections": days and {"days": days},
        }
    )


@router.api_route("/healthz", methods=READ, include_in_schema=False)
async def healthz() -> Response:
    """Report that the process lives."""
    return Reply({"status": "ok"})


@router.api_route("/readyz", methods=READ, include_in_schema=False)
async def readyz(request: Request) -> Response:
    """Report whether the models have answered a warm-up."""
    if not service_of(request).is_ready:
        raise error_responses.RequestError("The models have not answered yet.", "not_ready")
    return Reply({"status": "ready"})


@router.api_route("/metrics", methods=READ, include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Return the metrics as Prometheus text."""
    return metrics_of(request).response()


@router.api_route("/", methods=READ, include_in_schema=False)
async def home(request: Request) -> Response:
    """Return the page to a browser, and a JSON status to any other client."""
    if "text/html" in request.headers.get("accept", ""):
        return await page(request)
    return Reply({"status": "ok", "service": "inkdigit", "docs": "/docs"}, headers={"Vary": "Accept"})


@router.api_route("/favicon.ico", methods=READ, include_in_schema=False)
async def icon(request: Request) -> Response:
    """Return the icon to pages that do not name one, such as JSON and Gradio's."""
    return await PAGE_FILES.get_response("icon.svg", request.scope)


async def page(request: Request) -> Response:
    """Return the page."""
    response = await PAGE_FILES.get_response("index.html", request.scope)
    response.headers["Vary"] = "Accept"
    return response
