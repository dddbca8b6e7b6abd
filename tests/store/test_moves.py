"""Documents that move to another member: all is taken back there, and given anew here."""

import pytest

from ledger.core.refusals import (
    AlreadyTheirs,
    ClawbackRefused,
    DocumentConflict,
    DocumentOfAnotherMember,
    UnknownDocument,
)
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_POSTED,
    OUTCOME_REPLAYED,
    OUTCOME_SUPERSEDED,
    Posting,
)
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_PENDING, MemberRef
from tests.store.stories import TIERED, gild, move, moving, verified
from tests.store.till import POLICY, Till, moved, open_till


def left(posting: Posting) -> list[tuple[str, int]]:
    """What moved in the account that a document left, short."""
    return [(movement.kind, movement.points) for movement in posting.departure.movements]


async def two_members(till: Till, policy: str = TIERED) -> tuple[MemberRef, MemberRef]:
    """A basic member, and a gold one where there are tiers."""
    await till.publish(policy)
    first, second = await till.enrol("1"), await till.enrol("2")
    if policy is TIERED:
        await gild(till, second)
    return first, second


async def test_s10_a_version_moves_a_document_to_another_member(database: str) -> None:
    async with open_till(database) as till:
        first, second = await two_members(till)
        await till.post(till.document(first, "D1", 1, 100_00))
        await till.post(till.burn(first, 70))
        v2 = await till.post(moving(till.document(second, "D1", 2, 80_00)))
        assert left(v2) == [("points_clawed_back", 30), ("arrears_incurred", 70)]
        assert moved(v2) == [("points_earned", 160)]
        account, _ = await till.ledger.reads.account(first)
        assert account.balance("p").available == 0
        [debt] = account.debts
        assert (debt.points, debt.business_unit) == (70, "a")
        v3 = await till.post(till.document(second, "D1", 3, 50_00))
        assert moved(v3) == [("points_clawed_back", 60)]
        assert await till.available(second) == 100
        assert await verified(till) == {}


async def test_another_member_without_the_flag_is_refused(database: str) -> None:
    async with open_till(database) as till:
        first, second = await two_members(till)
        await till.post(till.document(first, "D1", 1, 100_00))
        with pytest.raises(DocumentOfAnotherMember):
            await till.post(till.document(second, "D1", 2, 80_00))
        assert await till.available(first) == 100


async def test_staff_move_a_document_as_it_stands(database: str) -> None:
    async with open_till(database) as till:
        first, second = await two_members(till)
        await till.post(till.document(first, "D1", 1, 100_00))
        request = move(till, second, "D1")
        posting = await till.post(request)
        assert left(posting) == [("points_clawed_back", 100)]
        assert moved(posting) == [("points_earned", 200)]
        assert (await till.post(request)).outcome == OUTCOME_REPLAYED
        # What comes later follows to the member, whether it names one or not.
        assert moved(await till.post(till.document(None, "D1", 2, 50_00))) == [
            ("points_clawed_back", 100)
        ]
        with pytest.raises(AlreadyTheirs):
            await till.post(move(till, second, "D1"))
        assert await verified(till) == {}


async def test_a_document_moves_there_and_back_again(database: str) -> None:
    async with open_till(database) as till:
        first, second = await two_members(till)
        await till.post(till.document(first, "D1", 1, 100_00))
        await till.post(move(till, second, "D1"))
        await till.post(move(till, first, "D1"))
        await till.post(move(till, second, "D1"))
        await till.post(till.document(second, "D1", 2, 40_00))
        await till.post(move(till, first, "D1"))
        assert await till.available(first) == 40
        assert await till.available(second) == 0
        assert await verified(till) == {}


async def test_versions_that_were_posted_replay_after_a_move(database: str) -> None:
    async with open_till(database) as till:
        first, second = await two_members(till)
        v1, v2 = till.document(first, "D1", 1, 100_00), till.document(second, "D1", 2, 80_00)
        await till.post(v1)
        await till.post(moving(v2))
        for version, member, net in ((1, first, 100_00), (2, second, 80_00), (2, None, 80_00)):
            again = await till.post(till.document(member, "D1", version, net))
            assert again.outcome == OUTCOME_REPLAYED
        with pytest.raises(DocumentConflict) as refused:
            await till.post(till.document(first, "D1", 2, 80_00))
        assert refused.value.fields["field"] == "member.identity.value"
        late = await till.post(moving(till.document(first, "D1", 1, 100_00)))
        assert late.outcome == OUTCOME_REPLAYED


async def test_an_older_version_moves_nothing(database: str) -> None:
    async with open_till(database) as till:
        first, second = await two_members(till)
        await till.post(till.document(first, "D1", 3, 100_00))
        old = await till.post(moving(till.document(second, "D1", 2, 80_00)))
        assert (old.outcome, moved(old)) == (OUTCOME_SUPERSEDED, [])
        assert await till.available(first) == 100


