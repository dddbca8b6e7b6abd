"""Pools on a real database: who may do what, whose points they are, and where they go."""

import asyncio

import pytest

from ledger.core.refusals import (
    AccountSuspended,
    InPools,
    InsufficientPoints,
    Malformed,
    NoRelation,
    NotPermittedInPool,
    PoolNotOpen,
    UnknownMember,
    UnknownPool,
)
from loyalty.v1.account_service_pb2 import AsOf, ListEntriesRequest
from loyalty.v1.events_pb2 import (
    RETURN_CAUSE_REFUSED,
    TRANSFER_KIND_CONTRIBUTION,
    TRANSFER_KIND_HOME,
)
from loyalty.v1.ledger_service_pb2 import (
    TRANSFER_STATE_COMPLETED,
    TRANSFER_STATE_RETURNED,
    AdvanceAccountRequest,
)
from loyalty.v1.member_service_pb2 import (
    CloseMemberRequest,
    CreatePoolRequest,
    SuspendMemberRequest,
)
from loyalty.v1.types_pb2 import RECALL_ACTION_QUARANTINE, MemberRef, Origin
from tests.store.merging import merge
from tests.store.moving import ACCEPTED, AT_ONCE, MOVING, divergences
from tests.store.pooling import ADMINISTER, CONTRIBUTE, SPEND, VIEW, Pooler
from tests.store.recalling import Recaller, recalling
from tests.store.till import Till, at, moved, open_till

FREE = MOVING + "transfers: [{id: gift, currency: p, relation: household}]\n"
EMPTY = MemberRef(pool_id="0197a0c0-0000-7000-8000-000000000000")


async def family(till: Till) -> tuple[Pooler, MemberRef, MemberRef, MemberRef]:
    """M1 with 150 points and M2 with 60 share a pool; both may do everything but administer."""
    pooler = Pooler(till)
    m1, m2 = await pooler.s24()
    pool = await pooler.opens(m1)
    await pooler.adds(pool, m2, VIEW, CONTRIBUTE, SPEND, by=m1)
    return pooler, pool, m1, m2


