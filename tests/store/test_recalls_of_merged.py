"""Recalls of points whose member became part of another, before and after, and in a pool."""

from typing import Any

from ledger.core.events import KIND_NUMBER
from ledger.core.refusals import PointsRecalled
from ledger.verifying.findings import Reason
from loyalty.v1.ledger_service_pb2 import Posting
from loyalty.v1.types_pb2 import RECALL_SPENT_ARREARS, MemberRef
from server.database import connect
from tests.store.merging import merge, merging, points, unmerge, unmerging
from tests.store.moving import divergences
from tests.store.recalling import Recaller
from tests.store.tampering import Story
from tests.store.test_pool_ends import outcome
from tests.store.test_pools import FREE, family
from tests.store.test_recalls import bought
from tests.store.till import Till, moved, open_till


async def pair(till: Till) -> tuple[Recaller, str, MemberRef, MemberRef]:
    """Who recalls of the source, its bad lot of 100 points, and both members; the target has 50."""
    recaller, (bad,) = await bought(till, 100)
    target = await till.enrol("t")
    await till.post(till.document(target, "T", 1, 50_00))
    return recaller, bad, recaller.member, target


async def test_what_was_spent_before_a_merge_is_owed_by_whom_they_are_part_of(
    database: str,
) -> None:
    async with open_till(database) as till:
        recaller, bad, s, t = await pair(till)
        await till.post(till.burn(s, 30))
        source = await merge(till, s, t)
        charged = await Recaller(till, t).claws_back(bad, spent=RECALL_SPENT_ARREARS)
        assert moved(charged) == [("points_clawed_back", 70), ("arrears_incurred", 30)]
        assert await points(till, t) == (50, 0, 30)
        assert moved(await recaller.claws_back(bad, spent=RECALL_SPENT_ARREARS)) == []
        await unmerge(till, source)
        # The debt is for the source's points, and goes with it.
        assert (await points(till, s), await points(till, t)) == ((0, 0, 30), (50, 0, 0))
        for each in (s, t):
            again = await Recaller(till, each).claws_back(bad, spent=RECALL_SPENT_ARREARS)
            assert moved(again) == []
        assert await divergences(till) == {}


async def test_a_lot_that_was_spent_to_its_last_point_before_a_merge_is_charged_once(
    database: str,
) -> None:
    async with open_till(database) as till:
        recaller, bad, s, t = await pair(till)
        burn = await till.post(till.burn(s, 100))
        await merge(till, s, t)
        await till.post(till.reverse(burn.entry_id, 40))
        charged = await recaller.claws_back(bad, spent=RECALL_SPENT_ARREARS)
        assert moved(charged) == [("points_clawed_back", 40), ("arrears_incurred", 60)]
        assert await points(till, t) == (50, 0, 60)
        # What was charged and comes back is good.
        await till.post(till.reverse(burn.entry_id))
        assert await points(till, t) == (110, 0, 60)
        again = await recaller.claws_back(bad, spent=RECALL_SPENT_ARREARS)
        assert moved(again) == []
        assert await divergences(till) == {}


async def test_what_was_spent_while_two_were_one_is_owed_by_whose_lot_it_was(
    database: str,
) -> None:
    async with open_till(database) as till:
        recaller, bad, s, t = await pair(till)
        source = await merge(till, s, t)
        await till.post(till.burn(t, 20))
        await unmerge(till, source)
        assert (await points(till, s), await points(till, t)) == ((80, 0, 0), (50, 0, 0))

        async def claws_back(member: MemberRef) -> Posting:
            return await Recaller(till, member).claws_back(bad, spent=RECALL_SPENT_ARREARS)

        assert moved(await claws_back(t)) == []
        assert moved(await claws_back(s)) == [("points_clawed_back", 80), ("arrears_incurred", 20)]
        assert (await points(till, s), await points(till, t)) == ((0, 0, 20), (50, 0, 0))
        assert moved(await recaller.claws_back(bad, spent=RECALL_SPENT_ARREARS)) == []
        assert await divergences(till) == {}


