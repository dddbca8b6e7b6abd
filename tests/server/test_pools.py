"""Pools over real gRPC and at the command line: opened, spent from, left and closed."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from typer.testing import CliRunner, Result

from loyalty.v1.account_service_pb2 import GetAccountRequest, ListEntriesRequest
from loyalty.v1.audit_service_pb2 import VerifyHistoryRequest
from loyalty.v1.ledger_service_pb2 import (
    ReleaseHoldRequest,
    Transfer,
    TransferPointsRequest,
)
from loyalty.v1.member_service_pb2 import (
    AddPoolMemberRequest,
    ClosePoolRequest,
    CreatePoolRequest,
    GetMemberRequest,
    GetPoolRequest,
    RemovePoolMemberRequest,
    SetPoolPermissionRequest,
)
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from loyalty.v1.types_pb2 import (
    POOL_PERMISSION_CONTRIBUTE,
    POOL_PERMISSION_SPEND,
    POOL_PERMISSION_VIEW,
    MemberRef,
    Origin,
    Points,
)
from server.cli import app
from tests.server import requests
from tests.server.served import Caller, Served, refused, violations_of
from tests.server.test_activities import POLICY

Code = grpc.StatusCode
SHARED = (
    POLICY.replace("currency: USD}", 'currency: USD, point_value: "0.01 USD"}')
    + "transfers: [{id: gift, currency: point, relation: household}]\n"
    + "redemptions: [{id: pay, currency: point, min_points: 1, step: 1}]\n"
)
ORIGIN = Origin(business_unit="market")
ANN, BOB = requests.member("8800"), requests.member("8801")


@pytest.fixture
async def desk(served: Served) -> AsyncIterator[Caller]:
    """A caller of a programme whose members may move points, and two of them with 100 each."""
    async with served.caller(await served.token("till")) as caller:
        await caller.programme.PublishPolicy(
            PublishPolicyRequest(request_id="p-1", document=SHARED, allow_retroactive=True)
        )
        for card in ("8800", "8801"):
            await caller.members.EnrolMember(requests.enrolment(card, card))
            sale = requests.sale(f"s-{card}", document_id=card, card=card, cents=100_00)
            await caller.ledger.PostDocument(sale)
        yield caller


async def opened(desk: Caller) -> str:
    """A pool of Ann's."""
    request = CreatePoolRequest(request_id="o-1", origin=ORIGIN, member=ANN)
    answer = await desk.members.CreatePool(request)
    again = await desk.members.CreatePool(request)
    assert (answer.replayed, again.replayed) == (False, True)
    assert answer.pool == again.pool
    return str(answer.pool.pool_id)


def adding(pool_id: str, request_id: str = "a-1") -> AddPoolMemberRequest:
    return AddPoolMemberRequest(
        request_id=request_id,
        origin=ORIGIN,
        member=ANN,
        pool_id=pool_id,
        joining=BOB,
        permissions=[POOL_PERMISSION_VIEW, POOL_PERMISSION_CONTRIBUTE],
    )


async def puts_in(desk: Caller, member: MemberRef, pool_id: str, points: int) -> Transfer:
    answer = await desk.ledger.TransferPoints(
        TransferPointsRequest(
            request_id=f"t-{member.identity.value}",
            origin=ORIGIN,
            member=member,
            receiver=MemberRef(pool_id=pool_id),
            points=Points(currency="point", amount=points),
        )
    )
    assert isinstance(answer.transfer, Transfer)
    return answer.transfer


async def points_of(desk: Caller, pool_id: str) -> int:
    answer = await desk.members.GetPool(GetPoolRequest(pool_id=pool_id))
    return sum(balance.available for balance in answer.pool.balances)


async def test_a_household_puts_points_together_and_takes_its_own_home(desk: Caller) -> None:
    pool_id = await opened(desk)
    await desk.members.AddPoolMember(adding(pool_id))
    await puts_in(desk, ANN, pool_id, 60)
    await puts_in(desk, BOB, pool_id, 30)
    assert await points_of(desk, pool_id) == 90
    burn = requests.burn("b-1", points=70)
    burn.member.CopyFrom(BOB)
    burn.pool_id = pool_id
    status = await refused(
        desk.ledger.BurnPoints(burn), Code.FAILED_PRECONDITION, "NOT_PERMITTED_IN_POOL"
    )
    assert "spend" in str(status)
    permit = SetPoolPermissionRequest(
        request_id="q-1",
        origin=ORIGIN,
        member=ANN,
        pool_id=pool_id,
        subject=BOB,
        permissions=[POOL_PERMISSION_VIEW, POOL_PERMISSION_SPEND],
    )
    await desk.members.SetPoolPermission(permit)
    # The refusal took no request id: the same call goes through now.
    await desk.ledger.BurnPoints(burn)
    left = await desk.members.RemovePoolMember(
        RemovePoolMemberRequest(
            request_id="l-1", origin=ORIGIN, member=BOB, pool_id=pool_id, leaving=BOB
        )
    )
    home = {each.receiver_id: each.points.amount for each in left.transfers}
    assert sum(home.values()) + await points_of(desk, pool_id) == 20
    closed = await desk.members.ClosePool(
        ClosePoolRequest(request_id="c-1", origin=ORIGIN, member=ANN, pool_id=pool_id)
    )
    assert closed.pool.closed
    assert await points_of(desk, pool_id) == 0
    statement = await desk.accounts.ListEntries(
        ListEntriesRequest(member=MemberRef(pool_id=pool_id), page_size=50)
    )
    assert len(statement.entries) >= 4
    words = [word async for word in desk.audit.VerifyHistory(VerifyHistoryRequest())]
    assert not words[-1].divergences


