"""The adapters' own tables, in a PostgreSQL schema of their own: they may live beside the ledger's
or in another database.

A delivery is what came; its items say what was in it; a subject is what parts are about, and the
unit of work: whoever works on one holds its row locked.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

SCHEMA: Final = "adapters"

metadata: Final = MetaData(
    schema=SCHEMA,
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "ix": "%(table_name)s_%(column_0_name)s_idx",
        "uq": "%(table_name)s_%(column_0_name)s_key",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
    },
)


def _code() -> Text:
    return Text(collation="C")


def _instant() -> DateTime:
    return DateTime(timezone=True)


delivery: Final = Table(
    "delivery",
    metadata,
    Column("delivery_id", BigInteger, Identity(always=True), primary_key=True),
    Column("connection", _code(), nullable=False),
    Column("event_id", _code(), nullable=False),
    Column("received_at", _instant(), nullable=False, server_default=text("now()")),
    Column("pulled", Boolean, nullable=False),
    # JSON, with what is not ASCII escaped: PostgreSQL takes no character 0.
    Column("headers", Text, nullable=False),
    # Null when its time is over.
    Column("body", LargeBinary),
    Column("body_digest", LargeBinary, nullable=False),
    # new, taken, dead
    Column("state", _code(), nullable=False),
    Column("reason", _code(), nullable=False, server_default=text("''")),
    Column("detail", Text, nullable=False, server_default=text("''")),
    # "shopify/1 mapping 3 9f86d081884c": what read it.
    Column("read_by", Text, nullable=False, server_default=text("''")),
    UniqueConstraint("connection", "event_id", name="delivery_event_key"),
    # What is to be read is a handful of rows among millions.
    Index("delivery_new_idx", "delivery_id", postgresql_where=text("state = 'new'")),
    Index("delivery_dead_idx", "delivery_id", postgresql_where=text("state = 'dead'")),
    Index("delivery_received_idx", "received_at"),
)

item: Final = Table(
    "item",
    metadata,
    Column(
        "delivery_id",
        BigInteger,
        ForeignKey(delivery.c.delivery_id, ondelete="CASCADE"),
        nullable=False,
    ),
    Column("number", Integer, nullable=False),
    # taken, dropped, dead
    Column("verdict", _code(), nullable=False),
    Column("subject", _code(), nullable=False),
    Column("part", _code(), nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("delivery_id", "number"),
    Index("item_dead_idx", "delivery_id", postgresql_where=text("verdict = 'dead'")),
)

subject: Final = Table(
    "subject",
    metadata,
    Column("connection", _code(), nullable=False),
    Column("subject", _code(), nullable=False),
    # new, due, done, parked, dead
    Column("state", _code(), nullable=False),
    Column("reason", _code(), nullable=False, server_default=text("''")),
    Column("detail", Text, nullable=False, server_default=text("''")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    # When it is to be worked on again; null: when a part comes, or an operator says so.
    Column("due_at", _instant()),
    Column("changed_at", _instant(), nullable=False, server_default=text("now()")),
    # What stands in the ledger.
    Column("document", _code(), nullable=False, server_default=text("''")),
    Column("posted_version", BigInteger, nullable=False, server_default=text("0")),
    Column("posted_digest", LargeBinary),
    Column("was_final", Boolean, nullable=False, server_default=text("false")),
    # Scheme of the identity by which its member was found; empty: nobody's.
    Column("member_scheme", _code(), nullable=False, server_default=text("''")),
    Column("read_by", Text, nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("connection", "subject"),
    Index("subject_due_idx", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    Index("subject_stuck_idx", "state", postgresql_where=text("state IN ('parked', 'dead')")),
)

part: Final = Table(
    "part",
    metadata,
    Column("part_id", BigInteger, Identity(always=True), primary_key=True),
    Column("connection", _code(), nullable=False),
    Column("subject", _code(), nullable=False),
    Column("part", _code(), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("rank", BigInteger, nullable=False),
    # Null: to be fetched from the vendor.
    Column("content", Text),
    Column("delivery_id", BigInteger),
    Column("unread", Boolean, nullable=False),
    Index("part_subject_idx", "connection", "subject"),
    Index("part_unread_idx", "part_id", postgresql_where=text("unread")),
)

cursor: Final = Table(
    "cursor",
    metadata,
    Column("connection", _code(), primary_key=True),
    Column("position", Text, nullable=False),
    Column("due_at", _instant(), nullable=False),
    Column("pulled_at", _instant()),
    Column("problem", Text, nullable=False, server_default=text("''")),
)

# Every mapping that was ever used: the digest in a document's origin finds its words here.
mapping: Final = Table(
    "mapping",
    metadata,
    Column("connection", _code(), nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", _code(), nullable=False),
    Column("content", Text, nullable=False),
    Column("seen_at", _instant(), nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("connection", "version"),
)

# Whom of a source system a subscription has to name, and which member that is.
known_customer: Final = Table(
    "known_customer",
    metadata,
    Column("connection", _code(), nullable=False),
    Column("scheme", _code(), nullable=False),
    Column("value", _code(), nullable=False),
    Column("member_id", _code(), nullable=False),
    PrimaryKeyConstraint("connection", "scheme", "value"),
    Index("known_customer_member_idx", "member_id"),
)

# Who is told, and how far of the ledger's history it was marked what there is to tell.
outbox_subscription: Final = Table(
    "outbox_subscription",
    metadata,
    Column("subscription", _code(), primary_key=True),
    Column("connection", _code(), nullable=False),
    Column("customer_scheme", _code(), nullable=False),
    # JSON: the next position of each lane.
    Column("positions", Text, nullable=False, server_default=text("'{}'")),
    # The present was reached once: what is told before could have an older version than was told.
    Column("caught_up", Boolean, nullable=False, server_default=text("false")),
    Column("followed_at", _instant()),
)

# Members who became known to a connection: they are looked at, whatever happens to them.
outbox_news: Final = Table(
    "outbox_news",
    metadata,
    Column("news_id", BigInteger, Identity(always=True), primary_key=True),
    Column("subscription", _code(), nullable=False),
    Column("member_id", _code(), nullable=False),
    Index("outbox_news_subscription_idx", "subscription"),
)

outbox_member: Final = Table(
    "outbox_member",
    metadata,
    Column("subscription", _code(), nullable=False),
    Column("member_id", _code(), nullable=False),
    Column("version", BigInteger, nullable=False),
    # What is so at the first look counts as told.
    Column("quiet", Boolean, nullable=False),
    # JSON: by kind, what the newest message said.
    Column("told", Text, nullable=False, server_default=text("'{}'")),
    # When the account is to be looked at; null: when a fact says so.
    Column("look_at", _instant()),
    # When the first message that waits is to be sent; null: none waits.
    Column("send_at", _instant()),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("problem", Text, nullable=False, server_default=text("''")),
    # Whether the receiver was told of the member.
    Column("known", Boolean, nullable=False, server_default=text("false")),
    # Whether the member was erased: nothing is told of them any more.
    Column("erased", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("subscription", "member_id"),
    Index(
        "outbox_member_look_idx",
        "subscription",
        "look_at",
        postgresql_where=text("look_at IS NOT NULL"),
    ),
    Index(
        "outbox_member_send_idx",
        "subscription",
        "send_at",
        postgresql_where=text("send_at IS NOT NULL"),
    ),
)

outbox_message: Final = Table(
    "outbox_message",
    metadata,
    Column("message_id", _code(), primary_key=True),
    # In which order they are told.
    Column("number", BigInteger, Identity(always=True), nullable=False),
    Column("subscription", _code(), nullable=False),
    Column("member_id", _code(), nullable=False),
    Column("kind", _code(), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    # waiting, sent, dead
    Column("state", _code(), nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("problem", Text, nullable=False, server_default=text("''")),
    Column("created_at", _instant(), nullable=False, server_default=text("now()")),
    Column("changed_at", _instant(), nullable=False, server_default=text("now()")),
    # Of a kind, the newest is enough.
    Index(
        "outbox_message_waiting_idx",
        "subscription",
        "member_id",
        "kind",
        unique=True,
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(
        "outbox_message_dead_idx",
        "subscription",
        "number",
        postgresql_where=text("state = 'dead'"),
    ),
    Index("outbox_message_member_idx", "subscription", "member_id"),
    Index("outbox_message_changed_idx", "changed_at", postgresql_where=text("state = 'sent'")),
)

operator_act: Final = Table(
    "operator_act",
    metadata,
    Column("act_id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", _instant(), nullable=False, server_default=text("now()")),
    Column("operator", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("subjects", Integer, nullable=False),
    Column("deliveries", Integer, nullable=False),
)
