"""The store: one statement appends a batch, three find what a batch needs. Nothing here decides.

All are prepared statements of asyncpg, the hot path; their texts are in `ledger/statements.py`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, Self

import asyncpg

from ledger import statements
from ledger.awaited import AwaitedRow
from ledger.columns import columns, numbers, places, texts
from ledger.core.instant import Instant, from_datetime, to_datetime
from ledger.envelope import StoredEvent
from ledger.keys import thing_of
from ledger.lanes import lane_of
from ledger.profile import ProfileRow
from ledger.rows import (
    ActRow,
    AppendBatch,
    Head,
    Holder,
    IdentityKey,
    IdentityRow,
    KeyRow,
    LoadedStream,
    Moved,
    PolicyRow,
    StreamEvent,
)
from ledger.session import Session


class KeyTaken(Exception):
    """Another process took one of the batch's keys or identities first; nothing was written."""


_EVENT_NUMBERS: Final = places(StoredEvent, "lane pos version kind points occurred_at recorded_at")
_EVENT_TEXTS: Final = places(StoredEvent, "stream currency business_unit")
_KEY_NUMBERS: Final = places(KeyRow, "lane first_version last_version")
_KEY_TEXTS: Final = places(KeyRow, "key refers_to stream")
NEVER: Final = 0
"""last_recorded_at of a lane that nothing was written to yet."""


