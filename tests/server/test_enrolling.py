"""Enrolling over real gRPC: who may be shown the member that is there, and forms that are wrong."""

import grpc
import pytest

from loyalty.v1.member_service_pb2 import EnrolMemberRequest, GetMemberRequest
from loyalty.v1.types_pb2 import Identity, MemberRef, Origin
from tests.server import requests
from tests.server.served import Caller, Served, info_of, refused, violations_of

Code = grpc.StatusCode


async def test_a_till_gets_the_member_that_is_there_if_it_may_read(
    caller: Caller, served: Served
) -> None:
    there = await caller.members.GetMember(GetMemberRequest(member=requests.member()))
    request = requests.enrolment("e-9")
    request.or_existing = True
    answer = await caller.members.EnrolMember(request)
    assert (answer.member.member_id, answer.member.existed) == (there.member.member_id, True)
    again = await caller.members.EnrolMember(request)
    assert (again.member, again.replayed) == (answer.member, True)
    async with served.caller(await served.token("desk", verbs=("enrol",))) as desk:
        await refused(desk.members.EnrolMember(request), Code.PERMISSION_DENIED, "PERMISSION")


WRONG = {
    "phone": ("020 7946 0958", "+44 (0)20 7946 0958", "+1", "+44 20 7946 0958 ext 3"),
    "email": ("ann", "ann@", "a b@example.com", "ann@localhost"),
}


@pytest.mark.parametrize("scheme", WRONG)
async def test_what_is_no_phone_or_address_is_refused_and_not_shown(
    caller: Caller, scheme: str
) -> None:
    for value in WRONG[scheme]:
        identity = Identity(scheme=scheme, value=value)
        enrolment = EnrolMemberRequest(
            request_id="w-1", origin=Origin(business_unit="market"), identities=[identity]
        )
        question = GetMemberRequest(member=MemberRef(identity=identity))
        for call, field in (
            (caller.members.EnrolMember(enrolment), "identities[0].value"),
            (caller.members.GetMember(question), "member.identity.value"),
        ):
            status = await refused(call, Code.INVALID_ARGUMENT, "MALFORMED")
            assert field in violations_of(status)
            assert info_of(status).metadata["value"] == "(hidden)"


async def test_one_phone_written_in_two_ways_stands_in_the_list_twice(caller: Caller) -> None:
    forms = ("+44 20 7946 0958", "+442079460958")
    enrolment = EnrolMemberRequest(
        request_id="w-2",
        origin=Origin(business_unit="market"),
        identities=[Identity(scheme="phone", value=form) for form in forms],
    )
    status = await refused(
        caller.members.EnrolMember(enrolment), Code.INVALID_ARGUMENT, "MALFORMED"
    )
    assert "identities[1]" in violations_of(status)
