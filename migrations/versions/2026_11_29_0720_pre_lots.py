"""Lots and what came of them: the read side of recalls."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_29_0720"
down_revision: str | None = "2026_11_29_0700"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

CODES = ("account", "lot", "currency", "issuer", "document", "campaign")
COUNTS = (
    "points",
    "spent",
    "charged",
    "taken",
    "expired",
    "sent",
    "arrived",
    "held",
    "set_aside",
)


def upgrade() -> None:
    """Create the tables, filled by the runner, and let the service write and auditors read."""
    op.create_table(
        "lot",
        sa.Column("version", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text(collation="C"), nullable=False) for name in CODES),
        *(sa.Column(name, sa.Numeric(38, 0), nullable=False) for name in COUNTS),
        sa.PrimaryKeyConstraint("version", "account", "lot", name="lot_pkey"),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index("lot_id_idx", "lot", ["version", "lot"])
    for name in ("document", "campaign"):
        op.create_index(
            f"lot_{name}_idx",
            "lot",
            ["version", name],
            postgresql_where=sa.text(f"{name} <> ''"),
        )
    op.create_table(
        "lot_link",
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("parent", sa.Text(collation="C"), nullable=False),
        sa.Column("lot", sa.Text(collation="C"), nullable=False),
        sa.Column("converted", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("version", "parent", "lot", name="lot_link_pkey"),
    )
    for table in ("lot", "lot_link"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO loyalty_app")
        op.execute(f"GRANT SELECT ON {table} TO loyalty_audit")


def downgrade() -> None:
    """Drop the tables; a rebuild brings every row back."""
    op.drop_table("lot_link")
    op.drop_table("lot")
