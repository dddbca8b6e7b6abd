"""Who is no more: only subscriptions that were told of a member are told so."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_29_1100"
down_revision: str | None = "2026_11_29_0700"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

COLUMNS = ("known", "erased")


def upgrade() -> None:
    """Add who is known and who was erased; whose state is kept was told of."""
    for name in COLUMNS:
        column = sa.Column(name, sa.Boolean, nullable=False, server_default=sa.text("false"))
        op.add_column("outbox_member", column, schema="adapters")
    op.execute("UPDATE adapters.outbox_member SET known = told <> '{}'")


def downgrade() -> None:
    """Drop both."""
    for name in COLUMNS:
        op.drop_column("outbox_member", name, schema="adapters")
