"""Draws with their dates: the read side of settlement by accounting period."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_29_0600"
down_revision: str | None = "2026_11_29_0500"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Create the table, filled by the runner, and let the service write and auditors read."""
    codes, counts = ("issuer", "business_unit", "currency"), ("burned", "reclaimed", "converted")
    op.create_table(
        "dated_draw",
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("lane", sa.SmallInteger, nullable=False),
        sa.Column("pos", sa.BigInteger, nullable=False),
        sa.Column("number", sa.SmallInteger, nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("earned_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text(collation="C"), nullable=False) for name in codes),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in counts),
        sa.PrimaryKeyConstraint("version", "lane", "pos", "number", name="dated_draw_pkey"),
    )
    op.create_index("dated_draw_time_idx", "dated_draw", ["version", "occurred_at"])
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON dated_draw TO loyalty_app")
    op.execute("GRANT SELECT ON dated_draw TO loyalty_audit")


def downgrade() -> None:
    """Drop the table; a rebuild brings every row back."""
    op.drop_table("dated_draw")
