"""Every service over real gRPC, from the caller's side."""

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from loyalty.v1.account_service_pb2 import VIEW_FULL, GetAccountRequest, ListEntriesRequest
from loyalty.v1.audit_service_pb2 import StreamEventsRequest, VerifyHistoryRequest
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_POSTED,
    OUTCOME_REPLAYED,
    OUTCOME_VALIDATED,
    AdvanceAccountRequest,
    BatchItem,
    BatchPostRequest,
    PostStreamRequest,
    ReleaseHoldRequest,
)
from loyalty.v1.member_service_pb2 import GetMemberRequest, LinkIdentityRequest
from loyalty.v1.programme_service_pb2 import GetPolicyRequest, PublishPolicyRequest
from loyalty.v1.types_pb2 import Identity, Origin
from tests.server import requests
from tests.server.served import POLICY, Caller, Served, info_of, refused, violations_of

Code = grpc.StatusCode


async def available(caller: Caller) -> int:
    answer = await caller.accounts.GetAccount(GetAccountRequest(member=requests.member()))
    return next((row.available for row in answer.account.balances if row.currency == "point"), 0)


async def test_a_sale_earns_and_its_points_can_be_read_at_once(caller: Caller) -> None:
    answer = await caller.ledger.PostDocument(requests.sale(cents=50_00))
    assert answer.posting.outcome == OUTCOME_POSTED
    read = await caller.accounts.GetAccount(
        GetAccountRequest(
            member=requests.member(), view=VIEW_FULL, min_position=answer.posting.position
        )
    )
    assert read.account.member_id == answer.posting.member_id
    assert {row.currency: row.available for row in read.account.balances}["point"] == 50
    assert read.account.lots[0].document == "market/till/T-1"


async def test_the_same_request_again_is_answered_with_the_first_answer(caller: Caller) -> None:
    first = await caller.ledger.EarnPoints(requests.earn(cents=10_00))
    again = await caller.ledger.EarnPoints(requests.earn(cents=10_00))
    assert again.posting.outcome == OUTCOME_REPLAYED
    assert again.posting.entry_id == first.posting.entry_id
    assert await available(caller) == 10


async def test_the_same_request_id_with_other_content_names_the_field(caller: Caller) -> None:
    await caller.ledger.PostDocument(requests.sale(cents=10_00))
    status = await refused(
        caller.ledger.PostDocument(requests.sale(cents=11_00)),
        Code.ALREADY_EXISTS,
        "REQUEST_CONFLICT",
    )
    assert info_of(status).metadata["field"] == "document.lines[0].net_minor_units"


async def test_points_are_burned_and_come_back(caller: Caller) -> None:
    await caller.ledger.PostDocument(requests.sale(cents=1_000_00))
    before = await available(caller)
    burned = await caller.ledger.BurnPoints(requests.burn(points=500))
    assert await available(caller) == before - 500
    back = await caller.ledger.ReverseEntry(requests.reversal(burned.posting.entry_id))
    assert back.posting.outcome == OUTCOME_POSTED
    assert await available(caller) == before


async def test_points_are_held_and_captured_or_released(caller: Caller) -> None:
    await caller.ledger.PostDocument(requests.sale(cents=2_000_00))
    before = await available(caller)
    await caller.ledger.HoldPoints(requests.hold())
    await caller.ledger.CaptureHold(requests.capture())
    await caller.ledger.HoldPoints(requests.hold("h-2", hold_id="H-2"))
    release = ReleaseHoldRequest(
        request_id="x-1", origin=Origin(business_unit="market"), hold_id="H-2"
    )
    await caller.ledger.ReleaseHold(release)
    assert await available(caller) == before - 500
    status = await refused(
        caller.ledger.CaptureHold(requests.capture("c-2")),
        Code.FAILED_PRECONDITION,
        "HOLD_RESOLVED",
    )
    assert info_of(status).metadata["first_outcome"] == "CAPTURED"


