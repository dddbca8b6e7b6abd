"""The tables of the read side, as SQLAlchemy metadata: the source that migrations follow.

Every row belongs to a `version`: the build of its projection that wrote it. A rebuild fills the
next version beside the live one, so the running role needs no right to create tables. What is
summed over a group is kept by lane, so that lanes never wait for each other's rows.
"""

from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    false,
    text,
)

from ledger.schema import metadata as ledger_metadata

metadata: Final = MetaData(naming_convention=ledger_metadata.naming_convention)


def _code(name: str) -> Column[str]:
    return Column(name, Text(collation="C"), nullable=False)


def _instant(name: str) -> Column[datetime]:
    return Column(name, DateTime(timezone=True))


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _points(name: str) -> Column[Decimal]:
    """What adds up for ever: 64 bits are full after nine thousand of the largest documents."""
    return Column(name, Numeric(38, 0), nullable=False)


def _version() -> Column[int]:
    return Column("version", Integer, nullable=False)


def _lane() -> Column[int]:
    return Column("lane", SmallInteger, nullable=False)


# Rows that change in place want free space on their page (HOT updates).
_UPDATED: Final = {"fillfactor": 70}

# What code built a version; rows of another definition are not continued, but rebuilt.
projection_build: Final = Table(
    "projection_build",
    metadata,
    _code("name"),
    _version(),
    Column("definition", Integer, nullable=False),
    PrimaryKeyConstraint("name", "version"),
)

balance: Final = Table(
    "balance",
    metadata,
    _version(),
    _lane(),
    _code("account"),
    _code("currency"),
    _count("available"),
    _count("pending"),
    _count("held"),
    _count("arrears"),
    _count("in_transit"),
    _count("pos"),
    # The account comes first: one account's balances are one range, whatever its lane.
    PrimaryKeyConstraint("version", "account", "currency", "lane"),
    postgresql_with=_UPDATED,
)

