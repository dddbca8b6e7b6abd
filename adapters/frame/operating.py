"""What operators ask of the inbox and tell it: lists, one delivery whole, and trying again.

Whoever lets something be tried again says who and why; that stands in the table `operator_act`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

STATES: Final = ("new", "taken", "dead")
STUCK: Final = ("dead", "parked")
_INBOX: Final = """
SELECT d.delivery_id, d.connection, d.event_id, d.received_at, d.pulled, d.state, d.reason,
       d.detail, d.read_by, octet_length(d.body) AS bytes,
       (SELECT count(*) FROM adapters.item i WHERE i.delivery_id = d.delivery_id) AS items
  FROM adapters.delivery d
 WHERE ($1 = '' OR d.connection = $1) AND ($2 = '' OR d.state = $2)
 ORDER BY d.delivery_id DESC LIMIT $3"""
_ONE: Final = """
SELECT delivery_id, connection, event_id, received_at, pulled, state, reason, detail, read_by,
       headers, body FROM adapters.delivery WHERE delivery_id = $1"""
_ITEMS: Final = """
SELECT i.number, i.verdict, i.subject, i.part, i.reason, s.state, s.reason AS because, s.document
  FROM adapters.item i
  JOIN adapters.delivery d USING (delivery_id)
  LEFT JOIN adapters.subject s ON s.connection = d.connection AND s.subject = i.subject
 WHERE i.delivery_id = $1 ORDER BY i.number"""
_STUCK: Final = """
SELECT 'subject' AS what, connection, subject AS name, state, reason, detail, changed_at AS since
  FROM adapters.subject
 WHERE state = ANY($2) AND ($1 = '' OR connection = $1) AND ($3 = '' OR reason = $3)
UNION ALL
SELECT 'delivery', connection, delivery_id::text, 'dead', reason, detail, received_at
  FROM adapters.delivery
 WHERE state = 'dead' AND 'dead' = ANY($2) AND ($1 = '' OR connection = $1)
   AND ($3 = '' OR reason = $3)
UNION ALL
SELECT 'item', d.connection, i.delivery_id || '/' || i.number, 'dead', 'unreadable', i.reason,
       d.received_at
  FROM adapters.item i JOIN adapters.delivery d USING (delivery_id)
 WHERE i.verdict = 'dead' AND 'dead' = ANY($2) AND ($1 = '' OR d.connection = $1)
   AND ($3 = '' OR $3 = 'unreadable')
 ORDER BY since DESC LIMIT $4"""
_RETRY_SUBJECTS: Final = """
UPDATE adapters.subject SET due_at = now(), attempts = 0
 WHERE state IN ('dead', 'parked', 'due') AND ($1 = '' OR connection = $1)
   AND ($2 = '' OR subject = $2) AND ($3 = '' OR reason = $3)
RETURNING subject"""
# What was forgotten cannot be read again.
_RETRY_DELIVERIES: Final = """
UPDATE adapters.delivery d SET state = 'new'
 WHERE body IS NOT NULL AND ($1 = '' OR connection = $1) AND ($2 = 0 OR delivery_id = $2)
   AND (state = 'dead' AND ($3 = '' OR reason = $3)
        OR state = 'taken' AND ($3 = '' OR $3 = 'unreadable')
           AND EXISTS (SELECT FROM adapters.item i
                        WHERE i.delivery_id = d.delivery_id AND i.verdict = 'dead'))
RETURNING delivery_id"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be tried again. Empty fields leave nothing out."""

    connection: str = ""
    subject: str = ""
    delivery: int = 0
    reason: str = ""

    def __str__(self) -> str:
        """Return it as one line."""
        named = {
            "connection": self.connection,
            "subject": self.subject,
            "delivery": self.delivery,
            "reason": self.reason,
        }
        return " ".join(f"{name}={value}" for name, value in named.items() if value) or "all"


async def inbox(
    pool: asyncpg.Pool, *, connection: str, state: str, limit: int
) -> list[dict[str, Any]]:
    """Return deliveries, the newest first, without their bodies."""
    return [dict(row) for row in await pool.fetch(_INBOX, connection, state, limit)]


async def delivery(pool: asyncpg.Pool, delivery_id: int) -> dict[str, Any] | None:
    """Return one delivery with its body and its items; None: there is none."""
    row = await pool.fetchrow(_ONE, delivery_id)
    if row is None:
        return None
    items = [dict(item) for item in await pool.fetch(_ITEMS, delivery_id)]
    return {**dict(row), "items": items}


async def stuck(
    pool: asyncpg.Pool, *, connection: str, states: Sequence[str], reason: str, limit: int
) -> list[dict[str, Any]]:
    """Return what is dead or parked, the newest first."""
    rows = await pool.fetch(_STUCK, connection, list(states), reason, limit)
    return [dict(row) for row in rows]


async def retry(
    pool: asyncpg.Pool, wanted: Wanted, *, operator: str, why: str
) -> Mapping[str, int]:
    """Let what is stuck be tried again by the next worker; how much it is.

    Args:
        pool: of the adapters' role.
        wanted: what.
        operator: who says so.
        why: kept with it.
    """
    async with pool.acquire() as session, session.transaction():
        subjects: list[Any] = []
        deliveries: list[Any] = []
        if not wanted.delivery:
            subjects = await session.fetch(
                _RETRY_SUBJECTS, wanted.connection, wanted.subject, wanted.reason
            )
        if not wanted.subject:
            deliveries = await session.fetch(
                _RETRY_DELIVERIES, wanted.connection, wanted.delivery, wanted.reason
            )
        await session.execute(
            "INSERT INTO adapters.operator_act (operator, what, why, subjects, deliveries)"
            " VALUES ($1, $2, $3, $4, $5)",
            operator,
            str(wanted),
            why,
            len(subjects),
            len(deliveries),
        )
    return {"subjects": len(subjects), "deliveries": len(deliveries)}


def shown(value: object) -> str:
    """Return a value of a row for a table."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return "" if value is None else str(value)
