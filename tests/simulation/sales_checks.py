"""What must be true of documents, reckoned from what was answered."""

from collections import Counter

from loyalty.v1.events_pb2 import (
    CLAIM_CAUSE_IDENTITY,
    CLAIM_CAUSE_NAMED,
    CLAIM_CAUSE_RECEIPT_CODE,
    ClaimCause,
    DocumentClaimed,
    DocumentPosted,
)
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_SUPERSEDED,
    ClaimDocumentRequest,
    PostDocumentRequest,
)
from loyalty.v1.member_service_pb2 import EnrolMemberRequest
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_CANCELLED
from tests.simulation.cards import card
from tests.simulation.located import Located, answered
from tests.simulation.sales import Key
from tests.simulation.traffic import Traffic


def check_sales(facts: list[Located], traffic: Traffic) -> None:
    """Assert everything about documents, once everything has come to rest."""
    _check_documents(facts, traffic)
    _check_claims(facts, traffic)


def _check_documents(facts: list[Located], traffic: Traffic) -> None:
    """The newest version that was answered stands, and gives what a child would reckon."""
    newest: dict[Key, PostDocumentRequest] = {}
    versions: Counter[tuple[str, str, int]] = Counter()
    for request, posting in answered(traffic, PostDocumentRequest):
        if posting.outcome == OUTCOME_SUPERSEDED:
            continue
        key = (request.origin.business_unit, request.document.document_id)
        versions[*key, request.document.version] = 1
        if key not in newest or newest[key].document.version < request.document.version:
            newest[key] = request
    heads: dict[Key, tuple[str, DocumentPosted]] = {}
    recorded: Counter[tuple[str, str, int]] = Counter()
    for account, fact in facts:
        if isinstance(fact, DocumentPosted):
            key = (fact.business_unit, fact.document.document_id)
            # One that only came to whom it belongs was stated before.
            recorded[*key, fact.document.version] += not fact.arrival.same_version
            if key not in heads or _order(fact) > _order(heads[key][1]):
                heads[key] = account, fact
    assert recorded == versions, "each answered version was recorded once, and no other"
    for key, request in newest.items():
        account, head = heads[key]
        stated = type(request.document)()
        stated.CopyFrom(request.document)
        stated.receipt_code = ""
        assert head.document == stated
        given = sum(grant.granted for grant in head.grants)
        assert given == (_expected(request) if account else 0), head


def _order(fact: DocumentPosted) -> tuple[int, bool]:
    return fact.document.version, fact.arrival.same_version


def _expected(request: PostDocumentRequest) -> int:
    if request.document.status == DOCUMENT_STATUS_CANCELLED:
        return 0
    food = sum(line.net_minor_units for line in request.document.lines if line.category == "food")
    return food // 100


def _check_claims(facts: list[Located], traffic: Traffic) -> None:
    """What was nobody's is claimed once; by a receipt's code only as somebody was answered."""
    claims: dict[str, DocumentClaimed] = {}
    for _, fact in facts:
        if isinstance(fact, DocumentClaimed):
            assert fact.document not in claims, "claimed twice"
            claims[fact.document] = fact
    by_code = _by_cause(claims, CLAIM_CAUSE_RECEIPT_CODE)
    assert by_code == {
        posting.entry_id: posting.member_id
        for _, posting in answered(traffic, ClaimDocumentRequest)
    }
    named = _by_cause(claims, CLAIM_CAUSE_NAMED)
    posted = {p.entry_id: p.member_id for _, p in answered(traffic, PostDocumentRequest)}
    assert named.items() <= posted.items()
    strangers = [card(number) for number in traffic.sales.strangers]
    joined = {
        member.member_id
        for request, member in answered(traffic, EnrolMemberRequest)
        if request.identities[0] in strangers
    }
    assert set(_by_cause(claims, CLAIM_CAUSE_IDENTITY).values()) <= joined


def _by_cause(claims: dict[str, DocumentClaimed], cause: ClaimCause.ValueType) -> dict[str, str]:
    """Whose what was claimed is, by entry."""
    return {fact.entry_id: fact.member_id for fact in claims.values() if fact.cause == cause}
