"""The outbox: subscriptions, members and messages, and the customers that are named in them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_29_0700"
down_revision: str | None = "2026_11_26_0900"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

SCHEMA = "adapters"
CODE = sa.Text(collation="C")
INSTANT = sa.DateTime(timezone=True)
EMPTY = sa.text("''")
NONE = sa.text("'{}'")


def upgrade() -> None:
    """Create the tables and let the adapters' role work with them."""
    op.create_table(
        "known_customer",
        sa.Column("connection", CODE, nullable=False),
        sa.Column("scheme", CODE, nullable=False),
        sa.Column("value", CODE, nullable=False),
        sa.Column("member_id", CODE, nullable=False),
        sa.PrimaryKeyConstraint("connection", "scheme", "value", name="known_customer_pkey"),
        schema=SCHEMA,
    )
    op.create_index("known_customer_member_idx", "known_customer", ["member_id"], schema=SCHEMA)
    op.create_table(
        "outbox_subscription",
        sa.Column("subscription", CODE, nullable=False),
        sa.Column("connection", CODE, nullable=False),
        sa.Column("customer_scheme", CODE, nullable=False),
        sa.Column("positions", sa.Text, nullable=False, server_default=NONE),
        sa.Column("caught_up", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("followed_at", INSTANT),
        sa.PrimaryKeyConstraint("subscription", name="outbox_subscription_pkey"),
        schema=SCHEMA,
    )
    op.create_table(
        "outbox_news",
        sa.Column("news_id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("subscription", CODE, nullable=False),
        sa.Column("member_id", CODE, nullable=False),
        sa.PrimaryKeyConstraint("news_id", name="outbox_news_pkey"),
        schema=SCHEMA,
    )
    op.create_index("outbox_news_subscription_idx", "outbox_news", ["subscription"], schema=SCHEMA)
    create_member()
    create_message()
    op.execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON adapters.known_customer,"
        " adapters.outbox_subscription, adapters.outbox_news, adapters.outbox_member,"
        " adapters.outbox_message TO loyalty_adapters"
    )


def create_member() -> None:
    """Create what each subscription knows of each member."""
    op.create_table(
        "outbox_member",
        sa.Column("subscription", CODE, nullable=False),
        sa.Column("member_id", CODE, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("quiet", sa.Boolean, nullable=False),
        sa.Column("told", sa.Text, nullable=False, server_default=NONE),
        sa.Column("look_at", INSTANT),
        sa.Column("send_at", INSTANT),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("problem", sa.Text, nullable=False, server_default=EMPTY),
        sa.PrimaryKeyConstraint("subscription", "member_id", name="outbox_member_pkey"),
        schema=SCHEMA,
    )
    for what in ("look", "send"):
        op.create_index(
            f"outbox_member_{what}_idx",
            "outbox_member",
            ["subscription", f"{what}_at"],
            schema=SCHEMA,
            postgresql_where=sa.text(f"{what}_at IS NOT NULL"),
        )


def create_message() -> None:
    """Create what is told."""
    op.create_table(
        "outbox_message",
        sa.Column("message_id", CODE, nullable=False),
        sa.Column("number", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("subscription", CODE, nullable=False),
        sa.Column("member_id", CODE, nullable=False),
        sa.Column("kind", CODE, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("problem", sa.Text, nullable=False, server_default=EMPTY),
        sa.Column("created_at", INSTANT, nullable=False, server_default=sa.text("now()")),
        sa.Column("changed_at", INSTANT, nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("message_id", name="outbox_message_pkey"),
        schema=SCHEMA,
    )
    for name, columns, unique, where in (
        ("waiting", ["subscription", "member_id", "kind"], True, "state = 'waiting'"),
        ("dead", ["subscription", "number"], False, "state = 'dead'"),
        ("member", ["subscription", "member_id"], False, None),
        ("changed", ["changed_at"], False, "state = 'sent'"),
    ):
        op.create_index(
            f"outbox_message_{name}_idx",
            "outbox_message",
            columns,
            unique=unique,
            schema=SCHEMA,
            postgresql_where=sa.text(where) if where else None,
        )


def downgrade() -> None:
    """Drop all of it."""
    for table in (
        "outbox_message",
        "outbox_member",
        "outbox_news",
        "outbox_subscription",
        "known_customer",
    ):
        op.drop_table(table, schema=SCHEMA)
