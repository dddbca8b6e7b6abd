"""Two members become one, and two again: real gRPC, the command line, two servers at once."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
from typer.testing import CliRunner, Result

from loyalty.v1.account_service_pb2 import GetAccountRequest, ListEntriesRequest
from loyalty.v1.audit_service_pb2 import VerifyHistoryRequest
from loyalty.v1.ledger_service_pb2 import OUTCOME_REPLAYED, CaptureHoldRequest
from loyalty.v1.member_service_pb2 import (
    ContinueMergeRequest,
    GetMemberRequest,
    MergeMembersRequest,
    MergeMembersResponse,
    UnmergeMembersRequest,
)
from loyalty.v1.types_pb2 import (
    MEMBERSHIP_STATE_MERGED,
    MEMBERSHIP_STATE_MERGING,
    MEMBERSHIP_STATE_OPEN,
    MemberRef,
    Origin,
    Points,
)
from server.cli import app
from tests.server import requests
from tests.server.served import (
    Caller,
    Served,
    info_of,
    refused,
    serving,
    status_of,
    violations_of,
)

Code = grpc.StatusCode
ORIGIN = Origin(business_unit="market", operator="anna")
S, T = requests.member("8800"), requests.member("8811")


def merging(request_id: str = "m-1", source: MemberRef = S, into: MemberRef = T) -> Any:
    return MergeMembersRequest(
        request_id=request_id, origin=ORIGIN, member=source, into=into, reason="one person"
    )


def unmerging(request_id: str = "u-1", source: MemberRef = S) -> Any:
    return UnmergeMembersRequest(
        request_id=request_id, origin=ORIGIN, member=source, reason="two persons"
    )


async def points(caller: Caller, member: MemberRef) -> tuple[int, int, int]:
    """(available, held, arrears)."""
    answer = await caller.accounts.GetAccount(GetAccountRequest(member=member))
    for balance in answer.account.balances:
        if balance.currency == "point":
            return balance.available, balance.held, balance.arrears
    return 0, 0, 0


async def divergences(caller: Caller) -> list[Any]:
    return [
        divergence
        async for word in caller.audit.VerifyHistory(VerifyHistoryRequest())
        for divergence in word.divergences
    ]


async def test_the_old_account_leads_on_and_its_requests_replay(caller: Caller) -> None:
    await caller.members.EnrolMember(requests.enrolment("e-2", card="8811"))
    sale, burn = requests.sale(cents=400_00), requests.burn("b-1", 100)
    sold, burned = await caller.ledger.PostDocument(sale), await caller.ledger.BurnPoints(burn)
    await caller.ledger.HoldPoints(requests.hold(points=200))
    had = await points(caller, S)
    source = (await caller.members.GetMember(GetMemberRequest(member=S))).member.member_id
    answer = await caller.members.MergeMembers(merging())
    assert (answer.member.member_id, answer.member.membership) == (source, MEMBERSHIP_STATE_MERGED)
    target = answer.into.member_id
    assert answer.member.merged_into == target
    assert await points(caller, S) == await points(caller, T) == had

    assert (await caller.members.MergeMembers(merging())).replayed
    for again, first in (
        (await caller.ledger.PostDocument(sale), sold),
        (await caller.ledger.BurnPoints(burn), burned),
    ):
        assert again.posting.outcome == OUTCOME_REPLAYED
        assert again.posting.entry_id == first.posting.entry_id
    changed = requests.burn("b-1", 101)
    await refused(caller.ledger.BurnPoints(changed), Code.ALREADY_EXISTS, "REQUEST_CONFLICT")

    captured = await caller.ledger.CaptureHold(
        CaptureHoldRequest(request_id="c-1", origin=ORIGIN, hold_id="H-1", points=200, final=True)
    )
    assert captured.posting.member_id == target
    later = await caller.ledger.PostDocument(requests.sale("r-9", document_id="T-9"))
    assert later.posting.member_id == target
    shown = await caller.members.GetMember(GetMemberRequest(member=MemberRef(member_id=source)))
    assert (shown.member.member_id, shown.merged_into) == (target, target)
    account = await caller.accounts.GetAccount(
        GetAccountRequest(member=MemberRef(member_id=source), as_named=True)
    )
    assert (account.account.member_id, account.merged_into) == (source, target)
    lines = await caller.accounts.ListEntries(ListEntriesRequest(member=S))
    assert lines.merged_into == target

    undone = await caller.members.UnmergeMembers(unmerging())
    assert undone.member.membership == MEMBERSHIP_STATE_OPEN
    assert undone.member.merged_into == ""
    assert getattr(undone, "from").member_id == target
    assert (await caller.ledger.PostDocument(sale)).posting.outcome == OUTCOME_REPLAYED
    assert (await caller.members.UnmergeMembers(unmerging())).replayed
    assert (await caller.members.MergeMembers(merging())).replayed
    assert await points(caller, T) == (0, 0, 0)
    assert await divergences(caller) == []


async def test_what_a_merge_is_refused_for(caller: Caller, served: Served) -> None:
    await caller.members.EnrolMember(requests.enrolment("e-2", card="8811"))
    members = caller.members
    nobody = requests.member("0000")
    await refused(members.MergeMembers(merging(into=nobody)), Code.NOT_FOUND, "UNKNOWN_MEMBER")
    await refused(
        members.MergeMembers(merging(into=S)), Code.FAILED_PRECONDITION, "MERGE_INTO_ITSELF"
    )
    await refused(members.UnmergeMembers(unmerging()), Code.FAILED_PRECONDITION, "NOT_MERGED")
    for field in ("into", "member", "reason", "request_id"):
        request = merging()
        request.ClearField(field)
        status = await refused(members.MergeMembers(request), Code.INVALID_ARGUMENT, "MALFORMED")
        assert list(violations_of(status)) == [field]
    step = ContinueMergeRequest(request_id="s-1", origin=ORIGIN, member=S)
    await refused(members.ContinueMerge(step), Code.INVALID_ARGUMENT, "MALFORMED")
    async with served.caller(await served.token("desk", verbs=("enrol", "close"))) as desk:
        for call in (
            desk.members.MergeMembers(merging()),
            desk.members.UnmergeMembers(unmerging()),
        ):
            await refused(call, Code.PERMISSION_DENIED, "PERMISSION")
    await members.MergeMembers(merging())
    await refused(members.MergeMembers(merging("m-2")), Code.FAILED_PRECONDITION, "ALREADY_MERGED")


async def test_a_check_merges_nothing(caller: Caller) -> None:
    await caller.members.EnrolMember(requests.enrolment("e-2", card="8811"))
    request = merging()
    request.validate_only = True
    answer = await caller.members.MergeMembers(request)
    assert answer.member.membership == MEMBERSHIP_STATE_MERGING
    member = (await caller.members.GetMember(GetMemberRequest(member=S))).member
    assert (member.membership, member.merged_into) == (MEMBERSHIP_STATE_OPEN, "")


async def test_two_servers_that_merge_crosswise_leave_one_member(
    caller: Caller, served: Served, tmp_path: Path
) -> None:
    """S into T and T into S at once, in two processes: one of them counts, and nothing is lost."""
    await caller.members.EnrolMember(requests.enrolment("e-2", card="8811"))
    await caller.ledger.PostDocument(requests.sale(cents=400_00))
    await caller.ledger.PostDocument(
        requests.sale("r-2", document_id="T-2", cents=100_00, card="8811")
    )
    total = (await points(caller, S))[0] + (await points(caller, T))[0]
    async with (
        serving(served.dsn, tmp_path) as other,
        other.caller(await served.token("office")) as second,
    ):
        merges = [
            caller.members.MergeMembers(merging("m-1")),
            second.members.MergeMembers(merging("m-1")),
            caller.members.MergeMembers(merging("m-2", T, S)),
            second.members.MergeMembers(merging("m-2", T, S)),
        ]
        outcomes = await asyncio.gather(*merges, return_exceptions=True)
        done = [one for one in outcomes if isinstance(one, MergeMembersResponse)]
        assert len({one.member.member_id for one in done}) == 1
        for one in outcomes:
            if isinstance(one, grpc.aio.AioRpcError):
                reason = info_of(status_of(one)).reason
                assert reason in {"MERGING", "ALREADY_MERGED", "MERGE_INTO_ITSELF"}
            else:
                assert isinstance(one, MergeMembersResponse)
        for client in (caller, second):
            assert await points(client, S) == await points(client, T) == (total, 0, 0)
        assert await divergences(second) == []


async def test_the_command_line_merges_and_undoes_it(caller: Caller, served: Served) -> None:
    await caller.members.EnrolMember(requests.enrolment("e-2", card="8811"))
    await caller.ledger.PostDocument(requests.sale(cents=400_00))
    had = await points(caller, S)
    token = await served.token("office")
    result = await _loyalty(served, token, "merge", "card:8800", "card:8811")
    assert "merged" in result.output, result.output
    assert await points(caller, T) == had
    result = await _loyalty(served, token, "unmerge", "card:8800")
    assert "open" in result.output, result.output
    assert await points(caller, T) == (0, 0, 0)
    result = await _loyalty(served, token, "unmerge", "card:8800")
    assert "NOT_MERGED" in result.output, result.output


async def _loyalty(served: Served, token: str, verb: str, *words: str) -> Result:
    arguments = ["member", verb, *words, "--unit", "market", "--reason", "asked"]
    arguments += ["--server", served.address, "--token", token]
    return await asyncio.to_thread(CliRunner().invoke, app, arguments)


async def test_points_named_by_currency_are_spent_by_either_name(caller: Caller) -> None:
    await caller.members.EnrolMember(requests.enrolment("e-2", card="8811"))
    await caller.ledger.PostDocument(requests.sale(cents=400_00))
    await caller.members.MergeMembers(merging())
    for number, member in enumerate((S, T)):
        burn = requests.burn(f"b-{number}", 100)
        burn.member.CopyFrom(member)
        burn.points.CopyFrom(Points(currency="point", amount=100))
        await caller.ledger.BurnPoints(burn)
