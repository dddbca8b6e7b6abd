"""From deliveries to parts: each delivery is split by its adapter, one bad item spoils no other."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import asyncpg
import structlog

from adapters.frame import stating, subjects
from adapters.frame.adapter import Connection, problem
from adapters.frame.database import LOST, Session
from adapters.frame.metrics import Metrics
from adapters.frame.words import (
    Delivery,
    Dropped,
    Faulty,
    Item,
    Part,
    Unreadable,
    clean,
    shown,
)

log = structlog.get_logger(__name__)

DELIVERIES_MAX: Final = 100
ITEMS_MAX: Final = 10_000
NAME_LENGTH: Final = 200
VERSION_MAX: Final = 2**63 - 1

_CLAIM: Final = """
SELECT delivery_id, connection, headers, body, pulled,
       (extract(epoch FROM received_at) * 1000000)::bigint AS received_at
  FROM adapters.delivery
 WHERE state = 'new' AND connection = ANY($1)
 ORDER BY delivery_id LIMIT $2 FOR UPDATE SKIP LOCKED"""
_TAKEN: Final = """
UPDATE adapters.delivery d SET state = n.state, reason = n.reason, detail = n.detail,
       read_by = n.read_by
  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[])
       AS n (delivery_id, state, reason, detail, read_by)
 WHERE d.delivery_id = n.delivery_id"""
_ITEMS: Final = """
INSERT INTO adapters.item (delivery_id, number, verdict, subject, part, reason)
SELECT * FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[])
ON CONFLICT (delivery_id, number) DO UPDATE
   SET verdict = excluded.verdict, subject = excluded.subject, part = excluded.part,
       reason = excluded.reason"""


@dataclass(slots=True)
class Read:
    """A delivery after reading."""

    delivery_id: int
    connection: str
    read_by: str
    state: str = "taken"
    reason: str = ""
    detail: str = ""
    items: list[Item] = field(default_factory=list)


async def read_some(
    pool: asyncpg.Pool, connections: Mapping[str, Connection], metrics: Metrics
) -> int:
    """Split new deliveries into parts; how many deliveries they were."""
    try:
        return await _read(pool, connections, metrics, most=DELIVERIES_MAX)
    except LOST:
        raise
    except Exception:
        # One of them breaks the batch: alone it harms only itself.
        log.exception("reading_failed")
    return await _read(pool, connections, metrics, most=1, forgiving=True)


async def _read(
    pool: asyncpg.Pool,
    connections: Mapping[str, Connection],
    metrics: Metrics,
    *,
    most: int,
    forgiving: bool = False,
) -> int:
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(_CLAIM, list(connections), most)
        if not rows:
            return 0
        read = [await _split(row, connections[row["connection"]]) for row in rows]
        try:
            async with connection.transaction():
                await _write(connection, read)
        except asyncpg.PostgresError as error:
            if not forgiving or isinstance(error, LOST):
                raise
            (only,) = read
            only.state, only.reason, only.detail, only.items = "dead", "fault", shown(error), []
            await _write(connection, read)
    for each in read:
        if each.state == "dead":
            metrics.items.labels(each.connection, "dead").inc()
        for item in each.items:
            metrics.items.labels(each.connection, _verdict(item)).inc()
    return len(read)


async def _split(row: asyncpg.Record, connection: Connection) -> Read:
    # The door is in the same process: it gets its turn between two deliveries.
    await asyncio.sleep(0)
    read = Read(row["delivery_id"], row["connection"], stating.read_by(connection))
    delivery = Delivery(
        body=row["body"] or b"",
        headers=json.loads(row["headers"]),
        received_at=row["received_at"],
        pulled=row["pulled"],
    )
    try:
        read.items = items_of(delivery, connection)
    except Unreadable as error:
        read.state, read.reason, read.detail = "dead", "unreadable", shown(error)
    except Exception as error:
        log.exception("splitting_failed", connection=row["connection"], delivery=row["delivery_id"])
        read.state, read.reason, read.detail = "dead", "fault", problem(error)
    return read


def items_of(delivery: Delivery, connection: Connection) -> list[Item]:
    """Return the items of a delivery, each checked. Raises Unreadable."""
    items: list[Item] = []
    for item in connection.adapter.split(delivery, connection):
        items.append(_checked(item))
        if len(items) > ITEMS_MAX:
            raise Unreadable(f"more than {ITEMS_MAX} items")
    return items


def _checked(item: Item) -> Item:
    if isinstance(item, Dropped):
        return Dropped(item.reason, clean(item.subject)[:NAME_LENGTH])
    if isinstance(item, Faulty):
        return Faulty(clean(item.problem)[:NAME_LENGTH], clean(item.subject)[:NAME_LENGTH])
    for what, text in (("subject", item.subject), ("part", item.key)):
        if not (text and len(text) <= NAME_LENGTH and text.isprintable()):
            return Faulty(
                f"the {what} {text[:40]!r} is not 1 to {NAME_LENGTH} printable characters"
            )
    if not (0 <= item.version <= VERSION_MAX and 0 <= item.rank <= VERSION_MAX):
        return Faulty(f"the version {item.version} is beyond what can be ordered", item.subject)
    return item


async def _write(connection: Session, read: Sequence[Read]) -> None:
    for name in sorted({each.connection for each in read}):
        parts = [
            (item, each.delivery_id)
            for each in read
            if each.connection == name
            for item in each.items
            if isinstance(item, Part)
        ]
        if parts:
            await subjects.add(connection, name, parts, unread=True)
    items = [
        (each.delivery_id, number, item)
        for each in read
        for number, item in enumerate(each.items, start=1)
    ]
    await connection.execute(
        _ITEMS,
        [delivery_id for delivery_id, _, _ in items],
        [number for _, number, _ in items],
        [_verdict(item) for _, _, item in items],
        [item.subject for _, _, item in items],
        [item.key if isinstance(item, Part) else "" for _, _, item in items],
        [_reason(item) for _, _, item in items],
    )
    await connection.execute(
        _TAKEN,
        [each.delivery_id for each in read],
        [each.state for each in read],
        [each.reason for each in read],
        [each.detail for each in read],
        [each.read_by for each in read],
    )


def _verdict(item: Item) -> str:
    match item:
        case Part():
            return "taken"
        case Dropped():
            return "dropped"
        case Faulty():
            return "dead"


def _reason(item: Item) -> str:
    match item:
        case Dropped():
            return item.reason
        case Faulty():
            return item.problem
        case Part():
            return ""
