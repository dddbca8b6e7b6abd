"""What staff gave, under a higher tier that comes and goes: it stays until its own end."""

from typing import Any

import pytest

from ledger.core.events import KIND_NUMBER, decode
from ledger.core.instant import to_timestamp
from ledger.core.refusals import NoTierGranted
from ledger.lanes import account_stream
from ledger.verifying.findings import Reason
from loyalty.v1.account_service_pb2 import GetTierRequest
from loyalty.v1.events_pb2 import (
    TIER_BASIS_EARNED,
    TIER_BASIS_GRANTED,
    TIER_CAUSE_REFUNDED,
    TierBasis,
    TierChanged,
)
from loyalty.v1.types_pb2 import MemberRef
from server.database import connect
from tests.store.merging import merge, unmerge
from tests.store.tampering import Story
from tests.store.test_tiers import LADDER, faults, grant, granted, tier
from tests.store.till import Till, at, open_till

MERGE_STEPPED = 91
POLICY = LADDER.replace(
    "{id: basic}", "{id: basic}\n    - {id: silver, reach_any: [[{currency: qp, at_least: 300}]]}"
)
"""Silver at 300 and gold at 500 a year, until the end of the next year."""
GIVEN_UNTIL = "2027-06-01T00:00"
GOLD_ENDS = "2027-01-01T00:00"


async def held(till: Till, member: MemberRef) -> tuple[str, TierBasis.ValueType, str]:
    """Tier, by what right, and what follows it."""
    place = await till.ledger.reads.tier(member)
    assert place.tier == await tier(till, member)
    return place.tier, place.basis, place.projected_tier


async def history(till: Till, member: MemberRef) -> list[tuple[int, str]]:
    """How the tier came about, the newest change first, with its number: 0 if it is only due."""
    asked = GetTierRequest(member=member, changes=10)
    changes = await till.ledger.reads.tier_changes(asked, lambda _: True)
    assert [not each.HasField("recorded_time") for each in changes] == [
        not each.version for each in changes
    ]
    return [(each.version, each.line) for each in changes]


async def surpassing(till: Till, name: str) -> MemberRef:
    """A member who was given silver and has bought enough for gold."""
    member = await till.enrol(name)
    await granted(till, grant(till, member, "silver", until=GIVEN_UNTIL))
    await till.post(till.document(member, f"D{name}", 1, 500_00))
    return member


async def test_a_grant_outlives_the_tier_that_surpassed_it(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(POLICY)
        waits, returns, gives_up = [await surpassing(till, name) for name in ("1", "2", "3")]
        assert await held(till, waits) == ("gold", TIER_BASIS_EARNED, "silver")
        await till.post(till.document(returns, "D2", 2, 10_00))
        assert await held(till, returns) == ("silver", TIER_BASIS_GRANTED, "basic")
        # Staff end a grant that is covered: the higher tier goes on, and ends in nothing.
        assert await granted(till, grant(till, gives_up, "")) == "gold"
        assert await held(till, gives_up) == ("gold", TIER_BASIS_EARNED, "basic")
        with pytest.raises(NoTierGranted):
            await till.write(grant(till, gives_up, ""))
        till.clock.set(at(GOLD_ENDS))
        assert await held(till, waits) == ("silver", TIER_BASIS_GRANTED, "basic")
        assert await tier(till, gives_up) == "basic"
        due, *before = await history(till, waits)
        assert due == (0, "tier silver after gold until 2027-05-31: the period of the tier before"
                       " was over")  # fmt: skip
        await till.post(till.document(waits, "D4", 1, 1_00))
        recorded, *same = await history(till, waits)
        assert (recorded[0] > 0, recorded[1], same) == (True, due[1], before)
        assert [line for _, line in before] == [
            "tier gold after silver until 2026-12-31: by what is counted",
            "tier silver until 2027-05-31: given by staff at a, reason: status match",
        ]
        assert await faults(till) == []
        till.clock.set(at(GIVEN_UNTIL))
        for member in (waits, returns):
            assert await held(till, member) == ("basic", TIER_BASIS_EARNED, "basic")
            await till.post(till.document(member, f"late {member}", 1, 1_00))
        assert await faults(till) == []


async def test_a_refund_takes_the_tier_that_it_gave_beneath_a_grant(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(POLICY)
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 300_00))
        await granted(till, grant(till, member, "gold", until="2025-09-01T00:00"))
        assert await held(till, member) == ("gold", TIER_BASIS_GRANTED, "silver")
        await till.post(till.document(member, "D2", 1, 50_00))
        nothing = await till.post(till.document(member, "D2", 2))
        assert await changes(till, member, nothing.entry_id) == []
        returned = await till.post(till.document(member, "D1", 2, 299_00))
        assert await held(till, member) == ("gold", TIER_BASIS_GRANTED, "basic")
        [change] = await changes(till, member, returned.entry_id)
        assert (change.from_tier, change.to_tier, change.cause) == (
            "gold", "gold", TIER_CAUSE_REFUNDED,
        )  # fmt: skip
        assert change.beneath.tier == "basic"
        assert await faults(till) == []
        till.clock.set(at("2025-09-01T00:00"))
        assert await tier(till, member) == "basic"
        await till.post(till.document(member, "D3", 1, 1_00))
        assert await faults(till) == []
        owner = await connect(database, role=None)
        try:
            await owner.execute("ALTER TABLE event DISABLE TRIGGER event_append_only")
            story = Story(till, owner, member)
            for place in await story.places(KIND_NUMBER["tier_changed"]):
                await story.rewrite(place, keeps_what_is_beneath)
            assert Reason.TIER_MISMATCH in await story.found()
        finally:
            await owner.close()


