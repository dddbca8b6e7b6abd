"""Pools whose members are suspended, erased or gone, and two processes that use one at once."""

import asyncio
from typing import Any

import pytest

from ledger.core.refusals import (
    AccountErased,
    AccountSuspended,
    InsufficientPoints,
    LastAdministrator,
    NotInPool,
    NotPermittedInPool,
    Refusal,
)
from loyalty.v1.ledger_service_pb2 import TRANSFER_STATE_COMPLETED
from loyalty.v1.member_service_pb2 import SuspendMemberRequest
from loyalty.v1.types_pb2 import MemberRef, Origin
from tests.store.erasing import erase
from tests.store.merging import merge, unmerge
from tests.store.moving import divergences
from tests.store.pooling import ADMINISTER, CONTRIBUTE, SPEND, VIEW, Pooler
from tests.store.test_pools import FREE, family
from tests.store.till import Till, open_till


async def suspend(till: Till, member: MemberRef) -> None:
    await till.write(
        SuspendMemberRequest(
            request_id=till.rid(), origin=Origin(business_unit="a"), member=member, reason="fraud"
        )
    )


async def outcome(act: Any) -> str:
    """What became of an act: its refusal's reason, or nothing."""
    try:
        await act
    except Refusal as refusal:
        return refusal.reason
    return ""


async def test_a_suspended_member_neither_spends_nor_puts_in_and_others_still_do(
    database: str,
) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        await pooler.moves(m2, pool, 40)
        await suspend(till, m2)
        for refused in (
            pooler.burn(pool, m2, 1),
            pooler.hold(pool, m2, "H", 1),
            pooler.transfer(m2, pool, 1),
        ):
            with pytest.raises(AccountSuspended):
                await till.post(refused)
        # What stands in the pool is the pool's to spend, whoever put it in.
        await till.post(pooler.burn(pool, m1, 15))
        assert await pooler.lineage(pool) == {await pooler.id_of(m2): 25}
        assert await divergences(till) == {}


