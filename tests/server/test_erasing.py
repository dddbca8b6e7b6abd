"""Erasing over real gRPC: who may, what is asked of whom, and the certificate later."""

import grpc
import pytest

from loyalty.v1.member_service_pb2 import (
    EraseMemberRequest,
    GetErasureRequest,
    GetMemberRequest,
)
from loyalty.v1.types_pb2 import (
    ERASED_BALANCE_KEPT,
    ERASURE_REQUESTER_AUTHORITY,
    Origin,
)
from tests.server import requests
from tests.server.served import Caller, Served, refused, violations_of

Code = grpc.StatusCode


def erasing(request_id: str = "x-1") -> EraseMemberRequest:
    return EraseMemberRequest(
        request_id=request_id,
        origin=Origin(business_unit="market", operator="Ann"),
        member=requests.member(),
        balance=ERASED_BALANCE_KEPT,
        requested_by=ERASURE_REQUESTER_AUTHORITY,
        reference="court/2026-7",
    )


async def test_a_member_is_erased_and_the_certificate_read_later(caller: Caller) -> None:
    given = await caller.members.EraseMember(erasing())
    again = await caller.members.EraseMember(erasing())
    assert (given.replayed, again.replayed) == (False, True)
    assert again.certificate == given.certificate
    member_id = given.certificate.member_id
    read = await caller.members.GetErasure(GetErasureRequest(member_id=member_id))
    assert read.complete
    assert read.certificate.digest == given.certificate.digest
    assert "Ann" not in str(read)
    await refused(
        caller.members.GetMember(GetMemberRequest(member=requests.member())),
        Code.NOT_FOUND,
        "UNKNOWN_MEMBER",
    )
    await refused(
        caller.members.GetErasure(GetErasureRequest(member_id="0198")), Code.NOT_FOUND, "NOT_ERASED"
    )


async def test_an_erasure_that_is_only_checked_erases_nothing(caller: Caller) -> None:
    request = erasing()
    request.validate_only = True
    await caller.members.EraseMember(request)
    await caller.members.GetMember(GetMemberRequest(member=requests.member()))


async def test_erasing_needs_a_verb_of_its_own(caller: Caller, served: Served) -> None:
    token = await served.token("desk", verbs=("enrol", "read", "profile", "close"))
    async with served.caller(token) as desk:
        await refused(desk.members.EraseMember(erasing()), Code.PERMISSION_DENIED, "PERMISSION")


WRONG: dict[str, dict[str, str | int]] = {
    "balance": {"balance": 0},
    "requested_by": {"requested_by": 9},
    "reference": {"reference": "the case of Ann"},
}


@pytest.mark.parametrize("field", WRONG)
async def test_what_is_missing_or_no_code_is_named(caller: Caller, field: str) -> None:
    request = erasing()
    for name, value in WRONG[field].items():
        setattr(request, name, value)
    status = await refused(caller.members.EraseMember(request), Code.INVALID_ARGUMENT, "MALFORMED")
    assert field in violations_of(status)