member_tier: Final = Table(
    "member_tier",
    metadata,
    _version(),
    _lane(),
    _code("account"),
    _code("tier"),
    Column("valid_until", DateTime(timezone=True)),
    _count("pos"),
    Column("merged", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("version", "account", "lane"),
    postgresql_with=_UPDATED,
)

unit_points: Final = Table(
    "unit_points",
    metadata,
    _version(),
    _lane(),
    _code("business_unit"),
    _code("currency"),
    _points("issued"),
    _points("burned"),
    _points("expired"),
    _points("clawed_back"),
    _points("repaid"),
    _points("outstanding"),
    _points("converted"),
    PrimaryKeyConstraint("version", "lane", "business_unit", "currency"),
    postgresql_with=_UPDATED,
)

unit_documents: Final = Table(
    "unit_documents",
    metadata,
    _version(),
    _lane(),
    _code("business_unit"),
    _count("documents"),
    _count("postings"),
    PrimaryKeyConstraint("version", "lane", "business_unit"),
    postgresql_with=_UPDATED,
)

# Which documents were counted: 16 bytes of a hash. A document that moves to another member, or is
# claimed, is posted in another lane and must not count again; hence no lane in the key.
document_seen: Final = Table(
    "document_seen",
    metadata,
    _version(),
    Column("document", LargeBinary, nullable=False),
    PrimaryKeyConstraint("version", "document"),
)

settlement: Final = Table(
    "settlement",
    metadata,
    _version(),
    _lane(),
    _code("issuer"),
    _code("business_unit"),
    _code("currency"),
    _points("burned"),
    _points("reclaimed"),
    _points("converted"),
    PrimaryKeyConstraint("version", "lane", "issuer", "business_unit", "currency"),
    postgresql_with=_UPDATED,
)

# What time ends of each account. The index finds what is due without looking at anything else.
due_part: Final = Table(
    "due_part",
    metadata,
    _version(),
    _code("account"),
    _code("part"),
    _count("available"),
    _count("pending"),
    Column("available_at", DateTime(timezone=True)),
    Column("ends_at", DateTime(timezone=True)),
    Column("early", Boolean, nullable=False),
    Column("life", LargeBinary),
    Column("due_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("version", "account", "part"),
    Index("due_part_due_idx", "version", "early", "due_at", "account", "part"),
    postgresql_with=_UPDATED,
)

# Where each transfer stands. What nobody has to be asked for any more leaves the index of the open.
transfer: Final = Table(
    "transfer",
    metadata,
    _version(),
    _code("transfer"),
    _code("sender"),
    _code("receiver"),
    _code("currency"),
    _count("points"),
    Column("kind", SmallInteger),
    Column("business_unit", Text(collation="C")),
    Column("fee", BigInteger),
    _instant("sent_at"),
    _instant("accept_until"),
    _instant("received_at"),
    _instant("completed_at"),
    _instant("returned_at"),
    Column("cause", SmallInteger),
    Column("reason", Text(collation="C")),
    PrimaryKeyConstraint("version", "transfer"),
    Index("transfer_sender_idx", "version", "sender", "transfer"),
    Index("transfer_receiver_idx", "version", "receiver", "transfer"),
    Index(
        "transfer_open_idx",
        "version",
        "transfer",
        postgresql_where=text("completed_at IS NULL AND returned_at IS NULL"),
    ),
    postgresql_with=_UPDATED,
)

# Adjustments by hand, proposed and made; a proposal's row becomes that of what came of it.
adjustment: Final = Table(
    "adjustment",
    metadata,
    _version(),
    _code("adjustment"),
    _lane(),
    _code("account"),
    _code("state"),
    _code("business_unit"),
    _code("currency"),
    _count("amount"),
    _code("reason"),
    Column("note", Text, nullable=False),
    _code("actor"),
    _code("decided_by"),
    _code("entry"),
    Column("proposed_at", DateTime(timezone=True)),
    Column("valid_until", DateTime(timezone=True)),
    Column("decided_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("version", "adjustment"),
    Index("adjustment_state_idx", "version", "state", "adjustment"),
    postgresql_with=_UPDATED,
)

unclaimed_document: Final = Table(
    "unclaimed_document",
    metadata,
    _version(),
    _code("document"),
    _code("business_unit"),
    _count("document_version"),
    Column("status", SmallInteger, nullable=False),
    _code("currency_code"),
    _count("net_minor_units"),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    _code("pinned_policy"),
    Column("has_receipt_code", Boolean, nullable=False),
    _code("awaited_scheme"),
    PrimaryKeyConstraint("version", "document"),
    Index("unclaimed_document_time_idx", "version", "occurred_at", "document"),
    postgresql_with=_UPDATED,
)

dated_draw: Final = Table(
    "dated_draw",
    metadata,
    _version(),
    _lane(),
    _count("pos"),
    Column("number", SmallInteger, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("earned_at", DateTime(timezone=True), nullable=False),
    _code("issuer"),
    _code("business_unit"),
    _code("currency"),
    _count("burned"),
    _count("reclaimed"),
    _count("converted"),
    PrimaryKeyConstraint("version", "lane", "pos", "number"),
    Index("dated_draw_time_idx", "version", "occurred_at"),
)

lot: Final = Table(
    "lot",
    metadata,
    _version(),
    _code("account"),
    _code("lot"),
    _code("currency"),
    _code("issuer"),
    _code("document"),
    _code("campaign"),
    _points("points"),
    _points("spent"),
    _points("charged"),
    _points("taken"),
    _points("expired"),
    _points("sent"),
    _points("arrived"),
    _points("held"),
    _points("set_aside"),
    PrimaryKeyConstraint("version", "account", "lot"),
    Index("lot_id_idx", "version", "lot"),
    Index("lot_document_idx", "version", "document", postgresql_where=text("document <> ''")),
    Index("lot_campaign_idx", "version", "campaign", postgresql_where=text("campaign <> ''")),
    postgresql_with=_UPDATED,
)

lot_link: Final = Table(
    "lot_link",
    metadata,
    _version(),
    _code("parent"),
    _code("lot"),
    Column("converted", Boolean, nullable=False),
    PrimaryKeyConstraint("version", "parent", "lot"),
)