async def test_too_many_points_are_refused_with_what_there_is(caller: Caller) -> None:
    await caller.ledger.PostDocument(requests.sale(cents=600_00))
    have = await available(caller)
    status = await refused(
        caller.ledger.BurnPoints(requests.burn(points=10_000)),
        Code.FAILED_PRECONDITION,
        "INSUFFICIENT_POINTS",
    )
    assert info_of(status).metadata["available"] == str(have)
    assert info_of(status).metadata["requested"] == "10000"


async def test_validating_only_records_nothing(caller: Caller) -> None:
    request = requests.sale(cents=50_00)
    request.validate_only = True
    answer = await caller.ledger.PostDocument(request)
    assert answer.posting.outcome == OUTCOME_VALIDATED
    assert await available(caller) == 0


async def test_an_account_is_advanced(caller: Caller) -> None:
    answer = await caller.ledger.AdvanceAccount(
        AdvanceAccountRequest(
            request_id="a-1", origin=Origin(business_unit="market"), member=requests.member()
        )
    )
    assert answer.posting.outcome == OUTCOME_POSTED


async def test_members_are_enrolled_linked_and_found(caller: Caller) -> None:
    again = await caller.members.EnrolMember(requests.enrolment())
    assert again.replayed
    linked = await caller.members.LinkIdentity(
        LinkIdentityRequest(
            request_id="l-1",
            origin=Origin(business_unit="hotel"),
            member=requests.member(),
            identity=Identity(scheme="pms-profile", value="P-77"),
        )
    )
    assert list(linked.member.identity_schemes) == ["card", "pms-profile"]
    found = await caller.members.GetMember(GetMemberRequest(member=requests.member()))
    assert found.member.member_id == again.member.member_id
    await refused(
        caller.members.EnrolMember(requests.enrolment("e-2")), Code.ALREADY_EXISTS, "IDENTITY_TAKEN"
    )


async def test_a_policy_is_published_shown_and_never_replaced(caller: Caller) -> None:
    shown = await caller.programme.GetPolicy(GetPolicyRequest())
    assert shown.policy.programme == "harbour"
    document = POLICY.read_text(encoding="utf-8")
    again = await caller.programme.PublishPolicy(
        PublishPolicyRequest(request_id="p-1", document=document, allow_retroactive=True)
    )
    assert again.replayed
    await refused(
        caller.programme.PublishPolicy(
            PublishPolicyRequest(
                request_id="p-2",
                document=document.replace("months: 9", "months: 8"),
                allow_retroactive=True,
            )
        ),
        Code.ALREADY_EXISTS,
        "POLICY_EXISTS",
    )
    status = await refused(
        caller.programme.PublishPolicy(
            PublishPolicyRequest(request_id="p-3", document="programme: [")
        ),
        Code.INVALID_ARGUMENT,
        "POLICY_INVALID",
    )
    assert violations_of(status)
    status = await refused(
        caller.programme.PublishPolicy(
            PublishPolicyRequest(
                request_id="p-4",
                document=document.replace("months: 9", "months: 0").replace("per:", "pre:"),
            )
        ),
        Code.INVALID_ARGUMENT,
        "POLICY_INVALID",
    )
    assert len(violations_of(status)) > 1
    await refused(
        caller.programme.GetPolicy(GetPolicyRequest(version=99)), Code.NOT_FOUND, "UNKNOWN_POLICY"
    )


async def test_a_statement_is_read_page_by_page(caller: Caller) -> None:
    for number in range(3):
        await caller.ledger.PostDocument(
            requests.sale(f"r-{number}", document_id=f"T-{number}", cents=20_00)
        )
    request = ListEntriesRequest(member=requests.member(), page_size=2, currency="point")
    first = await caller.accounts.ListEntries(request)
    assert len(first.entries) == 2
    request.page_token = first.next_page_token
    last = await caller.accounts.ListEntries(request)
    versions = [entry.version for entry in [*first.entries, *last.entries]]
    assert versions == sorted(versions, reverse=True)
    assert last.next_page_token == ""
    beyond = urlsafe_b64decode(first.next_page_token)[:8] + b"\xff" * 8
    request.page_token = urlsafe_b64encode(beyond).decode()
    await refused(caller.accounts.ListEntries(request), Code.INVALID_ARGUMENT, "MALFORMED")


