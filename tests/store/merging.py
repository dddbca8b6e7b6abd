"""Merges for tests of the store: begun, brought on step by step, undone."""

from typing import Any

from ledger.core.state import Account
from loyalty.v1.audit_service_pb2 import VerifyHistoryResponse
from loyalty.v1.member_service_pb2 import (
    ContinueMergeRequest,
    Member,
    MergeMembersRequest,
    UnmergeMembersRequest,
)
from loyalty.v1.types_pb2 import MemberRef, Origin
from tests.store.till import Till

ORIGIN = Origin(business_unit="a", operator="anna")


def merging(till: Till, source: MemberRef, into: MemberRef) -> MergeMembersRequest:
    return MergeMembersRequest(
        request_id=till.rid(), origin=ORIGIN, member=source, into=into, reason="one person"
    )


def unmerging(till: Till, source: MemberRef) -> UnmergeMembersRequest:
    return UnmergeMembersRequest(
        request_id=till.rid(), origin=ORIGIN, member=source, reason="two persons"
    )


def step(till: Till, source: str, number: int) -> ContinueMergeRequest:
    return ContinueMergeRequest(
        request_id=till.rid(), origin=ORIGIN, member=MemberRef(member_id=source), step=number
    )


async def told(till: Till, request: Any) -> Member:
    message = (await till.write(request)).message
    assert isinstance(message, Member)
    return message


async def finish(till: Till, source: str) -> int:
    """Take steps until all is done; how many."""
    number = 0
    while True:
        number += 1
        member = await told(till, step(till, source, number))
        if not member.merge_step:
            return number


async def merge(till: Till, source: MemberRef, into: MemberRef) -> str:
    """Merge to the end; the id of the source."""
    member = await told(till, merging(till, source, into))
    await finish(till, member.member_id)
    return member.member_id


async def unmerge(till: Till, source: str) -> None:
    """Undo a merge to the end."""
    await told(till, unmerging(till, MemberRef(member_id=source)))
    await finish(till, source)


async def verified(till: Till) -> VerifyHistoryResponse:
    """The last word of a check of the whole history."""
    words = [word async for word in till.ledger.verify(skip_awards=False)]
    return words[-1]


async def account(till: Till, ref: MemberRef) -> Account:
    """What is shown of a member's account."""
    found, _ = await till.ledger.reads.account(ref)
    return found


async def points(till: Till, ref: MemberRef) -> tuple[int, int, int]:
    """(available, held, arrears) of p."""
    balance = (await account(till, ref)).balance("p")
    return balance.available, balance.held, balance.arrears
