"""Migrations: a store of the first schema version opens with what it held, and the tables are what the code expects."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from inkdigit.corrections.schema import METADATA, migrate
from inkdigit.corrections.store import Store

FIRST = (
    "INSERT INTO corrections (id, secret_sha256, created, task, label, answer, model, version, picture) "
    "VALUES ('a', 'b', '2026-11-30 09:00:00', 'digit', '7', '1', 'inkdigit', '0.1.0', :picture)"
)


def test_a_store_of_the_first_version_keeps_its_corrections(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        migrate(connection, "0001")
        connection.execute(text(FIRST), {"picture": b"png"})
    store = Store(url)
    (kept,) = store.all()
    store.close()
    assert (kept.id, kept.label, kept.picture, kept.confidence) == ("a", "7", b"png", None)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()
