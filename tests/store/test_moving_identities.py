"""Identities that are taken away, or given to another member: who is meant from then on."""

import asyncio
from typing import Any

import pytest

from ledger.core.refusals import (
    AccountClosed,
    IdentityNotLinked,
    IdentityTaken,
    Refusal,
    UnknownMember,
)
from loyalty.v1.member_service_pb2 import (
    CloseMemberRequest,
    LinkIdentityRequest,
    Member,
    MoveIdentityRequest,
    UnlinkIdentityRequest,
)
from loyalty.v1.types_pb2 import Identity, MemberRef, Origin
from tests.store.till import Till, open_till

ORIGIN = Origin(business_unit="a", operator="anna")


def card(value: str) -> Identity:
    return Identity(scheme="card", value=value)


def by(value: str) -> MemberRef:
    return MemberRef(identity=card(value))


def link(till: Till, member: MemberRef, value: str) -> LinkIdentityRequest:
    return LinkIdentityRequest(
        request_id=till.rid(), origin=ORIGIN, member=member, identity=card(value)
    )


def unlink(till: Till, member: MemberRef, value: str) -> UnlinkIdentityRequest:
    return UnlinkIdentityRequest(
        request_id=till.rid(), origin=ORIGIN, member=member, identity=card(value), reason="lost"
    )


def move(till: Till, member: MemberRef, value: str, rid: str = "") -> MoveIdentityRequest:
    return MoveIdentityRequest(
        request_id=rid or till.rid(),
        origin=ORIGIN,
        member=member,
        identity=card(value),
        reason="second-hand",
    )


async def told(till: Till, request: Any) -> Member:
    message = (await till.write(request)).message
    assert isinstance(message, Member)
    return message


async def test_an_identity_is_taken_away_and_linked_anew(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        one, other = await till.enrol("1"), await till.enrol("2")
        await till.write(link(till, one, "3"))
        await till.post(till.document(by("3"), "D1", 1, 40_00))
        without = await told(till, unlink(till, by("3"), "3"))
        assert list(without.identity_schemes) == ["card"]
        with pytest.raises(UnknownMember):
            await till.ledger.reads.account(by("3"))
        with pytest.raises(UnknownMember):
            await till.post(till.burn(by("3"), 5))
        with pytest.raises(IdentityNotLinked):
            await till.write(unlink(till, one, "3"))
        with pytest.raises(IdentityNotLinked):
            await till.write(unlink(till, one, "2"))
        await till.write(link(till, other, "3"))
        assert (await till.available(by("3")), await till.available(one)) == (0, 40)


async def test_a_moved_identity_means_its_new_member_and_old_requests_their_first_answers(
    database: str,
) -> None:
    async with open_till(database) as till:
        await till.publish()
        one, other = await till.enrol("1"), await till.enrol("2")
        await till.write(link(till, one, "3"))
        sale = till.document(by("3"), "D1", 1, 40_00)
        first = await till.post(sale)
        request = move(till, other, "3", rid="m-1")
        moved = await told(till, request)
        assert (await till.write(request)).replayed
        there = await till.ledger.reads.member(by("3"))
        assert there.member_id == moved.member_id != first.member_id
        assert (await till.write(sale)).replayed
        again = await till.post(sale)
        assert (again.entry_id, again.member_id) == (first.entry_id, first.member_id)
        second = await till.post(till.document(by("3"), "D2", 1, 7_00))
        assert second.member_id == there.member_id
        assert (await till.available(one), await till.available(other)) == (40, 7)
        assert (await told(till, move(till, other, "3"))).member_id == there.member_id
        with pytest.raises(IdentityNotLinked):
            await till.write(move(till, other, "4"))


async def test_what_is_checked_only_moves_nothing(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        one, other = await till.enrol("1"), await till.enrol("2")
        request = move(till, other, "1")
        request.validate_only = True
        await till.write(request)
        assert (await till.ledger.reads.member(by("1"))).member_id != (
            await till.ledger.reads.member(other)
        ).member_id
        await till.post(till.document(one, "D1", 1, 40_00))
        assert await till.available(other) == 0


async def test_a_closed_account_gives_identities_and_gets_none(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        one, other = await till.enrol("1"), await till.enrol("2")
        await till.write(link(till, one, "3"))
        closing = CloseMemberRequest(
            request_id=till.rid(), origin=ORIGIN, member=one, reason="asked"
        )
        await till.write(closing)
        await till.write(move(till, other, "3"))
        with pytest.raises(AccountClosed):
            await till.write(move(till, one, "3"))
        assert (await till.ledger.reads.member(by("3"))).member_id == (
            await till.ledger.reads.member(other)
        ).member_id


async def test_within_one_batch_an_identity_goes_round(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        one, other = await till.enrol("1"), await till.enrol("2")
        acts: list[Any] = [
            link(till, one, "3"),
            move(till, other, "3"),
            unlink(till, other, "3"),
            link(till, one, "3"),
            move(till, one, "2"),
            unlink(till, one, "2"),
        ]
        results = await till.ledger.write_batch(acts, client="till", atomic=True)
        assert not [result for result in results if isinstance(result, Refusal)]
        assert (await till.ledger.reads.member(by("3"))).member_id == (
            await till.ledger.reads.member(one)
        ).member_id
        with pytest.raises(UnknownMember):
            await till.ledger.reads.member(by("2"))


async def test_another_process_learns_of_it_with_the_next_request(database: str) -> None:
    async with open_till(database) as desk, open_till(database) as till:
        till.client = "other"
        await desk.publish()
        await till.ledger.policies.refresh(till.ledger.reading)
        one, other = await desk.enrol("1"), await desk.enrol("2")
        await desk.write(link(desk, one, "3"))
        # Both processes have seen whose card it is.
        await till.post(till.document(by("3"), "D1", 1, 40_00))
        await desk.write(move(desk, other, "3"))
        await till.post(till.document(by("3"), "D2", 1, 5_00))
        assert (await till.available(one), await till.available(other)) == (40, 5)
        await desk.write(unlink(desk, other, "3"))
        with pytest.raises(UnknownMember):
            await till.post(till.document(by("3"), "D3", 1, 5_00))
        await till.write(link(till, one, "3"))
        with pytest.raises(IdentityTaken):
            await desk.write(link(desk, other, "3"))


async def test_two_desks_that_move_one_card_at_once_leave_it_with_one_member(
    database: str,
) -> None:
    async with open_till(database) as left, open_till(database) as right:
        right.client = "other"
        await left.publish()
        await right.ledger.policies.refresh(right.ledger.reading)
        for number in range(6):
            one, other = await left.enrol(f"{number}-1"), await left.enrol(f"{number}-2")
            await left.enrol(f"{number}-3")
            value = f"{number}-3"
            await asyncio.gather(
                left.write(move(left, one, value)), right.write(move(right, other, value))
            )
            holder = (await left.ledger.reads.member(by(value))).member_id
            schemes = {}
            for member in (one, other):
                account, _ = await left.ledger.reads.account(member)
                schemes[account.account_id] = len(account.identities)
            assert schemes.pop(holder) == 2
            assert list(schemes.values()) == [1]
        words = [word async for word in left.ledger.verify(skip_awards=False)]
        assert not words[-1].divergences
