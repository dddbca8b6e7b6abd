"""Pools whose last administrator goes: the next one administers them, or they close."""

import asyncio
from collections.abc import Sequence

import pytest

from ledger.core.pooling import Pool, Pooling, PoolMember
from ledger.core.refusals import AccountNotEmpty, InPools, PoolNotOpen
from ledger.core.state import Account
from ledger.core.tally import Tally
from ledger.verifying.pool_books import wrong_of_pools
from loyalty.v1.events_pb2 import MemberErased, MembershipChanged, PoolMemberRemoved
from loyalty.v1.ledger_service_pb2 import TRANSFER_STATE_COMPLETED
from loyalty.v1.member_service_pb2 import CloseMemberRequest, ReopenMemberRequest
from loyalty.v1.types_pb2 import (
    ERASED_BALANCE_KEPT,
    MEMBERSHIP_STATE_CLOSED,
    MEMBERSHIP_STATE_SUSPENDED,
    MemberRef,
    Origin,
)
from tests.store.erasing import erase
from tests.store.merging import merge
from tests.store.moving import divergences
from tests.store.pooling import ADMINISTER, CONTRIBUTE, SPEND, VIEW, Permission, Pooler
from tests.store.test_pool_ends import outcome, suspend
from tests.store.test_pools import FREE, family
from tests.store.till import Till, open_till

ORIGIN = Origin(business_unit="a")
EVERYTHING = (VIEW, CONTRIBUTE, SPEND, ADMINISTER)


async def close(till: Till, member: MemberRef, *, forfeit: bool = True) -> None:
    await till.write(
        CloseMemberRequest(
            request_id=till.rid(), origin=ORIGIN, member=member, reason="asked", forfeit=forfeit
        )
    )


async def members(pooler: Pooler, pool: MemberRef) -> dict[str, Sequence[Permission]]:
    """Who is in a pool, in order, and what they may do."""
    return {each.member_id: tuple(each.permissions) for each in (await pooler.sees(pool)).members}


async def test_who_comes_next_administers_what_an_erased_member_left(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        m3 = await till.enrol("3")
        await pooler.adds(pool, m3, VIEW, by=m1)
        empty = await pooler.opens(m1)
        await pooler.moves(m1, pool, 60)
        await pooler.moves(m2, pool, 20)
        gone, second, third = [await pooler.id_of(each) for each in (m1, m2, m3)]
        await erase(till, m1, ERASED_BALANCE_KEPT)
        assert await members(pooler, pool) == {second: EVERYTHING, third: (VIEW,)}
        assert (await pooler.sees(empty)).closed
        # In the name of who has gone nobody administers it.
        nobody = MemberRef(member_id=gone)
        assert await outcome(pooler.closes(pool, by=nobody)) == "ACCOUNT_ERASED"
        assert await outcome(pooler.removes(pool, nobody, by=nobody)) == "NOT_IN_POOL"
        # What that member had put in is spent by those who stay, first as it expires first.
        await till.post(pooler.burn(pool, m2, 30))
        assert await pooler.lineage(pool) == {gone: 30, second: 20}
        await pooler.permits(pool, m3, VIEW, CONTRIBUTE, by=m2)
        closed = await pooler.closes(pool, by=m2)
        assert closed.closed
        assert await pooler.balance(m2) == (60, 0)
        assert await pooler.lineage(pool) == {gone: 30}
        assert await divergences(till) == {}


async def test_an_account_that_is_closed_is_in_no_pool_and_one_that_cannot_be_still_is(
    database: str,
) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        first, second = await pooler.id_of(m1), await pooler.id_of(m2)
        await pooler.moves(m1, pool, 40)
        before = await members(pooler, pool)
        with pytest.raises(AccountNotEmpty):
            await close(till, m1, forfeit=False)
        assert await members(pooler, pool) == before
        # Who is suspended may act again one day, and comes next all the same.
        await suspend(till, m2)
        await close(till, m1)
        assert await members(pooler, pool) == {second: EVERYTHING}
        assert (await till.ledger.reads.member(m1)).pool_ids == []
        # Closed already: nothing is recorded again, and nobody is taken out twice.
        await close(till, m1)
        await till.write(
            ReopenMemberRequest(request_id=till.rid(), origin=ORIGIN, member=m1, reason="back")
        )
        assert await members(pooler, pool) == {second: EVERYTHING}
        # What was put in is not lost: it can be sent home as to everybody who left.
        assert await pooler.lineage(pool) == {first: 40}
        assert (await pooler.moves(pool, m1, 40)).state == TRANSFER_STATE_COMPLETED
        assert await pooler.balance(m1) == (40, 0)
        assert await divergences(till) == {}


async def test_the_last_administrator_leaves_and_becomes_part_of_another_member(
    database: str,
) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        await pooler.moves(m1, pool, 90)
        m3 = await till.enrol("3")
        with pytest.raises(InPools):
            await merge(till, m1, m3)
        left = await pooler.removes(pool, m1, by=m1)
        assert [(each.member_id, tuple(each.permissions)) for each in left.members] == [
            (await pooler.id_of(m2), EVERYTHING)
        ]
        await merge(till, m1, m3)
        assert await pooler.balance(m3) == (150, 0)
        # The account that the other became part of is in the pool: erased by its other name too.
        await pooler.adds(pool, m3, VIEW, by=m2)
        await pooler.permits(pool, m3, VIEW, ADMINISTER, by=m2)
        await pooler.removes(pool, m2, by=m2)
        await erase(till, m1)
        assert (await pooler.sees(pool)).closed
        with pytest.raises(PoolNotOpen):
            await pooler.adds(pool, m2, VIEW, by=m2)
        assert await divergences(till) == {}


async def test_the_last_two_go_at_once_in_two_processes_and_the_pool_closes(
    database: str,
) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        await pooler.moves(m2, pool, 60)
        async with open_till(database, now="2025-03-01T00:00") as other:
            other.client = "other"
            told = await asyncio.gather(
                outcome(close(till, m1)), outcome(Pooler(other).removes(pool, m2, by=m2))
            )
        assert [*told] == ["", ""]
        left = await pooler.sees(pool)
        assert (left.closed, list(left.members)) == (True, [])
        assert await pooler.balance(m2) == (60, 0)
        assert await divergences(till) == {}


def test_who_goes_is_in_no_pool_and_leaves_none_that_nobody_administers() -> None:
    pool = Pool(0, (PoolMember("anna", (VIEW, ADMINISTER)), PoolMember("ben", (VIEW,))))
    tally = Tally(Account("pool", pooling=Pooling(pool=pool)))
    left = PoolMemberRemoved(member_id="anna", by_id="anna")
    assert [*wrong_of_pools(left, tally, "pool")]
    assert not [*wrong_of_pools(PoolMemberRemoved(member_id="ben", by_id="ben"), tally, "pool")]
    tally = Tally(Account("anna", pooling=Pooling(joined=("pool",))))
    closed = MembershipChanged(state=MEMBERSHIP_STATE_CLOSED)
    for gone in (closed, MemberErased(), MembershipChanged(state=MEMBERSHIP_STATE_SUSPENDED)):
        wrong = [each for each in wrong_of_pools(gone, tally, "anna") if "still in pool" in each]
        assert bool(wrong) == (gone is closed or isinstance(gone, MemberErased))
