"""The tables of the ledger's store, as SQLAlchemy metadata: the source that migrations follow.

Text that is compared by machines (streams, keys, codes) has collation "C": it sorts by bytes, on
every server and operating system alike, and its indexes survive an upgrade of the C library.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

metadata: Final = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "ix": "%(table_name)s_%(column_0_name)s_idx",
        "uq": "%(table_name)s_%(column_0_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)


def _code() -> Text:
    return Text(collation="C")


def _instant() -> DateTime:
    return DateTime(timezone=True)


# One row is updated in every batch of its lane: free space keeps the update on its page (HOT).
lane: Final = Table(
    "lane",
    metadata,
    Column("lane", SmallInteger, primary_key=True, autoincrement=False),
    Column("next_pos", BigInteger, nullable=False, server_default=text("0")),
    Column("last_recorded_at", _instant()),
    CheckConstraint("lane >= 0 AND next_pos >= 0", name="range"),
    postgresql_with={"fillfactor": 10},
)

event: Final = Table(
    "event",
    metadata,
    Column("lane", SmallInteger, nullable=False),
    Column("pos", BigInteger, nullable=False),
    Column("stream", _code(), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("currency", _code()),
    Column("points", BigInteger),
    Column("business_unit", _code()),
    Column("occurred_at", _instant(), nullable=False),
    Column("recorded_at", _instant(), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("lane", "pos"),
    CheckConstraint("points > 0", name="points"),
    CheckConstraint("octet_length(leaf_hash) = 32", name="leaf_hash"),
    # Not unique: the lane's compare-and-set makes a stream's versions unique, and a unique index
    # without `pos` would forbid partitioning by blocks of positions.
    Index("event_stream_idx", "lane", "stream", "version"),
)

request: Final = Table(
    "request",
    metadata,
    Column("key_lane", SmallInteger, nullable=False),
    Column("key", _code(), nullable=False),
    Column("command", LargeBinary),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("answer", LargeBinary),
    Column("refers_to", _code()),
    Column("lane", SmallInteger),
    Column("stream", _code()),
    Column("first_version", BigInteger),
    Column("last_version", BigInteger),
    PrimaryKeyConstraint("key_lane", "key"),
)

snapshot: Final = Table(
    "snapshot",
    metadata,
    Column("lane", SmallInteger, nullable=False),
    Column("stream", _code(), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("state_version", SmallInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),
    PrimaryKeyConstraint("lane", "stream"),
)

identity: Final = Table(
    "identity",
    metadata,
    Column("scheme", _code(), nullable=False),
    Column("keyed_hash", LargeBinary, nullable=False),
    Column("account", _code(), nullable=False),
    Column("identity_id", Uuid, nullable=False),
    Column("lane", SmallInteger, nullable=False),
    PrimaryKeyConstraint("scheme", "keyed_hash"),
    Index("identity_account_idx", "account"),
)

# The identities that documents without a member wait for, outside the history; rows go when the
# document is claimed, or can be claimed no more.
awaited_identity: Final = Table(
    "awaited_identity",
    metadata,
    Column("document", _code(), primary_key=True),
    Column("scheme", _code(), nullable=False),
    Column("keyed_hash", LargeBinary, nullable=False),
    Column("until", _instant(), nullable=False),
    Index("awaited_identity_identity_idx", "scheme", "keyed_hash"),
)

# What is known of members, outside the history: sealed with a key of its own, which is wrapped by
# one that the database does not have. Without the wrapped key nobody reads the row again.
member_profile: Final = Table(
    "member_profile",
    metadata,
    Column("account", _code(), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("wrapped_key", LargeBinary),
)

programme_setting: Final = Table(
    "programme_setting",
    metadata,
    Column("name", _code(), primary_key=True),
    Column("value", Text, nullable=False),
)

api_token: Final = Table(
    "api_token",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("name", _code(), nullable=False, unique=True),
    Column("business_units", ARRAY(Text), nullable=False),
    Column("verbs", ARRAY(Text), nullable=False),
    Column("created_at", _instant(), nullable=False),
    Column("revoked_at", _instant()),
)

subscription: Final = Table(
    "subscription",
    metadata,
    Column("name", _code(), nullable=False),
    Column("version", Integer, nullable=False),
    Column("lane", SmallInteger, nullable=False),
    Column("pos", BigInteger, nullable=False),
    PrimaryKeyConstraint("name", "version", "lane"),
)

# Which version of a projection answers reads; a rebuild fills the next one beside it.
projection: Final = Table(
    "projection",
    metadata,
    Column("name", _code(), primary_key=True),
    Column("version", Integer, nullable=False),
)