async def test_a_family_puts_points_together_and_spends_them(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        came = await pooler.moves(m1, pool, 120)
        assert (came.state, came.kind) == (TRANSFER_STATE_COMPLETED, TRANSFER_KIND_CONTRIBUTION)
        await pooler.moves(m2, pool, 60)
        first, second = await pooler.id_of(m1), await pooler.id_of(m2)
        assert await pooler.lineage(pool) == {first: 120, second: 60}
        # Of what expires first: 100 of M1 and then 30 of M2, who earned later.
        burn = await till.post(pooler.burn(pool, m2, 130))
        assert burn.member_id == pool.pool_id
        assert [(draw.points, draw.contributor_id) for draw in burn.movements[0].draws] == [
            (100, first),
            (30, second),
        ]
        assert await pooler.lineage(pool) == {first: 20, second: 30}
        account, _ = await till.ledger.reads.account(m2)
        assert account.balance("p").available == 0
        seen = await pooler.sees(pool, m2)
        assert [(each.currency, each.available) for each in seen.balances] == [("p", 50)]
        assert [member.member_id for member in seen.members] == [first, second]
        assert (await till.ledger.reads.member(m2)).pool_ids == [pool.pool_id]
        entries = (await till.ledger.reads.entries(ListEntriesRequest(member=pool))).entries
        assert [entry.movement.kind for entry in entries] == [
            "points_burned",
            "points_received",
            "points_received",
        ]
        assert await divergences(till) == {}


async def test_what_a_member_may_not_do_is_refused(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        m3 = await till.enrol("3")
        await pooler.moves(m1, pool, 40)
        await pooler.permits(pool, m2, VIEW, by=m1)
        for refused in (
            pooler.burn(pool, m2, 1),
            pooler.hold(pool, m3, "H", 1),
            pooler.transfer(m2, pool, 1),
            pooler.transfer(m3, pool, 1),
        ):
            with pytest.raises(NotPermittedInPool):
                await till.post(refused)
        with pytest.raises(NotPermittedInPool):
            await pooler.adds(pool, m3, VIEW, by=m2)
        with pytest.raises(NotPermittedInPool):
            await pooler.sees(pool, m3)
        assert (await pooler.sees(pool)).pool_id == pool.pool_id
        # Points go home to whoever put them in, and to nobody else.
        with pytest.raises(InsufficientPoints) as nothing:
            await till.post(pooler.transfer(pool, m2, 1))
        assert nothing.value.available == 0
        with pytest.raises(UnknownPool):
            await till.post(pooler.burn(EMPTY, m1, 1))
        with pytest.raises(UnknownPool):
            await till.post(pooler.transfer(m1, MemberRef(pool_id=await pooler.id_of(m2)), 1))
        with pytest.raises(UnknownPool):
            await till.ledger.reads.account(EMPTY)
        with pytest.raises(UnknownMember):
            await till.post(till.burn(MemberRef(member_id=pool.pool_id), 1))
        with pytest.raises(UnknownMember):
            await till.ledger.reads.account(MemberRef(member_id=pool.pool_id))
        other = await pooler.opens(m2)
        with pytest.raises(Malformed):
            await till.post(pooler.between_pools(pool, other))
        await refuses_a_pool_as_a_member(till, pooler, m1, pool, other)
        assert await divergences(till) == {}


async def refuses_a_pool_as_a_member(
    till: Till, pooler: Pooler, founder: MemberRef, pool: MemberRef, other: MemberRef
) -> None:
    """Nobody merges into a pool, brings one into another, or sends to one, by naming it so."""
    alone, as_member = await till.enrol("alone"), MemberRef(member_id=other.pool_id)
    with pytest.raises(UnknownMember):
        await merge(till, alone, as_member)
    with pytest.raises(UnknownMember):
        await pooler.adds(pool, as_member, VIEW, by=founder)
    with pytest.raises(UnknownMember):
        await till.post(pooler.transfer(alone, as_member, 1))


async def test_who_leaves_takes_home_what_is_left_of_their_own(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        await pooler.moves(m1, pool, 150)
        await pooler.moves(m2, pool, 60)
        burn = await till.post(pooler.burn(pool, m1, 110))
        left = await pooler.removes(pool, m2, by=m2)
        assert [member.member_id for member in left.members] == [await pooler.id_of(m1)]
        [home] = [await till.ledger.reads.transfer(each) for each in left.transfer_ids]
        assert (home.state, home.kind) == (TRANSFER_STATE_COMPLETED, TRANSFER_KIND_HOME)
        assert await pooler.balance(m2) == (50, 0)
        account, _ = await till.ledger.reads.account(m2)
        assert [(lot.issuer, lot.expires_at) for lot in account.lots] == [
            ("b", at("2025-07-01T00:00"))
        ]
        assert (await till.ledger.reads.member(m2)).pool_ids == []
        # What comes back after that is still theirs.
        await till.post(till.reverse(burn.entry_id))
        assert (await pooler.moves(pool, m2, 10)).state == TRANSFER_STATE_COMPLETED
        assert await pooler.balance(m2) == (60, 0)
        assert await pooler.lineage(pool) == {await pooler.id_of(m1): 150}
        assert await divergences(till) == {}


async def test_closing_divides_what_is_left_by_who_put_it_in(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        await pooler.moves(m1, pool, 150)
        await pooler.moves(m2, pool, 60)
        await till.post(pooler.burn(pool, m2, 105))
        await till.post(pooler.hold(pool, m2, "H", 15))
        closed = await pooler.closes(pool, by=m1)
        assert (closed.closed, len(closed.members)) == (True, 0)
        assert len(closed.transfer_ids) == 2
        assert await pooler.balance(m1) == (50, 0)
        assert await pooler.balance(m2) == (40, 0)
        with pytest.raises(PoolNotOpen):
            await till.post(pooler.burn(pool, m1, 1))
        with pytest.raises(PoolNotOpen):
            await till.post(pooler.transfer(m1, pool, 1))
        await till.post(till.release("H"))
        await pooler.moves(pool, m2, 15)
        assert await pooler.balance(m2) == (55, 0)
        assert await pooler.balance(pool) == (0, 0)
        assert await divergences(till) == {}


async def test_a_pool_makes_a_household_and_asks_nobody_to_accept(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(ACCEPTED.replace("{id: gift, ", "{id: gift, relation: household, "))
        pooler = Pooler(till)
        m1, m2 = await pooler.s24()
        with pytest.raises(NoRelation):
            await pooler.sends(m1, m2, 10)
        pool = await pooler.opens(m1)
        put_in = await pooler.moves(m1, pool, 100)
        assert (put_in.state, put_in.fee) == (TRANSFER_STATE_COMPLETED, 10)
        await pooler.adds(pool, m2, VIEW, by=m1)
        await pooler.sends(m1, m2, 10)
        await pooler.removes(pool, m2, by=m1)
        with pytest.raises(NoRelation):
            await pooler.sends(m1, m2, 10)
        assert await divergences(till) == {}


async def test_points_that_reach_a_pool_too_late_come_back(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(AT_ONCE)
        pooler, pool, m1, m2 = await family(till)
        for late, reason in (("removed", "NOT_PERMITTED_IN_POOL"), ("closed", "POOL_NOT_OPEN")):
            sent = await pooler.sends(m2, pool, 20)
            if late == "removed":
                await pooler.removes(pool, m2, by=m1)
            else:
                await pooler.closes(pool, by=m1)
            back = await pooler.brought_on(sent.entry_id)
            assert (back.state, back.cause) == (TRANSFER_STATE_RETURNED, RETURN_CAUSE_REFUSED)
            assert back.reason == reason
            assert await pooler.balance(m2) == (60, 0)
            if late == "removed":
                await pooler.adds(pool, m2, CONTRIBUTE, by=m1)
        assert await divergences(till) == {}


async def test_what_goes_home_to_a_closed_account_stays_in_the_pool(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        await pooler.moves(m2, pool, 60)
        # The process dies when the points are on their way, and the account is closed meanwhile.
        [sent] = await pooler.removes_and_dies(pool, m2, by=m1)
        await till.write(
            CloseMemberRequest(
                request_id=till.rid(), origin=Origin(business_unit="a"), member=m2, reason="wish"
            )
        )
        home = await pooler.brought_on(sent)
        assert (home.state, home.reason) == (TRANSFER_STATE_RETURNED, "ACCOUNT_CLOSED")
        assert await pooler.balance(pool) == (60, 0)
        assert await divergences(till) == {}


async def test_a_crash_after_leaving_leaves_points_that_any_process_brings_home(
    database: str,
) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        await pooler.moves(m2, pool, 60)
        async with open_till(database, now="2025-03-01T00:00") as other:
            other.client = "other"
            # The first process dies when the act is recorded: nobody brings the points home.
            [transfer] = await pooler.removes_and_dies(pool, m2, by=m1)
            assert await pooler.balance(pool) == (0, 60)
            await asyncio.gather(pooler.brought_on(transfer), Pooler(other).brought_on(transfer))
            assert await pooler.balance(m2) == (60, 0)
            assert await pooler.balance(pool) == (0, 0)
            assert await divergences(till) == {}


async def test_who_is_in_a_pool_leaves_it_before_becoming_part_of_another(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, _, m2 = await family(till)
        await pooler.moves(m2, pool, 60)
        m3 = await till.enrol("3")
        with pytest.raises(InPools) as error:
            await merge(till, m2, m3)
        assert error.value.pool_id == pool.pool_id
        await pooler.removes(pool, m2, by=m2)
        await merge(till, m2, m3)
        assert await pooler.balance(m3) == (60, 0)
        assert await divergences(till) == {}


async def test_bad_points_are_recalled_from_a_pool(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        await pooler.moves(m1, pool, 50)
        account = MemberRef(member_id=pool.pool_id)
        [lot, *_] = await Recaller(till, pool).lots()
        recall = recalling(till, account, RECALL_ACTION_QUARANTINE, lot)
        assert moved(await till.post(recall)) == [("points_quarantined", 50)]
        with pytest.raises(InsufficientPoints):
            await till.post(pooler.burn(pool, m2, 1))
        assert await divergences(till) == {}


async def test_a_pools_points_expire_like_any(database: str) -> None:
    async with open_till(database, now="2025-06-29T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, _ = await family(till)
        await pooler.moves(m1, pool, 150)
        till.clock.set(at("2025-07-02T00:00"))
        assert await pooler.balance(pool) == (50, 0)
        due = await till.post(
            AdvanceAccountRequest(
                request_id=till.rid(),
                origin=Origin(business_unit="a"),
                member=MemberRef(member_id=pool.pool_id),
            )
        )
        assert moved(due) == [("points_expired", 100)]
        june = AsOf()
        june.effective_time.FromSeconds(at("2025-06-30T00:00") // 1_000_000)
        then, _ = await till.ledger.reads.account(pool, as_of=june)
        assert then.balance("p").available == 150
        assert await divergences(till) == {}


async def test_opening_a_pool_again_by_its_request_is_the_same_pool(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler = Pooler(till)
        m1, _ = await pooler.s24()
        request = CreatePoolRequest(request_id="p-1", origin=Origin(business_unit="a"), member=m1)
        first, again = await till.write(request), await till.write(request)
        assert (first.encoded, again.replayed) == (again.encoded, True)
        assert len((await till.ledger.reads.member(m1)).pool_ids) == 1


async def test_a_suspended_member_administers_nothing_and_may_leave(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        await pooler.permits(pool, m2, ADMINISTER, by=m1)
        await till.write(
            SuspendMemberRequest(
                request_id=till.rid(), origin=Origin(business_unit="a"), member=m2, reason="fraud"
            )
        )
        with pytest.raises(AccountSuspended):
            await pooler.removes(pool, m1, by=m2)
        assert len((await pooler.removes(pool, m2, by=m2)).members) == 1
