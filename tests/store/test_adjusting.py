"""Points by hand through the whole write side: S31, two people, and what verification finds."""

from typing import Any

import pytest

from ledger.core.instant import to_timestamp
from ledger.core.refusals import (
    AboveMaximum,
    AdjustmentResolved,
    ApproverIsActor,
    ApproverMissing,
    Malformed,
    Refusal,
    RequestConflict,
    UnknownAdjustment,
    UnknownCurrency,
    UnknownFunder,
    UnknownReason,
)
from ledger.service import Ledger
from ledger.verifying.findings import Reason
from loyalty.v1.events_pb2 import AdjustmentMade
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_PROPOSED,
    OUTCOME_REPLAYED,
    AdjustPointsRequest,
    ApproveAdjustmentRequest,
    RejectAdjustmentRequest,
)
from loyalty.v1.types_pb2 import MemberRef, Origin, Points
from projections.settlement import settlement_matrix
from server.database import connect, pool
from tests.projections.following import follow_to_the_end
from tests.store.tampering import Story
from tests.store.till import POLICY, Till, at, moved, open_till

ADJUSTABLE = (
    POLICY.replace("{id: p, role: spendable}", "{id: p, role: spendable, expiry: year}")
    .replace("expiries:", "")
    .replace(
        "business_units:",
        "expiries: [{kind: fixed, id: year, months: 12}]\nbusiness_units:",
    )
    + """
adjustments:
  points_alone: 1000
  proposal_days: 10
  reasons:
    - {id: goodwill, max_points: 5000}
    - {id: campaign, business_unit: [b], funder: [a], limits: [{business_unit: [b], points: 50}]}
"""
)
CALLED = ADJUSTABLE.replace("points_alone: 1000", "points_alone: 1000\n  second_person: separate")


def adjusting(till: Till, member: MemberRef, points: int, **said: Any) -> AdjustPointsRequest:
    """By u1 for goodwill, unless something else is said."""
    origin = Origin(business_unit=said.pop("unit", "a"), operator=said.pop("by", "u1"))
    return AdjustPointsRequest(
        request_id=said.pop("rid", "") or till.rid(),
        origin=origin,
        member=member,
        points=Points(currency="p", amount=points),
        reason=said.pop("reason", "goodwill"),
        **said,
    )


def approving(till: Till, adjustment_id: str, by: str = "u2") -> ApproveAdjustmentRequest:
    return ApproveAdjustmentRequest(
        request_id=till.rid(),
        origin=Origin(business_unit="a", operator=by),
        adjustment_id=adjustment_id,
    )


def other(till: Till, client: str = "office") -> Till:
    """The same ledger, for another client."""
    return Till(till.ledger, till.clock, client)


async def verified(ledger: Ledger) -> list[str]:
    """Reasons of what a verification finds."""
    words = [word async for word in ledger.verify(skip_awards=False)]
    return [f"{each.reason}: {each.detail}" for each in words[-1].divergences]


async def settled(database: str) -> dict[str, int]:
    """What the units owe each other."""
    service = await pool(database, min_size=1, max_size=2)
    await follow_to_the_end(service)
    async with service.acquire() as connection:
        matrix = (await settlement_matrix(connection)).value
    await service.close()
    return matrix.net("p")


