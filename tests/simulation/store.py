"""The store of one simulated process, over a MemoryDatabase: it reads, appends, fails as told."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Any, cast

import asyncpg

from ledger.awaited import AwaitedRow
from ledger.core.events import KIND_NUMBER
from ledger.core.instant import Instant
from ledger.envelope import StoredEvent
from ledger.log import LaneEnds, Log
from ledger.profile import ProfileRow
from ledger.rows import (
    ActRow,
    AppendBatch,
    Head,
    Holder,
    IdentityKey,
    KeyRow,
    LoadedStream,
    Moved,
    PolicyRow,
    StreamEvent,
)
from ledger.store import NEVER, Store
from tests.simulation.database import MemoryDatabase


class Fate(Enum):
    """What becomes of a commit."""

    HAPPENS = "it happens, and its answer comes"
    LOST_BEFORE = "the connection breaks before it"
    LOST_AFTER = "the connection breaks after it, before its answer"
    DIES_BEFORE = "the process dies before it"
    DIES_AFTER = "the process dies after it, before its answer"
    WAITS = "other processes commit first"


class ProcessDied(BaseException):
    """The process is gone: nothing of it may run on, so nothing may catch this."""


def always(batch: AppendBatch) -> Fate:
    """Every commit happens."""
    del batch
    return Fate.HAPPENS


class MemoryStore(Store):
    """A store whose statements are looked up in dictionaries."""

    def __init__(
        self, database: MemoryDatabase, fate: Callable[[AppendBatch], Fate] = always
    ) -> None:
        super().__init__(cast(asyncpg.Pool, None), database.lanes, writes=False)
        self.database = database
        self._fate = fate
        self.dead = False

    async def _turn(self) -> None:
        """Let others go on, as a round trip would."""
        await asyncio.sleep(0)
        if self.dead:
            raise ProcessDied

    async def pin_setting(self, name: str, value: str) -> str:
        return value

    async def drop_sessions(self) -> None:
        return None

    async def heads(self) -> dict[int, Head]:
        await self._turn()
        return dict(self.database.heads)

    async def settle(self, lanes: Iterable[int]) -> dict[int, Head]:
        await self._turn()
        return {lane: self.database.heads[lane] for lane in lanes}

    async def database_now(self) -> Instant:
        raise AssertionError("a simulated clock does not follow the database")

    async def find_keys(self, keys: Sequence[str], things: Sequence[str]) -> list[KeyRow]:
        await self._turn()
        rows = [self.database.keys[key] for key in keys if key in self.database.keys]
        for thing in things:
            acts = self.database.acts(thing)
            if acts:
                newest = self.database.keys[acts[-1]]
                rows.append(newest._replace(command=None, answer=None))
        return rows

    async def find_acts(self, things: Sequence[str]) -> list[ActRow]:
        await self._turn()
        return [
            ActRow(thing, key, event.stream, event.payload, event.recorded_at)
            for thing in things
            for key in self.database.acts(thing)
            for event in self.database.event_at(self.database.keys[key])
        ]

    async def find_identities(self, wanted: Sequence[IdentityKey]) -> dict[IdentityKey, Holder]:
        await self._turn()
        known = self.database.identities
        return {key: known[key] for key in wanted if key in known}

    async def find_awaited(
        self, wanted: Sequence[IdentityKey], accounts: Sequence[str]
    ) -> list[AwaitedRow]:
        await self._turn()
        known = self.database.identities
        keys = {*wanted, *(key for key, holder in known.items() if holder.account in accounts)}
        rows = self.database.awaited.values()
        return [row for row in rows if (row.scheme, row.keyed_hash) in keys]

    async def identities_of(self, accounts: Sequence[str]) -> dict[IdentityKey, Holder]:
        await self._turn()
        known = self.database.identities
        return {key: holder for key, holder in known.items() if holder.account in accounts}

    async def profiles(self, accounts: Sequence[str]) -> list[ProfileRow]:
        await self._turn()
        known = self.database.profiles
        return [known[account] for account in accounts if account in known]

    async def load(
        self, wanted: Sequence[tuple[str, int]], *, state_version: int
    ) -> dict[str, LoadedStream]:
        await self._turn()
        loaded = {}
        for stream, known in wanted:
            state, begin = None, known
            snapshot = self.database.snapshots.get(stream)
            if known == 0 and snapshot is not None and snapshot[0] == state_version:
                _, begin, state = snapshot
            events = self.database.streams.get(stream, [])[begin:]
            loaded[stream] = LoadedStream(state, [event.payload for event in events])
        return loaded

    async def document_heads(self, rows: Sequence[KeyRow]) -> dict[str, bytes]:
        await self._turn()
        return {
            row.key: event.payload
            for row in rows
            for event in self.database.event_at(row)
            if event.kind == KIND_NUMBER["document_posted"]
        }

    async def last_events(self, streams: Sequence[str]) -> dict[str, tuple[int, bytes]]:
        await self._turn()
        known = self.database.streams
        return {
            stream: (known[stream][-1].version, known[stream][-1].payload)
            for stream in streams
            if stream in known
        }

    async def head(self, lane: int) -> int:
        return self.database.heads[lane].next_pos

    async def stream_events(self, stream: str) -> list[StreamEvent]:
        await self._turn()
        return [_stream_event(event) for event in self.database.streams.get(stream, ())]

    async def entries(
        self, stream: str, *, kinds: Sequence[int], currency: str, before: int, most: int
    ) -> list[StreamEvent]:
        found = [
            _stream_event(event)
            for event in reversed(self.database.streams.get(stream, []))
            if event.version < before
            and event.kind in kinds
            and (not currency or event.currency == currency)
        ]
        return found[:most]

    async def events(self, lane: int, from_pos: int, most: int) -> list[StoredEvent]:
        await self._turn()
        return self.database.events[lane][from_pos : from_pos + most]

    async def touched_streams(self, lane: int, from_pos: int) -> set[str]:
        await self._turn()
        return {event.stream for event in self.database.events[lane][from_pos:]}

    async def policy_events(self, known: int) -> list[PolicyRow]:
        return [
            PolicyRow(event.stream, event.version, event.recorded_at, event.payload)
            for event in _programme_events(self.database, "policy/")
            if event.version > known
        ]

    async def period_events(self, known: int) -> list[PolicyRow]:
        return [
            PolicyRow(event.stream, event.version, event.recorded_at, event.payload)
            for event in _programme_events(self.database, "period/")
            if event.version > known
        ]

    async def save_snapshots(
        self, rows: Sequence[tuple[str, int, bytes]], *, state_version: int
    ) -> None:
        await self._turn()
        for stream, version, state in rows:
            before = self.database.snapshots.get(stream)
            if before is None or before[1] <= version:
                self.database.snapshots[stream] = (state_version, version, state)

    async def append(self, batch: AppendBatch) -> Moved | None:
        await self._turn()
        fate = self._fate(batch)
        if fate is Fate.LOST_BEFORE:
            raise ConnectionError("lost before the commit")
        if fate is Fate.DIES_BEFORE:
            self.dead = True
        if fate is Fate.WAITS:
            for _ in range(20):
                await self._turn()
        await self._turn()
        moved = self.database.append(batch)
        if fate is Fate.LOST_AFTER:
            raise ConnectionError("lost after the commit")
        if fate is Fate.DIES_AFTER:
            self.dead = True
        await self._turn()
        return moved


class MemoryLog(Log):
    """The log of a MemoryDatabase, for verification."""

    def __init__(self, database: MemoryDatabase) -> None:
        super().__init__(cast(asyncpg.Pool, None), database.lanes)
        self._database = database

    async def heads(self) -> dict[int, int]:
        return {lane: head.next_pos for lane, head in self._database.heads.items()}

    async def between(
        self, lane: int, from_pos: int, before: int, *, business_unit: str = ""
    ) -> list[StoredEvent]:
        events = self._database.events[lane][from_pos:before]
        return [each for each in events if business_unit in ("", each.business_unit)]

    async def page(self, lane: int, from_pos: int, most: int) -> list[StoredEvent]:
        return self._database.events[lane][from_pos : from_pos + most]

    async def lane_ends(self) -> list[LaneEnds]:
        return [_ends(self._database, lane) for lane in range(self.lanes)]

    async def stray_events(self) -> list[tuple[int, int]]:
        return []

    async def documents_of(self, stream: str) -> list[bytes]:
        posted = KIND_NUMBER["document_posted"]
        events = self._database.streams.get(stream, ())
        return [event.payload for event in events if event.kind == posted]

    async def policy_events(self) -> list[tuple[str, Instant, bytes]]:
        return [
            (event.stream, event.recorded_at, event.payload)
            for event in _programme_events(self._database, "policy/")
        ]

    async def period_events(self) -> list[tuple[str, Instant, bytes]]:
        return [
            (event.stream, event.recorded_at, event.payload)
            for event in _programme_events(self._database, "period/")
        ]


def _ends(database: MemoryDatabase, lane: int) -> LaneEnds:
    head, events = database.heads[lane], database.events[lane]
    recorded: Any = None if head.last_recorded_at == NEVER else head.last_recorded_at
    first, last = (events[0].pos, events[-1].pos) if events else (None, None)
    return LaneEnds(lane, head.next_pos, recorded, first, last)


def _programme_events(database: MemoryDatabase, kind: str) -> list[StoredEvent]:
    streams = sorted(name for name in database.streams if name.startswith(kind))
    return [event for stream in streams for event in database.streams[stream]]


def _stream_event(event: StoredEvent) -> StreamEvent:
    return StreamEvent(
        event.version, event.kind, event.occurred_at, event.recorded_at, event.payload
    )
