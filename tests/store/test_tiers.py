"""Tiers through the whole write side, on a real database."""

from collections.abc import Callable
from typing import Any

import pytest

from ledger.core.instant import to_timestamp
from ledger.core.refusals import Malformed, NoTierGranted, TierBelowEarned, UnknownTier
from ledger.verifying.findings import Reason
from loyalty.v1.events_pb2 import TIER_BASIS_EARNED, TIER_BASIS_GRANTED, TIER_BASIS_LIFETIME
from loyalty.v1.ledger_service_pb2 import PostDocumentRequest
from loyalty.v1.member_service_pb2 import GrantTierRequest, Member
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_PENDING, MemberRef, Origin
from server.database import connect
from tests.store.tampering import Story
from tests.store.till import POLICY, Till, at, open_till

DOCUMENT_POSTED = 60
TIER_CHANGED = 70
LADDER = (
    POLICY.replace(
        "  - {id: p, role: spendable}",
        "  - {id: p, role: spendable}\n  - {id: qp, role: tier_qualifying}",
    ).replace(
        "redemptions:",
        """  - {kind: base, id: status, currency: qp, rate: {points: 1, per: "1.00 EUR"}}
  - {kind: multiplier, id: gold, currency: p, factor: 2, group: tier, when: {tier: [gold]}}
groups: [{id: tier, combine: best_of}]
redemptions:""",
    )
    + """
tiers:
  ladder:
    - {id: basic}
    - {id: gold, reach_any: [[{currency: qp, at_least: 500}]]}
"""
)


def grant(
    till: Till, member: MemberRef, tier: str, *, until: str = "", rid: str = ""
) -> GrantTierRequest:
    """A tier by decision of staff."""
    return GrantTierRequest(
        request_id=rid or till.rid(),
        origin=Origin(business_unit="a"),
        member=member,
        tier=tier,
        until_time=to_timestamp(at(until)) if until else None,
        reason="status match",
    )


async def granted(till: Till, request: GrantTierRequest) -> str:
    """Tier after a grant."""
    message = (await till.write(request)).message
    assert isinstance(message, Member)
    return message.tier


async def tier(till: Till, member: MemberRef) -> str:
    """Tier now."""
    return (await till.ledger.reads.member(member)).tier


def pending(request: PostDocumentRequest) -> PostDocumentRequest:
    """The same as a booking."""
    request.document.status = DOCUMENT_STATUS_PENDING
    return request


async def points(till: Till, member: MemberRef) -> tuple[int, int]:
    """(pending, available) spendable points."""
    account, _ = await till.ledger.reads.account(member)
    balance = account.balance("p")
    return balance.pending, balance.available


async def test_a_tier_is_granted_once_and_ended_by_staff(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(LADDER)
        member = await till.enrol("1")
        request = grant(till, member, "gold", until="2026-01-01T00:00", rid="g-1")
        assert await granted(till, request) == "gold"
        again = await till.write(request)
        assert again.replayed
        place = await till.ledger.reads.tier(member)
        assert (place.tier, place.basis, place.projected_tier) == (
            "gold", TIER_BASIS_GRANTED, "basic",
        )  # fmt: skip
        assert await granted(till, grant(till, member, "")) == "basic"
        with pytest.raises(NoTierGranted):
            await till.write(grant(till, member, ""))


async def test_what_cannot_be_granted_is_refused_by_name(database: str) -> None:
    async with open_till(database) as till:
        silver = "{id: silver, reach_any: [[{currency: qp, at_least: 100}]]}"
        await till.publish(LADDER.replace("{id: basic}", f"{{id: basic}}\n    - {silver}", 1))
        member = await till.enrol("1")
        with pytest.raises(UnknownTier) as unknown:
            await till.write(grant(till, member, "platinum"))
        assert unknown.value.fields["known"] == "silver, gold"
        with pytest.raises(UnknownTier):
            await till.write(grant(till, member, "basic"))
        with pytest.raises(Malformed) as past:
            await till.write(grant(till, member, "gold", until="2025-02-01T00:00"))
        assert past.value.fields["field"] == "until_time"
        await till.post(till.document(member, "D1", 1, 500_00))
        with pytest.raises(TierBelowEarned) as below:
            await till.write(grant(till, member, "silver"))
        assert below.value.fields == {"tier": "silver", "earned": "gold"}


async def test_the_place_on_the_ladder_tells_what_is_missing(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(LADDER)
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 120_00))
        place = await till.ledger.reads.tier(member)
        assert (place.tier, place.basis, place.next_tier) == ("basic", TIER_BASIS_EARNED, "gold")
        need = place.reach[0].needs[0]
        assert (need.metric, need.subject, need.have, need.want, need.missing) == (
            "qualifying_points", "qp", 120, 500, 380,
        )  # fmt: skip
        assert need.window_end_time == to_timestamp(at("2026-01-01T00:00"))
        assert place.position


ORDERS = (
    LADDER.replace("tiers:\n", "tiers:\n  upgrading_order: after\n")
    .replace("id: p, role: spendable", "id: p, role: spendable, scale: 1")
    .replace("{points: 1, per", "{points: 10, per", 1)
)


@pytest.mark.parametrize(
    ("order", "points", "returned"),
    [("before", 2_000, 1_000), ("after", 4_000, 2_000), ("split", 3_000, 1_000)],
)
async def test_the_order_that_upgrades_earns_as_the_policy_says(
    database: str, order: str, points: int, returned: int
) -> None:
    async with open_till(database) as till:
        await till.publish(ORDERS.replace("upgrading_order: after", f"upgrading_order: {order}"))
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 400_00))
        before = await till.available(member)
        await till.post(till.document(member, "D2", 1, 200_00))
        assert (await till.available(member) - before, await tier(till, member)) == (points, "gold")
        # Half of it is returned: what is left earns at the tiers that were pinned.
        await till.post(till.document(member, "D2", 2, 100_00))
        assert await till.available(member) - before == returned
        assert await faults(till) == []


