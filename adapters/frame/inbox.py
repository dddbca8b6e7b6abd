"""The inbox: makes deliveries durable, all that wait with one statement, then tells each caller.

As in the ledger's writer there is no timer: alone, a caller waits for its own commit; under load
the next batch gathers while this one commits. What is acknowledged is committed.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import asyncpg
import structlog

from adapters.frame.database import LOST, Session
from adapters.frame.metrics import Metrics
from adapters.frame.words import HEADER_LENGTH, Delivery, Outcome

log = structlog.get_logger(__name__)

BATCH_MAX: Final = 512
BATCH_BYTES: Final = 8 * 1024 * 1024
WAITING_MAX: Final = 4096
WAITING_BYTES: Final = 128 * 1024 * 1024
EVENT_ID_LENGTH: Final = 200

# Returns what is new. Whoever came before, in this statement too, keeps the row.
_INSERT: Final = """
INSERT INTO adapters.delivery (connection, event_id, pulled, headers, body, body_digest, state)
SELECT * FROM unnest($1::text[], $2::text[], $3::bool[], $4::text[], $5::bytea[], $6::bytea[],
                     $7::text[])
ON CONFLICT (connection, event_id) DO NOTHING
RETURNING connection, event_id"""
_BEFORE: Final = """
SELECT connection, event_id, body_digest FROM adapters.delivery
 WHERE (connection, event_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))"""
_REUSED: Final = """
INSERT INTO adapters.delivery
       (connection, event_id, pulled, headers, body, body_digest, state, reason, detail)
SELECT connection, event_id, pulled, headers, body, body_digest, 'dead', 'event_id_reused',
       'the id ' || first || ' came before with another body'
  FROM unnest($1::text[], $2::text[], $3::bool[], $4::text[], $5::bytea[], $6::bytea[], $7::text[])
       AS reused (connection, event_id, pulled, headers, body, body_digest, first)
ON CONFLICT (connection, event_id) DO NOTHING"""


class InboxFull(Exception):
    """More deliveries wait for their commit than there is room for."""


@dataclass(slots=True)
class _Waiting:
    connection: str
    event_id: str
    delivery: Delivery
    digest: bytes
    headers: str
    told: asyncio.Future[Outcome]

    @property
    def key(self) -> tuple[str, str]:
        return self.connection, self.event_id


class Inbox:
    """One per process: takes deliveries, commits them in batches."""

    def __init__(self, pool: asyncpg.Pool, metrics: Metrics) -> None:
        """Write through one connection of `pool`."""
        self._pool = pool
        self._metrics = metrics
        self._waiting: list[_Waiting] = []
        self._bytes = 0
        self._arrived = asyncio.Event()
        self.committed = asyncio.Event()
        """Set after each commit: the worker has something to read."""

    async def keep(self, connection: str, event_id: str, delivery: Delivery) -> Outcome:
        """Return when the delivery is durable, or was before.

        Args:
            connection: whose it is.
            event_id: what is the same when it is sent again; empty: the digest of the body.
            delivery: with the headers that are to be kept.

        Raises:
            InboxFull: too many wait already.
            Exception: the commit failed; nothing was kept.
        """
        if len(self._waiting) >= WAITING_MAX or self._bytes >= WAITING_BYTES:
            raise InboxFull
        digest = sha256(delivery.body).digest()
        told: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        kept = {name: value[:HEADER_LENGTH] for name, value in delivery.headers.items()}
        self._waiting.append(
            _Waiting(
                connection, _bounded(event_id, digest), delivery, digest, json.dumps(kept), told
            )
        )
        self._bytes += len(delivery.body)
        self._arrived.set()
        return await told

    async def run(self) -> None:
        """Commit until cancelled. A batch that fails is told so; the next one is tried."""
        while True:
            await self._arrived.wait()
            batch = self._take()
            try:
                outcomes = await self._commit(batch)
            except asyncio.CancelledError:
                for each in batch:
                    each.told.cancel()
                raise
            except Exception as error:
                if not isinstance(error, LOST):
                    log.exception("inbox_commit_failed", deliveries=len(batch))
                for each in batch:
                    if not each.told.done():
                        each.told.set_exception(error)
                continue
            self._metrics.batch.observe(len(batch))
            for each, outcome in zip(batch, outcomes, strict=True):
                if not each.told.done():
                    each.told.set_result(outcome)
            self.committed.set()

    def _take(self) -> list[_Waiting]:
        size = count = 0
        for each in self._waiting[:BATCH_MAX]:
            size += len(each.delivery.body)
            if count and size > BATCH_BYTES:
                break
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        self._bytes -= sum(len(each.delivery.body) for each in batch)
        if not self._waiting:
            self._arrived.clear()
        return batch

    async def _commit(self, batch: Sequence[_Waiting]) -> list[Outcome]:
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_INSERT, *_columns(batch, "new"))
            new = {(row["connection"], row["event_id"]) for row in rows}
            if len(new) == len(batch):
                return [Outcome.ACCEPTED] * len(batch)
            return await self._tell_apart(connection, batch, new)

    async def _tell_apart(
        self, connection: Session, batch: Sequence[_Waiting], new: set[tuple[str, str]]
    ) -> list[Outcome]:
        """Outcomes of a batch in which some had come before."""
        keys = [each.connection for each in batch], [each.event_id for each in batch]
        rows = await connection.fetch(_BEFORE, *keys)
        first = {(row["connection"], row["event_id"]): row["body_digest"] for row in rows}
        outcomes: list[Outcome] = []
        reused: list[_Waiting] = []
        for each in batch:
            if first.get(each.key) != each.digest:
                reused.append(each)
                outcomes.append(Outcome.ID_REUSED)
            elif each.key in new:
                new.remove(each.key)
                outcomes.append(Outcome.ACCEPTED)
            else:
                outcomes.append(Outcome.DUPLICATE)
        if reused:
            firsts = [each.event_id for each in reused]
            for each in reused:
                each.event_id = f"{each.event_id[:150]}#{each.digest.hex()[:16]}"
            *columns, _ = _columns(reused, "dead")
            await connection.execute(_REUSED, *columns, firsts)
        return outcomes


def _columns(batch: Sequence[_Waiting], state: str) -> list[list[object]]:
    return [
        [each.connection for each in batch],
        [each.event_id for each in batch],
        [each.delivery.pulled for each in batch],
        [each.headers for each in batch],
        [each.delivery.body for each in batch],
        [each.digest for each in batch],
        [state] * len(batch),
    ]


def _bounded(event_id: str, digest: bytes) -> str:
    if not event_id:
        return f"sha256:{digest.hex()}"
    if len(event_id) <= EVENT_ID_LENGTH and event_id.isprintable():
        return event_id
    return f"sha256:{sha256(event_id.encode(errors='backslashreplace')).hexdigest()}"
