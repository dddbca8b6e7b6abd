"""Whose a document is, and which are nobody's, asked through the service."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from loyalty.v1.account_service_pb2 import (
    GetDocumentRequest,
    GetDocumentResponse,
    ListUnclaimedDocumentsRequest,
    ListUnclaimedDocumentsResponse,
)
from loyalty.v1.events_pb2 import (
    ARRIVAL_CAUSE_CLAIMED,
    ARRIVAL_CAUSE_MOVED,
    ARRIVAL_CAUSE_UNSPECIFIED,
    CLAIM_CAUSE_RECEIPT_CODE,
)
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_CANCELLED, DOCUMENT_STATUS_FINAL
from tests.server import requests
from tests.server.served import Caller, Served, refused, serving, violations_of
from tests.server.test_moving import claim, move, unclaimed


@pytest.fixture
async def served(database: str, tmp_path: Path) -> AsyncIterator[Served]:
    """A server with its projections."""
    async with serving(database, tmp_path, projections=True) as running:
        yield running


async def get(caller: Caller, document: str = "market/till/T-1") -> GetDocumentResponse:
    """A document."""
    answer: GetDocumentResponse = await caller.accounts.GetDocument(
        GetDocumentRequest(document=document)
    )
    return answer


async def listed(caller: Caller, position: str, **fields: object) -> ListUnclaimedDocumentsResponse:
    """Documents that are nobody's, once the list has come that far."""
    request = ListUnclaimedDocumentsRequest(min_position=position, **fields)  # type: ignore[arg-type]
    answer: ListUnclaimedDocumentsResponse = await caller.accounts.ListUnclaimedDocuments(request)
    return answer


async def test_a_document_tells_where_it_has_been(caller: Caller) -> None:
    await caller.members.EnrolMember(requests.enrolment("e-2", "8801"))
    await caller.ledger.PostDocument(unclaimed())
    before = await get(caller)
    assert (before.member_id, before.has_receipt_code, before.pinned) == ("", True, True)
    assert before.HasField("claim_until_time")
    assert before.stated.receipt_code == ""
    claimed = (await caller.ledger.ClaimDocument(claim())).posting
    moved = (await caller.ledger.MoveDocument(move())).posting
    after = await get(caller)
    assert after.member_id == moved.member_id
    assert not after.HasField("claim_until_time")
    assert (after.claim.cause, after.claim.member_id, after.claim.entry_id) == (
        CLAIM_CAUSE_RECEIPT_CODE,
        claimed.member_id,
        claimed.entry_id,
    )
    assert [(each.member_id, each.arrival) for each in after.versions] == [
        ("", ARRIVAL_CAUSE_UNSPECIFIED),
        (claimed.member_id, ARRIVAL_CAUSE_CLAIMED),
        (moved.member_id, ARRIVAL_CAUSE_MOVED),
    ]
    assert [each.net_minor_units for each in after.versions] == [12_50] * 3
    assert after.versions[2].grants == moved.grants


async def test_another_unit_s_document_is_not_there(served: Served, caller: Caller) -> None:
    await caller.ledger.PostDocument(unclaimed())
    token = await served.token("desk", units=("hotel",))
    async with served.caller(token) as desk:
        await refused(get(desk), grpc.StatusCode.NOT_FOUND, "UNKNOWN_DOCUMENT")
    await refused(get(caller, "market/till/T-9"), grpc.StatusCode.NOT_FOUND, "UNKNOWN_DOCUMENT")
    status = await refused(get(caller, "T-9"), grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED")
    assert violations_of(status) == ["document"]


async def test_what_is_nobodys_is_listed_until_somebody_has_it(caller: Caller) -> None:
    position = ""
    for number in range(5):
        answer = await caller.ledger.PostDocument(unclaimed(f"T-{number}"))
        position = answer.posting.position
        found = await listed(caller, position)
        assert found.documents[0].document == f"market/till/T-{number}"
    first = await listed(caller, position, page_size=2)
    assert [each.document for each in first.documents] == ["market/till/T-4", "market/till/T-3"]
    assert first.documents[0].net.minor_units == 12_50
    assert first.documents[0].status == DOCUMENT_STATUS_FINAL
    assert first.documents[0].HasField("claim_until_time")
    second = await listed(caller, position, page_size=2, page_token=first.next_page_token)
    assert [each.document for each in second.documents] == ["market/till/T-2", "market/till/T-1"]
    last = await listed(caller, position, page_size=2, page_token=second.next_page_token)
    assert ([each.document for each in last.documents], last.next_page_token) == (
        ["market/till/T-0"],
        "",
    )
    await caller.ledger.ClaimDocument(claim("market/till/T-3"))
    cancelled = unclaimed("T-2")
    cancelled.request_id, cancelled.document.version = "cancel", 2
    cancelled.document.status = DOCUMENT_STATUS_CANCELLED
    await caller.ledger.PostDocument(cancelled)
    # Both stand in lanes of their documents: the list is looked at until it has come so far.
    left = {f"market/till/T-{number}" for number in (4, 1, 0)}
    shown: set[str] = set()
    async with asyncio.timeout(20):
        while shown != left:
            await asyncio.sleep(0.05)
            shown = {each.document for each in (await listed(caller, "")).documents}


async def test_a_list_shows_the_units_of_the_token_to_who_may_move(
    served: Served, caller: Caller
) -> None:
    position = (await caller.ledger.PostDocument(unclaimed())).posting.position
    await listed(caller, position)
    token = await served.token("desk", units=("hotel",))
    async with served.caller(token) as desk:
        assert not (await listed(desk, position)).documents
        denied = listed(desk, position, business_unit="market")
        await refused(denied, grpc.StatusCode.PERMISSION_DENIED, "PERMISSION")
    token = await served.token("till-2", units=("market",), verbs=("earn", "read"))
    async with served.caller(token) as till:
        denied = listed(till, position)
        await refused(denied, grpc.StatusCode.PERMISSION_DENIED, "PERMISSION")


async def test_a_page_token_belongs_to_its_question(caller: Caller) -> None:
    for number in range(2):
        answer = await caller.ledger.PostDocument(unclaimed(f"T-{number}"))
    position = answer.posting.position
    await listed(caller, position)
    found = await listed(caller, position, page_size=1)
    other = listed(
        caller, position, page_size=1, page_token=found.next_page_token, business_unit="market"
    )
    status = await refused(other, grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED")
    assert violations_of(status) == ["page_token"]