async def test_a_booking_moves_and_is_checked_out(database: str) -> None:
    async with open_till(database) as till:
        first, second = await two_members(till)
        booked = till.document(first, "R1", 1, 100_00)
        booked.document.status = DOCUMENT_STATUS_PENDING
        await till.post(booked)
        posting = await till.post(move(till, second, "R1"))
        assert left(posting) == [("pending_clawed_back", 100)]
        assert moved(posting) == [("points_pended", 200)]
        out = await till.post(till.document(second, "R1", 2, 90_00))
        assert moved(out) == [("pending_clawed_back", 20), ("points_released", 180)]
        assert await verified(till) == {}


async def test_a_move_that_the_policy_refuses_records_nothing(database: str) -> None:
    async with open_till(database) as till:
        policy = POLICY + "refunds: {when_spent: refuse}\n"
        first, second = await two_members(till, policy)
        await till.post(till.document(first, "D1", 1, 100_00))
        await till.post(till.burn(first, 70))
        with pytest.raises(ClawbackRefused):
            await till.post(move(till, second, "D1"))
        assert (await till.available(first), await till.available(second)) == (30, 0)


async def test_another_unit_moves_nothing_and_learns_nothing(database: str) -> None:
    async with open_till(database) as till:
        first, second = await two_members(till)
        await till.post(till.document(first, "D1", 1, 100_00))
        for request in (move(till, second, "D1", unit="b"), move(till, second, "D9")):
            with pytest.raises(UnknownDocument):
                await till.post(request)


CAPPED = POLICY.replace(
    'rate: {points: 1, per: "1.00 EUR"}}',
    'rate: {points: 1, per: "1.00 EUR"}, caps: [{per: member, window: local_day, points: 100}]}',
)
WELCOME = POLICY.replace(
    "redemptions:",
    "  - {kind: bonus, id: welcome, currency: p, points: 200, when: {first_purchase: true}}\n"
    "redemptions:",
)
BUDGET = (
    POLICY.replace(
        "redemptions:",
        "  - {kind: multiplier, id: twice, currency: p, factor: 2, group: g, campaign: k}\n"
        "redemptions:",
    )
    + "groups: [{id: g}]\ncampaigns: [{id: k, budgets: [{currency: p, points: 150}]}]\n"
)


async def test_a_cap_is_given_back_here_and_taken_there(database: str) -> None:
    async with open_till(database) as till:
        first, second = await two_members(till, CAPPED)
        await till.post(till.document(first, "D1", 1, 80_00))
        await till.post(till.document(second, "D2", 1, 50_00))
        assert moved(await till.post(move(till, second, "D1"))) == [("points_earned", 50)]
        assert moved(await till.post(till.document(first, "D3", 1, 100_00))) == [
            ("points_earned", 100)
        ]
        assert await verified(till) == {}


async def test_the_first_purchase_is_free_again(database: str) -> None:
    async with open_till(database) as till:
        first, second = await two_members(till, WELCOME)
        await till.post(till.document(first, "D1", 1, 10_00))
        assert moved(await till.post(move(till, second, "D1"))) == [("points_earned", 210)]
        assert moved(await till.post(till.document(first, "D2", 1, 10_00))) == [
            ("points_earned", 210)
        ]
        assert await verified(till) == {}


async def test_a_budget_that_both_share_is_never_overshot(database: str) -> None:
    async with open_till(database) as till:
        first, second = await two_members(till, BUDGET)
        await till.post(till.document(first, "D1", 1, 100_00))
        await till.post(till.document(second, "D2", 1, 100_00))
        assert (await till.available(first), await till.available(second)) == (200, 150)
        # D1 gives its 100 back and takes them again: nobody else could have had them meanwhile.
        posting = await till.post(move(till, second, "D1"))
        assert posting.outcome == OUTCOME_POSTED
        assert (await till.available(first), await till.available(second)) == (0, 350)
        assert await verified(till) == {}


async def test_a_return_by_line_is_reckoned_from_what_the_new_member_was_given(
    database: str,
) -> None:
    async with open_till(database) as till:
        policy = TIERED + "refunds: {clawback: pro_rata_by_line}\n"
        await till.publish(policy)
        first, second = await till.enrol("1"), await till.enrol("2")
        await gild(till, second)
        await till.post(till.document(first, "D1", 1, 60_00, 40_00))
        await till.post(move(till, second, "D1"))
        back = await till.post(till.document(second, "D1", 2, 60_00))
        assert moved(back) == [("points_clawed_back", 80)]
        assert await verified(till) == {}