async def test_points_of_an_erased_member_stay_spendable_by_the_others(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        await pooler.moves(m2, pool, 60)
        gone = await pooler.id_of(m2)
        await erase(till, m2)
        nobody = MemberRef(member_id=gone)
        with pytest.raises(AccountErased):
            await till.post(pooler.burn(pool, nobody, 1))
        await till.post(pooler.burn(pool, m1, 10))
        left = await pooler.sees(pool)
        assert [member.member_id for member in left.members] == [await pooler.id_of(m1)]
        with pytest.raises(NotInPool):
            await pooler.removes(pool, nobody, by=m1)
        assert await pooler.lineage(pool) == {gone: 50}
        await till.post(pooler.burn(pool, m1, 50))
        assert await pooler.balance(pool) == (0, 0)
        assert await divergences(till) == {}


async def test_the_last_member_closes_the_pool_by_leaving_and_takes_the_points_home(
    database: str,
) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        await pooler.moves(m1, pool, 150)
        await pooler.removes(pool, m2, by=m2)
        with pytest.raises(LastAdministrator):
            await pooler.permits(pool, m1, VIEW, by=m1)
        assert await pooler.balance(pool) == (150, 0)
        closed = await pooler.removes(pool, m1, by=m1)
        assert (closed.closed, list(closed.members)) == (True, [])
        states = [(await till.ledger.reads.transfer(each)).state for each in closed.transfer_ids]
        assert states == [TRANSFER_STATE_COMPLETED]
        assert await pooler.balance(m1) == (150, 0)
        assert await divergences(till) == {}


async def test_a_burn_is_reversed_into_the_pool_whoever_has_gone_since(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        await pooler.moves(m1, pool, 100)
        await pooler.moves(m2, pool, 60)
        first, second = await pooler.id_of(m1), await pooler.id_of(m2)
        burn = await till.post(pooler.burn(pool, m2, 160))
        await erase(till, m2)
        await pooler.closes(pool, by=m1)
        part = await till.post(till.reverse(burn.entry_id, 30))
        assert part.member_id == pool.pool_id
        await till.post(till.reverse(burn.entry_id))
        assert await pooler.lineage(pool) == {first: 100, second: 60}
        # It is given back once.
        assert await outcome(till.post(till.reverse(burn.entry_id))) == "MORE_THAN_LEFT"
        assert await pooler.balance(m1) == (50, 0)
        assert (await pooler.moves(pool, m1, 100)).state == TRANSFER_STATE_COMPLETED
        assert await pooler.balance(m1) == (150, 0)
        assert await pooler.balance(pool) == (60, 0)
        assert await divergences(till) == {}


async def test_two_processes_spend_a_pools_points_once(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        await pooler.moves(m1, pool, 100)
        async with open_till(database, now="2025-03-01T00:00") as other:
            other.client = "other"
            there = Pooler(other)
            burns = [
                outcome(each.till.post(each.burn(pool, spender, 30)))
                for _ in range(3)
                for each, spender in ((pooler, m1), (there, m2))
            ]
            told = await asyncio.gather(*burns)
        assert sorted(told) == ["", "", "", *["INSUFFICIENT_POINTS"] * 3]
        assert await pooler.balance(pool) == (10, 0)
        assert await divergences(till) == {}


async def test_a_member_who_leaves_while_spending_elsewhere_does_one_after_the_other(
    database: str,
) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        await pooler.moves(m2, pool, 60)
        async with open_till(database, now="2025-03-01T00:00") as other:
            other.client = "other"
            there = Pooler(other)
            spent, _ = await asyncio.gather(
                outcome(there.till.post(there.burn(pool, m2, 45))),
                pooler.removes(pool, m2, by=m1),
            )
        assert spent in ("", "NOT_PERMITTED_IN_POOL", "INSUFFICIENT_POINTS")
        assert await pooler.balance(m2) == (15 if spent == "" else 60, 0)
        assert await pooler.balance(pool) == (0, 0)
        assert await divergences(till) == {}


async def test_two_administrators_who_take_each_other_out_leave_one(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        await pooler.permits(pool, m2, VIEW, CONTRIBUTE, SPEND, ADMINISTER, by=m1)
        async with open_till(database, now="2025-03-01T00:00") as other:
            other.client = "other"
            told = await asyncio.gather(
                outcome(pooler.removes(pool, m2, by=m1)),
                outcome(Pooler(other).removes(pool, m1, by=m2)),
            )
        assert sorted(told) == ["", "NOT_PERMITTED_IN_POOL"]
        assert len((await pooler.sees(pool)).members) == 1
        assert await divergences(till) == {}


async def test_who_left_and_is_named_again_is_refused(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        await pooler.moves(m1, pool, 20)
        await pooler.removes(pool, m2, by=m1)
        with pytest.raises(NotInPool):
            await pooler.removes(pool, m2, by=m1)
        with pytest.raises(NotInPool):
            await pooler.permits(pool, m2, SPEND, by=m1)
        with pytest.raises(NotPermittedInPool):
            await till.post(pooler.burn(pool, m2, 1))
        with pytest.raises(InsufficientPoints):
            await till.post(pooler.burn(pool, m1, 21))


async def test_points_of_who_was_merged_meanwhile_come_home_to_what_they_are_part_of(
    database: str,
) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        t = await till.enrol("t")
        await pooler.moves(m2, pool, 60)
        second = await pooler.id_of(m2)
        burn = await till.post(pooler.burn(pool, m1, 60))
        await pooler.closes(pool, by=m1)
        await merge(till, m2, t)
        await till.post(till.reverse(burn.entry_id, 40))
        assert await pooler.lineage(pool) == {second: 40}
        for named in (t, m2, MemberRef(member_id=second)):
            home = await pooler.moves(pool, named, 10)
            assert (home.state, home.receiver_id) == (TRANSFER_STATE_COMPLETED, second)
        assert await pooler.balance(t) == (30, 0)
        with pytest.raises(InsufficientPoints):
            await till.post(pooler.transfer(pool, m1, 1))
        await unmerge(till, second)
        with pytest.raises(InsufficientPoints):
            await till.post(pooler.transfer(pool, t, 10))
        await pooler.moves(pool, m2, 10)
        assert [await pooler.balance(each) for each in (m2, t, pool)] == [(10, 0), (30, 0), (0, 0)]
        assert await divergences(till) == {}


async def test_who_leaves_takes_home_what_those_put_in_who_became_part_of_them(
    database: str,
) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        await pooler.permits(pool, m2, VIEW, CONTRIBUTE, ADMINISTER, by=m1)
        await pooler.moves(m1, pool, 50)
        await pooler.moves(m2, pool, 60)
        first, second = await pooler.id_of(m1), await pooler.id_of(m2)
        await till.post(pooler.hold(pool, m1, "H", 110))
        await pooler.removes(pool, m1, by=m1)
        await pooler.adds(pool, await till.enrol("3"), VIEW, ADMINISTER, by=m2)
        await merge(till, m1, m2)
        await till.post(till.release("H"))
        assert await pooler.lineage(pool) == {first: 50, second: 60}
        left = await pooler.removes(pool, m2, by=m2)
        assert len(left.transfer_ids) == 2
        assert await pooler.balance(m2) == (210, 0)
        assert await pooler.balance(pool) == (0, 0)
        assert await divergences(till) == {}
