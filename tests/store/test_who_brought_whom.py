"""Who can be said to have brought whom, and when."""

from collections.abc import AsyncIterator

import pytest

from ledger.core.refusals import (
    AlreadyReferred,
    ReferralTooLate,
    SelfReferral,
    UnknownMember,
)
from loyalty.v1.member_service_pb2 import Member
from loyalty.v1.types_pb2 import Identity, MemberRef
from tests.store.referring import REFERRALS, close, friends, referring, refused, sound
from tests.store.till import Till, at, open_till


@pytest.fixture
async def till(database: str) -> AsyncIterator[Till]:
    async with open_till(database) as till:
        yield till
        await sound(till)


async def test_nobody_is_brought_by_themselves(till: Till) -> None:
    await till.publish(REFERRALS)
    old, new = await till.enrol("old"), await till.enrol("new")
    [known] = [(await till.ledger.reads.member(new)).member_id]
    same = await refused(till, referring(till, new, MemberRef(member_id=known)))
    assert isinstance(same, SelfReferral)
    assert "themselves" in same.why
    await till.household(old, "h1")
    await till.household(new, "h1")
    household = await refused(till, referring(till, new, old))
    assert isinstance(household, SelfReferral)
    assert "household" in household.why
    await till.household(new, "h2")
    await till.write(referring(till, new, old))
    each_other = await refused(till, referring(till, old, new))
    assert isinstance(each_other, SelfReferral)
    assert "brought themselves" in each_other.why


async def test_a_member_is_brought_once(till: Till) -> None:
    story = await friends(till)
    other = await till.enrol("other")
    again = await refused(till, referring(till, story.new, other))
    assert isinstance(again, AlreadyReferred)
    assert again.referral_id == (await story.referral()).referral_id
    assert isinstance(await refused(till, referring(till, story.new, story.old)), AlreadyReferred)


async def test_it_is_told_within_days_of_the_enrolment(till: Till) -> None:
    await till.publish(REFERRALS)
    old, new = await till.enrol("old"), await till.enrol("new")
    till.clock.set(at("2025-03-15T12:01"))
    late = await refused(till, referring(till, new, old))
    assert isinstance(late, ReferralTooLate)
    assert late.limit == "2025-03-15T12:00:00+00:00"
    await till.write(referring(till, await till.enrol("newer"), old))


async def test_both_have_to_be_members(till: Till) -> None:
    await till.publish(REFERRALS)
    nobody = MemberRef(identity=Identity(scheme="card", value="nobody"))
    new = await till.enrol("new")
    for request in (referring(till, new, nobody), referring(till, nobody, new)):
        assert isinstance(await refused(till, request), UnknownMember)
    gone = await till.enrol("gone")
    await close(till, gone)
    assert (await refused(till, referring(till, new, gone))).reason == "ACCOUNT_CLOSED"


async def test_a_request_is_answered_again(till: Till) -> None:
    await till.publish(REFERRALS)
    old, new = await till.enrol("old"), await till.enrol("new")
    first = await till.write(referring(till, new, old, rid="f-1"))
    again = await till.write(referring(till, new, old, rid="f-1"))
    assert isinstance(first.message, Member)
    assert (again.replayed, again.message) == (True, first.message)
    other = referring(till, new, await till.enrol("other"), rid="f-1")
    assert (await refused(till, other)).reason == "REQUEST_CONFLICT"
