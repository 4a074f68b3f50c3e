"""What Alembic runs for a migration: the revisions, on the connection that `schema.migrate` brings."""

from alembic import context

from inkdigit.corrections.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,  # SQLite can, since `store` begins its transactions itself
)
context.run_migrations()
