"""Identities that documents without a member wait for."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_29_0430"
down_revision: str | None = "2026_11_29_0310"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Create the table for the running service alone: auditors do not read it."""
    op.create_table(
        "awaited_identity",
        sa.Column("document", sa.Text(collation="C"), nullable=False),
        sa.Column("scheme", sa.Text(collation="C"), nullable=False),
        sa.Column("keyed_hash", sa.LargeBinary, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("document", name="awaited_identity_pkey"),
    )
    op.create_index("awaited_identity_identity_idx", "awaited_identity", ["scheme", "keyed_hash"])
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON awaited_identity TO loyalty_app")


def downgrade() -> None:
    """Drop the table; the documents stay unclaimed, and can be claimed by their receipts."""
    op.drop_table("awaited_identity")
