"""The event store: lanes, events, keys, snapshots, identities, settings, tokens, checkpoints.

Creates the roles `loyalty_app` (what the running service is) and `loyalty_audit` (may only read).
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import context, op

revision: str = "2026_11_21_2100"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

DEFAULT_LANES = 16
CODE = sa.Text(collation="C")
INSTANT = sa.DateTime(timezone=True)
TABLES = (
    "projection",
    "subscription",
    "api_token",
    "programme_setting",
    "identity",
    "snapshot",
    "request",
    "event",
    "lane",
)

# A role belongs to the whole server: another ledger's database may have made it, perhaps just now.
# An owner who may not create roles needs an administrator to have made and granted them.
CREATE_ROLE = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
    CREATE ROLE {role} NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$"""

GRANT_ROLE = """
DO $$ BEGIN
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    EXECUTE format('GRANT {role} TO %I', current_user);
  END IF;
EXCEPTION WHEN insufficient_privilege THEN NULL;
END $$"""

GRANTS = (
    "REVOKE ALL ON event, request FROM PUBLIC, loyalty_app, loyalty_audit",
    "GRANT SELECT, INSERT ON event, request TO loyalty_app",
    "GRANT SELECT, UPDATE (next_pos, last_recorded_at) ON lane TO loyalty_app",
    "GRANT SELECT, INSERT, UPDATE (revoked_at) ON api_token TO loyalty_app",
    "GRANT SELECT, INSERT, DELETE ON identity TO loyalty_app",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON snapshot, subscription, projection TO loyalty_app",
    "GRANT SELECT, INSERT ON programme_setting TO loyalty_app",
    "GRANT SELECT ON alembic_version TO loyalty_app",
    "GRANT SELECT ON lane, event, request, snapshot, subscription, projection,"
    " programme_setting, alembic_version TO loyalty_audit",
)

APPEND_ONLY = """
CREATE FUNCTION event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'events are only ever appended: % of table event is refused', TG_OP
    USING ERRCODE = 'restrict_violation';
END $$"""

APPEND_ONLY_TRIGGER = """
CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event
  FOR EACH STATEMENT EXECUTE FUNCTION event_is_append_only()"""


def wanted_lanes() -> int:
    """Return how many lanes the caller asked for; fixed for the life of the database."""
    if "lanes" in context.config.attributes:
        return int(context.config.attributes["lanes"])
    return int(context.get_x_argument(as_dictionary=True).get("lanes", DEFAULT_LANES))


def upgrade() -> None:
    """Create the tables, the roles and their rights, and the lanes."""
    create_log()
    create_state()
    create_settings()
    for role in ("loyalty_app", "loyalty_audit"):
        op.execute(CREATE_ROLE.format(role=role))
    op.execute(GRANT_ROLE.format(role="loyalty_app"))
    for grant in GRANTS:
        op.execute(grant)
    op.execute(APPEND_ONLY)
    op.execute(APPEND_ONLY_TRIGGER)
    # ALWAYS: a session in replica mode must not slip past it either.
    op.execute("ALTER TABLE event ENABLE ALWAYS TRIGGER event_append_only")
    lanes = wanted_lanes()
    op.execute(f"INSERT INTO lane (lane) SELECT generate_series(0, {lanes - 1})")
    op.execute(f"INSERT INTO programme_setting (name, value) VALUES ('lanes', '{lanes}')")


def create_log() -> None:
    """Create what one batch writes: the lane's head, events, keys."""
    op.create_table(
        "lane",
        sa.Column("lane", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("next_pos", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("last_recorded_at", INSTANT),
        sa.PrimaryKeyConstraint("lane", name="lane_pkey"),
        sa.CheckConstraint("lane >= 0 AND next_pos >= 0", name="lane_range_check"),
        postgresql_with={"fillfactor": 10},
    )
    op.create_table(
        "event",
        sa.Column("lane", sa.SmallInteger, nullable=False),
        sa.Column("pos", sa.BigInteger, nullable=False),
        sa.Column("stream", CODE, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("currency", CODE),
        sa.Column("points", sa.BigInteger),
        sa.Column("business_unit", CODE),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("lane", "pos", name="event_pkey"),
        sa.CheckConstraint("points > 0", name="event_points_check"),
        sa.CheckConstraint("octet_length(leaf_hash) = 32", name="event_leaf_hash_check"),
    )
    op.create_index("event_stream_idx", "event", ["lane", "stream", "version"])
    op.create_table(
        "request",
        sa.Column("key_lane", sa.SmallInteger, nullable=False),
        sa.Column("key", CODE, nullable=False),
        sa.Column("command", sa.LargeBinary),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary),
        sa.Column("refers_to", CODE),
        sa.Column("lane", sa.SmallInteger),
        sa.Column("stream", CODE),
        sa.Column("first_version", sa.BigInteger),
        sa.Column("last_version", sa.BigInteger),
        sa.PrimaryKeyConstraint("key_lane", "key", name="request_pkey"),
    )


def create_state() -> None:
    """Create what can be looked up or rebuilt: snapshots, identities, checkpoints."""
    op.create_table(
        "snapshot",
        sa.Column("lane", sa.SmallInteger, nullable=False),
        sa.Column("stream", CODE, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("state_version", sa.SmallInteger, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("lane", "stream", name="snapshot_pkey"),
    )
    op.create_table(
        "identity",
        sa.Column("scheme", CODE, nullable=False),
        sa.Column("keyed_hash", sa.LargeBinary, nullable=False),
        sa.Column("account", CODE, nullable=False),
        sa.Column("identity_id", sa.Uuid, nullable=False),
        sa.Column("lane", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("scheme", "keyed_hash", name="identity_pkey"),
    )
    op.create_index("identity_account_idx", "identity", ["account"])
    op.create_table(
        "subscription",
        sa.Column("name", CODE, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("lane", sa.SmallInteger, nullable=False),
        sa.Column("pos", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", "version", "lane", name="subscription_pkey"),
    )
    op.create_table(
        "projection",
        sa.Column("name", CODE, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", name="projection_pkey"),
    )


def create_settings() -> None:
    """Create the facts fixed at migration time, and the tokens of the service's clients."""
    op.create_table(
        "programme_setting",
        sa.Column("name", CODE, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="programme_setting_pkey"),
    )
    op.create_table(
        "api_token",
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("name", CODE, nullable=False),
        sa.Column("business_units", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("verbs", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT),
        sa.PrimaryKeyConstraint("token_hash", name="api_token_pkey"),
        sa.UniqueConstraint("name", name="api_token_name_key"),
    )


def downgrade() -> None:
    """Drop everything but the roles, which may serve another database of the same server."""
    for table in TABLES:
        op.drop_table(table)
    op.execute("DROP FUNCTION event_is_append_only()")
