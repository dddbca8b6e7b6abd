"""The log as it is stored, for those who read it whole: followers, verification, replay."""

from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from ledger import statements
from ledger.core.events import KIND_NUMBER
from ledger.core.instant import Instant, from_datetime
from ledger.envelope import StoredEvent
from ledger.lanes import lane_of

_POSTED: Final = KIND_NUMBER["document_posted"]


class LaneEnds(NamedTuple):
    """Where a lane says it stands, and its first and last stored positions; None when empty."""

    lane: int
    next_pos: int
    last_recorded_at: Instant | None
    first_pos: int | None
    last_pos: int | None


class Log:
    """Reads ranges of positions. Keeps no transaction open between them."""

    def __init__(self, pool: asyncpg.Pool, lanes: int) -> None:
        """Read over `pool`; `lanes` is the number fixed when the ledger was created."""
        self._pool = pool
        self.lanes = lanes

    async def heads(self) -> dict[int, int]:
        """First position of every lane that is not taken."""
        return {row[0]: row[1] for row in await self._pool.fetch(statements.HEADS)}

    async def between(
        self, lane: int, from_pos: int, before: int, *, business_unit: str = ""
    ) -> list[StoredEvent]:
        """Events at positions in [from_pos, before), in order; of one business unit, if named."""
        rows = await self._pool.fetch(
            statements.EVENTS_BETWEEN, lane, from_pos, before, business_unit
        )
        return [_stored_event(row) for row in rows]

    async def page(self, lane: int, from_pos: int, most: int) -> list[StoredEvent]:
        """The next events at or after a position, however far away they are."""
        rows = await self._pool.fetch(statements.EVENTS, lane, from_pos, most)
        return [_stored_event(row) for row in rows]

    async def lane_ends(self) -> list[LaneEnds]:
        """What every lane says of itself, and what stands in it, at one moment."""
        rows = await self._pool.fetch(statements.LANE_ENDS)
        return [LaneEnds(row[0], row[1], _instant(row[2]), row[3], row[4]) for row in rows]

    async def stray_events(self) -> list[tuple[int, int]]:
        """(lane, pos) of the first events in lanes that do not exist; empty when all is well."""
        rows = await self._pool.fetch(statements.STRAY_EVENTS, self.lanes)
        return [(row[0], row[1]) for row in rows]

    async def documents_of(self, stream: str) -> list[bytes]:
        """Payloads of all versions of documents in a stream, in order."""
        lane = lane_of(stream, self.lanes)
        rows = await self._pool.fetch(statements.DOCUMENTS_OF, lane, stream, _POSTED)
        return [row[0] for row in rows]

    async def policy_events(self) -> list[tuple[str, Instant, bytes]]:
        """(stream, recorded at, payload) of all policy events, in order within each stream."""
        return await self._programme_events(statements.POLICY_EVENTS)

    async def period_events(self) -> list[tuple[str, Instant, bytes]]:
        """As `policy_events`, of closed periods."""
        return await self._programme_events(statements.PERIOD_EVENTS)

    async def _programme_events(self, statement: str) -> list[tuple[str, Instant, bytes]]:
        rows = await self._pool.fetch(statement, list(range(self.lanes)), 0)
        return [(row[0], from_datetime(row[2]), row[3]) for row in rows]


def _stored_event(row: asyncpg.Record) -> StoredEvent:
    lane, pos, stream, version, kind, currency, points, unit, occurred, recorded, *stored = row
    return StoredEvent(
        lane,
        pos,
        stream,
        version,
        kind,
        currency,
        points,
        unit,
        from_datetime(occurred),
        from_datetime(recorded),
        *stored,
    )


def _instant(moment: datetime | None) -> Instant | None:
    return None if moment is None else from_datetime(moment)