def keeps_what_is_beneath(fact: Any) -> None:
    if fact.HasField("beneath"):
        fact.beneath.tier = "silver"


async def changes(till: Till, member: MemberRef, entry_id: str) -> list[TierChanged]:
    """What an entry changed about the member's tier."""
    stream = account_stream((await till.ledger.reads.member(member)).member_id)
    events = [decode(event.payload) for event in await till.ledger.reading.stream_events(stream)]
    found = [event for event in events if isinstance(event, TierChanged)]
    return [event for event in found if event.entry_id == entry_id]


async def test_a_policy_that_keeps_tiers_on_refunds_keeps_them_beneath_a_grant(
    database: str,
) -> None:
    async with open_till(database) as till:
        await till.publish(POLICY + "refunds: {tier: keep}\n")
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 300_00))
        await granted(till, grant(till, member, "gold", until="2025-09-01T00:00"))
        await till.post(till.document(member, "D1", 2))
        assert await held(till, member) == ("gold", TIER_BASIS_GRANTED, "silver")
        till.clock.set(at("2025-09-01T00:00"))
        assert await tier(till, member) == "silver"
        assert await faults(till) == []


async def test_a_higher_grant_stands_over_another_and_a_lower_one_replaces_it(
    database: str,
) -> None:
    async with open_till(database) as till:
        await till.publish(POLICY)
        covered, corrected = await till.enrol("1"), await till.enrol("2")
        for member, first, second in [
            (covered, "silver", "gold"),
            (corrected, "gold", "silver"),
        ]:
            await granted(till, grant(till, member, first, until=GIVEN_UNTIL))
            assert await granted(till, grant(till, member, second, until=GOLD_ENDS)) == second
        assert (await held(till, covered))[2] == "silver"
        assert (await held(till, corrected))[2] == "basic"
        till.clock.set(at(GOLD_ENDS))
        assert await held(till, covered) == ("silver", TIER_BASIS_GRANTED, "basic")
        assert await tier(till, corrected) == "basic"
        # Staff end all that they gave.
        await granted(till, grant(till, covered, "gold"))
        assert await granted(till, grant(till, covered, "")) == "basic"
        assert await faults(till) == []


async def test_a_grant_told_late_replaces_nothing_that_was_over_when_it_was_told(
    database: str,
) -> None:
    """It happened while another was as high, but that is over: what was given since stays."""
    async with open_till(database) as till:
        await till.publish(POLICY)
        member = await till.enrol("1")
        await granted(till, grant(till, member, "gold"))
        till.clock.set(at("2025-05-01T00:00"))
        await granted(till, grant(till, member, ""))
        await granted(till, grant(till, member, "silver", until=GIVEN_UNTIL))
        late = grant(till, member, "gold", until="2025-06-01T00:00")
        late.origin.occurred_time.CopyFrom(to_timestamp(at("2025-04-01T00:00")))
        assert await granted(till, late) == "gold"
        till.clock.set(at("2025-06-01T00:00"))
        assert await held(till, member) == ("silver", TIER_BASIS_GRANTED, "basic")
        assert await faults(till) == []


async def test_a_grant_comes_with_who_becomes_part_of_a_member_and_leaves_with_them(
    database: str,
) -> None:
    async with open_till(database) as till:
        await till.publish(POLICY)
        given = await surpassing(till, "1")
        others = [await till.enrol(name) for name in ("2", "3")]
        for number, member in enumerate(others):
            await till.post(till.document(member, f"E{number}", 1, 500_00))
        source = await merge(till, given, others[0])
        between = await merge(till, others[0], others[1])
        assert await held(till, others[1]) == ("gold", TIER_BASIS_EARNED, "silver")
        till.clock.set(at(GOLD_ENDS))
        assert await held(till, others[1]) == ("silver", TIER_BASIS_GRANTED, "basic")
        await unmerge(till, between)
        assert await tier(till, others[1]) == "basic"
        assert await tier(till, others[0]) == "silver"
        await unmerge(till, source)
        assert await tier(till, others[0]) == "basic"
        assert await held(till, given) == ("silver", TIER_BASIS_GRANTED, "basic")
        assert await faults(till) == []
        owner = await connect(database, role=None)
        try:
            await owner.execute("ALTER TABLE event DISABLE TRIGGER event_append_only")
            story = Story(till, owner, given)
            for place in await story.places(MERGE_STEPPED):
                await story.rewrite(place, lasts_longer)
            assert Reason.MERGE_MISMATCH in await story.found()
        finally:
            await owner.close()


def lasts_longer(fact: object) -> None:
    for given in getattr(fact, "source_grants", ()):
        given.until_time.seconds += 1
