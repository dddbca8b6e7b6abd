"""Referrals: who brought whom, and a reward that follows the purchase it was given for."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from ledger.core.events import decode
from ledger.core.refusals import (
    NoReferrals,
    Refusal,
)
from ledger.replay import replay
from ledger.writes import WriteRequest
from loyalty.v1.account_service_pb2 import ListEntriesRequest
from loyalty.v1.ledger_service_pb2 import OUTCOME_REPLAYED, Activity, Posting, RecordActivityRequest
from loyalty.v1.types_pb2 import (
    DOCUMENT_STATUS_FINAL,
    ERASED_BALANCE_KEPT,
    Identity,
    MemberRef,
    Origin,
)
from server.database import connect
from tests.store.erasing import erase
from tests.store.referring import (
    REFERRALS,
    Friends,
    close,
    friends,
    pending,
    referring,
    refused,
    sound,
)
from tests.store.stories import move
from tests.store.till import POLICY, Till, at, open_till

SPENT = "refunds: {{when_spent: {}}}\n"


@pytest.fixture
async def till(database: str) -> AsyncIterator[Till]:
    async with open_till(database) as till:
        yield till
        await sound(till)


@pytest.fixture
async def owner(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(database, role=None)
    yield connection
    await connection.close()


async def statement(till: Till, member: MemberRef) -> list[tuple[str, int, str]]:
    """(what moved, points, document) of a member, oldest first."""
    page = await till.ledger.reads.entries(ListEntriesRequest(member=member))
    lines = [(each.movement.kind, each.movement.points, each.document) for each in page.entries]
    return lines[::-1]


async def why_not(owner: asyncpg.Connection) -> list[str]:
    """Reasons for which causes were not rewarded, sorted: facts of two lanes have no order."""
    rows = await owner.fetch("SELECT payload FROM event WHERE kind = 8")
    facts: list[Any] = [decode(row["payload"]) for row in rows]
    return sorted(fact.not_rewarded for fact in facts)


# --- what it is given for -----------------------------------------------------------------------


async def test_the_first_purchase_that_counts_is_rewarded_once(till: Till) -> None:
    story = await friends(till)
    assert await story.cause() == ("", False)
    assert await story.buys("D1", 29_99) == 0
    assert await story.buys("D2", 30_00) == 200
    assert await story.buys("D3", 500_00) == 200
    assert await story.cause() == ("D2", True)
    assert await till.available(story.new) == 29 + 30 + 500


async def test_the_reward_is_an_activity_with_versions_of_its_own(
    till: Till, owner: asyncpg.Connection
) -> None:
    story = await friends(till)
    assert await story.buys("D1", 50_00) == 200
    assert await story.buys("D1", 30_00) == 200
    assert await story.buys("D1", 29_99) == 0
    assert await story.cause() == ("D1", False)
    assert await story.buys("D1", 30_00) == 200
    assert await story.buys("D1") == 0
    assert await story.buys("D1") == 0
    key = f"a/referral/{(await story.referral()).referral_id}"
    assert await statement(till, story.old) == [
        ("points_earned", 200, key),
        ("points_clawed_back", 200, key),
        ("points_earned", 200, key),
        ("points_clawed_back", 200, key),
    ]
    assert await why_not(owner) == [""] * 4
    assert (await replay(owner)).accounts == 2


async def test_once_it_is_returned_the_next_purchase_counts(till: Till) -> None:
    story = await friends(till)
    await story.buys("D1", 50_00)
    assert await story.buys("D2", 50_00) == 200
    assert await story.buys("D1", 1_00) == 0
    assert await story.buys("D3", 31_00) == 200
    assert await story.cause() == ("D3", True)
    assert await story.buys("D1", 60_00) == 200
    assert await story.cause() == ("D3", True)
    assert await story.buys("D3") == 0
    assert await story.buys("D1", 61_00) == 200, "it stands, and counts once it is told again"


async def test_what_is_not_final_counts_once_it_is(till: Till) -> None:
    story = await friends(till)
    await till.post(pending(story.purchase("D1", 90_00)))
    assert await story.has() == 0
    assert await story.buys("D2", 40_00) == 200
    assert await story.buys("D1", 90_00) == 200
    assert await story.cause() == ("D2", True)


async def test_what_became_final_late_is_rewarded_however_late_that_is(till: Till) -> None:
    story = await friends(till, REFERRALS + "documents: {lateness_days: 10}\n")
    await till.post(pending(story.purchase("D1", 90_00, occurred="2025-03-01T12:00")))
    till.clock.set(at("2025-05-01T12:00"))
    assert await story.buys("D1", 90_00, occurred="2025-03-01T12:00") == 200


async def test_activities_and_spending_are_no_purchases(till: Till) -> None:
    story = await friends(till)
    await till.post(
        RecordActivityRequest(
            request_id=till.rid(),
            origin=Origin(business_unit="a"),
            member=story.new,
            activity=Activity(
                kind="referral",
                source="web",
                activity_id="1",
                version=1,
                status=DOCUMENT_STATUS_FINAL,
            ),
        )
    )
    await till.post(till.burn(story.new, 200))
    assert await story.has() == 0


async def test_what_was_bought_before_it_was_told_counts_only_when_told_again(till: Till) -> None:
    await till.publish(REFERRALS)
    story = Friends(till, await till.enrol("old"), await till.enrol("new"))
    await story.buys("D1", 50_00)
    await till.write(referring(till, story.new, story.old))
    assert await story.has() == 0
    assert await story.buys("D1", 51_00) == 200


async def test_a_replay_and_a_check_reward_nobody(till: Till) -> None:
    story = await friends(till)
    request = story.purchase("D1", 50_00)
    request.validate_only = True
    await till.post(request)
    assert (await story.has(), await story.cause()) == (0, ("", False))
    request.validate_only = False
    await till.post(request)
    assert (await till.post(request)).outcome == OUTCOME_REPLAYED
    assert await story.has() == 200


async def test_acts_that_go_together_reward_together_or_not_at_all(till: Till) -> None:
    story = await friends(till)
    both: list[WriteRequest] = [story.purchase("D1", 50_00), till.burn(story.new, 10_000)]
    answers = await till.ledger.write_batch(both, client="till", atomic=True)
    assert all(isinstance(answer, Refusal) for answer in answers)
    assert (await story.has(), await story.cause()) == (0, ("", False))


async def test_purchases_of_one_batch_are_looked_at_one_after_the_other(till: Till) -> None:
    story = await friends(till)
    requests = [
        story.purchase("D1", 50_00),
        story.purchase("D2", 50_00),
        story.purchase("D1"),
        story.purchase("D3", 50_00),
    ]
    answers = await till.ledger.write_batch(requests, client="till")
    assert all(not isinstance(answer, Refusal) for answer in answers)
    assert await story.has() == 200
    assert await story.cause() == ("D3", True)
    assert len(await statement(till, story.old)) == 3


# --- what the policy says -----------------------------------------------------------------------


async def test_caps_limit_what_one_member_gets_for_bringing_others(till: Till) -> None:
    story = await friends(till)
    assert await story.buys("D1", 50_00) == 200
    for number, has in ((2, 300), (3, 300)):
        member = await till.enrol(f"new-{number}")
        await till.write(referring(till, member, story.old))
        assert await Friends(till, story.old, member).buys(f"N{number}", 50_00) == has


async def test_another_unit_may_give_the_reward_and_purchases_anywhere_count(till: Till) -> None:
    story = await friends(till, REFERRALS.replace("{within_days", "{business_unit: b, within_days"))
    assert await story.buys("D1", 50_00) == 200
    [(_, _, key)] = await statement(till, story.old)
    assert key.startswith("b/referral/")


async def test_terms_hold_that_were_in_force_when_it_was_told(database: str) -> None:
    async with open_till(database, approval_required=False) as till:
        await terms_hold(till)
        await sound(till)


async def terms_hold(till: Till) -> None:
    story = await friends(till)
    changed = REFERRALS.replace('["30.00 EUR"]', '["60.00 EUR"]').replace(
        "points: 200", "points: 7"
    )
    till.clock.set(at("2025-03-02T12:00"))
    await till.publish(
        changed.replace("version: 1", "version: 2").replace("2020-01-01", "2025-03-03")
    )
    till.clock.set(at("2025-03-04T12:00"))
    assert await story.buys("D1", 30_00) == 7, "the rules are those of its own time"
    without = POLICY.replace("version: 1", "version: 3").replace("2020-01-01", "2025-03-05")
    await till.publish(without)
    till.clock.set(at("2025-03-06T12:00"))
    assert await story.buys("D1") == 0
    assert isinstance(await refused(till, referring(till, story.old, story.new)), NoReferrals)


async def test_a_purchase_after_the_days_that_the_policy_gives_counts_no_more(till: Till) -> None:
    story = await friends(till, REFERRALS.replace("{within_days", "{purchase_days: 2, within_days"))
    till.clock.set(at("2025-03-03T12:01"))
    assert await story.buys("D1", 50_00) == 0
    assert await story.buys("D2", 50_00, occurred="2025-03-03T12:00") == 200


# --- what happens to who is rewarded ------------------------------------------------------------


async def test_spent_rewards_become_arrears_when_the_purchase_is_returned(till: Till) -> None:
    story = await friends(till)
    await story.buys("D1", 50_00)
    await till.post(till.burn(story.old, 150))
    assert await story.buys("D1") == 0
    account, _ = await till.ledger.reads.account(story.old)
    assert [debt.points for debt in account.debts] == [150]


async def test_a_return_is_never_refused_for_what_another_member_has_spent(
    till: Till, owner: asyncpg.Connection
) -> None:
    story = await friends(till, REFERRALS + SPENT.format("refuse"))
    await story.buys("D1", 50_00)
    await till.post(till.burn(story.old, 150))
    await story.buys("D2", 40_00)
    assert await story.buys("D1") == 0
    account, _ = await till.ledger.reads.account(story.old)
    assert not account.debts
    [row] = await owner.fetch("SELECT payload FROM event WHERE kind = 35")
    written_off: Any = decode(row["payload"])
    assert written_off.points == 150


async def test_who_has_left_gets_nothing_and_the_purchase_stands(
    till: Till, owner: asyncpg.Connection
) -> None:
    story = await friends(till)
    await close(till, story.old)
    assert await story.buys("D1", 50_00) == 0
    assert await story.buys("D1") == 0
    assert await till.available(story.new) == 0
    assert await why_not(owner) == ["", "ACCOUNT_CLOSED"]


async def test_a_reward_is_taken_back_from_who_has_left(till: Till) -> None:
    story = await friends(till)
    await story.buys("D1", 50_00)
    await close(till, story.old)
    assert await story.buys("D1") == 0
    assert await story.cause() == ("D1", False)


async def test_an_erased_member_gets_nothing_and_what_they_bought_still_counts(
    till: Till, owner: asyncpg.Connection
) -> None:
    story = await friends(till)
    newer = await till.enrol("newer")
    await till.write(referring(till, newer, story.new))
    await story.buys("D1", 50_00)
    await erase(till, story.new, ERASED_BALANCE_KEPT)
    others = Friends(till, story.new, newer)
    await till.post(others.purchase("N1", 50_00))
    assert await why_not(owner) == ["", "ACCOUNT_ERASED"]
    correction = story.purchase("D1")
    correction.ClearField("member")
    await till.post(correction)
    assert await story.has() == 0


async def test_a_purchase_that_was_another_members_counts_for_whom_it_goes_to(till: Till) -> None:
    story = await friends(till)
    assert await story.buys("D1", 50_00) == 200
    other = await till.enrol("other")
    await till.post(move(till, other, "D1"))
    assert (await story.has(), await story.cause()) == (0, ("D1", False))
    await till.post(move(till, story.new, "D1"))
    assert (await story.has(), await story.cause()) == (200, ("D1", True))


async def test_a_purchase_may_go_from_one_who_was_brought_to_another(till: Till) -> None:
    story = await friends(till)
    also = await till.enrol("also")
    await till.write(referring(till, also, await till.enrol("elder")))
    await story.buys("D1", 50_00)
    await till.post(move(till, also, "D1"))
    assert await story.has() == 0
    assert await till.available(MemberRef(identity=Identity(scheme="card", value="elder"))) == 200


async def test_a_purchase_by_who_brought_a_member_may_be_a_cause_itself(till: Till) -> None:
    """NEW brings NEWER, and both purchases reward the member before."""
    story = await friends(till)
    newer = await till.enrol("newer")
    await till.write(referring(till, newer, story.new))
    chain = Friends(till, story.new, newer)
    assert await chain.buys("N1", 50_00) == 200
    assert await story.has() == 0, "a reward is no purchase"
    assert await story.buys("D1", 50_00) == 200
    posting = await till.post(chain.purchase("N1"))
    assert isinstance(posting, Posting)
    assert await till.available(story.new) == 50
