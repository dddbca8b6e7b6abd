"""Members who are merged into others: their tier rests."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_29_0700"
down_revision: str | None = "2026_11_29_0600"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the column; rows of an older definition are rebuilt."""
    # The default stays: an older build that still runs does not name the column.
    column = sa.Column("merged", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("member_tier", column)


def downgrade() -> None:
    """Drop the column; a rebuild brings every row back."""
    op.drop_column("member_tier", "merged")