class Store:
    """Reads and appends over a pool of connections that act as the role of the running service."""

    def __init__(self, pool: asyncpg.Pool, lanes: int, *, writes: bool = True) -> None:
        """Use `pool`; `lanes` is the number fixed when the ledger was created.

        A store that writes keeps two connections for itself; one that only reads takes any.
        """
        self.pool = pool
        self.lanes = lanes
        self._reading = Session(pool) if writes else pool
        self._writing = Session(pool) if writes else None

    @classmethod
    async def open(cls, pool: asyncpg.Pool, *, writes: bool = True) -> Self:
        """A store over a migrated database; the number of lanes is read from it."""
        return cls(pool, int(await pool.fetchval(statements.SETTING, "lanes")), writes=writes)

    async def pin_setting(self, name: str, value: str) -> str:
        """Write a setting unless it stands already, for good; returns what stands."""
        await self.pool.execute(statements.PIN_SETTING, name, value)
        return str(await self.pool.fetchval(statements.SETTING, name))

    async def drop_sessions(self) -> None:
        """Give both kept connections back; the next use opens others."""
        for session in (self._reading, self._writing):
            if isinstance(session, Session):
                await session.drop()

    async def _fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        return await self._reading.fetch(statement, *arguments)

    async def heads(self) -> dict[int, Head]:
        """Where every lane stands."""
        rows = await self.pool.fetch(statements.HEADS)
        return {row[0]: _head(row[1], row[2]) for row in rows}

    async def settle(self, lanes: Iterable[int]) -> dict[int, Head]:
        """Heads of these lanes once every other session that is writing them has ended.

        After a commit whose answer was lost, the old session may still hold the rows; taking the
        locks waits for it, so that what is read afterwards is final.
        """
        async with self.pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(statements.LOCKED_HEADS, sorted(lanes))
        return {row[0]: _head(row[1], row[2]) for row in rows}

    async def database_now(self) -> Instant:
        """The database's clock."""
        return from_datetime(await self.pool.fetchval(statements.CLOCK))

    async def find_keys(self, keys: Sequence[str], things: Sequence[str]) -> list[KeyRow]:
        """Rows of exactly these keys, and the newest act of each of these things.

        The newest acts come without command and answer.
        """
        rows = await self._fetch(
            statements.FIND_KEYS,
            numbers([lane_of(thing_of(key), self.lanes) for key in keys]),
            texts(keys),
            numbers([lane_of(thing, self.lanes) for thing in things]),
            texts(things),
        )
        return [KeyRow(*row) for row in rows]

    async def find_acts(self, things: Sequence[str]) -> list[ActRow]:
        """All acts on these things, in order within each."""
        lanes = [lane_of(thing, self.lanes) for thing in things]
        rows = await self._fetch(statements.FIND_ACTS, lanes, list(things))
        return [ActRow(row[0], row[1], row[2], row[3], from_datetime(row[4])) for row in rows]

    async def find_identities(self, wanted: Sequence[IdentityKey]) -> dict[IdentityKey, Holder]:
        """Whose those identities are that are registered."""
        schemes, hashes = [key[0] for key in wanted], [key[1] for key in wanted]
        rows = await self._fetch(statements.FIND_IDENTITIES, schemes, hashes)
        return {(row[0], row[1]): Holder(row[2], str(row[3])) for row in rows}

    async def find_awaited(
        self, wanted: Sequence[IdentityKey], accounts: Sequence[str]
    ) -> list[AwaitedRow]:
        """Documents that wait for one of these identities, or one that these accounts have."""
        schemes, hashes = [key[0] for key in wanted], [key[1] for key in wanted]
        rows = await self._fetch(statements.FIND_AWAITED, schemes, hashes, accounts)
        return [AwaitedRow(*row) for row in rows]

    async def identities_of(self, accounts: Sequence[str]) -> dict[IdentityKey, Holder]:
        """All identities that are linked to these accounts."""
        rows = await self._fetch(statements.IDENTITIES_OF, accounts)
        return {(row[0], row[1]): Holder(row[2], str(row[3])) for row in rows}

    async def profiles(self, accounts: Sequence[str]) -> list[ProfileRow]:
        """What is known of the members with these accounts, sealed."""
        return [ProfileRow(*row) for row in await self._fetch(statements.PROFILES, accounts)]

    async def load(
        self, wanted: Sequence[tuple[str, int]], *, state_version: int
    ) -> dict[str, LoadedStream]:
        """Facts of each (stream, known version) after that version; from 0, a snapshot may lead."""
        rows = await self._fetch(
            statements.LOAD_STREAMS,
            [lane_of(stream, self.lanes) for stream, _ in wanted],
            [stream for stream, _ in wanted],
            [known for _, known in wanted],
            state_version,
        )
        loaded = {stream: LoadedStream(None, []) for stream, _ in wanted}
        for stream, version, payload in rows:
            if version is None:
                loaded[stream] = LoadedStream(payload, [])
            else:
                loaded[stream].payloads.append(payload)
        return loaded

    async def document_heads(self, rows: Sequence[KeyRow]) -> dict[str, bytes]:
        """Payload of the DocumentPosted that each of these rows of documents points at, by key."""
        found = await self._fetch(
            statements.DOCUMENT_HEADS,
            [row.key for row in rows],
            [row.lane for row in rows],
            [row.stream for row in rows],
            [row.first_version for row in rows],
            [row.last_version for row in rows],
        )
        return {row[0]: row[1] for row in found}

    async def last_events(self, streams: Sequence[str]) -> dict[str, tuple[int, bytes]]:
        """Version and payload of the newest event of each of these streams that has one."""
        lanes = [lane_of(stream, self.lanes) for stream in streams]
        rows = await self._fetch(statements.LAST_EVENTS, lanes, list(streams))
        return {row[0]: (row[1], row[2]) for row in rows}

    async def head(self, lane: int) -> int:
        """First position of a lane that is not taken."""
        return int(await self.pool.fetchval(statements.HEAD, lane))

    async def stream_events(self, stream: str) -> list[StreamEvent]:
        """All events of a stream, oldest first."""
        lane = lane_of(stream, self.lanes)
        rows = await self.pool.fetch(statements.STREAM_EVENTS, lane, stream)
        return [_stream_event(row) for row in rows]

    async def entries(
        self, stream: str, *, kinds: Sequence[int], currency: str, before: int, most: int
    ) -> list[StreamEvent]:
        """The newest `most` events of some kinds below a version; empty currency means any."""
        lane = lane_of(stream, self.lanes)
        rows = await self.pool.fetch(
            statements.ENTRIES, lane, stream, before, list(kinds), currency, most
        )
        return [_stream_event(row) for row in rows]

    async def events(self, lane: int, from_pos: int, most: int) -> list[StoredEvent]:
        """Events of a lane from a position on, in order."""
        rows = await self.pool.fetch(statements.EVENTS, lane, from_pos, most)
        return [_stored_event(row) for row in rows]

    async def touched_streams(self, lane: int, from_pos: int) -> set[str]:
        """Streams with an event at or after a position of a lane."""
        return {row[0] for row in await self._fetch(statements.TOUCHED_STREAMS, lane, from_pos)}

    async def policy_events(self, known: int) -> list[PolicyRow]:
        """Policy events with a version above `known`, in order."""
        rows = await self.pool.fetch(statements.POLICY_EVENTS, list(range(self.lanes)), known)
        return [PolicyRow(row[0], row[1], from_datetime(row[2]), row[3]) for row in rows]

    async def period_events(self, known: int) -> list[PolicyRow]:
        """Events of the stream of periods with a version above `known`, in order."""
        rows = await self.pool.fetch(statements.PERIOD_EVENTS, list(range(self.lanes)), known)
        return [PolicyRow(row[0], row[1], from_datetime(row[2]), row[3]) for row in rows]

    async def save_snapshots(
        self, rows: Sequence[tuple[str, int, bytes]], *, state_version: int
    ) -> None:
        """Upsert the (stream, version, state) of each."""
        await self.pool.execute(
            statements.SAVE_SNAPSHOTS,
            [lane_of(row[0], self.lanes) for row in rows],
            [row[0] for row in rows],
            [row[1] for row in rows],
            state_version,
            [row[2] for row in rows],
        )

    async def append(self, batch: AppendBatch) -> Moved | None:
        """Write the batch if every lane stands where it expects; else tell where they stand.

        Raises KeyTaken when a key or identity exists already, and whatever asyncpg or the network
        raises; after the latter the caller must find out whether the commit happened.
        """
        assert self._writing is not None, "this store only reads"
        try:
            statement = statements.append_with(_extras(batch))
            [row] = await self._writing.fetch(statement, *self._arguments(batch))
        except asyncpg.UniqueViolationError as error:
            raise KeyTaken(str(error)) from error
        if row["holds"]:
            return None
        standing = zip(row["lanes"], row["next_pos"], row["recorded_at"], strict=True)
        return Moved({lane: _head(pos, recorded) for lane, pos, recorded in standing})

    def _arguments(self, batch: AppendBatch) -> list[Sequence[Any]]:
        lanes = sorted(batch.expected)
        advanced = Counter(event.lane for event in batch.events)
        heads: list[Sequence[Any]] = [
            lanes,
            [batch.expected[lane] for lane in lanes],
            [advanced[lane] for lane in lanes],
            [to_datetime(batch.recorded_at[lane]) for lane in lanes],
        ]
        key_lanes = [lane_of(thing_of(row.key), self.lanes) for row in batch.keys]
        return [
            *heads,
            *columns(batch.events, len(StoredEvent._fields), _EVENT_NUMBERS, _EVENT_TEXTS),
            numbers(key_lanes),
            *columns(batch.keys, len(KeyRow._fields), _KEY_NUMBERS, _KEY_TEXTS),
            *columns(batch.identities, len(IdentityRow._fields)),
            *(column for rows in _extras(batch).values() for column in columns(rows, 0)),
        ]


def _extras(batch: AppendBatch) -> dict[str, Sequence[tuple[Any, ...]]]:
    """What few batches have, by the name of its part of the statement."""
    extras: dict[str, Sequence[tuple[Any, ...]]] = {
        "profiles": batch.profiles,
        "moved_identities": batch.moved_identities,
        "unlinked_identities": batch.unlinked_identities,
        "awaited": batch.awaited,
        "awaited_no_more": batch.awaited_no_more,
        "erased_profiles": batch.erased_profiles,
    }
    return {name: rows for name, rows in extras.items() if rows}


def _stream_event(row: asyncpg.Record) -> StreamEvent:
    return StreamEvent(row[0], row[1], from_datetime(row[2]), from_datetime(row[3]), row[4])


def _stored_event(row: asyncpg.Record) -> StoredEvent:
    event = StoredEvent(*row)
    return event._replace(
        occurred_at=from_datetime(row["occurred_at"]), recorded_at=from_datetime(row["recorded_at"])
    )


def _head(next_pos: int, last_recorded_at: datetime | None) -> Head:
    return Head(next_pos, NEVER if last_recorded_at is None else from_datetime(last_recorded_at))