async def test_a_wrong_call_about_a_pool_names_its_field(desk: Caller) -> None:
    pool_id = await opened(desk)
    call = desk.members.AddPoolMember
    nobody = adding(pool_id)
    nobody.ClearField("joining")
    status = await refused(call(nobody), Code.INVALID_ARGUMENT, "MALFORMED")
    assert list(violations_of(status)) == ["joining"]
    nothing = adding(pool_id)
    del nothing.permissions[:]
    status = await refused(call(nothing), Code.INVALID_ARGUMENT, "MALFORMED")
    assert list(violations_of(status)) == ["permissions"]
    unknown = "0198a0c0-0000-7000-8000-000000000000"
    await refused(call(adding(unknown)), Code.NOT_FOUND, "UNKNOWN_POOL")
    await call(adding(pool_id))
    await refused(call(adding(pool_id, "a-2")), Code.ALREADY_EXISTS, "ALREADY_IN_POOL")
    stranger = adding(pool_id, "a-3")
    stranger.member.CopyFrom(BOB)
    stranger.joining.CopyFrom(ANN)
    await refused(call(stranger), Code.FAILED_PRECONDITION, "NOT_PERMITTED_IN_POOL")


async def test_two_desks_let_the_same_member_in_once(desk: Caller) -> None:
    pool_id = await opened(desk)
    calls = [desk.members.AddPoolMember(adding(pool_id, f"a-{number}")) for number in range(4)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(not isinstance(answer, BaseException) for answer in answers) == 1
    shown = await desk.members.GetPool(GetPoolRequest(pool_id=pool_id))
    assert len(shown.pool.members) == 2


@pytest.mark.parametrize("goes", ["close", "erase"])
async def test_who_goes_as_the_last_is_shown_what_goes_home(
    desk: Caller, served: Served, goes: str
) -> None:
    pool_id = await opened(desk)
    await desk.members.AddPoolMember(adding(pool_id))
    await puts_in(desk, BOB, pool_id, 30)
    held = requests.hold("h-1", points=30)
    held.member.CopyFrom(ANN)
    held.pool_id = pool_id
    await desk.ledger.HoldPoints(held)
    left = await desk.members.RemovePoolMember(
        RemovePoolMemberRequest(
            request_id="l-1", origin=ORIGIN, member=BOB, pool_id=pool_id, leaving=BOB
        )
    )
    assert not left.transfers
    # What Bob had put in comes back to the pool after he has left it, and then Ann goes too.
    release = ReleaseHoldRequest(request_id="r-1", origin=ORIGIN, hold_id="H-1")
    await desk.ledger.ReleaseHold(release)
    words = {
        "close": ("--forfeit", "--reason", "moved away"),
        "erase": ("--balance", "forfeited", "--requested-by", "member", "--yes"),
    }[goes]
    where = ("--server", served.address, "--token", await served.token("desk"))
    command = ["member", goes, "card:8800", *words, "--unit", "market", *where]
    gone = await asyncio.to_thread(CliRunner().invoke, app, command)
    assert gone.exit_code == 0, gone.output
    bob = (await desk.members.GetMember(GetMemberRequest(member=BOB))).member.member_id
    assert f"30 point home to {bob}" in gone.stdout
    balance = await desk.accounts.GetAccount(GetAccountRequest(member=BOB))
    assert balance.account.balances[0].available == 100


async def test_a_pool_is_kept_at_the_command_line(desk: Caller, served: Served) -> None:
    token = await served.token("desk")

    async def loyalty(*words: str) -> Result:
        where = ("--server", served.address, "--token", token)
        return await asyncio.to_thread(CliRunner().invoke, app, ["pool", *words, *where])

    here = ("--unit", "market")
    made = await loyalty("open", "--by", "card:8800", *here)
    assert made.exit_code == 0, made.output
    pool = made.stdout.split()[0]
    await puts_in(desk, ANN, pool.removeprefix("pool:"), 40)
    words = ("add", pool, "card:8801", "--may", "view", "--may", "spend", "--by", "card:8800")
    added = await loyalty(*words, *here)
    assert "view, spend" in added.stdout
    assert "40 point to spend" in added.stdout
    refusal = await loyalty(*words, *here)
    assert (refusal.exit_code, "ALREADY_IN_POOL" in refusal.output) == (1, True)
    permitted = await loyalty(
        "permit", pool, "card:8801", "--may", "view", "--by", "card:8800", *here
    )
    assert "spend," not in permitted.stdout.splitlines()[-2]
    left = await loyalty("remove", pool, "card:8800", *here)
    assert left.exit_code == 0, left.output
    assert "40 point home to" in left.stdout
    assert "view, administer" in (await loyalty("show", pool)).stdout
    closed = await loyalty("close", pool, "--by", "card:8801", *here)
    assert f"{pool}   closed" in closed.stdout
    assert "closed" in (await loyalty("show", pool)).stdout
    wrong = await loyalty("show", "card:8800")
    assert (wrong.exit_code, "expected pool:" in wrong.output) == (2, True)
