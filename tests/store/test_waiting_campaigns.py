"""Points of a campaign that wait longer than the base that was booked with them."""

from typing import NamedTuple

import pytest

from loyalty.v1.ledger_service_pb2 import Posting
from loyalty.v1.types_pb2 import MemberRef
from tests.store.in_memory import memory_till
from tests.store.merging import merge
from tests.store.referring import pending
from tests.store.till import POLICY, Till, at, moved
from tests.store.verifying import divergences_of

WAITS = POLICY.replace(
    "redemptions:",
    "  - {kind: bonus, id: extra, currency: p, points: 50, pending_days: 14, campaign: k,"
    ' when: {basket_min: "50.00 EUR"}}\nredemptions:',
)
FUNDERS = {
    "of another unit": WAITS + "campaigns: [{id: k, funder: b}]\n",
    "of the same unit": WAITS + "campaigns: [{id: k}]\n",
}


class Left(NamedTuple):
    """A lot."""

    campaign: str
    available: int
    pending: int


async def left(till: Till, member: MemberRef) -> list[Left]:
    account, _ = await till.ledger.reads.account(member)
    return [Left(lot.campaign, lot.available, lot.pending) for lot in account.lots]


async def booked(till: Till, policy: str) -> tuple[MemberRef, Posting]:
    """A booking of 100.00 that became final: 100 of the base, and 50 of the campaign that wait."""
    await till.publish(policy)
    member = await till.enrol("1")
    await till.post(pending(till.document(member, "D1", 1, 100_00)))
    assert await left(till, member) == [("", 0, 100), ("k", 0, 50)]
    return member, await till.post(till.document(member, "D1", 2, 100_00))


@pytest.mark.parametrize("policy", FUNDERS.values(), ids=FUNDERS)
async def test_what_has_to_wait_longer_is_taken_from_its_own_lot(policy: str) -> None:
    async with memory_till() as (till, database):
        member, final = await booked(till, policy)
        assert moved(final) == [
            ("pending_clawed_back", 50), ("points_released", 100), ("points_pended", 50),
        ]  # fmt: skip
        assert await left(till, member) == [("", 100, 0), ("k", 0, 50)]
        till.clock.set(at("2025-03-16T00:00"))
        assert await till.available(member) == 150
        assert await divergences_of(database) == []


@pytest.mark.parametrize("policy", FUNDERS.values(), ids=FUNDERS)
async def test_a_return_takes_what_waits_first_whatever_gave_it(policy: str) -> None:
    """All points of a document are its own, over all its rules."""
    async with memory_till() as (till, database):
        member, _ = await booked(till, policy)
        await till.post(till.document(member, "D1", 3, 80_00))
        assert await left(till, member) == [("", 100, 0), ("k", 0, 30)]
        await till.post(till.document(member, "D1", 4, 40_00))
        assert await left(till, member) == [("", 40, 0)]
        assert await divergences_of(database) == []


@pytest.mark.parametrize("policy", FUNDERS.values(), ids=FUNDERS)
async def test_a_booking_that_shrinks_as_it_becomes_final(policy: str) -> None:
    async with memory_till() as (till, database):
        await till.publish(policy)
        member = await till.enrol("1")
        await till.post(pending(till.document(member, "D1", 1, 100_00)))
        await till.post(till.document(member, "D1", 2, 60_00))
        assert await left(till, member) == [("", 60, 0), ("k", 0, 50)]
        assert await divergences_of(database) == []


async def test_a_booking_that_moved_with_its_member_knows_its_campaign() -> None:
    async with memory_till() as (till, database):
        await till.publish(FUNDERS["of the same unit"])
        member, target = await till.enrol("1"), await till.enrol("2")
        await till.post(pending(till.document(member, "D1", 1, 100_00)))
        await merge(till, member, target)
        await till.post(till.document(member, "D1", 2, 100_00))
        assert await left(till, target) == [("", 100, 0), ("k", 0, 50)]
        assert await divergences_of(database) == []
