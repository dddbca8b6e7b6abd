"""What is known of members, sealed: birthday, attributes, segments, household."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_22_0130"
down_revision: str | None = "2026_11_21_2130"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Create the table for the running service alone: auditors do not read it."""
    op.create_table(
        "member_profile",
        sa.Column("account", sa.Text(collation="C"), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary),
        sa.PrimaryKeyConstraint("account", name="member_profile_pkey"),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON member_profile TO loyalty_app")


def downgrade() -> None:
    """Drop the table; what it held is not in the history."""
    op.drop_table("member_profile")
