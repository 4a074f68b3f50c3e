"""The database's tables, and their migrations. `migrations/versions` has one file for each change of a table."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Column, Connection, DateTime, Float, LargeBinary, MetaData, String, Table, Text, text

MIGRATIONS = Path(__file__).parent / "migrations"
LATEST = "head"
LOCK = 0x1A2B_D161  # PostgreSQL's advisory lock of our migrations

METADATA = MetaData()
CORRECTIONS = Table(
    "corrections",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("secret_sha256", String(64), nullable=False),
    Column("created", DateTime, nullable=False, index=True),  # UTC
    Column("task", String(8), nullable=False),
    Column("label", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("picture", LargeBinary, nullable=False),
    Column("confidence", Float),
)


def migrate(connection: Connection, revision: str = LATEST) -> None:
    """Bring the tables to a revision, within the connection's transaction. One process at a time does so."""
    if connection.dialect.name == "postgresql":  # a transaction of SQLite's is alone anyway
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
