"""What a document would earn, asked over real gRPC: the same as is posted, and nothing recorded."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from loyalty.v1.account_service_pb2 import VIEW_FULL, GetAccountRequest
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_SUPERSEDED,
    OUTCOME_VALIDATED,
    Assumption,
    PostDocumentRequest,
    Posting,
    QuoteDocumentRequest,
    QuoteDocumentResponse,
)
from loyalty.v1.programme_service_pb2 import DraftPolicyRequest, PublishPolicyRequest
from loyalty.v1.types_pb2 import DOCUMENT_KIND_SALE, Document, MemberRef, Origin
from tests.server import asked, requests
from tests.server.served import Caller, Served, refused, violations_of

ORIGIN = Origin(business_unit="market")


@pytest.fixture
async def till(served: Served) -> AsyncIterator[Caller]:
    """A caller of a programme with a bit of everything."""
    async with served.caller(await served.token("till")) as caller:
        await caller.programme.PublishPolicy(
            PublishPolicyRequest(request_id="p-1", document=asked.POLICY, allow_retroactive=True)
        )
        await caller.members.EnrolMember(requests.enrolment())
        yield caller


async def quote(
    till: Caller, document: Document, *, joins: bool = False, **more: object
) -> QuoteDocumentResponse:
    request = QuoteDocumentRequest(origin=ORIGIN, document=document, **more)  # type: ignore[arg-type]
    if not joins:
        request.member.CopyFrom(requests.member())
    answer: QuoteDocumentResponse = await till.ledger.QuoteDocument(request)
    return answer


async def post(till: Caller, document: Document, request_id: str, language: str = "") -> Posting:
    request = PostDocumentRequest(
        request_id=request_id,
        origin=ORIGIN,
        member=requests.member(),
        document=document,
        language=language,
    )
    return (await till.ledger.PostDocument(request)).posting  # type: ignore[no-any-return]


def essence(posting: Posting) -> Posting:
    """A posting without ids, places, outcome, and times that depend on when it was asked."""
    plain = Posting()
    plain.CopyFrom(posting)
    plain.outcome, plain.entry_id, plain.position = OUTCOME_VALIDATED, "", ""
    for movement in plain.movements:
        movement.lot_id = ""
        movement.ClearField("expire_time")
        for draw in movement.draws:
            draw.Clear()
    for grant in plain.grants:
        grant.ClearField("expire_time")
        grant.ClearField("available_time")
    for balance in plain.balances:
        balance.ClearField("next_expire_time")
    return plain


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_quoted_is_what_is_posted_right_after(till: Caller, seed: int) -> None:
    granted = 0
    for number, document in enumerate(asked.baskets(seed, 40)):
        quoted = await quote(till, document, language="en")
        posted = await post(till, document, f"r-{number}", "en")
        if posted.outcome == OUTCOME_SUPERSEDED:
            assert not quoted.posting.grants
            continue
        assert essence(quoted.posting) == essence(posted)
        granted += sum(grant.granted for grant in posted.grants)
        goals = [number for number in posted.numbers if number.goal > 1]
        assert len(posted.messages) == len(posted.grants) + len(quoted.benefits) + len(goals)
    assert granted > 400


async def test_a_quote_records_nothing(till: Caller) -> None:
    before = await till.accounts.GetAccount(
        GetAccountRequest(member=requests.member(), view=VIEW_FULL)
    )
    answer = await quote(till, asked.sale_of(("grocery", 60_00)))
    assert answer.posting.outcome == OUTCOME_VALIDATED
    assert sum(grant.granted for grant in answer.posting.grants) == 60 + 60 + 25
    assert not answer.posting.entry_id
    after = await till.accounts.GetAccount(
        GetAccountRequest(member=requests.member(), view=VIEW_FULL)
    )
    assert before == after


async def test_a_quote_tells_titles_benefits_and_what_room_is_left(till: Caller) -> None:
    await post(till, asked.sale_of(("grocery", 100_00), document_id="T-1"), "r-1")
    answer = await quote(till, asked.sale_of(("fashion", 80_00)), language="zh")
    titles = {each.rule: each.title for each in answer.titles}
    assert titles["base"] == "基础"
    assert titles["fashion"] == "Fashion week"
    assert [each.benefit for each in answer.benefits] == ["coffee"]
    room = {each.name: (each.limit, each.left) for each in answer.room}
    assert room == {"cap/day": (400, 35), "budget/spring/point": (900, 740)}
    assert any(line.startswith("基础") for line in answer.posting.messages)


async def test_a_cap_that_cuts_is_named_on_the_receipt(till: Caller) -> None:
    posted = await post(till, asked.sale_of(("grocery", 900_00), document_id="T-1"), "r-1", "en")
    assert posted.messages[0] == "Base: +400 point, limit day reached"
    plain = await post(till, asked.sale_of(("grocery", 1_00), document_id="T-2"), "r-2")
    assert not plain.messages


async def test_who_is_no_member_is_told_what_joining_would_give(till: Caller) -> None:
    joins = await quote(till, asked.sale_of(("grocery", 10_00)), joins=True)
    assert {grant.rule: grant.granted for grant in joins.posting.grants} == {
        "base": 10,
        "status": 10,
        "first": 25,
    }
    assert joins.posting.tier == "blue"
    assert not joins.posting.member_id
    gold = await quote(
        till, asked.sale_of(("grocery", 10_00)), joins=True, assume=Assumption(tier="gold")
    )
    assert {grant.rule: grant.granted for grant in gold.posting.grants}["gold"] == 5
    assert gold.posting.tier == "gold"


async def test_an_assumed_segment_counts_beside_what_is_known(till: Caller) -> None:
    plain = await quote(till, asked.sale_of(("grocery", 1_00)))
    assert "staff" not in [grant.rule for grant in plain.posting.grants]
    answer = await quote(
        till, asked.sale_of(("grocery", 1_00)), assume=Assumption(segments=["staff"])
    )
    assert "staff" in [grant.rule for grant in answer.posting.grants]


async def test_a_quote_may_ask_for_another_time(till: Caller) -> None:
    await post(till, asked.sale_of(("grocery", 50_00), document_id="T-1"), "r-1")
    then = Timestamp()
    then.FromDatetime(datetime.now(UTC) + timedelta(days=800))
    origin = Origin(business_unit="market", occurred_time=then)
    answer = await till.ledger.QuoteDocument(
        QuoteDocumentRequest(
            origin=origin, member=requests.member(), document=asked.sale_of(("grocery", 9_00))
        )
    )
    balances = {each.currency: each.available for each in answer.posting.balances}
    assert balances["point"] == 9, "what was earned before has expired by then"


async def test_a_quote_may_ask_a_draft_a_version_or_a_text(till: Caller) -> None:
    text = asked.POLICY.replace("version: 1", "version: 2").replace(
        "points: 25, when", "points: 99, when"
    )
    draft = await till.programme.DraftPolicy(DraftPolicyRequest(request_id="d-1", document=text))
    document = asked.sale_of(("grocery", 1_00))
    for answer, first in (
        (await quote(till, document, policy_digest=draft.policy.digest), 99),
        (await quote(till, document, policy_document=text), 99),
        (await quote(till, document, policy_version=1), 25),
        (await quote(till, document), 25),
    ):
        given = {grant.rule: grant.granted for grant in answer.posting.grants}
        assert given["first"] == first


WRONG = {
    "document.lines[0].category": (
        "UNKNOWN_CATEGORY",
        QuoteDocumentRequest(origin=ORIGIN, document=asked.sale_of(("shoes", 1))),
    ),
    "assume.tier": (
        "UNKNOWN_TIER",
        QuoteDocumentRequest(
            origin=ORIGIN, document=asked.sale_of(("grocery", 1)), assume=Assumption(tier="iron")
        ),
    ),
    "language": (
        "MALFORMED",
        QuoteDocumentRequest(origin=ORIGIN, document=asked.sale_of(), language="fr"),
    ),
    "policy_version": (
        "MALFORMED",
        QuoteDocumentRequest(origin=ORIGIN, document=asked.sale_of(), policy_version=-1),
    ),
    "document.status": (
        "MALFORMED",
        QuoteDocumentRequest(origin=ORIGIN, document=Document(kind=DOCUMENT_KIND_SALE)),
    ),
}


@pytest.mark.parametrize("field", WRONG)
async def test_what_is_wrong_with_a_quote_is_named(till: Caller, field: str) -> None:
    reason, request = WRONG[field]
    status = await refused(
        till.ledger.QuoteDocument(request), grpc.StatusCode.INVALID_ARGUMENT, reason
    )
    assert field in violations_of(status)


async def test_nobody_is_quoted_whom_nobody_knows(till: Caller) -> None:
    for member in (requests.member("0000"), MemberRef(member_id="newcomer")):
        request = QuoteDocumentRequest(origin=ORIGIN, member=member, document=asked.sale_of())
        with pytest.raises(grpc.aio.AioRpcError):
            await till.ledger.QuoteDocument(request)


async def test_a_policy_that_nobody_recorded_is_refused(till: Caller) -> None:
    request = QuoteDocumentRequest(origin=ORIGIN, document=asked.sale_of(), policy_version=9)
    await refused(till.ledger.QuoteDocument(request), grpc.StatusCode.NOT_FOUND, "UNKNOWN_POLICY")


async def test_only_who_writes_policies_may_quote_by_their_text(served: Served) -> None:
    token = await served.token("desk", verbs=("read",))
    async with served.caller(token) as desk:
        request = QuoteDocumentRequest(
            origin=ORIGIN, document=asked.sale_of(), policy_document=asked.POLICY
        )
        await refused(
            desk.ledger.QuoteDocument(request), grpc.StatusCode.PERMISSION_DENIED, "PERMISSION"
        )