@pytest.mark.parametrize(
    ("order", "expected"), [("before", 2_000), ("after", 4_000), ("split", 3_000)]
)
async def test_a_booking_is_told_what_it_earns_as_final_and_reaches_no_tier(
    database: str, order: str, expected: int
) -> None:
    async with open_till(database) as till:
        await till.publish(ORDERS.replace("upgrading_order: after", f"upgrading_order: {order}"))
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 400_00))
        for version in (1, 2):
            await till.post(pending(till.document(member, "D2", version, 200_00)))
            assert (await points(till, member), await tier(till, member)) == (
                (expected, 4_000), "basic",
            )  # fmt: skip
        await till.post(till.document(member, "D2", 3, 200_00))
        assert (await points(till, member), await tier(till, member)) == (
            (0, 4_000 + expected), "gold",
        )  # fmt: skip
        assert await faults(till) == []


async def test_a_booking_is_paid_as_final_by_what_was_returned_meanwhile(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(ORDERS)
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 400_00))
        await till.post(pending(till.document(member, "D2", 1, 200_00)))
        assert await points(till, member) == (4_000, 4_000)
        await till.post(till.document(member, "D1", 2, 100_00))
        await till.post(till.document(member, "D2", 2, 200_00))
        assert (await points(till, member), await tier(till, member)) == ((0, 3_000), "basic")
        assert await faults(till) == []


def booked_below(posted: Any) -> None:
    if posted.document.document_id == "D2":
        posted.pins.tier = "basic"


async def test_a_booking_at_a_lower_tier_than_the_member_had_is_found(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(ORDERS)
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 600_00))
        await till.post(pending(till.document(member, "D2", 1, 200_00)))
        owner = await connect(database, role=None)
        try:
            await owner.execute("ALTER TABLE event DISABLE TRIGGER event_append_only")
            story = Story(till, owner, member)
            for place in await story.places(DOCUMENT_POSTED):
                await story.rewrite(place, booked_below)
            assert Reason.TIER_NOT_HELD in await story.found()
        finally:
            await owner.close()


async def faults(till: Till) -> list[str]:
    """What verification finds."""
    found: list[str] = []
    async for progress in till.ledger.verify(skip_awards=False):
        if progress.done:
            found = [f"{each.reason}: {each.detail}" for each in progress.divergences]
    return found


ROLLING = (
    POLICY
    + """
tiers:
  window: rolling_months
  window_months: 12
  valid: {months: 12}
  ladder:
    - {id: basic}
    - {id: regular, reach_any: [[{metric: visits, at_least: 3}]]}
    - {id: friend, reach_any: [[{metric: spend, money: EUR, at_least: 10000}]]}
"""
)


async def test_days_with_a_purchase_reach_a_tier_and_time_takes_it_back(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(ROLLING)
        member = await till.enrol("1")
        for number, day in enumerate(["2025-03-01", "2025-03-01", "2025-03-05"]):
            till.clock.set(at(f"{day}T12:0{number}"))
            await till.post(till.document(member, f"D{number}", 1, 10_00))
        assert await tier(till, member) == "basic"
        till.clock.set(at("2025-04-01T12:00"))
        await till.post(till.document(member, "D4", 1, 10_00, unit="b"))
        assert await tier(till, member) == "regular"
        till.clock.set(at("2025-05-01T12:00"))
        await till.post(till.document(member, "D5", 1, 60_00))
        assert await tier(till, member) == "friend"
        # The refund takes the spend away, not the visits: the tier beneath is still valid.
        await till.post(till.document(member, "D5", 2, 1_00))
        assert await tier(till, member) == "regular"
        till.clock.set(at("2026-04-01T23:00"))
        assert await tier(till, member) == "regular"
        till.clock.set(at("2026-04-02T00:00"))
        assert await tier(till, member) == "basic"
        assert await faults(till) == []


def lasts_longer(fact: Any) -> None:
    fact.valid_until_time.seconds += 1


def is_for_ever(fact: Any) -> None:
    fact.basis = TIER_BASIS_LIFETIME


def came_from_gold(fact: Any) -> None:
    fact.from_tier = "gold"


@pytest.mark.parametrize("change", [lasts_longer, is_for_ever, came_from_gold])
async def test_a_change_of_tier_that_the_ladder_does_not_give_is_found(
    database: str, change: Callable[[Any], None]
) -> None:
    async with open_till(database) as till:
        await till.publish(LADDER)
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 600_00))
        owner = await connect(database, role=None)
        try:
            await owner.execute("ALTER TABLE event DISABLE TRIGGER event_append_only")
            story = Story(till, owner, member)
            assert await story.found() == {}
            await story.rewrite((await story.places(TIER_CHANGED))[0], change)
            assert Reason.TIER_MISMATCH in await story.found()
        finally:
            await owner.close()


async def test_what_comes_late_may_be_enough_together_with_what_came_after_it(
    database: str,
) -> None:
    async with open_till(database, now="2025-03-05T12:00") as till:
        await till.publish(ROLLING)
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 40_00))
        till.clock.set(at("2025-03-20T12:00"))
        await till.post(till.document(member, "D2", 1, 50_00))
        late = till.document(member, "D0", 1, 20_00, occurred="2025-03-05T13:00")
        posted = await till.post(late)
        assert posted.tier == "friend"
        account, _ = await till.ledger.reads.account(member)
        assert account.tier_at(at("2025-03-20T11:59")) == "basic"
        assert await faults(till) == []
