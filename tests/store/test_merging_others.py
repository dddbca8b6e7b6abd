"""Merges of who owes, and of who is sent points meanwhile: transfers, debts, and two at once."""

import asyncio

import pytest

from ledger.core.refusals import PointsInTransit, Refusal
from loyalty.v1.ledger_service_pb2 import TRANSFER_STATE_COMPLETED
from tests.store.merging import finish, merge, merging, points, told, unmerge, unmerging, verified
from tests.store.moving import ACCEPTED, AT_ONCE, Mover
from tests.store.referring import REFERRALS, Friends, referring
from tests.store.till import POLICY, Till, open_till


async def test_points_in_transit_to_the_source_arrive_at_the_target(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(AT_ONCE)
        mover = Mover(till)
        sender, s, t = [await till.enrol(name) for name in ("sender", "s", "t")]
        await mover.earns(sender, "D1", 100, on="2025-02-01", tea=True)
        sent = await mover.sends(sender, s, 40)
        source = await merge(till, s, t)
        transfer = await mover.brought_on(sent.entry_id)
        assert transfer.state == TRANSFER_STATE_COMPLETED
        assert await points(till, t) == (40, 0, 0)
        assert not (await verified(till)).divergences
        await unmerge(till, source)
        # They came to whoever the two were together, and stay there.
        assert (await points(till, s), await points(till, t)) == ((0, 0, 0), (40, 0, 0))
        assert not (await verified(till)).divergences


async def test_who_has_points_in_transit_is_not_merged_before_they_arrive(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(ACCEPTED)
        mover = Mover(till)
        s, t, other = [await till.enrol(name) for name in ("s", "t", "other")]
        await mover.earns(s, "D1", 100, on="2025-02-01", tea=True)
        sent = await mover.sends(s, other, 40)
        with pytest.raises(PointsInTransit):
            await till.write(merging(till, s, t))
        await mover.declines(other, sent.entry_id)
        await merge(till, s, t)
        assert await points(till, t) == (100, 0, 0)
        assert not (await verified(till)).divergences


async def test_debts_come_along_are_repaid_there_and_what_is_left_goes_back(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        s, t = await till.enrol("s"), await till.enrol("t")
        await till.post(till.document(s, "D1", 1, 100_00))
        await till.post(till.burn(s, 100))
        await till.post(till.document(s, "D1", 2, 30_00))
        assert await points(till, s) == (0, 0, 70)
        source = await merge(till, s, t)
        assert await points(till, t) == (0, 0, 70)
        await till.post(till.document(t, "D2", 1, 50_00))
        assert await points(till, t) == (0, 0, 20)
        await unmerge(till, source)
        assert (await points(till, s), await points(till, t)) == ((0, 0, 20), (0, 0, 0))
        assert not (await verified(till)).divergences


async def test_the_oldest_debt_is_repaid_first_whoever_it_came_from(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        s, t = await till.enrol("s"), await till.enrol("t")
        for member, name in ((s, "D1"), (t, "D2")):
            await till.post(till.document(member, name, 1, 20_00))
            await till.post(till.burn(member, 20))
            await till.post(till.document(member, name, 2))
        source = await merge(till, s, t)
        await till.post(till.document(t, "D3", 1, 25_00))
        await unmerge(till, source)
        assert (await points(till, s), await points(till, t)) == ((0, 0, 0), (0, 0, 15))
        assert not (await verified(till)).divergences


async def test_a_fee_comes_back_to_whose_points_it_was_though_they_have_parted(
    database: str,
) -> None:
    async with open_till(database) as till:
        await till.publish(ACCEPTED)
        mover = Mover(till)
        s, t, other = [await till.enrol(name) for name in ("s", "t", "other")]
        await mover.earns(t, "D1", 40, on="2025-01-01", tea=True)
        await mover.earns(s, "D2", 10, on="2025-02-01", tea=True)
        source = await merge(till, s, t)
        sent = await mover.sends(t, other, 40)
        await unmerge(till, source)
        assert (await points(till, s), await points(till, t)) == ((6, 0, 0), (0, 0, 0))
        await mover.declines(other, sent.entry_id)
        assert (await points(till, s), await points(till, t)) == ((10, 0, 0), (40, 0, 0))
        assert not (await verified(till)).divergences


async def test_two_ledgers_that_take_the_same_steps_move_everything_once(database: str) -> None:
    async with open_till(database) as one, open_till(database) as two:
        await one.publish()
        await two.ledger.policies.refresh(two.ledger.reading)
        s, t = await one.enrol("s"), await one.enrol("t")
        for number in range(3):
            await one.post(one.document(s, f"D{number}", 1, 20_00))
        source = (await told(one, merging(one, s, t))).member_id
        two.client = "another"
        await asyncio.gather(finish(one, source), finish(two, source))
        assert await points(one, t) == await points(two, t) == (60, 0, 0)

        async def undoes(till: Till) -> bool:
            try:
                await told(till, unmerging(till, s))
            except Refusal:
                return False
            return True

        assert sorted(await asyncio.gather(undoes(one), undoes(two))) == [False, True]
        await asyncio.gather(finish(one, source), finish(two, source))
        assert await points(one, s) == await points(two, s) == (60, 0, 0)
        assert not (await verified(two)).divergences


async def test_a_reward_goes_to_what_the_referrer_is_part_of_and_is_theirs(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(REFERRALS)
        old, new, t = [await till.enrol(name) for name in ("old", "new", "t")]
        await till.write(referring(till, new, old))
        source = await merge(till, old, t)
        friends = Friends(till, t, new)
        assert await friends.buys("D1", 40_00) == 200
        assert await friends.buys("D1") == 0
        assert await friends.buys("D2", 40_00) == 200
        await unmerge(till, source)
        assert (await points(till, old), await points(till, t)) == ((200, 0, 0), (0, 0, 0))
        await friends.buys("D2")
        assert await points(till, old) == (0, 0, 0)
        assert not (await verified(till)).divergences


async def test_a_referral_rests_while_the_new_member_is_part_of_another(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(REFERRALS)
        old, new, t = [await till.enrol(name) for name in ("old", "new", "t")]
        await till.write(referring(till, new, old))
        friends = Friends(till, old, new)
        assert await friends.buys("D1", 40_00) == 200
        source = await merge(till, new, t)
        assert await friends.buys("D1", 10_00) == 200
        assert not (await verified(till)).divergences
        await unmerge(till, source)
        assert await friends.buys("D1", 11_00) == 0
        assert not (await verified(till)).divergences


async def test_returns_by_line_are_reckoned_from_the_first_version_wherever_it_stands(
    database: str,
) -> None:
    async with open_till(database) as till:
        await till.publish(POLICY + "refunds: {clawback: pro_rata_by_line}\n")
        s, t = await till.enrol("s"), await till.enrol("t")
        await till.post(till.document(s, "D1", 1, 60_00, 40_00))
        source = await merge(till, s, t)
        await till.post(till.document(s, "D1", 2, 30_00, 40_00))
        await till.post(till.document(s, "D1", 3, 20_00, 40_00))
        assert await points(till, t) == (60, 0, 0)
        await unmerge(till, source)
        await till.post(till.document(s, "D1", 4, 20_00))
        assert (await points(till, s), await points(till, t)) == ((20, 0, 0), (0, 0, 0))
        assert not (await verified(till)).divergences
