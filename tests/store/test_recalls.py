"""Recalls through the whole write side: once, at once with others, and what verification says."""

import asyncio
from contextlib import suppress

import pytest

from ledger.core.refusals import InsufficientPoints, UnknownBusinessUnit
from loyalty.v1.ledger_service_pb2 import OUTCOME_REPLAYED
from loyalty.v1.types_pb2 import (
    RECALL_ACTION_CLAW_BACK,
    RECALL_ACTION_QUARANTINE,
    RECALL_SPENT_ARREARS,
    RECALL_SPENT_WRITE_OFF,
)
from tests.store.moving import divergences
from tests.store.recalling import Recaller, recalling
from tests.store.till import Till, moved, open_till


async def bought(till: Till, *points: int) -> tuple[Recaller, list[str]]:
    """A member with a lot of each size."""
    await till.publish()
    member = await till.enrol("1")
    for number, each in enumerate(points):
        await till.post(till.document(member, f"D{number}", 1, each * 100))
    recaller = Recaller(till, member)
    return recaller, await recaller.lots()


async def test_what_is_set_aside_is_given_back_or_taken_and_the_history_says_so(
    database: str,
) -> None:
    async with open_till(database) as till:
        recaller, (bad, good) = await bought(till, 40, 60)
        assert moved(await recaller.quarantines(bad)) == [("points_quarantined", 40)]
        account, _ = await till.ledger.reads.account(recaller.member)
        [held] = account.holds
        assert (held.recalled, held.hold_id, held.points) == (True, "R", 40)
        with pytest.raises(InsufficientPoints):
            await till.post(till.burn(recaller.member, 61))
        assert moved(await recaller.lifts()) == [("quarantine_lifted", 40)]
        await till.post(till.burn(recaller.member, 30))
        await recaller.quarantines(bad)
        charged = await recaller.claws_back(bad, spent=RECALL_SPENT_ARREARS)
        assert moved(charged) == [("quarantine_clawed_back", 10), ("arrears_incurred", 30)]
        assert await recaller.lots() == [good]
        assert await divergences(till) == {}


async def test_run_twice_is_run_once(database: str) -> None:
    async with open_till(database) as till:
        recaller, (bad, _) = await bought(till, 40, 60)
        await till.post(till.burn(recaller.member, 10))
        request = recalling(
            till, recaller.member, RECALL_ACTION_CLAW_BACK, bad, spent=RECALL_SPENT_WRITE_OFF
        )
        first = await till.post(request)
        assert moved(first) == [("points_clawed_back", 30)]
        assert (await till.post(request)).outcome == OUTCOME_REPLAYED
        again = await recaller.claws_back(bad, spent=RECALL_SPENT_WRITE_OFF)
        assert moved(again) == []
        assert await till.available(recaller.member) == 60
        assert await divergences(till) == {}


async def test_a_unit_that_nobody_knows_bears_nothing(database: str) -> None:
    async with open_till(database) as till:
        recaller, (bad,) = await bought(till, 40)
        with pytest.raises(UnknownBusinessUnit):
            await recaller.claws_back(bad, spent=RECALL_SPENT_WRITE_OFF, write_off_to="z")
        assert await till.available(recaller.member) == 40


@pytest.mark.parametrize("action", [RECALL_ACTION_QUARANTINE, RECALL_ACTION_CLAW_BACK])
async def test_two_processes_recall_while_points_are_spent(database: str, action: int) -> None:
    async with open_till(database) as one, open_till(database) as other:
        recaller, (bad, _) = await bought(one, 40, 60)
        member = recaller.member

        async def spends(till: Till, number: int) -> int:
            with suppress(InsufficientPoints):
                await till.post(till.burn(member, 9, rid=f"burn-{number}"))
                return 9
            return 0

        async def recalls(till: Till, name: str) -> int:
            request = recalling(till, member, action, bad, rid=name)  # type: ignore[arg-type]
            return sum(points for _, points in moved(await till.post(request)))

        spent = asyncio.gather(*(spends((one, other)[n % 2], n) for n in range(12)))
        taken = await asyncio.gather(recalls(one, "first"), recalls(other, "second"))
        burned = sum(await spent)
        assert 0 in taken
        account, _ = await one.ledger.reads.account(member)
        left = account.balance("p")
        assert (left.available, left.held) == (
            100 - burned - sum(taken),
            sum(taken) if action == RECALL_ACTION_QUARANTINE else 0,
        )
        assert await divergences(one) == {}
