"""The store of corrections: SQLite or PostgreSQL, by URL. Several processes may write at once.

What `add` has returned is committed. The store keeps no secret, only its SHA-256, and nothing about who sent what.
"""

import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    create_engine,
    delete,
    event,
    func,
    insert,
    literal,
    make_url,
    select,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from ..errors import DataError
from .records import Correction, NewCorrection, Receipt
from .schema import CORRECTIONS, migrate

KINDS = ("sqlite", "postgresql")
PATIENCE = 20  # seconds to wait for another process's transaction, or for a connection
_ID = re.compile(r"[0-9a-f]{32}")
_WITHOUT = literal(b"").label("picture")
_SHOWN: list[ColumnElement[Any]] = [column for column in CORRECTIONS.columns if column.name != "secret_sha256"]


@dataclass(frozen=True)
class Limits:
    """What a store takes: the days it keeps a correction, how many it holds, and how many a minute."""

    days: int
    count: int
    per_minute: int


class LimitError(RuntimeError):
    """A correction is refused because there are too many: one sentence, and the service's `code` for it."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class Store:
    """Open a store, and bring its tables up to date. Raises DataError where that cannot be."""

    def __init__(self, url: str) -> None:
        self._url = _parsed(url)
        self._engine = _engine(self._url)
        with self._transaction() as connection:
            migrate(connection)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """Commit at the end. Raises DataError where the database does not answer."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            reason = str(error.orig).strip() if isinstance(error, DBAPIError) else type(error).__name__
            where = self._url.render_as_string(hide_password=True)
            raise DataError(f"The corrections' store {where} cannot be used: {reason}.") from error

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def add(self, correction: NewCorrection, limits: Limits) -> Receipt:
        """Store a correction, and delete those that are too old. Raises LimitError and DataError."""
        receipt = Receipt(uuid.uuid4().hex, secrets.token_urlsafe(24))
        now = _now()
        with self._transaction() as connection:
            _purge(connection, now, limits.days)
            _check(connection, now, limits)
            row = {"id": receipt.id, "secret_sha256": _hash(receipt.secret), "created": now, **asdict(correction)}
            connection.execute(insert(CORRECTIONS).values(row))
        return receipt

    def withdraw(self, correction: str, secret: str) -> bool:
        """Delete a correction for its sender; return False where there is none, or the secret is another's."""
        if not _ID.fullmatch(correction):  # which databases might not even take as a text
            return False
        with self._transaction() as connection:
            own = select(CORRECTIONS.c.secret_sha256).where(CORRECTIONS.c.id == correction)
            kept = connection.execute(own).scalar_one_or_none()
            if not hmac.compare_digest(kept or "", _hash(secret)):
                return False
            connection.execute(delete(CORRECTIONS).where(CORRECTIONS.c.id == correction))
        return True

    def delete(self, correction: str) -> bool:
        """Delete a correction for the store's owner; return False where there is none."""
        if not _ID.fullmatch(correction):
            return False
        with self._transaction() as connection:
            return connection.execute(delete(CORRECTIONS).where(CORRECTIONS.c.id == correction)).rowcount > 0

    def purge(self, days: int) -> int:
        """Delete the corrections that are older than some days, and return how many those were."""
        with self._transaction() as connection:
            return _purge(connection, _now(), days)

    def all(self, *, pictures: bool = True) -> list[Correction]:
        """Return every correction, the oldest first; without `pictures` those are empty."""
        columns = _SHOWN if pictures else [_WITHOUT if each.name == "picture" else each for each in _SHOWN]
        with self._transaction() as connection:
            query = select(*columns).order_by(CORRECTIONS.c.created, CORRECTIONS.c.id)
            return [_correction(row) for row in connection.execute(query)]

    def count(self) -> int:
        """Return how many corrections there are."""
        with self._transaction() as connection:
            return connection.execute(select(func.count()).select_from(CORRECTIONS)).scalar_one()


def _parsed(url: str) -> URL:
    """Parse a store's URL. Raises DataError, without the password that may be in it."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DataError("The corrections' store is no URL such as sqlite:///corrections.db.") from error
    if parsed.get_backend_name() not in KINDS:
        raise DataError(f"Corrections are stored in {' or '.join(KINDS)}, not in {parsed.get_backend_name()}.")
    return parsed


def _engine(url: URL) -> Engine:
    try:
        if url.get_backend_name() == "postgresql":
            return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": PATIENCE})
        engine = create_engine(url, connect_args={"timeout": PATIENCE})
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise DataError(f"The driver of {url.drivername} is not installed: {error}.") from error
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    """Let readers work beside a writer, and let us begin transactions: Python's driver would commit at a CREATE."""
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # what is committed survives a power cut
    connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten


def _begin_sqlite(connection: Connection) -> None:
    """Begin with the write lock: a transaction that asked for it later would be refused at once, without waiting."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _purge(connection: Connection, now: datetime, days: int) -> int:
    return connection.execute(delete(CORRECTIONS).where(CORRECTIONS.c.created < now - timedelta(days=days))).rowcount


def _check(connection: Connection, now: datetime, limits: Limits) -> None:
    """Refuse one correction more than the limits allow. Raises LimitError."""
    every = select(func.count()).select_from(CORRECTIONS)
    if connection.execute(every).scalar_one() >= limits.count:
        raise LimitError("The service holds as many corrections as it may; nothing was stored.", "corrections_full")
    recent = every.where(CORRECTIONS.c.created > now - timedelta(minutes=1))
    if connection.execute(recent).scalar_one() >= limits.per_minute:
        raise LimitError("More corrections come in than this service takes in a minute.", "too_many_corrections")


def _correction(row: Row[Any]) -> Correction:
    values = dict(row._mapping)  # a documented name, whose underscore only keeps it apart from columns
    return Correction(**{**values, "created": values["created"].replace(tzinfo=UTC)})


def _now() -> datetime:
    """Return the time in UTC, without its zone, which SQLite does not keep."""
    return datetime.now(UTC).replace(tzinfo=None)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()
