"""Adjustments by hand, by proposal: the read side of what waits for a second person."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_29_0310"
down_revision: str | None = "2026_11_29_0300"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Create the table, filled by the runner, and let the service write and auditors read."""
    codes = ("account", "state", "business_unit", "currency")
    words = ("reason", "actor", "decided_by", "entry")
    op.create_table(
        "adjustment",
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("adjustment", sa.Text(collation="C"), nullable=False),
        sa.Column("lane", sa.SmallInteger, nullable=False),
        *(sa.Column(name, sa.Text(collation="C"), nullable=False) for name in codes),
        sa.Column("amount", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text(collation="C"), nullable=False) for name in words),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True)),
        sa.Column("valid_until", sa.DateTime(timezone=True)),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("version", "adjustment", name="adjustment_pkey"),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index("adjustment_state_idx", "adjustment", ["version", "state", "adjustment"])
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON adjustment TO loyalty_app")
    op.execute("GRANT SELECT ON adjustment TO loyalty_audit")


def downgrade() -> None:
    """Drop the table; a rebuild brings every row back."""
    op.drop_table("adjustment")
