"""Tiers over the wire: staff give one, callers read what is missing and how one came about."""
# ruff: noqa: RUF001 - Chinese lines have Chinese colons and commas.

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from loyalty.v1.account_service_pb2 import ExplainEntryRequest, GetTierRequest
from loyalty.v1.events_pb2 import TIER_BASIS_GRANTED, TIER_CAUSE_GRANTED
from loyalty.v1.member_service_pb2 import GrantTierRequest
from loyalty.v1.types_pb2 import Origin
from tests.server import requests
from tests.server.served import Caller, Served, info_of, refused

Code = grpc.StatusCode


def grant(request_id: str, tier: str = "gold", reason: str = "status match") -> GrantTierRequest:
    """The hotel matches a status of elsewhere."""
    return GrantTierRequest(
        request_id=request_id,
        origin=Origin(business_unit="hotel"),
        member=requests.member(),
        tier=tier,
        reason=reason,
    )


async def test_staff_give_a_tier_once_and_end_it(caller: Caller) -> None:
    first = await caller.members.GrantTier(grant("g-1"))
    again = await caller.members.GrantTier(grant("g-1"))
    assert (first.member.tier, first.replayed, again.replayed) == ("gold", False, True)
    read = await caller.accounts.GetTier(
        GetTierRequest(member=requests.member(), min_position=first.member.position)
    )
    assert (read.tier, read.basis, read.member_id) == (
        "gold",
        TIER_BASIS_GRANTED,
        first.member.member_id,
    )
    ended = await caller.members.GrantTier(grant("g-2", tier="", reason="a mistake"))
    assert ended.member.tier != "gold"
    history = GetTierRequest(member=requests.member(), changes=10, language="zh")
    told = await caller.accounts.GetTier(history)
    [end, begin] = told.changes
    assert (begin.from_tier, begin.to_tier, begin.cause) == ("", "gold", TIER_CAUSE_GRANTED)
    assert (end.to_tier, end.reason, end.business_unit) == ("basic", "a mistake", "hotel")
    assert begin.line == "会员等级 gold，永久有效：由工作人员授予（hotel），原因：status match"
    assert end.line.endswith("：由工作人员终止（hotel），原因：a mistake")
    assert end.recorded_time.seconds
    history.changes = 1
    assert [each.version for each in (await caller.accounts.GetTier(history)).changes] == [
        end.version
    ]
    explained = await caller.accounts.ExplainEntry(
        ExplainEntryRequest(member=requests.member(), entry_id=begin.entry_id)
    )
    assert list(explained.lines) == [
        "tier gold without an end: given by staff at hotel, reason: status match"
    ]
    history.changes = 1_001
    await refused(caller.accounts.GetTier(history), Code.INVALID_ARGUMENT, "MALFORMED")


async def test_what_staff_of_another_unit_said_of_a_tier_is_not_told(
    caller: Caller, served: Served
) -> None:
    given = (await caller.members.GrantTier(grant("g-1"))).member
    token = await served.token("elsewhere", units=("market",))
    async with served.caller(token) as elsewhere:
        told = await elsewhere.accounts.GetTier(
            GetTierRequest(member=requests.member(), changes=10, min_position=given.position)
        )
        [change] = told.changes
        assert (change.to_tier, change.reason, change.business_unit) == ("gold", "", "")
        assert change.line == "tier gold without an end: given by staff"
        asked = ExplainEntryRequest(member=requests.member(), entry_id=change.entry_id)
        explained = await elsewhere.accounts.ExplainEntry(asked)
        assert list(explained.lines) == [change.line]


async def test_what_is_missing_for_the_next_tier_can_be_read(caller: Caller) -> None:
    await caller.ledger.PostDocument(requests.sale())
    read = await caller.accounts.GetTier(GetTierRequest(member=requests.member()))
    assert read.next_tier
    for needs in read.reach:
        for need in needs.needs:
            assert need.missing == need.want - need.have > 0


async def test_a_grant_that_cannot_be_is_refused_with_its_field(caller: Caller) -> None:
    status = await refused(
        caller.members.GrantTier(grant("g-1", tier="titanium")),
        Code.INVALID_ARGUMENT,
        "UNKNOWN_TIER",
    )
    assert info_of(status).metadata["field"] == "tier"
    nothing = grant("g-2", reason="")
    await refused(caller.members.GrantTier(nothing), Code.INVALID_ARGUMENT, "MALFORMED")
    endless = grant("g-3", tier="")
    endless.until_time.CopyFrom(Timestamp(seconds=1))
    await refused(caller.members.GrantTier(endless), Code.INVALID_ARGUMENT, "MALFORMED")
    far = grant("g-3")
    far.until_time.CopyFrom(Timestamp(seconds=32_503_680_000))
    await refused(caller.members.GrantTier(far), Code.INVALID_ARGUMENT, "MALFORMED")
    status = await refused(
        caller.members.GrantTier(grant("g-4", tier="")),
        Code.FAILED_PRECONDITION,
        "NO_TIER_GRANTED",
    )
    assert status.message.startswith("no tier is granted to the member")
