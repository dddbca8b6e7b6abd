"""Lots on the read side: what the ledger says of each, and what came of what."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from loyalty.v1.types_pb2 import RECALL_SPENT_ARREARS, MemberRef
from projections.lots import NAME
from projections.projection import Connection
from projections.rebuild import rebuild
from projections.traces import Origin, TracedLot, look, walk
from server.database import pool
from tests.projections.following import follow_to_the_end
from tests.store.merging import merge
from tests.store.moving import AT_ONCE, Mover
from tests.store.recalling import Recaller
from tests.store.till import Till, open_till

POLICY = (
    AT_ONCE.replace("currencies:\n", "currencies:\n  - {id: q, role: spendable}\n")
    .replace("{kind: base, id: june,", "{kind: base, id: june, campaign: double,")
    .replace("earn:\n", "campaigns: [{id: double}]\nearn:\n")
    + "conversions: [{id: swap, currency: p, into: q, rate: 4/5, issuer: b}]\n"
)
FIRST = ("", "")


@asynccontextmanager
async def reader(url: str) -> AsyncIterator[Connection]:
    """A connection whose projections have followed to the end."""
    service = await pool(url, min_size=1, max_size=2)
    try:
        await follow_to_the_end(service)
        async with service.acquire() as connection:
            yield connection
    finally:
        await service.close()


async def trace(connection: Connection, origin: Origin) -> list[TracedLot]:
    """All lots that a walk finds, as they are."""
    found = await walk(connection, origin, after=FIRST, most=100)
    return list((await look(connection, found.value)).value)


async def traced(url: str, origin: Origin) -> list[TracedLot]:
    async with reader(url) as connection:
        return await trace(connection, origin)


async def lived(till: Till) -> tuple[MemberRef, MemberRef]:
    """M1 has points of a campaign and others, gives, converts, holds and is recalled."""
    mover = Mover(till)
    await till.publish(POLICY)
    m1, m2 = await mover.s24()
    await mover.moves(m1, m2, 60)
    await till.post(till.burn(m2, 70))
    await mover.moves(m2, m1, 5)
    await till.post(till.hold(m1, "H", 10))
    await till.post(till.capture("H", 4))
    await till.post(mover.convert(m1, 20))
    recaller = Recaller(till, m2)
    lots = await recaller.lots()
    await recaller.quarantines(*lots)
    await recaller.lifts(lots[0])
    await recaller.claws_back(lots[0], spent=RECALL_SPENT_ARREARS)
    return m1, m2


async def test_each_lot_is_where_the_ledger_has_it(database: str) -> None:
    async with open_till(database) as till:
        members = await lived(till)
        async with reader(database) as connection:
            rows = await connection.fetch("SELECT account, lot FROM lot")
            found = {}
            for lot in {row["lot"] for row in rows}:
                for each in await trace(connection, Origin("lot_id", lot)):
                    found[each.account, each.lot] = each
        seen = set()
        for member in members:
            account, _ = await till.ledger.reads.account(member)
            for lot in account.lots:
                row = found[account.account_id, lot.lot_id]
                assert row.left == lot.available + lot.pending
                assert row.held + row.set_aside == lot.held
                assert row.in_transit == lot.in_transit
                assert (row.currency, row.issuer) == (lot.currency, lot.issuer)
                seen.add((account.account_id, lot.lot_id))
        assert seen
        for key in set(found) - seen:
            row = found[key]
            assert (row.left, row.held, row.set_aside, row.in_transit) == (0, 0, 0, 0)


async def test_a_campaign_is_followed_through_gifts_and_conversions(database: str) -> None:
    async with open_till(database) as till:
        mover = Mover(till)
        await till.publish(POLICY)
        m1, m2, m3 = [await till.enrol(card) for card in "123"]
        await mover.earns(m1, "bad", 100, on="2025-01-01", tea=False)
        await mover.earns(m2, "good", 50, on="2025-01-01", tea=True)
        await mover.moves(m1, m2, 60)
        await mover.moves(m2, m3, 30)
        await till.post(mover.convert(m3, 10))
        found = await traced(database, Origin("campaign", "double"))
        accounts = [
            (await till.ledger.reads.account(member))[0].account_id for member in (m1, m2, m3)
        ]
        left = {(accounts.index(row.account), row.currency): row.left for row in found}
        assert left == {(0, "p"): 34, (1, "p"): 27, (2, "p"): 20, (2, "q"): 8}
        assert [row.currency for row in found if row.converted] == ["q"]
        assert sum(row.points - row.arrived for row in found if not row.converted) == 100
        same = await traced(database, Origin("document", "a/till/bad"))
        assert same == found
        root = next(row.lot for row in found if row.document)
        assert await traced(database, Origin("lot_id", root)) == found
        assert await traced(database, Origin("document", "a/till/good")) != found
        assert await traced(database, Origin("campaign", "unheard-of")) == []


async def test_a_rebuild_brings_the_same_rows(database: str) -> None:
    async with open_till(database) as till:
        await lived(till)
        service = await pool(database, min_size=1, max_size=3)
        try:
            await follow_to_the_end(service)
            rebuilt = await rebuild(service, NAME)
            assert rebuilt.digest == rebuilt.replaced_digest
        finally:
            await service.close()


async def test_what_was_spent_before_a_merge_comes_back_and_is_charged_where_the_two_are_one(
    database: str,
) -> None:
    async with open_till(database) as till:
        await till.publish()
        s, t = await till.enrol("s"), await till.enrol("t")
        await till.post(till.document(s, "D1", 1, 100_00))
        [bad] = await Recaller(till, s).lots()
        burn = await till.post(till.burn(s, 100))
        await merge(till, s, t)
        await till.post(till.reverse(burn.entry_id, 40))
        await Recaller(till, t).claws_back(bad, spent=RECALL_SPENT_ARREARS)
        lots = await traced(database, Origin("lot_id", bad))
        assert sorted((each.points, each.spent, each.taken, each.charged) for each in lots) == [
            (40, 0, 40, 0),
            (100, 60, 0, 60),
        ]
        # Forty of those that were spent came back to the other: they are told there.
        assert sorted(each.arrived for each in lots) == [0, 40]
        assert [each.left for each in lots] == [0, 0]
        service = await pool(database, min_size=1, max_size=2)
        rebuilt = await rebuild(service, NAME)
        await service.close()
        assert rebuilt.digest == rebuilt.replaced_digest
