"""Consents over real gRPC: told, shown to those who may, kept as evidence, never with a name."""

import grpc
import pytest

from ledger.core.events import decode
from loyalty.v1.audit_service_pb2 import VerifyHistoryRequest
from loyalty.v1.events_pb2 import ConsentChanged
from loyalty.v1.member_service_pb2 import (
    Consent,
    ConsentChange,
    GetMemberRequest,
    UpdateMemberRequest,
)
from loyalty.v1.types_pb2 import CONSENT_STATE_GRANTED, CONSENT_STATE_WITHDRAWN, Origin
from server.database import connect
from tests.server import requests
from tests.server.served import Caller, Served, info_of, refused, violations_of

YES, NO = CONSENT_STATE_GRANTED, CONSENT_STATE_WITHDRAWN
EMAIL = ConsentChange(
    purpose="marketing", channel="email", state=YES, wording_version="2026-01", source="form/17"
)


def telling(request_id: str, *changes: ConsentChange) -> UpdateMemberRequest:
    return UpdateMemberRequest(
        request_id=request_id,
        origin=Origin(business_unit="market"),
        member=requests.member(),
        consents=changes,
    )


async def known(caller: Caller) -> list[Consent]:
    answer = await caller.members.GetMember(GetMemberRequest(member=requests.member()))
    return list(answer.consents)


async def test_consents_are_told_shown_and_withdrawn(caller: Caller, served: Served) -> None:
    await caller.members.UpdateMember(telling("u-1", EMAIL))
    [shown] = await known(caller)
    assert (shown.purpose, shown.channel, shown.state) == ("marketing", "email", YES)
    assert (shown.wording_version, shown.source) == ("2026-01", "form/17")
    assert (shown.business_unit, shown.HasField("change_time")) == ("market", True)
    again = await caller.members.UpdateMember(telling("u-1", EMAIL))
    assert again.replayed
    no = ConsentChange(purpose="marketing", channel="email", state=NO, source="phone-call/9")
    await caller.members.UpdateMember(telling("u-2", no))
    [shown] = await known(caller)
    assert shown.state == NO
    async with served.caller(await served.token("desk", verbs=("read",))) as desk:
        assert await known(desk) == []
    async for last in caller.audit.VerifyHistory(VerifyHistoryRequest()):
        assert not last.divergences


async def test_other_consents_under_one_id_are_a_conflict_that_names_the_field(
    caller: Caller,
) -> None:
    await caller.members.UpdateMember(telling("u-1", EMAIL))
    other = ConsentChange()
    other.CopyFrom(EMAIL)
    other.wording_version = "2026-02"
    status = await refused(
        caller.members.UpdateMember(telling("u-1", other)),
        grpc.StatusCode.ALREADY_EXISTS,
        "REQUEST_CONFLICT",
    )
    assert info_of(status).metadata["field"] == "consents[0].wording_version"


async def test_terms_are_agreed_to_in_joining(caller: Caller, served: Served) -> None:
    enrolment = requests.enrolment("e-7", card="7")
    enrolment.consents.add(
        purpose="programme-terms", state=YES, wording_version="2026-01", source="app"
    )
    await caller.members.EnrolMember(enrolment)
    answer = await caller.members.GetMember(GetMemberRequest(member=requests.member("7")))
    assert [each.purpose for each in answer.consents] == ["programme-terms"]
    connection = await connect(served.dsn)
    try:
        rows = await connection.fetch("SELECT payload, business_unit FROM event WHERE kind = 4")
    finally:
        await connection.close()
    [row] = rows
    fact = decode(row["payload"])
    assert isinstance(fact, ConsentChanged)
    assert row["business_unit"] == "market"


WRONG: dict[str, dict[str, str | int]] = {
    "consents[0].purpose": {"purpose": "marketing for Ann"},
    "consents[0].channel": {"channel": "e mail"},
    "consents[0].state": {"state": 0},
    "consents[0].wording_version": {"wording_version": ""},
    "consents[0].source": {"source": "Ann's call"},
}


@pytest.mark.parametrize("field", WRONG)
async def test_what_is_no_code_is_refused(caller: Caller, field: str) -> None:
    change = ConsentChange()
    change.CopyFrom(EMAIL)
    for name, value in WRONG[field].items():
        setattr(change, name, value)
    status = await refused(
        caller.members.UpdateMember(telling("u-1", change)),
        grpc.StatusCode.INVALID_ARGUMENT,
        "MALFORMED",
    )
    assert field in violations_of(status)
    assert await known(caller) == []


async def test_one_purpose_and_channel_stands_in_a_request_once(caller: Caller) -> None:
    status = await refused(
        caller.members.UpdateMember(telling("u-1", EMAIL, EMAIL)),
        grpc.StatusCode.INVALID_ARGUMENT,
        "MALFORMED",
    )
    assert "consents[1]" in violations_of(status)