async def test_a_batch_is_answered_item_by_item(caller: Caller) -> None:
    items = requests.sales(3)
    items[1].post_document.document.lines[0].category = ""
    items.append(BatchItem(burn_points=requests.burn(points=1_000_000)))
    items.append(BatchItem())
    answer = await caller.ledger.BatchPost(BatchPostRequest(items=items))
    shown = [
        "POSTED" if result.HasField("posting") else info_of(result.refusal).reason
        for result in answer.results
    ]
    assert shown == ["POSTED", "MALFORMED", "POSTED", "INSUFFICIENT_POINTS", "MALFORMED"]
    # The path is that of the single call.
    assert violations_of(answer.results[1].refusal) == ["document.lines[0].category"]
    assert await available(caller) == 24


@pytest.mark.parametrize("fault", ["shape", "points"])
async def test_an_atomic_batch_is_recorded_whole_or_not_at_all(caller: Caller, fault: str) -> None:
    items = requests.sales(2)
    wrong = requests.burn(points=0 if fault == "shape" else 1_000_000)
    items.insert(1, BatchItem(burn_points=wrong))
    answer = await caller.ledger.BatchPost(BatchPostRequest(items=items, atomic=True))
    reasons = [info_of(result.refusal).reason for result in answer.results]
    cause = "MALFORMED" if fault == "shape" else "INSUFFICIENT_POINTS"
    assert reasons == ["ATOMIC_REFUSED", cause, "ATOMIC_REFUSED"]
    metadata = info_of(answer.results[0].refusal).metadata
    assert (metadata["index"], metadata["refused_as"]) == ("1", cause)
    assert await available(caller) == 0
    good = await caller.ledger.BatchPost(
        BatchPostRequest(items=requests.sales(2, prefix="g"), atomic=True)
    )
    assert [result.posting.outcome for result in good.results] == [OUTCOME_POSTED] * 2


async def test_an_empty_batch_and_one_of_a_thousand_and_one_items_are_refused(
    caller: Caller,
) -> None:
    for count in (0, 1001):
        status = await refused(
            caller.ledger.BatchPost(BatchPostRequest(items=requests.sales(count))),
            Code.INVALID_ARGUMENT,
            "MALFORMED",
        )
        assert violations_of(status) == ["items"]
    full = await caller.ledger.BatchPost(BatchPostRequest(items=requests.sales(1000)))
    assert {result.posting.outcome for result in full.results} == {OUTCOME_POSTED}


async def test_a_stream_of_batches_is_answered_in_order(caller: Caller) -> None:
    stream = caller.ledger.PostStream()
    for number in range(3):
        await stream.write(
            PostStreamRequest(sequence=number, items=requests.sales(5, prefix=f"s{number}"))
        )
    await stream.done_writing()
    answers = [answer async for answer in stream]
    assert [answer.sequence for answer in answers] == [0, 1, 2]
    assert all(len(answer.results) == 5 for answer in answers)
    assert await available(caller) == 15 * 12


async def test_an_auditor_reads_the_history_from_any_position_and_checks_it(
    caller: Caller,
) -> None:
    await caller.ledger.PostDocument(requests.sale())
    messages = [
        message async for message in caller.audit.StreamEvents(StreamEventsRequest(decode=True))
    ]
    events = [event for message in messages for event in message.events]
    kinds = [event.event.WhichOneof("kind") for event in events]
    assert {"policy_published", "member_enrolled", "points_earned"} <= set(kinds)
    rest = StreamEventsRequest(positions=messages[-1].positions)
    assert [
        event async for message in caller.audit.StreamEvents(rest) for event in message.events
    ] == []
    reports = [report async for report in caller.audit.VerifyHistory(VerifyHistoryRequest())]
    assert reports[-1].done
    assert reports[-1].events_checked == len(events)
    assert list(reports[-1].divergences) == []


