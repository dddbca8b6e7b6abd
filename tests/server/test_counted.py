"""What a document is granted besides points, told over real gRPC: benefits, numbers, goals."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.clock import SettableClock
from ledger.core.instant import DAY, from_datetime
from loyalty.v1.account_service_pb2 import (
    VIEW_BASIC,
    VIEW_FULL,
    Account,
    GetAccountRequest,
    View,
)
from loyalty.v1.ledger_service_pb2 import PostDocumentRequest, Posting
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from loyalty.v1.types_pb2 import (
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_PENDING,
    Document,
    Origin,
)
from tests.server import asked, requests
from tests.server.served import Caller, Served, serving

ORIGIN = Origin(business_unit="market")
BEGIN = from_datetime(datetime(2026, 5, 1, 12, tzinfo=UTC))


@pytest.fixture
def clock() -> SettableClock:
    """The server's clock."""
    return SettableClock(BEGIN)


@pytest.fixture
async def served(database: str, tmp_path: Path, clock: SettableClock) -> AsyncIterator[Served]:
    """A server on a clock that stands."""
    async with serving(database, tmp_path, clock) as served:
        yield served


@pytest.fixture
async def till(served: Served) -> AsyncIterator[Caller]:
    """A caller of a programme with a bit of everything."""
    async with served.caller(await served.token("till")) as caller:
        await caller.programme.PublishPolicy(
            PublishPolicyRequest(request_id="p-1", document=asked.POLICY, allow_retroactive=True)
        )
        await caller.members.EnrolMember(requests.enrolment())
        yield caller


async def post(till: Caller, document: Document) -> Posting:
    request = PostDocumentRequest(
        request_id=f"{document.document_id}-{document.version}",
        origin=ORIGIN,
        member=requests.member(),
        document=document,
        language="en",
    )
    return (await till.ledger.PostDocument(request)).posting  # type: ignore[no-any-return]


def sale(name: str, cents: int) -> Document:
    return asked.sale_of(("grocery", cents), document_id=name)


async def account(caller: Caller, view: View.ValueType = VIEW_FULL) -> Account:
    answer = await caller.accounts.GetAccount(
        GetAccountRequest(member=requests.member(), view=view)
    )
    return answer.account  # type: ignore[no-any-return]


def numbers(posting: Posting) -> list[tuple[str, int, int]]:
    return [(each.counter, each.number, each.goal) for each in posting.numbers]


async def test_the_till_is_told_the_number_and_how_far_it_is_to_the_next_goal(
    till: Caller,
) -> None:
    first = await post(till, sale("T-1", 10_00))
    assert numbers(first) == [("nth", 1, 3), ("first_purchase", 1, 1)]
    assert first.messages[-1] == "nth: 1 of 3"
    booked = sale("T-2", 10_00)
    booked.status = DOCUMENT_STATUS_PENDING
    assert numbers(await post(till, booked))[0] == ("nth", 2, 3)
    # The booking was told its number and has not taken it.
    assert numbers(await post(till, sale("T-3", 10_00)))[0] == ("nth", 2, 3)
    third = await post(till, sale("T-4", 10_00))
    assert numbers(third)[0] == ("nth", 3, 3)
    assert {grant.rule for grant in third.grants} >= {"third"}
    gone = sale("T-4", 0)
    gone.version, gone.status = 2, DOCUMENT_STATUS_CANCELLED
    assert numbers(await post(till, gone)) == []


async def test_benefits_are_told_with_the_document_and_listed_until_their_time_is_over(
    till: Caller, served: Served, clock: SettableClock
) -> None:
    posted = await post(till, sale("T-1", 60_00))
    assert [(each.benefit, each.rule, each.quantity) for each in posted.benefits] == [
        ("coffee", "coffee", 1)
    ]
    plain = await post(till, sale("T-2", 10_00))
    assert not plain.benefits
    [listed] = (await account(till)).benefits
    assert (listed.benefit, listed.quantity, listed.rule) == ("coffee", 1, "coffee")
    assert (listed.expire_time, listed.document) == (
        posted.benefits[0].expire_time,
        "market/till/T-1",
    )
    assert not (await account(till, VIEW_BASIC)).benefits
    async with served.caller(await served.token("hotel", units=("hotel",))) as hotel:
        [foreign] = (await account(hotel)).benefits
        assert (foreign.benefit, foreign.document) == ("coffee", "")
    clock.set(BEGIN + 400 * DAY)
    assert not (await account(till)).benefits
