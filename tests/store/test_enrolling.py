"""Enrolling: two channels at one moment, members who exist already, forms that mean the same."""

import asyncio
from typing import Any

import pytest

from ledger.act import Answer
from ledger.core.refusals import IdentitiesDiffer, IdentityTaken, Refusal, UnknownMember
from loyalty.v1.member_service_pb2 import EnrolMemberRequest, Member
from loyalty.v1.types_pb2 import Identity, MemberRef, Origin
from tests.store.till import Till, open_till

PHONES = [f"+44 20 7946 {number:04}" for number in range(12)]


def enrolment(
    till: Till, *identities: tuple[str, str], or_existing: bool = False
) -> EnrolMemberRequest:
    return EnrolMemberRequest(
        request_id=till.rid(),
        origin=Origin(business_unit="a", channel=till.client),
        identities=[Identity(scheme=scheme, value=value) for scheme, value in identities],
        or_existing=or_existing,
    )


def by(scheme: str, value: str) -> MemberRef:
    return MemberRef(identity=Identity(scheme=scheme, value=value))


async def told(till: Till, request: EnrolMemberRequest) -> Any:
    """The member, or the refusal."""
    try:
        answer: Answer = await till.write(request)
    except Refusal as refusal:
        return refusal
    return answer.message


async def race(database: str, *, or_existing: bool) -> list[tuple[Any, Any]]:
    """Two processes enrol the same phones at the same moment; what each was told of each."""
    async with open_till(database) as web, open_till(database) as desk:
        web.client, desk.client = "web", "desk"
        await web.publish()
        await desk.ledger.policies.refresh(desk.ledger.reading)
        asked = [
            (
                told(web, enrolment(web, ("phone", phone), or_existing=or_existing)),
                told(desk, enrolment(desk, ("phone", phone), or_existing=or_existing)),
            )
            for phone in PHONES
        ]
        both = await asyncio.gather(*(call for pair in asked for call in pair))
        for phone, first, second in zip(PHONES, both[::2], both[1::2], strict=True):
            there = await web.ledger.reads.member(by("phone", phone))
            assert there == await desk.ledger.reads.member(by("phone", phone))
            assert {each.member_id for each in (first, second) if isinstance(each, Member)} == {
                there.member_id
            }
        words = [word async for word in web.ledger.verify(skip_awards=False)]
        assert not words[-1].divergences
    return list(zip(both[::2], both[1::2], strict=True))


async def test_of_two_channels_one_enrols_and_the_other_is_told_so(database: str) -> None:
    for pair in await race(database, or_existing=False):
        refusals = [each for each in pair if isinstance(each, Refusal)]
        assert [type(each) for each in refusals] == [IdentityTaken]


async def test_of_two_channels_that_take_who_is_there_both_get_one_member(database: str) -> None:
    for pair in await race(database, or_existing=True):
        assert sorted(each.existed for each in pair) == [False, True]


async def test_who_is_there_is_answered_and_gets_no_new_identity(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        first = await told(till, enrolment(till, ("card", "1")))
        request = enrolment(till, ("card", "1"), ("card", "2"), or_existing=True)
        found = await told(till, request)
        assert (found.member_id, found.existed) == (first.member_id, True)
        assert found == await told(till, request)
        with pytest.raises(UnknownMember):
            await till.ledger.reads.member(by("card", "2"))


async def test_identities_of_two_members_are_refused_whatever_is_asked(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        for card in "12":
            await told(till, enrolment(till, ("card", card)))
        request = enrolment(till, ("card", "1"), ("card", "2"), or_existing=True)
        assert isinstance(await told(till, request), IdentitiesDiffer)


SAME = {
    "phone": ("+442079460958", "+44 20 7946-0958", "+44 (20) 7946.0958", "\uff0b44 2079460958"),
    "email": ("ann@example.com", "Ann@Example.COM", " ann@example.com"),
}


@pytest.mark.parametrize("scheme", SAME)
async def test_forms_that_mean_the_same_are_one_identity(database: str, scheme: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        first, *others = SAME[scheme]
        member = await told(till, enrolment(till, (scheme, first)))
        for other in others:
            assert (await till.ledger.reads.member(by(scheme, other))).member_id == member.member_id
            assert isinstance(await told(till, enrolment(till, (scheme, other))), IdentityTaken)


async def test_other_schemes_count_to_the_letter(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        for value in ("Ann", "ann", "a nn"):
            assert not (await told(till, enrolment(till, ("wechat-openid", value)))).existed
