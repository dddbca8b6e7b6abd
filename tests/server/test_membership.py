"""Suspending, closing and reopening over real gRPC and at the command line."""

import asyncio

import grpc
from typer.testing import CliRunner, Result

from loyalty.v1.audit_service_pb2 import VerifyHistoryRequest
from loyalty.v1.member_service_pb2 import (
    CloseMemberRequest,
    GetMemberRequest,
    MoveIdentityRequest,
    ReopenMemberRequest,
    SuspendMemberRequest,
)
from loyalty.v1.types_pb2 import (
    MEMBERSHIP_STATE_CLOSED,
    MEMBERSHIP_STATE_OPEN,
    MEMBERSHIP_STATE_SUSPENDED,
    Origin,
)
from server.cli import app
from tests.server import requests
from tests.server.served import Caller, Served, info_of, refused, violations_of

Code = grpc.StatusCode
ORIGIN = Origin(business_unit="market", operator="anna")


def suspension(request_id: str = "s-1") -> SuspendMemberRequest:
    return SuspendMemberRequest(
        request_id=request_id, origin=ORIGIN, member=requests.member(), reason="card stolen"
    )


def closing(request_id: str, *, forfeit: bool = False) -> CloseMemberRequest:
    return CloseMemberRequest(
        request_id=request_id,
        origin=ORIGIN,
        member=requests.member(),
        reason="asked by the member",
        forfeit=forfeit,
    )


async def test_a_suspended_member_is_told_so_and_earns_on(caller: Caller) -> None:
    await caller.ledger.PostDocument(requests.sale(cents=400_00))
    answer = await caller.members.SuspendMember(suspension())
    assert answer.member.membership == MEMBERSHIP_STATE_SUSPENDED
    again = await caller.members.SuspendMember(suspension())
    assert (again.member, again.replayed) == (answer.member, True)
    status = await refused(
        caller.ledger.BurnPoints(requests.burn("b-1")),
        Code.FAILED_PRECONDITION,
        "ACCOUNT_SUSPENDED",
    )
    assert info_of(status).metadata["member_id"] == answer.member.member_id
    await caller.ledger.PostDocument(requests.sale("r-2", document_id="T-2"))
    reopened = await caller.members.ReopenMember(
        ReopenMemberRequest(
            request_id="s-2", origin=ORIGIN, member=requests.member(), reason="card found"
        )
    )
    assert reopened.member.membership == MEMBERSHIP_STATE_OPEN
    await caller.ledger.BurnPoints(requests.burn("b-2"))


async def test_an_account_is_closed_with_its_points_and_the_history_verifies(
    caller: Caller,
) -> None:
    await caller.ledger.PostDocument(requests.sale(cents=400_00))
    await refused(
        caller.members.CloseMember(closing("c-1")), Code.FAILED_PRECONDITION, "ACCOUNT_NOT_EMPTY"
    )
    answer = await caller.members.CloseMember(closing("c-2", forfeit=True))
    assert answer.member.membership == MEMBERSHIP_STATE_CLOSED
    sale = requests.sale("r-2", document_id="T-2")
    await refused(caller.ledger.PostDocument(sale), Code.FAILED_PRECONDITION, "ACCOUNT_CLOSED")
    await refused(
        caller.ledger.BurnPoints(requests.burn("b-1")), Code.FAILED_PRECONDITION, "ACCOUNT_CLOSED"
    )
    words = [word async for word in caller.audit.VerifyHistory(VerifyHistoryRequest())]
    assert words[-1].done
    assert not words[-1].divergences


async def test_who_may_close_says_why(caller: Caller, served: Served) -> None:
    request = suspension()
    request.reason = ""
    status = await refused(
        caller.members.SuspendMember(request), Code.INVALID_ARGUMENT, "MALFORMED"
    )
    assert violations_of(status) == ["reason"]
    async with served.caller(await served.token("desk", verbs=("enrol", "burn"))) as desk:
        await refused(
            desk.members.SuspendMember(suspension()), Code.PERMISSION_DENIED, "PERMISSION"
        )


async def test_the_command_line_suspends_closes_and_reopens(caller: Caller, served: Served) -> None:
    await caller.ledger.PostDocument(requests.sale(cents=400_00))
    token = await served.token("office")
    for words, said in (
        (("suspend", "--reason", "stolen"), "suspended"),
        (("reopen", "--reason", "found"), "open"),
        (("close", "--reason", "asked"), "ACCOUNT_NOT_EMPTY"),
        (("close", "--reason", "asked", "--forfeit"), "closed"),
    ):
        verb, *options = words
        result = await _loyalty(served, token, verb, "card:8800", *options)
        assert said in result.output, result.output
    member = await caller.members.GetMember(GetMemberRequest(member=requests.member()))
    assert member.member.membership == MEMBERSHIP_STATE_CLOSED


async def _loyalty(served: Served, token: str, verb: str, *words: str) -> Result:
    arguments = ["member", verb, *words, "--unit", "market"]
    arguments += ["--server", served.address, "--token", token]
    return await asyncio.to_thread(CliRunner().invoke, app, arguments)


async def test_the_command_line_moves_and_unlinks_an_identity(
    caller: Caller, served: Served
) -> None:
    await caller.members.EnrolMember(requests.enrolment("e-2", card="8811"))
    token = await served.token("office")
    words = ("card:8811", "card:8800", "--reason", "hers")
    moved = await _loyalty(served, token, "move-identity", *words)
    assert moved.exit_code == 0, moved.output
    first = await caller.members.GetMember(GetMemberRequest(member=requests.member("8811")))
    there = await caller.members.GetMember(GetMemberRequest(member=requests.member("8800")))
    assert there.member.member_id == first.member.member_id
    gone = await _loyalty(served, token, "unlink", "card:8811", "card:8800")
    assert gone.exit_code == 0, gone.output
    question = GetMemberRequest(member=requests.member("8800"))
    await refused(caller.members.GetMember(question), Code.NOT_FOUND, "UNKNOWN_MEMBER")


async def test_only_who_may_merge_moves_identities(caller: Caller, served: Served) -> None:
    request = MoveIdentityRequest(
        request_id="m-1",
        origin=ORIGIN,
        member=requests.member(),
        identity=requests.member("8811").identity,
        reason="hers",
    )
    async with served.caller(await served.token("desk", verbs=("enrol",))) as desk:
        await refused(desk.members.MoveIdentity(request), Code.PERMISSION_DENIED, "PERMISSION")
    await refused(caller.members.MoveIdentity(request), Code.NOT_FOUND, "IDENTITY_NOT_LINKED")
