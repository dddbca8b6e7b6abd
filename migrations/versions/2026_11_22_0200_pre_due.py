"""What time ends next, by account: the read side of the sweeper."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_22_0200"
down_revision: str | None = "2026_11_22_0130"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Create the table, filled by the runner, and let the service write and auditors read."""
    op.create_table(
        "due_part",
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("account", sa.Text(collation="C"), nullable=False),
        sa.Column("part", sa.Text(collation="C"), nullable=False),
        sa.Column("available", sa.BigInteger, nullable=False),
        sa.Column("pending", sa.BigInteger, nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True)),
        sa.Column("ends_at", sa.DateTime(timezone=True)),
        sa.Column("early", sa.Boolean, nullable=False),
        sa.Column("life", sa.LargeBinary),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("version", "account", "part", name="due_part_pkey"),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index(
        "due_part_due_idx", "due_part", ["version", "early", "due_at", "account", "part"]
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON due_part TO loyalty_app")
    op.execute("GRANT SELECT ON due_part TO loyalty_audit")


def downgrade() -> None:
    """Drop the table; a rebuild brings every row back."""
    op.drop_table("due_part")
