"""The read side after merges: tables, rebuilds and the sweeper agree with the ledger."""

from collections.abc import Sequence

import asyncpg
import pytest

from ledger.core.instant import to_timestamp
from loyalty.v1.ledger_service_pb2 import AdvanceAccountRequest
from loyalty.v1.member_service_pb2 import GrantTierRequest
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_PENDING, MemberRef
from projections import PROJECTIONS
from projections.balances import balances_of
from projections.due import EVER, DueAccounts, Range
from projections.rebuild import rebuild
from projections.tiers import tier_counts
from projections.unit_totals import unit_totals
from server.passes import Outcome, into
from server.sweeping import SWEEPER, Sweeper
from tests.projections.following import follow_to_the_end
from tests.store.merging import ORIGIN, merge, merging, told, unmerge, verified
from tests.store.till import POLICY, Till, at, open_till

LIMITED = POLICY.replace("role: spendable}", "role: spendable, expiry: year}") + (
    "expiries: [{kind: fixed, id: year, days: 365}]\nholds: [{timeout_hours: 24}]\n"
)
TIERED = LIMITED.replace(
    "business_units:", "  - {id: qp, role: tier_qualifying}\nbusiness_units:"
) + ("tiers: {ladder: [{id: basic}, {id: gold, reach_any: [[{currency: qp, at_least: 500}]]}]}\n")
PARTS = "SELECT part, available, pending FROM due_part WHERE account = $1 ORDER BY part"


async def ids(till: Till, *members: MemberRef) -> list[str]:
    return [(await till.ledger.reads.member(each)).member_id for each in members]


async def parts(connection: asyncpg.Connection, account: str) -> list[tuple[str, int, int]]:
    return [tuple(row) for row in await connection.fetch(PARTS, account)]


async def lived(till: Till, s: MemberRef, t: MemberRef) -> None:
    """Points of every kind at the source, and a tier that staff gave."""
    await till.post(till.document(s, "D1", 1, 100_00))
    await till.post(till.hold(s, "H", 40))
    waits = till.document(s, "D2", 1, 30_00)
    waits.document.status = DOCUMENT_STATUS_PENDING
    await till.post(waits)
    await till.post(till.document(t, "D3", 1, 50_00))
    grant = GrantTierRequest(
        request_id=till.rid(), origin=ORIGIN, member=s, tier="gold", reason="matched"
    )
    grant.until_time.CopyFrom(to_timestamp(at("2025-06-01T00:00")))
    await till.write(grant)


async def compared(service: asyncpg.Pool) -> None:
    """Every projection, rebuilt, is what it was."""
    for projection in PROJECTIONS:
        rebuilt = await rebuild(service, projection.name)
        assert rebuilt.digest == rebuilt.replaced_digest


async def test_the_tables_follow_a_merge_and_its_undoing(
    database: str, service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    async with open_till(database) as till:
        await till.publish(TIERED)
        s, t = await till.enrol("s"), await till.enrol("t")
        await lived(till, s, t)
        source, target = await ids(till, s, t)
        await follow_to_the_end(service)
        before = await unit_totals(connection)
        own, theirs = await parts(connection, source), await parts(connection, target)
        assert [part for part, _, _ in own if part.startswith("hold/")] == ["hold/a/H"]

        await merge(till, s, t)
        await follow_to_the_end(service)
        [balance] = (await balances_of(connection, target)).value
        assert (balance.available, balance.pending, balance.held) == (110, 30, 40)
        assert (await unit_totals(connection)).value == before.value
        assert await parts(connection, source) == [("tier", 0, 1)]
        assert (await tier_counts(connection)).value == {"gold": 1}
        moved = [part for part in own if part[0] != "tier"]
        there = await parts(connection, target)
        assert sorted(part for part in there if part[0] != "tier") == sorted(
            [*moved, *(part for part in theirs if part[0] != "tier")]
        )
        await compared(service)

        await unmerge(till, source)
        await follow_to_the_end(service)
        assert await parts(connection, source) == own
        assert await parts(connection, target) == theirs
        assert (await tier_counts(connection)).value == {"basic": 1, "gold": 1}
        await compared(service)
        assert not (await verified(till)).divergences


async def test_the_sweeper_ends_a_merge_that_nobody_brings_on(
    database: str, service: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one pass, of however many steps; one that was killed is finished by the next."""
    monkeypatch.setattr("ledger.core.merging.LOTS_A_STEP", 1)
    async with open_till(database) as till:
        await till.publish(TIERED)
        s, t = await till.enrol("s"), await till.enrol("t")
        await lived(till, s, t)
        source = (await told(till, merging(till, s, t))).member_id
        # The process dies here, after the first commit.
        await follow_to_the_end(service)
        due = DueAccounts(service)
        wanted = Range(early=False, after=EVER, until=till.clock.now())
        assert [each.part for each in await due.page(wanted, last=None, limit=9)] == ["merge"]
        send = into(till.ledger, client=SWEEPER)
        sent: list[AdvanceAccountRequest] = []

        async def dies(requests: Sequence[AdvanceAccountRequest]) -> list[Outcome]:
            if len(sent) == 2:
                raise ConnectionError
            sent.extend(requests)
            return await send(requests)

        with pytest.raises(ConnectionError):
            await Sweeper(due, dies).sweep(till.clock.now())
        assert (await till.ledger.reads.member(s)).merge_step == 2
        # The table is behind, so that the next pass asks for the steps that were taken once more.
        swept = await Sweeper(due, send).sweep(till.clock.now())
        assert (swept.accounts, swept.replayed) == (1, 0)
        member = await till.ledger.reads.member(MemberRef(member_id=source))
        assert member.member_id == (await ids(till, t))[0]
        await follow_to_the_end(service)
        assert await due.count(wanted) == 0
        assert not (await verified(till)).divergences