async def test_what_is_set_aside_of_merged_points_is_given_back_before_they_part(
    database: str,
) -> None:
    async with open_till(database) as till:
        recaller, bad, s, t = await pair(till)
        source = await merge(till, s, t)
        assert moved(await recaller.quarantines(bad)) == [("points_quarantined", 100)]
        assert await points(till, t) == (50, 100, 0)
        told = await outcome(till.write(unmerging(till, MemberRef(member_id=source))))
        assert told == PointsRecalled.reason
        assert moved(await recaller.lifts(bad)) == [("quarantine_lifted", 100)]
        await unmerge(till, source)
        assert moved(await recaller.quarantines(bad)) == [("points_quarantined", 100)]
        assert await outcome(till.write(merging(till, s, t))) == PointsRecalled.reason
        assert moved(await recaller.claws_back()) == [("quarantine_clawed_back", 100)]
        assert (await points(till, s), await points(till, t)) == ((0, 0, 0), (50, 0, 0))
        assert await divergences(till) == {}


async def test_recalls_reach_through_a_chain_of_merges(database: str) -> None:
    async with open_till(database) as till:
        recaller, bad, s, t = await pair(till)
        u = await till.enrol("u")
        await till.post(till.burn(s, 10))
        first = await merge(till, s, t)
        await till.post(till.burn(t, 10))
        second = await merge(till, t, u)
        await till.post(till.burn(u, 10))
        charged = await Recaller(till, u).claws_back(bad, spent=RECALL_SPENT_ARREARS)
        assert moved(charged) == [("points_clawed_back", 70), ("arrears_incurred", 30)]
        await unmerge(till, second)
        await unmerge(till, first)
        assert [await points(till, each) for each in (s, t, u)] == [
            (0, 0, 30),
            (50, 0, 0),
            (0, 0, 0),
        ]
        assert moved(await recaller.claws_back(bad, spent=RECALL_SPENT_ARREARS)) == []
        assert await divergences(till) == {}


async def test_what_a_merged_member_put_into_a_pool_is_recalled_there(database: str) -> None:
    async with open_till(database, now="2025-03-01T00:00") as till:
        await till.publish(FREE)
        pooler, pool, m1, m2 = await family(till)
        t = await till.enrol("t")
        await pooler.moves(m2, pool, 60)
        burn = await till.post(pooler.burn(pool, m1, 60))
        await pooler.removes(pool, m2, by=m1)
        await merge(till, m2, t)
        await till.post(till.reverse(burn.entry_id, 40))
        account = MemberRef(member_id=pool.pool_id)
        [bad] = await Recaller(till, pool).lots()
        charged = await Recaller(till, account).claws_back(bad, spent=RECALL_SPENT_ARREARS)
        assert moved(charged) == [("points_clawed_back", 40), ("arrears_incurred", 20)]
        # The pool spent them, and the pool owes them.
        assert (await points(till, pool), await points(till, t)) == ((0, 0, 20), (0, 0, 0))
        assert await outcome(till.post(pooler.transfer(pool, t, 1))) == "INSUFFICIENT_POINTS"
        assert await divergences(till) == {}


async def test_a_charge_after_a_merge_that_was_raised_is_found(database: str) -> None:
    async with open_till(database) as till:
        recaller, bad, s, t = await pair(till)
        await till.post(till.burn(s, 30))
        await merge(till, s, t)
        await recaller.claws_back(bad, spent=RECALL_SPENT_ARREARS)
        owner = await connect(database, role=None)
        try:
            await owner.execute("ALTER TABLE event DISABLE TRIGGER event_append_only")
            story = Story(till, owner, s)
            for kind, change in (("recall_made", charged_more), ("arrears_incurred", owed_more)):
                row = await owner.fetchrow(
                    "SELECT lane, pos FROM event WHERE kind = $1", KIND_NUMBER[kind]
                )
                assert row is not None
                await story.rewrite((row["lane"], row["pos"]), change)
            assert Reason.RECALL_MISMATCH in await story.found()
        finally:
            await owner.close()


def charged_more(fact: Any) -> None:
    fact.lots[0].charged += 1
    fact.lots[0].spent += 1


def owed_more(fact: Any) -> None:
    fact.points += 1
