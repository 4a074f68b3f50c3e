"""Take corrections and delete them: `/v1/corrections`. Without a store, every request is refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

from anyio import to_thread
from fastapi import APIRouter, Header, Request
from multipart import parse_options_header
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from ..corrections.intake import check_label, new_correction
from ..corrections.records import NewCorrection, Task
from ..errors import DataError, InputError
from ..image import MAX_BYTES
from ..prediction import Model
from ..reading import Box
from ..settings import ServerSettings
from . import openapi
from .error_responses import RequestError
from .launch import need_extra
from .multipart import Form, read_parts
from .openapi import CorrectedPrediction, CorrectedReading
from .requests import FORM, OVERHEAD_BYTES, Body
from .responses import Reply
from .routes import metrics_of, service_of

if TYPE_CHECKING:
    from ..corrections.store import Limits, Store

SECRET_HEADER: Final = "X-Correction-Secret"  # noqa: S105  a header's name
TEXTS: Final = ("label", "reading", "box")
HOUR: Final = 3600.0  # seconds between two deletions of what is too old

_ANSWER: Final = TypeAdapter[CorrectedPrediction | CorrectedReading](CorrectedPrediction | CorrectedReading)
_BOX: Final = TypeAdapter[tuple[float, float, float, float]](tuple[float, float, float, float])

router = APIRouter(tags=["Corrections"])


@dataclass(frozen=True)
class Corrections:
    """An open store with its limits."""

    store: "Store"
    limits: "Limits"

    def add(self, correction: NewCorrection) -> dict[str, Any]:
        """Store a correction, and return what its sender gets. Raises RequestError."""
        from ..corrections.store import LimitError  # noqa: PLC0415  an extra

        try:
            receipt = self.store.add(correction, self.limits)
        except LimitError as error:
            raise RequestError(str(error), error.code) from error
        except DataError as error:
            raise _unavailable() from error
        until = datetime.now(UTC) + timedelta(days=self.limits.days)
        return {"id": receipt.id, "secret": receipt.secret, "until": until}

    def withdraw(self, correction: str, secret: str) -> None:
        """Delete a correction for its sender. Raises RequestError."""
        try:
            if self.store.withdraw(correction, secret):
                return
        except DataError as error:
            raise _unavailable() from error
        raise RequestError("There is no such correction, or the secret is not its own.", "unknown_correction")

    def purge(self) -> None:
        """Delete what is too old; a store that does not answer is asked again the next time."""
        with suppress(DataError):
            self.store.purge(self.limits.days)


def _unavailable() -> RequestError:
    return RequestError("The store of corrections does not answer; nothing was changed.", "store_unavailable")


def opened(settings: ServerSettings) -> Corrections | None:
    """Open the store that the settings name, if any. Raises SetupError and DataError."""
    url = settings.corrections.get_secret_value()
    if not url:
        return None
    need_extra("corrections", "sqlalchemy")
    from ..corrections.store import Limits, Store  # noqa: PLC0415

    limits = Limits(settings.corrections_days, settings.corrections_count, settings.corrections_rate)
    return Corrections(Store(url), limits)


@asynccontextmanager
async def kept(corrections: Corrections | None) -> AsyncIterator[None]:
    """Delete what is too old, now and every hour, for as long as a service runs."""
    if corrections is None:
        yield
        return
    purging = asyncio.create_task(_purge_hourly(corrections))
    try:
        yield
    finally:
        purging.cancel()


async def _purge_hourly(corrections: Corrections) -> None:
    while True:
        await to_thread.run_sync(corrections.purge)
        await asyncio.sleep(HOUR)


def _corrections_of(request: Request) -> Corrections:
    """Return the open store. Raises RequestError where there is none."""
    corrections: Corrections | None = request.app.state.corrections
    if corrections is None:
        raise RequestError("This service stores no corrections.", "corrections_off")
    return corrections


@router.post(
    "/v1/corrections",
    status_code=201,
    summary="Correct an answer",
    response_model=openapi.CorrectionBody,
    openapi_extra=openapi.correction_body(),
    responses=openapi.correction_problems("unknown_correction", "bad_constraint"),
)
async def correct(request: Request) -> Response:
    """Store a picture with its right label, to train on later.

    Stored are the picture (gray, without metadata, of a number only its box), the label, the model with its answer and
    the time; nothing about the sender. `box` names the number, or the one symbol of it, that is corrected; a reading of
    one number needs none. The answer has an id and a secret, by which `DELETE` takes the correction back.
    """
    corrections, service = _corrections_of(request), service_of(request)
    with service.memory.share() as take:
        picture, form = await _read_body(Body(request, request.app.state.settings.body_timeout, take))
        target = _target(form)
        recognizer = service.recognizer(target.model.name)
        label = check_label(_text(form, "label"), target.task, recognizer.contract.labels)

        def work() -> dict[str, Any]:
            made = new_correction(
                picture, target.task, label, target.answer, target.confidence, target.model, target.box
            )
            return corrections.add(made)

        stored = await service.work.run_in_thread(work)
    metrics_of(request).corrected(target.model.name, target.task)
    return Reply(stored, 201, {"Location": f"/v1/corrections/{stored['id']}"})


@router.delete(
    "/v1/corrections/{correction}",
    status_code=204,
    summary="Delete a correction",
    responses=openapi.described(
        {"unauthorized", "corrections_off", "unknown_correction", "bad_parameter", "overloaded", "store_unavailable"}
    ),
)
async def withdraw(
    request: Request,
    correction: str,
    secret: Annotated[str, Header(alias=SECRET_HEADER, description="The secret that came with the id.")],
) -> Response:
    """Delete a correction; only its sender has the secret."""
    corrections = _corrections_of(request)
    await service_of(request).work.run_in_thread(lambda: corrections.withdraw(correction, secret))
    return Response(status_code=204)


async def _read_body(body: Body) -> tuple[bytes, Form]:
    """Read the form of a correction: its picture and its fields. Raises RequestError."""
    kind, options = parse_options_header(body.request.headers.get("content-type", ""))
    if kind != FORM:
        raise RequestError("Send a correction as multipart/form-data.", "unsupported_content_type")
    chunks = body.chunks(MAX_BYTES + OVERHEAD_BYTES)
    form = await body.in_time(read_parts(chunks, options.get("boundary", ""), max_files=1, texts=TEXTS))
    return form.files[0].take(), form


@dataclass(frozen=True)
class Target:
    """The answer that is corrected, and where in the picture it stands; None: anywhere."""

    task: Task
    answer: str
    confidence: float
    model: Model
    box: Box | None


def _target(form: Form) -> Target:
    """Find the answer that a correction is about. Raises InputError."""
    try:
        answer = _ANSWER.validate_json(_text(form, "reading"))
        box = _BOX.validate_json(_text(form, "box")) if "box" in form.texts else None
    except ValidationError as error:
        raise InputError(
            "The reading is not an answer of this service, or the box not four numbers.", "bad_correction"
        ) from error
    model = Model(answer.model.name, answer.model.version)
    if isinstance(answer, CorrectedPrediction):
        return Target("digit", str(answer.digit), answer.confidence, model, None)
    return _part_of(answer, box, model)


def _part_of(reading: CorrectedReading, box: Box | None, model: Model) -> Target:
    """Find the number or symbol with a box; without one, the only number. Raises InputError."""
    numbers = [number for number in reading.numbers if box in {None, number.box}]
    symbols = [symbol for number in reading.numbers for symbol in number.symbols if symbol.box == box]
    if len(numbers) == 1:
        return Target("number", numbers[0].text, numbers[0].confidence, model, numbers[0].box)
    if len(symbols) == 1:
        return Target("symbol", symbols[0].text, symbols[0].confidence, model, symbols[0].box)
    raise InputError("The box must be that of one number or one symbol of the reading.", "bad_correction")


def _text(form: Form, name: str) -> str:
    text = form.text(name)
    if text is None:
        raise InputError(f"The correction has no {name}.", "bad_correction")
    return text
