"""The owner of the database, who can do anything to a history that was told before."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from ledger.core.events import columns_of, decode, encode
from ledger.core.instant import from_datetime
from ledger.envelope import StoredEvent, leaf_hash
from loyalty.v1.audit_service_pb2 import VerifyHistoryResponse
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_PENDING, MemberRef
from server.database import connect
from tests.store.till import Till, open_till

EVENT = "SELECT * FROM event WHERE lane = $1 AND pos = $2"
TOLD = ("event", "lane")
"""Tables that the tests change."""

Place = tuple[int, int]


class Story:
    """A member who bought, spent, held and returned; and an owner who changes what was recorded."""

    def __init__(self, till: Till, owner: asyncpg.Connection, member: MemberRef) -> None:
        self.till = till
        self.owner = owner
        self.member = member

    async def places(self, kind: int) -> list[Place]:
        """Where the events of a kind stand."""
        rows = await self.owner.fetch(
            "SELECT lane, pos FROM event WHERE kind = $1 ORDER BY lane, pos", kind
        )
        return [(row[0], row[1]) for row in rows]

    async def verify(self) -> VerifyHistoryResponse:
        """The last word of a verification."""
        return [word async for word in self.till.ledger.verify(skip_awards=False)][-1]

    async def found(self) -> dict[str, list[Place]]:
        """Places of the divergences, by reason."""
        places: dict[str, list[Place]] = {}
        for divergence in (await self.verify()).divergences:
            assert divergence.detail
            places.setdefault(divergence.reason, []).append((divergence.lane, divergence.pos))
        return places

    async def rewrite(self, place: Place, change: Callable[[Any], None]) -> None:
        """Change a fact, with its columns and its leaf hash: the row is consistent in itself."""
        [found] = await self.owner.fetch(EVENT, *place)
        row = StoredEvent(*found)
        fact: Any = decode(row.payload)
        change(fact)
        kind, currency, points, unit = columns_of(fact)
        changed = row._replace(
            kind=kind,
            currency=currency,
            points=points,
            business_unit=unit,
            occurred_at=from_datetime(row.occurred_at),  # type: ignore[arg-type]
            recorded_at=from_datetime(row.recorded_at),  # type: ignore[arg-type]
            payload=encode(fact),
        )
        await self.owner.execute(
            "UPDATE event SET currency = $3, points = $4, business_unit = $5, payload = $6,"
            " leaf_hash = $7 WHERE lane = $1 AND pos = $2",
            *place,
            currency,
            points,
            unit,
            changed.payload,
            leaf_hash(changed),
        )

    async def put_back(self) -> None:
        """Let what stands in the history be again as it was told."""
        for table in TOLD:
            await self.owner.execute(
                f"DELETE FROM {table}; INSERT INTO {table} SELECT * FROM told_{table}"
            )

    async def rewrite_balances(self, lane: int, after: int, more: int) -> None:
        """Raise every later available_after of a lane."""

        def raised(fact: Any) -> None:
            if "available_after" in fact.DESCRIPTOR.fields_by_name:
                fact.available_after += more

        rows = await self.owner.fetch(
            "SELECT pos FROM event WHERE lane = $1 AND pos >= $2", lane, after
        )
        for row in rows:
            await self.rewrite((lane, row[0]), raised)


@asynccontextmanager
async def told(url: str) -> AsyncIterator[Story]:
    """A short history, verified, with the trigger off that would stop its owner."""
    async with open_till(url) as till:
        await till.publish()
        member = await till.enrol("1")
        await till.post(till.document(None, "G1", 1, 10_00))
        for number in range(1, 5):
            await till.post(till.document(member, f"D{number}", 1, 100_00))
        burn = await till.post(till.burn(member, 150))
        await till.post(till.hold(member, "H", 100))
        await till.post(till.capture("H", 40))
        await till.post(till.reverse(burn.entry_id, 50))
        await till.post(till.document(member, "D3", 2, 60_00))
        pending = till.document(member, "D5", 1, 30_00)
        pending.document.status = DOCUMENT_STATUS_PENDING
        await till.post(pending)
        await till.post(till.burn(member, 10))
        async with owned(till, url, member) as story:
            yield story


@asynccontextmanager
async def owned(till: Till, url: str, member: MemberRef) -> AsyncIterator[Story]:
    """What was told at a till verifies; the trigger is off that would stop the owner."""
    owner = await connect(url, role=None)
    story = Story(till, owner, member)
    try:
        assert await story.found() == {}
        await owner.execute("ALTER TABLE event DISABLE TRIGGER event_append_only")
        for table in TOLD:
            await owner.execute(f"CREATE TEMP TABLE told_{table} AS TABLE {table}")
        yield story
    finally:
        await owner.close()
