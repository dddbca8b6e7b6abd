"""Documents that are nobody's: the read side of who may credit them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_29_0500"
down_revision: str | None = "2026_11_29_0430"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Create the table, filled by the runner, and let the service write and auditors read."""
    op.create_table(
        "unclaimed_document",
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("document", sa.Text(collation="C"), nullable=False),
        sa.Column("business_unit", sa.Text(collation="C"), nullable=False),
        sa.Column("document_version", sa.BigInteger, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("currency_code", sa.Text(collation="C"), nullable=False),
        sa.Column("net_minor_units", sa.BigInteger, nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pinned_policy", sa.Text(collation="C"), nullable=False),
        sa.Column("has_receipt_code", sa.Boolean, nullable=False),
        sa.Column("awaited_scheme", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("version", "document", name="unclaimed_document_pkey"),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index(
        "unclaimed_document_time_idx", "unclaimed_document", ["version", "occurred_at", "document"]
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON unclaimed_document TO loyalty_app")
    op.execute("GRANT SELECT ON unclaimed_document TO loyalty_audit")


def downgrade() -> None:
    """Drop the table; a rebuild brings every row back."""
    op.drop_table("unclaimed_document")
