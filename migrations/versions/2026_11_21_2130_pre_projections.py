"""The read side: balances, tiers, units' totals, settlement, and which code built them."""

from collections.abc import Sequence
from decimal import Decimal

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_21_2130"
down_revision: str | None = "2026_11_21_2100"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLES = (
    "projection_build",
    "balance",
    "member_tier",
    "unit_points",
    "unit_documents",
    "document_seen",
    "settlement",
)
UPDATED = {"fillfactor": 70}


def code(name: str) -> sa.Column[str]:
    """Return a column of text that sorts by bytes."""
    return sa.Column(name, sa.Text(collation="C"), nullable=False)


def count(name: str) -> sa.Column[int]:
    """Return a column of a number or a position."""
    return sa.Column(name, sa.BigInteger, nullable=False)


def points(name: str) -> sa.Column[Decimal]:
    """Return a column of points that add up for ever."""
    return sa.Column(name, sa.Numeric(38, 0), nullable=False)


def version() -> sa.Column[int]:
    """Return the column of the build that wrote a row."""
    return sa.Column("version", sa.Integer, nullable=False)


def lane() -> sa.Column[int]:
    """Return the column of the lane that a row sums up."""
    return sa.Column("lane", sa.SmallInteger, nullable=False)


def upgrade() -> None:
    """Create the tables, filled by the runner, and let the service write and auditors read."""
    op.create_table(
        "projection_build",
        code("name"),
        version(),
        sa.Column("definition", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name="projection_build_pkey"),
    )
    create_members()
    create_units()
    tables = ", ".join(TABLES)
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO loyalty_app")
    op.execute(f"GRANT SELECT ON {tables} TO loyalty_audit")


def create_members() -> None:
    """Create what is known by account."""
    op.create_table(
        "balance",
        version(),
        lane(),
        code("account"),
        code("currency"),
        count("available"),
        count("pending"),
        count("held"),
        count("arrears"),
        count("pos"),
        sa.PrimaryKeyConstraint("version", "account", "currency", "lane", name="balance_pkey"),
        postgresql_with=UPDATED,
    )
    op.create_table(
        "member_tier",
        version(),
        lane(),
        code("account"),
        code("tier"),
        sa.Column("valid_until", sa.DateTime(timezone=True)),
        count("pos"),
        sa.PrimaryKeyConstraint("version", "account", "lane", name="member_tier_pkey"),
        postgresql_with=UPDATED,
    )


def create_units() -> None:
    """Create what is known by business unit."""
    op.create_table(
        "unit_points",
        version(),
        lane(),
        code("business_unit"),
        code("currency"),
        *map(points, ("issued", "burned", "expired", "clawed_back", "repaid", "outstanding")),
        sa.PrimaryKeyConstraint(
            "version", "lane", "business_unit", "currency", name="unit_points_pkey"
        ),
        postgresql_with=UPDATED,
    )
    op.create_table(
        "unit_documents",
        version(),
        lane(),
        code("business_unit"),
        count("documents"),
        count("postings"),
        sa.PrimaryKeyConstraint("version", "lane", "business_unit", name="unit_documents_pkey"),
        postgresql_with=UPDATED,
    )
    op.create_table(
        "document_seen",
        version(),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("version", "document", name="document_seen_pkey"),
    )
    op.create_table(
        "settlement",
        version(),
        lane(),
        code("issuer"),
        code("business_unit"),
        code("currency"),
        points("burned"),
        points("reclaimed"),
        sa.PrimaryKeyConstraint(
            "version", "lane", "issuer", "business_unit", "currency", name="settlement_pkey"
        ),
        postgresql_with=UPDATED,
    )


def downgrade() -> None:
    """Drop the read side; a rebuild brings every row back."""
    for table in TABLES:
        op.drop_table(table)
