"""Burns without connection that are recorded late: what was live when they happened is spent."""

from collections.abc import Callable
from typing import Any

import pytest

from ledger.core.refusals import InsufficientPoints
from ledger.verifying.findings import Reason
from loyalty.v1.types_pb2 import MemberRef
from server.database import connect
from tests.store.tampering import Story
from tests.store.till import POLICY, Till, at, moved, open_till

MONTH = (
    POLICY.replace("{id: p, role: spendable}", "{id: p, role: spendable, expiry: month}")
    + "expiries: [{id: month, kind: fixed, days: 30}]\n"
)
LATE = MONTH.replace("step: 1}", "step: 1, lateness_days: 7}")
REINSTATED = 44


async def with_an_expired_lot(till: Till, policy: str = LATE) -> MemberRef:
    """100 points of 1 March, expired on 1 April; 40 of 20 March, live. It is 3 April."""
    await till.publish(policy)
    member = await till.enrol("1")
    await till.post(till.document(member, "D1", 1, 100_00))
    till.clock.set(at("2025-03-20T12:00"))
    await till.post(till.document(member, "D2", 1, 40_00))
    till.clock.set(at("2025-04-03T12:00"))
    return member


async def verified(till: Till) -> list[str]:
    """What a verification finds."""
    words = [word async for word in till.ledger.verify(skip_awards=False)]
    return [divergence.detail for divergence in words[-1].divergences]


async def test_a_late_burn_spends_what_was_live_when_it_happened(database: str) -> None:
    async with open_till(database) as till:
        member = await with_an_expired_lot(till)
        burn = await till.post(till.burn(member, 120, occurred="2025-03-30T18:00"))
        assert moved(burn) == [
            ("points_expired", 100),
            ("lot_reinstated", 100),
            ("points_burned", 120),
        ]
        drawn = [(draw.points, draw.issuer) for draw in burn.movements[-1].draws]
        assert drawn == [(100, "a"), (20, "a")]
        assert await till.available(member) == 20
        assert await verified(till) == []


async def test_exactly_the_draw_comes_back(database: str) -> None:
    async with open_till(database) as till:
        member = await with_an_expired_lot(till)
        await till.post(till.advance(member))
        first = await till.post(till.burn(member, 60, occurred="2025-03-30T18:00"))
        assert moved(first) == [("lot_reinstated", 60), ("points_burned", 60)]
        second = await till.post(till.burn(member, 60, occurred="2025-03-31T18:00"))
        # Of the lot that expired 40 are left; the rest comes from the one that is live.
        assert moved(second) == [("lot_reinstated", 40), ("points_burned", 60)]
        assert await till.available(member) == 20
        assert await verified(till) == []


async def test_two_late_burns_of_one_batch_share_what_expired(database: str) -> None:
    async with open_till(database) as till:
        member = await with_an_expired_lot(till)
        burns = [till.burn(member, 60, occurred="2025-03-30T18:00") for _ in range(2)]
        answers = await till.ledger.write_batch(burns, client="till", atomic=True)
        assert len(answers) == 2
        assert await till.available(member) == 20
        assert await verified(till) == []


@pytest.mark.parametrize(
    ("policy", "occurred", "why"),
    [
        (MONTH, "2025-03-30T18:00", "the policy lets nothing come late"),
        (LATE, "2025-03-26T18:00", "it comes more than seven days late"),
        (LATE, "2025-04-02T18:00", "the lot had expired when it happened"),
        (LATE, "", "it happens now"),
    ],
)
async def test_nothing_comes_back_when(database: str, policy: str, occurred: str, why: str) -> None:
    async with open_till(database) as till:
        member = await with_an_expired_lot(till, policy)
        with pytest.raises(InsufficientPoints) as refused:
            await till.post(till.burn(member, 60, occurred=occurred))
        assert refused.value.fields["available"] == 40, why


async def test_a_late_burn_of_too_much_is_refused_with_all_that_was_there(database: str) -> None:
    async with open_till(database) as till:
        member = await with_an_expired_lot(till)
        with pytest.raises(InsufficientPoints) as refused:
            await till.post(till.burn(member, 150, occurred="2025-03-30T18:00"))
        assert refused.value.fields == {"available": 140, "requested": 150, "currency": "p"}
        assert await till.available(member) == 40


async def test_a_late_burn_that_is_reversed_comes_back_expired(database: str) -> None:
    async with open_till(database) as till:
        member = await with_an_expired_lot(till)
        burn = await till.post(till.burn(member, 60, occurred="2025-03-30T18:00"))
        back = await till.post(till.reverse(burn.entry_id))
        assert moved(back) == [("burn_reversed", 60), ("points_expired", 60)]
        assert await till.available(member) == 40
        assert await verified(till) == []


def more(fact: Any) -> None:
    fact.points += 1
    fact.available_after += 1


def of_another_burn(fact: Any) -> None:
    fact.entry_id = "another"


@pytest.mark.parametrize("change", [more, of_another_burn])
async def test_a_changed_reinstatement_is_found(
    database: str, change: Callable[[Any], None]
) -> None:
    async with open_till(database) as till:
        member = await with_an_expired_lot(till)
        await till.post(till.burn(member, 100, occurred="2025-03-30T18:00"))
        owner = await connect(database, role=None)
        try:
            story = Story(till, owner, member)
            await owner.execute("ALTER TABLE event DISABLE TRIGGER event_append_only")
            await story.rewrite((await story.places(REINSTATED))[0], change)
            assert set(await story.found()) & {Reason.LOT_BELOW_ZERO, Reason.BALANCE_MISMATCH}
        finally:
            await owner.close()
