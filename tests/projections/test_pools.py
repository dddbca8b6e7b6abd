"""The read side of pools: tables, rebuilds and the sweeper agree with the ledger."""

import asyncpg

from loyalty.v1.types_pb2 import MemberRef
from projections import PROJECTIONS
from projections.balances import balances_of
from projections.due import EVER, DueAccounts, Range
from projections.rebuild import rebuild
from projections.settlement import settlement_matrix
from projections.transfers import due_transfers
from projections.unit_totals import unit_totals
from server.passes import into
from server.sweeping import SWEEPER, Sweeper
from tests.projections.following import follow_to_the_end
from tests.store.erasing import erase
from tests.store.moving import divergences
from tests.store.test_pools import FREE, family
from tests.store.till import Till, at, open_till


async def same(
    service: asyncpg.Pool, connection: asyncpg.Connection, till: Till, *members: MemberRef
) -> None:
    """Every table, followed and rebuilt, says what the ledger says."""
    await follow_to_the_end(service)
    for member in members:
        account, _ = await till.ledger.reads.account(member)
        own = account.balance("p")
        rows = (await balances_of(connection, account.account_id)).value
        assert [(row.available, row.held, row.in_transit) for row in rows] == [
            (own.available, own.held, own.in_transit)
        ]
    for projection in PROJECTIONS:
        rebuilt = await rebuild(service, projection.name)
        assert rebuilt.digest == rebuilt.replaced_digest


async def test_the_tables_follow_points_into_a_pool_and_out_of_it(
    database: str, service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        await follow_to_the_end(service)
        before = (await unit_totals(connection)).value
        await pooler.moves(m1, pool, 150)
        await pooler.moves(m2, pool, 60)
        await same(service, connection, till, m1, m2, pool)
        # Moving points between a member and a pool is no liability of anybody else's.
        assert (await unit_totals(connection)).value == before
        assert (await settlement_matrix(connection)).value.flows == ()

        await till.post(pooler.burn(pool, m2, 130))
        await till.post(pooler.hold(pool, m1, "H", 20))
        await same(service, connection, till, m1, m2, pool)
        # 100 of a's own and 30 of b's, as if who put each in had spent it.
        assert (await settlement_matrix(connection)).value.net("p") == {"a": 30, "b": -30}
        await pooler.closes(pool, by=m1)
        await till.post(till.release("H"))
        await same(service, connection, till, m1, m2, pool)
        assert await divergences(till) == {}


async def test_the_sweeper_finds_what_expires_in_a_pool_and_what_goes_home(
    database: str, service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    async with open_till(database, now="2025-06-29T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        await pooler.moves(m1, pool, 100)
        await pooler.moves(m2, pool, 60)
        await pooler.removes_and_dies(pool, m2, by=m2)
        # The process died after that commit; then the points' day passes.
        await follow_to_the_end(service)
        [left] = await due_transfers(connection, till.clock.now(), after="", limit=9)
        till.clock.set(at("2025-07-02T00:00"))
        due = DueAccounts(service)
        wanted = Range(early=False, after=EVER, until=till.clock.now())
        assert pool.pool_id in [each.account for each in await due.page(wanted, last=None, limit=9)]
        sweeper = Sweeper(due, into(till.ledger, client=SWEEPER))
        await sweeper.sweep(till.clock.now())
        await follow_to_the_end(service)
        assert await due.count(wanted) == 0
        await pooler.brought_on(left.transfer)
        await follow_to_the_end(service)
        assert not await due_transfers(connection, till.clock.now(), after="", limit=9)
        await same(service, connection, till, pool)
        assert await divergences(till) == {}


async def test_the_tables_follow_a_pool_that_nobody_is_left_in(
    database: str, service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        await pooler.moves(m1, pool, 50)
        await pooler.moves(m2, pool, 60)
        await till.post(pooler.hold(pool, m1, "H", 110))
        await pooler.removes(pool, m2, by=m1)
        # Given back after who had put it in left, it goes home when the pool closes.
        await till.post(till.release("H"))
        first, second = await pooler.id_of(m1), await pooler.id_of(m2)
        await erase(till, m1)
        assert (await pooler.sees(pool)).closed
        await follow_to_the_end(service)
        [left] = await due_transfers(connection, till.clock.now(), after="", limit=9)
        await pooler.brought_on(left.transfer)
        assert await pooler.lineage(pool) == {first: 50}
        assert await pooler.balance(m2) == (60, 0)
        gone = MemberRef(member_id=first)
        await same(service, connection, till, gone, MemberRef(member_id=second), pool)
        assert not await due_transfers(connection, till.clock.now(), after="", limit=9)
        assert await divergences(till) == {}
