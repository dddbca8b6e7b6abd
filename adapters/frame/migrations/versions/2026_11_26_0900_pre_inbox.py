"""Inbox, items, subjects, parts, cursors, operators' acts, and the role that works with them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_26_0900"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

SCHEMA = "adapters"
CODE = sa.Text(collation="C")
INSTANT = sa.DateTime(timezone=True)
EMPTY = sa.text("''")

# A role belongs to the whole server: another database may have made it, perhaps just now.
ROLE = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'loyalty_adapters') THEN
    CREATE ROLE loyalty_adapters NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$"""
GRANT_ROLE = """
DO $$ BEGIN
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    EXECUTE format('GRANT loyalty_adapters TO %I', current_user);
  END IF;
EXCEPTION WHEN insufficient_privilege THEN NULL;
END $$"""


def upgrade() -> None:
    """Create the tables and let the adapters' role work with them."""
    create_delivery()
    create_item()
    create_subject()
    create_part()
    op.create_table(
        "cursor",
        sa.Column("connection", CODE, nullable=False),
        sa.Column("position", sa.Text, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("pulled_at", INSTANT),
        sa.Column("problem", sa.Text, nullable=False, server_default=EMPTY),
        sa.PrimaryKeyConstraint("connection", name="cursor_pkey"),
        schema=SCHEMA,
    )
    op.create_table(
        "mapping",
        sa.Column("connection", CODE, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("digest", CODE, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("connection", "version", name="mapping_pkey"),
        schema=SCHEMA,
    )
    op.create_table(
        "operator_act",
        sa.Column("act_id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("at", INSTANT, nullable=False, server_default=sa.text("now()")),
        sa.Column("operator", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("subjects", sa.Integer, nullable=False),
        sa.Column("deliveries", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("act_id", name="operator_act_pkey"),
        schema=SCHEMA,
    )
    op.execute(ROLE)
    op.execute(GRANT_ROLE)
    op.execute(f"GRANT USAGE ON SCHEMA {SCHEMA} TO loyalty_adapters")
    op.execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON adapters.delivery, adapters.item,"
        " adapters.subject, adapters.part, adapters.cursor TO loyalty_adapters"
    )
    # What operators did and which mappings were used is added to, never changed.
    op.execute(
        "GRANT SELECT, INSERT ON adapters.operator_act, adapters.mapping TO loyalty_adapters"
    )
    op.execute("GRANT SELECT ON adapters.alembic_version TO loyalty_adapters")


def create_delivery() -> None:
    """Create the inbox."""
    op.create_table(
        "delivery",
        sa.Column("delivery_id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("connection", CODE, nullable=False),
        sa.Column("event_id", CODE, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False, server_default=sa.text("now()")),
        sa.Column("pulled", sa.Boolean, nullable=False),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("body_digest", sa.LargeBinary, nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.Column("reason", CODE, nullable=False, server_default=EMPTY),
        sa.Column("detail", sa.Text, nullable=False, server_default=EMPTY),
        sa.Column("read_by", sa.Text, nullable=False, server_default=EMPTY),
        sa.PrimaryKeyConstraint("delivery_id", name="delivery_pkey"),
        sa.UniqueConstraint("connection", "event_id", name="delivery_event_key"),
        schema=SCHEMA,
    )
    for state in ("new", "dead"):
        op.create_index(
            f"delivery_{state}_idx",
            "delivery",
            ["delivery_id"],
            schema=SCHEMA,
            postgresql_where=sa.text(f"state = '{state}'"),
        )
    op.create_index("delivery_received_idx", "delivery", ["received_at"], schema=SCHEMA)


def create_item() -> None:
    """Create what was in each delivery."""
    op.create_table(
        "item",
        sa.Column("delivery_id", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("verdict", CODE, nullable=False),
        sa.Column("subject", CODE, nullable=False),
        sa.Column("part", CODE, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", "number", name="item_pkey"),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            [f"{SCHEMA}.delivery.delivery_id"],
            name="item_delivery_id_fkey",
            ondelete="CASCADE",
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "item_dead_idx",
        "item",
        ["delivery_id"],
        schema=SCHEMA,
        postgresql_where=sa.text("verdict = 'dead'"),
    )


def create_subject() -> None:
    """Create the units of work."""
    op.create_table(
        "subject",
        sa.Column("connection", CODE, nullable=False),
        sa.Column("subject", CODE, nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.Column("reason", CODE, nullable=False, server_default=EMPTY),
        sa.Column("detail", sa.Text, nullable=False, server_default=EMPTY),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("due_at", INSTANT),
        sa.Column("changed_at", INSTANT, nullable=False, server_default=sa.text("now()")),
        sa.Column("document", CODE, nullable=False, server_default=EMPTY),
        sa.Column("posted_version", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("posted_digest", sa.LargeBinary),
        sa.Column("was_final", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("member_scheme", CODE, nullable=False, server_default=EMPTY),
        sa.Column("read_by", sa.Text, nullable=False, server_default=EMPTY),
        sa.PrimaryKeyConstraint("connection", "subject", name="subject_pkey"),
        schema=SCHEMA,
    )
    op.create_index(
        "subject_due_idx",
        "subject",
        ["due_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "subject_stuck_idx",
        "subject",
        ["state"],
        schema=SCHEMA,
        postgresql_where=sa.text("state IN ('parked', 'dead')"),
    )


def create_part() -> None:
    """Create what subjects consist of."""
    op.create_table(
        "part",
        sa.Column("part_id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("connection", CODE, nullable=False),
        sa.Column("subject", CODE, nullable=False),
        sa.Column("part", CODE, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("rank", sa.BigInteger, nullable=False),
        sa.Column("content", sa.Text),
        sa.Column("delivery_id", sa.BigInteger),
        sa.Column("unread", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("part_id", name="part_pkey"),
        schema=SCHEMA,
    )
    op.create_index("part_subject_idx", "part", ["connection", "subject"], schema=SCHEMA)
    op.create_index(
        "part_unread_idx",
        "part",
        ["part_id"],
        schema=SCHEMA,
        postgresql_where=sa.text("unread"),
    )


def downgrade() -> None:
    """Drop all of it."""
    for table in ("operator_act", "mapping", "part", "subject", "item", "delivery", "cursor"):
        op.drop_table(table, schema=SCHEMA)
