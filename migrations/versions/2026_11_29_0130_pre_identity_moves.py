"""Let the running service give an identity to another member."""

from collections.abc import Sequence

from alembic import op

revision: str = "2026_11_29_0130"
down_revision: str | None = "2026_11_22_0200"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Identities were linked once and deleted at most; now a row may get another account."""
    op.execute("GRANT UPDATE (account, identity_id, lane) ON identity TO loyalty_app")


def downgrade() -> None:
    """Take it back."""
    op.execute("REVOKE UPDATE (account, identity_id, lane) ON identity FROM loyalty_app")
