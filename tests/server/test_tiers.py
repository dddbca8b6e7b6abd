"""Tiers over the wire: staff give one, and callers read what is missing for the next."""

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from loyalty.v1.account_service_pb2 import GetTierRequest
from loyalty.v1.events_pb2 import TIER_BASIS_GRANTED
from loyalty.v1.member_service_pb2 import GrantTierRequest
from loyalty.v1.types_pb2 import Origin
from tests.server import requests
from tests.server.served import Caller, info_of, refused

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
    ended = await caller.members.GrantTier(grant("g-2", tier=""))
    assert ended.member.tier != "gold"


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
