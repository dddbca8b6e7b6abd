"""Documents that become another's, through the service: who may, and what is answered."""

from typing import Any

import grpc
import pytest

from loyalty.v1.ledger_service_pb2 import (
    BatchItem,
    BatchPostRequest,
    ClaimDocumentRequest,
    MoveDocumentRequest,
    PostDocumentRequest,
)
from loyalty.v1.types_pb2 import Origin
from tests.server import requests
from tests.server.served import Caller, Served, info_of, refused, violations_of

DENIED = grpc.StatusCode.PERMISSION_DENIED
NOT_FOUND = grpc.StatusCode.NOT_FOUND
INVALID = grpc.StatusCode.INVALID_ARGUMENT


def unclaimed(document_id: str = "T-1", code: str = "7KQ2") -> PostDocumentRequest:
    """A sale without a member, with a code on its receipt."""
    sale = requests.sale(f"post {document_id}", document_id=document_id)
    sale.ClearField("member")
    sale.document.receipt_code = code
    return sale


def claim(document: str = "market/till/T-1", code: str = "7KQ2") -> ClaimDocumentRequest:
    """The member claims it at the supermarket's counter."""
    return ClaimDocumentRequest(
        request_id=f"claim {document}",
        origin=Origin(business_unit="market"),
        member=requests.member(),
        document=document,
        receipt_code=code,
    )


def move(document: str = "market/till/T-1", unit: str = "market") -> MoveDocumentRequest:
    """Staff move it to the second card."""
    return MoveDocumentRequest(
        request_id=f"move {document}",
        origin=Origin(business_unit=unit),
        member=requests.member("8801"),
        document=document,
        reason="wrong card was scanned",
    )


@pytest.fixture
async def two(caller: Caller) -> Caller:
    """The caller, with a second member."""
    await caller.members.EnrolMember(requests.enrolment("e-2", "8801"))
    return caller


async def test_a_claim_then_a_move_in_one_batch(two: Caller) -> None:
    items = [
        BatchItem(post_document=unclaimed()),
        BatchItem(claim_document=claim()),
        BatchItem(move_document=move()),
        BatchItem(claim_document=claim(code="7KQ3")),
    ]
    answer = await two.ledger.BatchPost(BatchPostRequest(items=items))
    posted, claimed, moved, wrong = answer.results
    assert not posted.posting.member_id
    assert {each.kind for each in claimed.posting.movements} == {"points_earned"}
    left = moved.posting.departure
    assert left.member_id == claimed.posting.member_id != moved.posting.member_id
    assert {each.kind for each in left.movements} == {"points_clawed_back"}
    assert wrong.refusal.code == grpc.StatusCode.ALREADY_EXISTS.value[0]


async def test_single_calls_answer_alike(two: Caller) -> None:
    await two.ledger.PostDocument(unclaimed())
    claimed = await two.ledger.ClaimDocument(claim())
    moved = await two.ledger.MoveDocument(move())
    assert claimed.posting.grants == moved.posting.grants
    status = await refused(
        two.ledger.ClaimDocument(claim("market/till/T-9")), NOT_FOUND, "UNKNOWN_DOCUMENT"
    )
    assert info_of(status).metadata["document"] == "market/till/T-9"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"document": "market/till"}, "document"),
        ({"document": "//T-1"}, "document"),
        ({"receipt_code": ""}, "receipt_code"),
        ({"member": None}, "member"),
    ],
)
async def test_a_malformed_claim_names_the_field(
    caller: Caller, change: dict[str, Any], field: str
) -> None:
    request: Any = claim()
    for name, value in change.items():
        request.ClearField(name)
        if value:
            setattr(request, name, value)
    status = await refused(caller.ledger.ClaimDocument(request), INVALID, "MALFORMED")
    assert violations_of(status) == [field]


async def test_a_move_needs_a_reason(caller: Caller) -> None:
    request = move()
    request.reason = ""
    status = await refused(caller.ledger.MoveDocument(request), INVALID, "MALFORMED")
    assert violations_of(status) == ["reason"]


async def test_each_needs_a_verb_of_its_own(served: Served, two: Caller) -> None:
    await two.ledger.PostDocument(unclaimed())
    await two.ledger.PostDocument(requests.sale("r-2", document_id="T-2"))
    token = await served.token("cashier", units=("market",), verbs=("earn", "read"))
    async with served.caller(token) as cashier:
        await refused(cashier.ledger.ClaimDocument(claim()), DENIED, "PERMISSION")
        await refused(cashier.ledger.MoveDocument(move()), DENIED, "PERMISSION")
        version = requests.sale("r-3", document_id="T-2", card="8801")
        version.document.version = 2
        await refused(
            cashier.ledger.PostDocument(version),
            grpc.StatusCode.FAILED_PRECONDITION,
            "DOCUMENT_OF_ANOTHER_MEMBER",
        )
        version.move = True
        status = await refused(cashier.ledger.PostDocument(version), DENIED, "PERMISSION")
        assert info_of(status).metadata["verb"] == "move"
        batch = BatchPostRequest(items=[BatchItem(post_document=version)])
        [result] = (await cashier.ledger.BatchPost(batch)).results
        assert result.refusal.code == DENIED.value[0]
    assert (await two.ledger.PostDocument(version)).posting.departure.movements


async def test_a_flag_without_its_field_is_malformed(caller: Caller) -> None:
    sale = unclaimed()
    sale.move = True
    status = await refused(caller.ledger.PostDocument(sale), INVALID, "MALFORMED")
    assert violations_of(status) == ["move"]
    sale.move, sale.unclaimed_if_unknown = False, True
    status = await refused(caller.ledger.PostDocument(sale), INVALID, "MALFORMED")
    assert violations_of(status) == ["unclaimed_if_unknown"]


async def test_goods_come_back_at_another_unit(served: Served, caller: Caller) -> None:
    """The unit that sold takes the points back; the other one only took the goods."""
    await caller.ledger.PostDocument(requests.sale(cents=50_00))
    returned = requests.sale("r-2", cents=20_00, unit="hotel")
    returned.ClearField("member")
    returned.document.version = 2
    returned.document_unit = "market"
    token = await served.token("desk", units=("hotel",), verbs=("earn",))
    async with served.caller(token) as desk:
        status = await refused(desk.ledger.PostDocument(returned), DENIED, "PERMISSION")
        assert info_of(status).metadata["verb"] == "return"
    token = await served.token("desk-2", units=("hotel",), verbs=("earn", "return"))
    async with served.caller(token) as desk:
        posting = (await desk.ledger.PostDocument(returned)).posting
        assert {each.kind for each in posting.movements} == {"points_clawed_back"}
        returned.request_id, returned.document.version = "r-3", 3
        returned.document.lines[0].net_minor_units = 30_00
        status = await refused(
            desk.ledger.PostDocument(returned),
            grpc.StatusCode.FAILED_PRECONDITION,
            "NOT_A_RETURN",
        )
        assert info_of(status).metadata["field"] == "document.lines[0].net_minor_units"
        returned.document.document_id = "T-9"
        await refused(desk.ledger.PostDocument(returned), NOT_FOUND, "UNKNOWN_DOCUMENT")
