"""Keep the confidence of the answer that was corrected; earlier corrections have none."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply the change."""
    op.add_column("corrections", sa.Column("confidence", sa.Float))
