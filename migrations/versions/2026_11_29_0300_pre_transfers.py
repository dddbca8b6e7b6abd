"""Points in motion: in transit, converted, and where each transfer stands."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_29_0300"
down_revision: str | None = "2026_11_29_0130"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

COUNTED = (
    ("balance", "in_transit", sa.BigInteger()),
    ("unit_points", "converted", sa.Numeric(38, 0)),
    ("settlement", "converted", sa.Numeric(38, 0)),
)


def code(name: str, *, nullable: bool = False) -> sa.Column[str]:
    """A short text that is compared byte by byte."""
    return sa.Column(name, sa.Text(collation="C"), nullable=nullable)


def instant(name: str) -> sa.Column[object]:
    """An instant that may be unknown."""
    return sa.Column(name, sa.DateTime(timezone=True))


def upgrade() -> None:
    """Add what is counted, and the table of transfers; rows of an older definition are rebuilt."""
    for table, column, kind in COUNTED:
        # The default stays: an older build that still runs does not name the column.
        op.add_column(table, sa.Column(column, kind, nullable=False, server_default="0"))
    op.create_table(
        "transfer",
        sa.Column("version", sa.Integer, nullable=False),
        code("transfer"),
        code("sender"),
        code("receiver"),
        code("currency"),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.SmallInteger),
        code("business_unit", nullable=True),
        sa.Column("fee", sa.BigInteger),
        instant("sent_at"),
        instant("accept_until"),
        instant("received_at"),
        instant("completed_at"),
        instant("returned_at"),
        sa.Column("cause", sa.SmallInteger),
        code("reason", nullable=True),
        sa.PrimaryKeyConstraint("version", "transfer", name="transfer_pkey"),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index("transfer_sender_idx", "transfer", ["version", "sender", "transfer"])
    op.create_index("transfer_receiver_idx", "transfer", ["version", "receiver", "transfer"])
    op.create_index(
        "transfer_open_idx",
        "transfer",
        ["version", "transfer"],
        postgresql_where=sa.text("completed_at IS NULL AND returned_at IS NULL"),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON transfer TO loyalty_app")
    op.execute("GRANT SELECT ON transfer TO loyalty_audit")


def downgrade() -> None:
    """Drop what was added; a rebuild brings every row back."""
    op.drop_table("transfer")
    for table, column, _ in COUNTED:
        op.drop_column(table, column)
