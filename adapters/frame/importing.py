"""Files brought in as if they had been sent: cut, made durable, read, posted.

A message of a file that was brought in before is known by its digest, so running an import again
goes on where it stopped, and a file that comes twice counts once.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Final

import asyncpg

from adapters.frame import calls, database, moments
from adapters.frame.adapter import Adapter, Api, Connection
from adapters.frame.cutting import cut
from adapters.frame.inbox import Inbox
from adapters.frame.metrics import Metrics
from adapters.frame.posting import Ledger, channel_to
from adapters.frame.settings import AdapterSettings
from adapters.frame.splitting import read_some
from adapters.frame.words import Delivery, Outcome, Unreadable, shown
from adapters.frame.worker import Worker

IN_FLIGHT: Final = 32
POOL_SIZE: Final = 4
_ITEMS: Final = """
SELECT i.verdict, i.reason, count(*) AS items FROM adapters.item i
  JOIN adapters.delivery d USING (delivery_id)
 WHERE d.connection = $1 AND d.event_id = ANY($2) GROUP BY 1, 2 ORDER BY 1, 2"""
_DELIVERIES: Final = """
SELECT state, reason, count(*) AS deliveries FROM adapters.delivery
 WHERE connection = $1 AND event_id = ANY($2) AND state <> 'taken' GROUP BY 1, 2"""
_SUBJECTS: Final = """
SELECT s.state, s.reason, count(*) AS subjects FROM adapters.subject s
 WHERE s.connection = $1 AND s.subject IN (
       SELECT i.subject FROM adapters.item i JOIN adapters.delivery d USING (delivery_id)
        WHERE d.connection = $1 AND d.event_id = ANY($2))
 GROUP BY 1, 2 ORDER BY 1, 2"""
_NAMES: Final = """
SELECT DISTINCT i.subject FROM adapters.item i JOIN adapters.delivery d USING (delivery_id)
 WHERE d.connection = $1 AND d.event_id = ANY($2)"""
_WAITING: Final = """
SELECT count(DISTINCT subject) FROM adapters.part WHERE connection = $1 AND unread"""

Advanced = Callable[[str, int, int], None]
"""Told of each step ("reading", "posting"): how much more is done, and of how much in all."""


@dataclass(slots=True)
class Imported:
    """What an import did, and how what it brought in stands now."""

    messages: int = 0
    known: int = 0
    """Of them, what had come before."""
    problems: list[str] = field(default_factory=list)
    """Files that cannot be read to their end."""
    unread: dict[str, int] = field(default_factory=dict)
    """Messages that are dead or wait, by state and reason."""
    items: dict[str, int] = field(default_factory=dict)
    """What was in the messages, by verdict and reason."""
    subjects: dict[str, int] = field(default_factory=dict)
    """What it is about, by state and reason."""
    gaps: list[str] = field(default_factory=list)
    """What must be missing, by the numbers of all that came."""

    @property
    def is_whole(self) -> bool:
        """Whether everything was read, and is settled."""
        stuck = [state for state in self.subjects if not state.startswith("done")]
        dead = [verdict for verdict in self.items if verdict.startswith("dead")]
        return not (self.problems or self.unread or stuck or dead)


async def bring_in(
    files: Sequence[Path],
    connection: Connection,
    settings: AdapterSettings,
    *,
    dsn: str,
    token: str,
    advanced: Advanced,
) -> Imported:
    """Bring files in and post what they mean, until nothing is left that can be done now.

    Raises:
        InboxUnusable, OSError, AdapterSettingsError: it cannot begin, or a file cannot be opened.
    """
    metrics = Metrics()
    pool = await database.pool(dsn, max_size=POOL_SIZE)
    channel = channel_to(settings.ledger, settings.authority())
    client = calls.client()
    inbox = Inbox(pool, metrics)
    keeping = asyncio.create_task(inbox.run())
    only = {connection.name: connection}
    try:
        done = Imported()
        ids: list[str] = []
        for file in files:
            ids += await _keep(file, connection, inbox, done, advanced)
        worker = Worker(
            pool,
            only,
            ledger=Ledger(channel, token),
            api=Api(client),
            metrics=metrics,
            dry_run=settings.dry_run,
        )
        await worker.wake()
        while await read_some(pool, only, metrics):
            pass
        total = int(await pool.fetchval(_WAITING, connection.name))
        while count := await worker.state_some():
            advanced("posting", count, total)
        await _sum_up(pool, connection, ids, done)
        return done
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        await client.aclose()
        await channel.close()
        await pool.close()


def messages_of(stream: BinaryIO, adapter: Adapter) -> Iterator[bytes]:
    """Return the messages of a file: cut, or the file itself. Raises Unreadable."""
    begun = False
    if adapter.cut_at:
        for message in cut(stream, adapter.cut_at, most=adapter.body_max):
            begun = True
            yield message
    if not begun:
        stream.seek(0)
        body = stream.read(adapter.body_max + 1)
        if len(body) > adapter.body_max:
            raise Unreadable(f"a file of more than {adapter.body_max} bytes, which is one message")
        yield body


async def _keep(
    file: Path, connection: Connection, inbox: Inbox, done: Imported, advanced: Advanced
) -> list[str]:
    """Make the messages of a file durable; their event ids."""
    ids: list[str] = []
    waiting: list[asyncio.Task[Outcome]] = []
    size = max(file.stat().st_size, 1)
    kind = "application/xml" if connection.adapter.cut_at else "application/json"
    at = 0

    async def settle() -> None:
        nonlocal at
        for outcome in await asyncio.gather(*waiting):
            done.messages += 1
            done.known += outcome is not Outcome.ACCEPTED
        waiting.clear()
        advanced("reading", stream.tell() - at, size)
        at = stream.tell()

    with file.open("rb") as stream:
        try:
            for body in messages_of(stream, connection.adapter):
                delivery = Delivery(body, {"content-type": kind}, received_at=moments.now())
                kept = connection.adapter.redacted(delivery)
                ids.append(f"sha256:{sha256(kept.body).hexdigest()}")
                bare = Delivery(kept.body, kept.headers, received_at=kept.received_at, pulled=True)
                waiting.append(asyncio.create_task(inbox.keep(connection.name, "", bare)))
                if len(waiting) == IN_FLIGHT:
                    await settle()
        except Unreadable as error:
            done.problems.append(f"{file}: {shown(error)}")
        await settle()
    return ids


async def _sum_up(
    pool: asyncpg.Pool, connection: Connection, ids: Sequence[str], done: Imported
) -> None:
    """Say how what was brought in stands now."""
    for query, kind, found in (
        (_DELIVERIES, "deliveries", done.unread),
        (_ITEMS, "items", done.items),
        (_SUBJECTS, "subjects", done.subjects),
    ):
        for row in await pool.fetch(query, connection.name, ids):
            state, reason, count = _first(row), row["reason"], row[kind]
            name = f"{state}: {reason}" if reason else state
            found[name] = found.get(name, 0) + count
    names = (row["subject"] for row in await pool.fetch(_NAMES, connection.name, ids))
    done.gaps = connection.adapter.gaps(names)


def _first(row: Any) -> str:
    return str(row[0])
