"""Referrals over real gRPC: who may tell, what is seen of it, and the ledger's own source."""

from collections.abc import AsyncIterator

import grpc
import pytest

from loyalty.v1.ledger_service_pb2 import Activity, RecordActivityRequest
from loyalty.v1.member_service_pb2 import (
    CreateReferralRequest,
    GetMemberRequest,
)
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_FINAL, Origin
from tests.server import requests
from tests.server.served import Caller, Served, refused, violations_of
from tests.server.test_activities import POLICY

Code = grpc.StatusCode
FRIENDS = (
    POLICY
    + """  - {kind: bonus, id: friend, currency: point, points: 90, when: {activity: [referral]}}
referrals: {}
"""
)
OLD, NEW = "8800", "8801"


def referring(request_id: str = "f-1") -> CreateReferralRequest:
    return CreateReferralRequest(
        request_id=request_id,
        origin=Origin(business_unit="market"),
        member=requests.member(NEW),
        referrer=requests.member(OLD),
    )


@pytest.fixture
async def desk(served: Served) -> AsyncIterator[Caller]:
    """A caller of a programme that rewards who brings others, and two members."""
    async with served.caller(await served.token("till")) as caller:
        await caller.programme.PublishPolicy(
            PublishPolicyRequest(request_id="p-1", document=FRIENDS, allow_retroactive=True)
        )
        for card in (OLD, NEW):
            await caller.members.EnrolMember(requests.enrolment(card, card))
        yield caller


async def test_it_is_told_once_and_seen_with_what_came_of_it(desk: Caller) -> None:
    told = await desk.members.CreateReferral(referring())
    again = await desk.members.CreateReferral(referring())
    assert (told.replayed, again.replayed) == (False, True)
    assert told.member.member_id == again.member.member_id
    shown = await desk.members.GetMember(GetMemberRequest(member=requests.member(NEW)))
    assert (shown.referral.document, shown.referral.counts) == ("", False)
    referrer = await desk.members.GetMember(GetMemberRequest(member=requests.member(OLD)))
    assert shown.referral.referrer_id == referrer.member.member_id
    assert not referrer.HasField("referral")
    await desk.ledger.PostDocument(requests.sale(card=NEW))
    later = await desk.members.GetMember(GetMemberRequest(member=requests.member(NEW)))
    assert (later.referral.document, later.referral.counts) == ("market/till/T-1", True)
    await refused(
        desk.members.CreateReferral(referring("f-2")), Code.ALREADY_EXISTS, "ALREADY_REFERRED"
    )


async def test_who_may_enrol_may_tell(desk: Caller, served: Served) -> None:
    reader = await served.token("reader", verbs=("read",))
    async with served.caller(reader) as caller:
        await refused(
            caller.members.CreateReferral(referring()), Code.PERMISSION_DENIED, "PERMISSION"
        )
    token = await served.token("host", verbs=("enrol",))
    async with served.caller(token) as host:
        await host.members.CreateReferral(referring())


async def test_both_have_to_be_named(desk: Caller) -> None:
    request = referring()
    request.ClearField("referrer")
    status = await refused(desk.members.CreateReferral(request), Code.INVALID_ARGUMENT, "MALFORMED")
    assert "referrer" in violations_of(status)


async def test_rewards_have_a_source_that_nobody_else_may_use(desk: Caller) -> None:
    request = requests.sale(card=NEW)
    request.document.source = "referral"
    activity = RecordActivityRequest(
        request_id="a-1",
        origin=Origin(business_unit="market"),
        member=requests.member(OLD),
        activity=Activity(
            kind="referral",
            source="referral",
            activity_id="1",
            version=1,
            status=DOCUMENT_STATUS_FINAL,
        ),
    )
    for call in (desk.ledger.PostDocument(request), desk.ledger.RecordActivity(activity)):
        status = await refused(call, Code.INVALID_ARGUMENT, "MALFORMED")
        assert any("source" in field for field in violations_of(status))
