"""Claims and moves that were changed afterwards: what left one place must arrive in one other."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ledger.core.instant import DAY
from ledger.verifying.findings import Reason
from loyalty.v1.events_pb2 import ARRIVAL_CAUSE_MOVED
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_PENDING
from tests.store.stories import CLAIMS, TIERED, claim, gild, move, with_code
from tests.store.tampering import Place, Story, owned
from tests.store.till import open_till

pytestmark = pytest.mark.asyncio(loop_scope="module")

POSTED, CLAIMED, MOVED_OUT = 60, 61, 62
FROM_THE_CLAIM = CLAIMS.replace("days: 30}", "days: 30, claimed_since: claimed}")


@asynccontextmanager
async def tell(database: str) -> AsyncIterator[Story]:
    """D1 was claimed and moved on, D2 moved by a member who had spent; the owner may change it."""
    async with open_till(database) as till:
        await till.publish(FROM_THE_CLAIM)
        first, second = await till.enrol("1"), await till.enrol("2")
        await gild(till, second)
        await till.post(with_code(till.document(None, "D1", 1, 60_00), "77"))
        till.clock.set(till.clock.now() + DAY)
        await till.post(claim(till, first, "D1", "77"))
        await till.post(till.document(first, "D2", 1, 100_00))
        await till.post(till.burn(first, 150))
        await till.post(move(till, second, "D2"))
        await till.post(move(till, second, "D1"))
        async with owned(till, database, first) as story:
            yield story


def to_another(fact: Any) -> None:
    if "member_id" in fact.DESCRIPTOR.fields_by_name:
        fact.member_id = "0196f2a0-1c00-7abc-8def-0123456789ad"
    else:
        fact.to_member_id = "0196f2a0-1c00-7abc-8def-0123456789ad"


def of_another_version(fact: Any) -> None:
    fact.version += 1


def of_another_entry(fact: Any) -> None:
    fact.entry_id = "0196f2a0-1c00-7abc-8def-0123456789ad"


@pytest.mark.parametrize("kind", [CLAIMED, MOVED_OUT])
@pytest.mark.parametrize("change", [to_another, of_another_version, of_another_entry])
async def test_a_changed_departure_is_found(
    story: Story, kind: int, change: Callable[[Any], None]
) -> None:
    await story.rewrite((await story.places(kind))[0], change)
    assert Reason.DOCUMENT_FORKED in await story.found()


def comes_from_another(posted: Any) -> None:
    posted.arrival.from_member_id = "0196f2a0-1c00-7abc-8def-0123456789ad"


def comes_from_nowhere(posted: Any) -> None:
    posted.ClearField("arrival")


def under_another_time(posted: Any) -> None:
    posted.pins.local_time = "2025-03-01T11:59:00+00:00"


def was_claimed_at_another_time(posted: Any) -> None:
    posted.arrival.claim_time.seconds += 1
    posted.pins.claim_time.seconds += 1


def was_never_claimed(posted: Any) -> None:
    posted.pins.ClearField("claim_time")


def forgets_in_its_second_version(posted: Any) -> None:
    if posted.document.version == 2:
        was_never_claimed(posted)


def states_another_version(posted: Any) -> None:
    posted.document.version += 1


@pytest.mark.parametrize(
    "change",
    [comes_from_another, comes_from_nowhere, under_another_time, states_another_version],
)
async def test_a_changed_arrival_is_found(story: Story, change: Callable[[Any], None]) -> None:
    for place in await story.places(POSTED):
        arrived = False

        def on_arrival(posted: Any) -> None:
            nonlocal arrived
            arrived = posted.HasField("arrival")
            if arrived:
                change(posted)

        await story.rewrite(place, on_arrival)
        if arrived:
            break
    assert Reason.DOCUMENT_FORKED in await story.found()


async def test_what_was_kept_from_the_first_member_is_found(story: Story) -> None:
    def takes_less(taken: Any) -> None:
        taken.points -= 1
        taken.draws[0].points -= 1
        taken.available_after += 1

    await story.rewrite((await story.places(28))[0], takes_less)
    assert Reason.AWARD_MISMATCH in await story.found()


async def first_arrival(story: Story) -> Place:
    """Where the claimed document arrived."""
    for place in await story.places(POSTED):
        arrived = False

        def look(posted: Any) -> None:
            nonlocal arrived
            arrived = posted.arrival.HasField("claim_time")

        await story.rewrite(place, look)
        if arrived:
            return place
    raise AssertionError("something was claimed")


async def test_a_claim_that_is_told_otherwise_on_both_sides_is_found(story: Story) -> None:
    def later(claimed: Any) -> None:
        claimed.claim_time.seconds += 86_400

    await story.rewrite((await story.places(CLAIMED))[0], later)
    assert Reason.DOCUMENT_FORKED in await story.found()
    await story.rewrite(await first_arrival(story), lambda posted: later(posted.arrival))
    assert Reason.AWARD_MISMATCH in await story.found()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (was_claimed_at_another_time, Reason.DOCUMENT_FORKED),
        (was_never_claimed, Reason.AWARD_MISMATCH),
    ],
)
async def test_a_claim_that_its_arrival_tells_otherwise_is_found(
    story: Story, change: Callable[[Any], None], reason: Reason
) -> None:
    await story.rewrite(await first_arrival(story), change)
    assert reason in await story.found()


async def test_a_claim_that_a_booking_forgets_is_found(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(FROM_THE_CLAIM)
        member = await till.enrol("1")
        booked = with_code(till.document(None, "R1", 1, 60_00), "77")
        booked.document.status = DOCUMENT_STATUS_PENDING
        await till.post(booked)
        till.clock.set(till.clock.now() + DAY)
        await till.post(claim(till, member, "R1", "77"))
        await till.post(till.document(None, "R1", 2, 60_00))
        async with owned(till, database, member) as story:
            assert not await story.found()
            for place in await story.places(POSTED):
                await story.rewrite(place, forgets_in_its_second_version)
            assert Reason.AWARD_MISMATCH in await story.found()


async def test_points_for_a_document_that_is_nobodys_are_found(story: Story) -> None:
    def gives(posted: Any) -> None:
        if not posted.grants and not posted.HasField("arrival"):
            posted.grants.add(rule="base", currency="p", wanted=60, granted=60, funder="a")

    for place in await story.places(POSTED):
        await story.rewrite(place, gives)
    assert Reason.AWARD_MISMATCH in await story.found()


async def test_usage_that_a_departure_hides_is_found(database: str) -> None:
    capped = TIERED.replace(
        'rate: {points: 1, per: "1.00 EUR"}}',
        'rate: {points: 1, per: "1.00 EUR"},'
        " caps: [{per: member, window: local_day, points: 500}]}",
    )
    async with open_till(database) as till:
        await till.publish(capped)
        first, second = await till.enrol("1"), await till.enrol("2")
        await till.post(till.document(first, "D1", 1, 60_00))
        await till.post(move(till, second, "D1"))
        async with owned(till, database, first) as story:
            await story.rewrite(
                (await story.places(MOVED_OUT))[0], lambda fact: fact.ClearField("usages")
            )
            assert Reason.ROOM_MISMATCH in await story.found()


async def test_a_document_that_arrives_where_it_stands_is_found(database: str) -> None:
    def arriving(fact: Any) -> None:
        fact.arrival.cause = ARRIVAL_CAUSE_MOVED
        fact.arrival.from_member_id = "0196f2a0-1c00-7abc-8def-0123456789ad"

    async with open_till(database) as till:
        await till.publish(TIERED)
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 60_00))
        await till.post(till.document(member, "D1", 2, 50_00))
        async with owned(till, database, member) as story:
            await story.rewrite((await story.places(POSTED))[-1], arriving)
            details = [each.detail for each in (await story.verify()).divergences]
            assert any("where it stands already" in detail for detail in details)