async def test_s31_adjustment_with_approver(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(ADJUSTABLE)
        member = await till.enrol("1")
        assert moved(await till.post(adjusting(till, member, 500))) == [("points_adjusted", 500)]
        await till.post(adjusting(till, member, 1000))
        with pytest.raises(ApproverMissing):
            await till.post(adjusting(till, member, 2000))
        with pytest.raises(ApproverIsActor):
            await till.post(adjusting(till, member, 2000, approver="U1"))
        await till.post(adjusting(till, member, 2000, approver="u2"))
        await till.post(till.burn(member, 3200, "b"))
        assert await till.available(member) == 300
        taken = await till.post(adjusting(till, member, -500))
        assert moved(taken) == [("points_clawed_back", 300), ("arrears_incurred", 200)]
        account, _ = await till.ledger.reads.account(member)
        assert [(debt.business_unit, debt.points) for debt in account.debts] == [("a", 200)]
        assert await settled(database) == {"a": -3200, "b": 3200}
        assert await verified(till.ledger) == []


async def test_given_points_live_as_the_policy_says_or_as_it_is_stated(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(ADJUSTABLE)
        member = await till.enrol("1")
        await till.post(adjusting(till, member, 10))
        stated = to_timestamp(at("2025-05-01T00:00"))
        await till.post(adjusting(till, member, 10, expire_time=stated))
        account, _ = await till.ledger.reads.account(member)
        assert [lot.expires_at for lot in account.lots] == [
            at("2025-05-01T00:00"),
            at("2026-03-02T00:00"),
        ]
        past = adjusting(till, member, 10, expire_time=to_timestamp(at("2025-03-01T12:00")))
        with pytest.raises(Malformed) as malformed:
            await till.post(past)
        assert malformed.value.fields["field"] == "expire_time"
        assert await verified(till.ledger) == []


@pytest.mark.parametrize(
    ("said", "refusal", "fields"),
    [
        ({"reason": "bribe"}, UnknownReason, {"value": "bribe", "known": "goodwill"}),
        ({"reason": "campaign"}, UnknownReason, {"known": "goodwill"}),
        ({"funder": "b"}, UnknownFunder, {"value": "b", "known": "a"}),
        ({"unit": "b", "reason": "campaign", "funder": "b"}, UnknownFunder, {"known": "a"}),
    ],
)
async def test_what_the_policy_does_not_know(
    database: str, said: dict[str, Any], refusal: type[Refusal], fields: dict[str, str]
) -> None:
    async with open_till(database) as till:
        await till.publish(ADJUSTABLE)
        member = await till.enrol("1")
        with pytest.raises(refusal) as refused:
            await till.post(adjusting(till, member, 10, **said))
        assert fields.items() <= refused.value.fields.items()


async def test_limits_of_a_reason_and_of_a_unit(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(ADJUSTABLE)
        member = await till.enrol("1")
        with pytest.raises(AboveMaximum):
            await till.post(adjusting(till, member, 5001, approver="u2"))
        with pytest.raises(ApproverMissing) as missing:
            await till.post(adjusting(till, member, 51, unit="b", reason="campaign"))
        assert missing.value.fields["points_alone"] == 50
        await till.post(adjusting(till, member, 50, unit="b", reason="campaign"))
        account, _ = await till.ledger.reads.account(member)
        assert [(lot.issuer, lot.funder) for lot in account.lots] == [("b", "a")]


async def test_without_a_word_in_the_policy_two_people_have_to_agree(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        with pytest.raises(ApproverMissing):
            await till.post(adjusting(till, member, 1))
        await till.post(adjusting(till, member, 1, approver="u2"))
        await till.post(adjusting(till, member, -1, reason="correction", approver="u2"))
        unknown = adjusting(till, member, 1)
        unknown.points.currency = "q"
        with pytest.raises(UnknownCurrency):
            await till.post(unknown)


async def test_a_proposal_waits_for_another_client_and_person(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(CALLED)
        member = await till.enrol("1")
        with pytest.raises(ApproverMissing):
            await till.post(adjusting(till, member, 2000, approver="u2"))
        request = adjusting(till, member, 2000, propose=True, rid="wish")
        proposed = await till.post(request)
        assert (proposed.outcome, list(proposed.movements)) == (OUTCOME_PROPOSED, [])
        assert (await till.post(request)).entry_id == proposed.entry_id
        office = other(till)
        for who, by in ((till, "u2"), (office, "u1")):
            with pytest.raises(ApproverIsActor):
                await who.post(approving(who, proposed.entry_id, by))
        yes = approving(office, proposed.entry_id)
        assert moved(await office.post(yes)) == [("points_adjusted", 2000)]
        assert (await office.post(yes)).outcome == OUTCOME_REPLAYED
        with pytest.raises(AdjustmentResolved):
            await office.post(approving(office, proposed.entry_id, "u3"))
        with pytest.raises(UnknownAdjustment):
            await office.post(approving(office, "nobody"))
        assert await till.available(member) == 2000
        assert await verified(till.ledger) == []


async def test_a_proposal_ends_by_a_no_or_by_time(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(ADJUSTABLE)
        member = await till.enrol("1")
        office = other(till)
        first = await till.post(adjusting(till, member, 2000, propose=True))
        await office.post(
            RejectAdjustmentRequest(
                request_id=office.rid(),
                origin=Origin(business_unit="a", operator="u2"),
                adjustment_id=first.entry_id,
            )
        )
        second = await till.post(adjusting(till, member, 2000, propose=True))
        till.clock.set(at("2025-03-12T00:00"))
        outcomes = []
        for proposal in (first, second):
            with pytest.raises(AdjustmentResolved) as resolved:
                await office.post(approving(office, proposal.entry_id))
            outcomes.append(resolved.value.fields["first_outcome"])
        assert outcomes == ["REJECTED", "EXPIRED"]
        assert await verified(till.ledger) == []


async def test_no_operator_is_named_in_the_history(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(ADJUSTABLE)
        member = await till.enrol("1")
        await till.post(adjusting(till, member, 2000, by="anna.secret", approver="ben.secret"))
        owner = await connect(database, role=None)
        for column, table in (("payload", "event"), ("command", "request"), ("answer", "request")):
            rows = await owner.fetch(f"SELECT {column} FROM {table}")
            assert not [row for row in rows if row[0] and b"secret" in row[0]]
        await owner.close()


async def test_another_approver_makes_it_another_request(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(ADJUSTABLE)
        member = await till.enrol("1")
        await till.post(adjusting(till, member, 2000, approver="u2", rid="one"))
        with pytest.raises(RequestConflict) as conflict:
            await till.post(adjusting(till, member, 2000, approver="u3", rid="one"))
        assert conflict.value.fields["field"] == "approver"


MADE, GIVEN, PROPOSED = 46, 47, 48


def no_approver(fact: AdjustmentMade) -> None:
    fact.approver = ""


def by_the_actor(fact: AdjustmentMade) -> None:
    fact.approver = fact.actor


def for_another_reason(fact: AdjustmentMade) -> None:
    fact.reason = "bribe"


def more(fact: Any) -> None:
    fact.amount += 1


def another_payer(fact: AdjustmentMade) -> None:
    fact.funder = "b"


def unproposed(fact: AdjustmentMade) -> None:
    fact.proposal_id = "nobody"


def too_late(fact: Any) -> None:
    fact.valid_until_time.seconds = 1


def another_end(fact: Any) -> None:
    fact.expire_time.seconds += 86_400


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (MADE, no_approver),
        (MADE, by_the_actor),
        (MADE, for_another_reason),
        (MADE, more),
        (MADE, another_payer),
        (MADE, unproposed),
        (PROPOSED, more),
        (PROPOSED, too_late),
        (GIVEN, another_end),
    ],
)
async def test_a_tampered_adjustment_is_found(database: str, kind: int, change: Any) -> None:
    async with open_till(database) as till:
        await till.publish(ADJUSTABLE)
        member = await till.enrol("1")
        office = other(till)
        proposal = await till.post(adjusting(till, member, 2000, propose=True))
        await office.post(approving(office, proposal.entry_id))
        await till.post(adjusting(till, member, 1500, approver="u2"))
        await till.post(adjusting(till, member, -100))
        owner = await connect(database, role=None)
        story = Story(till, owner, member)
        assert await story.found() == {}
        await owner.execute("ALTER TABLE event DISABLE TRIGGER event_append_only")
        place = (await story.places(kind))[0 if change is unproposed else -1]
        if kind == MADE:
            # The one that a named person agreed to stands between the proposed one and the taken.
            place = (await story.places(kind))[0 if change is unproposed else 1]
        await story.rewrite(place, change)
        assert Reason.ADJUSTMENT_MISMATCH in await story.found()
        await owner.close()