async def test_a_follower_is_sent_what_comes(caller: Caller) -> None:
    stream = caller.audit.StreamEvents(StreamEventsRequest(follow=True))
    await caller.ledger.PostDocument(requests.sale())
    async for message in stream:
        if any(event.stream.startswith("account/") for event in message.events):
            break
    stream.cancel()


async def test_malformed_bytes_and_unknown_fields_are_refused(caller: Caller) -> None:
    await refused(
        caller.raw("LedgerService/PostDocument", b"\xff\xff"), Code.INVALID_ARGUMENT, "MALFORMED"
    )
    raw = requests.sale().SerializeToString() + b"\xa0\x06\x01"
    status = await refused(
        caller.raw("LedgerService/PostDocument", raw), Code.INVALID_ARGUMENT, "MALFORMED"
    )
    assert violations_of(status) == ["#100"]
    assert await available(caller) == 0


async def test_a_request_over_four_mebibytes_is_refused_by_grpc(caller: Caller) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await caller.raw("LedgerService/PostDocument", b"\x0a" + b"x" * (4 * 1024 * 1024))
    assert error.value.code() is Code.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("origin.business_unit", "casino", "UNKNOWN_BUSINESS_UNIT"),
        ("document.currency_code", "EUR", "FOREIGN_CURRENCY"),
        ("document.lines[0].category", "rockets", "UNKNOWN_CATEGORY"),
    ],
)
async def test_words_the_policy_does_not_know_are_refused_at_their_path(
    caller: Caller, path: str, value: str, reason: str
) -> None:
    request = requests.sale()
    match path.rpartition("."):
        case ["origin", _, name]:
            setattr(request.origin, name, value)
        case ["document", _, name]:
            setattr(request.document, name, value)
        case [_, _, name]:
            setattr(request.document.lines[0], name, value)
    status = await refused(caller.ledger.PostDocument(request), Code.INVALID_ARGUMENT, reason)
    assert violations_of(status) == [path]
    assert info_of(status).metadata["value"] == value


async def test_an_unknown_point_currency_and_member_are_refused(caller: Caller) -> None:
    burn = requests.burn()
    burn.points.currency = "gold"
    await refused(caller.ledger.BurnPoints(burn), Code.INVALID_ARGUMENT, "UNKNOWN_CURRENCY")
    status = await refused(
        caller.ledger.PostDocument(requests.sale(card="9999")), Code.NOT_FOUND, "UNKNOWN_MEMBER"
    )
    assert "9999" not in str(status)


async def test_a_sale_of_tomorrow_is_refused(caller: Caller) -> None:
    request = requests.sale()
    request.origin.occurred_time.GetCurrentTime()
    request.origin.occurred_time.seconds += 86_400
    await refused(caller.ledger.PostDocument(request), Code.INVALID_ARGUMENT, "OCCURRED_IN_FUTURE")
    request.origin.occurred_time.CopyFrom(Timestamp(seconds=86_400 * 365))
    await refused(caller.ledger.PostDocument(request), Code.FAILED_PRECONDITION, "NO_POLICY")


async def test_a_deadline_is_kept(caller: Caller) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await caller.ledger.PostDocument(requests.sale(), timeout=0.000_001)
    assert error.value.code() is Code.DEADLINE_EXCEEDED


async def test_a_caller_that_leaves_hurts_nobody(served: Served, caller: Caller) -> None:
    calls = [
        caller.ledger.PostDocument(requests.sale(f"r-{number}", document_id=f"T-{number}"))
        for number in range(50)
    ]
    await asyncio.sleep(0)
    for call in calls[::2]:
        call.cancel()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    stayed = [outcome for outcome in outcomes[1::2] if isinstance(outcome, BaseException)]
    assert stayed == []
    assert (await caller.ledger.BurnPoints(requests.burn(points=100))).posting.entry_id
