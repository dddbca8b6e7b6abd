"""What a member does besides buying: recorded over real gRPC like a document, once and for all."""

from collections.abc import AsyncIterator

import grpc
import pytest

from loyalty.v1.account_service_pb2 import GetAccountRequest
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_POSTED,
    OUTCOME_REPLAYED,
    OUTCOME_SUPERSEDED,
    Activity,
    BatchItem,
    BatchPostRequest,
    PostDocumentRequest,
    RecordActivityRequest,
)
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_ACTIVITY,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    LINE_PART_KIND_TAX,
    ExchangeRate,
    LinePart,
    Origin,
    Payment,
)
from tests.server import requests
from tests.server.served import Caller, Served, info_of, refused, violations_of

POLICY = """
schema: loyalty.policy/v1
programme: small
version: 1
effective_from: 2020-01-01T00:00:00Z
zone: UTC
currencies:
  - {id: point, role: spendable}
business_units:
  - {id: market, zone: UTC, currency: USD}
categories: [grocery]
payments: [card, cash]
activities: [paddling]
earn:
  - {kind: base, id: base, currency: point, rate: {points: 1, per: "1.00"}}
  - {kind: bonus, id: reviewed, currency: point, points: 5, when: {activity: [review]}}
  - {kind: bonus, id: paddled, currency: point, points: 7, when: {activity: [paddling]}}
"""


@pytest.fixture
async def till(served: Served) -> AsyncIterator[Caller]:
    """A caller of a programme that rewards reviews and paddling."""
    token = await served.token("till")
    async with served.caller(token) as caller:
        await caller.programme.PublishPolicy(
            PublishPolicyRequest(request_id="p-1", document=POLICY, allow_retroactive=True)
        )
        await caller.members.EnrolMember(requests.enrolment())
        yield caller


def activity(
    request_id: str = "a-1",
    *,
    kind: str = "review",
    version: int = 1,
    cancelled: bool = False,
    activity_id: str = "R-1",
) -> RecordActivityRequest:
    return RecordActivityRequest(
        request_id=request_id,
        origin=Origin(business_unit="market"),
        member=requests.member(),
        activity=Activity(
            kind=kind,
            source="shop",
            activity_id=activity_id,
            version=version,
            status=DOCUMENT_STATUS_CANCELLED if cancelled else DOCUMENT_STATUS_FINAL,
        ),
    )


async def available(till: Caller) -> int:
    answer = await till.accounts.GetAccount(GetAccountRequest(member=requests.member()))
    return sum(row.available for row in answer.account.balances)


async def test_a_review_earns_once_and_a_cancelled_one_takes_its_points_back(till: Caller) -> None:
    first = await till.ledger.RecordActivity(activity())
    again = await till.ledger.RecordActivity(activity())
    assert first.posting.outcome == OUTCOME_POSTED
    assert again.posting.outcome == OUTCOME_REPLAYED
    assert [grant.rule for grant in first.posting.grants] == ["reviewed"]
    assert await available(till) == 5
    await till.ledger.RecordActivity(activity("a-2", version=3, cancelled=True))
    assert await available(till) == 0
    late = await till.ledger.RecordActivity(activity("a-3", version=2))
    assert late.posting.outcome == OUTCOME_SUPERSEDED
    assert await available(till) == 0


async def test_activities_travel_in_batches_beside_sales(till: Caller) -> None:
    items = [
        BatchItem(record_activity=activity(kind="paddling", activity_id="P-1")),
        BatchItem(post_document=requests.sale(cents=3_00)),
        BatchItem(record_activity=activity("a-2", kind="login", activity_id="L-1")),
    ]
    answer = await till.ledger.BatchPost(BatchPostRequest(items=items))
    assert [sum(g.granted for g in result.posting.grants) for result in answer.results] == [7, 3, 0]
    assert await available(till) == 10


async def test_an_activity_the_policy_does_not_know_is_refused_by_name(till: Caller) -> None:
    status = await refused(
        till.ledger.RecordActivity(activity(kind="revue")),
        grpc.StatusCode.INVALID_ARGUMENT,
        "UNKNOWN_ACTIVITY",
    )
    assert "activity.kind" in violations_of(status)
    known = info_of(status).metadata["known"]
    assert "review" in known
    assert "paddling" in known


async def test_a_payment_the_policy_does_not_list_is_refused_by_name(till: Caller) -> None:
    sale = requests.sale()
    sale.document.payments.extend([Payment(kind="cash", minor_units=1), Payment(kind="shells")])
    status = await refused(
        till.ledger.PostDocument(sale), grpc.StatusCode.INVALID_ARGUMENT, "UNKNOWN_PAYMENT"
    )
    assert "document.payments[1].kind" in violations_of(status)


def _as_activity(sale: PostDocumentRequest) -> None:
    sale.document.kind = DOCUMENT_KIND_ACTIVITY


def _with_parts_above_the_line(sale: PostDocumentRequest) -> None:
    sale.document.lines[0].parts.extend(
        [LinePart(kind=LINE_PART_KIND_TAX, minor_units=units) for units in (12_00, 51)]
    )


def _with_a_rate_of_nothing(sale: PostDocumentRequest) -> None:
    sale.document.exchange_rates.append(
        ExchangeRate(currency_code="EUR", rate="0.00", rate_date="2026-01-01")
    )


def _with_its_own_rate(sale: PostDocumentRequest) -> None:
    sale.document.exchange_rates.append(
        ExchangeRate(currency_code="USD", rate="1", rate_date="2026-01-01")
    )


def _with_a_nameless_coupon(sale: PostDocumentRequest) -> None:
    sale.document.coupons.extend(["C-1", ""])


WRONG = {
    "document.kind": _as_activity,
    "document.lines[0].parts[1].minor_units": _with_parts_above_the_line,
    "document.exchange_rates[0].rate": _with_a_rate_of_nothing,
    "document.exchange_rates[0].currency_code": _with_its_own_rate,
    "document.coupons[1]": _with_a_nameless_coupon,
}


@pytest.mark.parametrize("field", WRONG)
async def test_what_is_wrong_with_a_document_is_named(till: Caller, field: str) -> None:
    sale = requests.sale(cents=12_50)
    WRONG[field](sale)
    status = await refused(
        till.ledger.PostDocument(sale), grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED"
    )
    assert field in violations_of(status)
    assert await available(till) == 0
