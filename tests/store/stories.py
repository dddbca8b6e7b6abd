"""What tests of documents that move have in common: tiers, codes, and short requests."""

from ledger.core.instant import to_timestamp
from loyalty.v1.audit_service_pb2 import VerifyHistoryResponse
from loyalty.v1.ledger_service_pb2 import (
    ClaimDocumentRequest,
    MoveDocumentRequest,
    PostDocumentRequest,
)
from loyalty.v1.member_service_pb2 import GrantTierRequest
from loyalty.v1.types_pb2 import MemberRef
from tests.store.till import POLICY, Till, at, origin_of

TIERED = (
    POLICY.replace(
        "redemptions:",
        "  - {kind: multiplier, id: gold, currency: p, factor: 2, group: g, when: {tier: [gold]}}\n"
        "redemptions:",
    )
    + "groups: [{id: g}]\ntiers: {ladder: [{id: basic}, {id: gold, invite_only: true}]}\n"
)
MONTH = TIERED.replace("{id: p, role: spendable}", "{id: p, role: spendable, expiry: month}")
CLAIMS = (
    MONTH + "expiries: [{id: month, kind: fixed, days: 30}]\n" + "documents: {claim_days: 14}\n"
)


async def gild(till: Till, member: MemberRef, since: str = "2025-01-01T00:00") -> None:
    """Give a member gold for as long as it takes."""
    request = GrantTierRequest(
        request_id=till.rid(), origin=origin_of("a", since), member=member, tier="gold", reason="x"
    )
    request.until_time.CopyFrom(to_timestamp(at("2030-01-01T00:00")))
    await till.write(request)


def claim(
    till: Till, member: MemberRef, document: str, code: str, *, rid: str = ""
) -> ClaimDocumentRequest:
    """Claim a document of unit a."""
    return ClaimDocumentRequest(
        request_id=rid or till.rid(),
        origin=origin_of("a"),
        member=member,
        document=f"a/till/{document}",
        receipt_code=code,
    )


def move(till: Till, member: MemberRef, document: str, *, unit: str = "a") -> MoveDocumentRequest:
    """Let a document of unit a be another's."""
    return MoveDocumentRequest(
        request_id=till.rid(),
        origin=origin_of(unit),
        member=member,
        document=f"a/till/{document}",
        reason="wrong card",
    )


def with_code(request: PostDocumentRequest, code: str) -> PostDocumentRequest:
    """The document with a code on its receipt."""
    request.document.receipt_code = code
    return request


def moving(request: PostDocumentRequest) -> PostDocumentRequest:
    """The version moves the document to the member it names."""
    request.move = True
    return request


async def verified(till: Till) -> dict[str, str]:
    """What a verification finds, by reason."""
    words: list[VerifyHistoryResponse] = [
        word async for word in till.ledger.verify(skip_awards=False)
    ]
    return {each.reason: each.detail for each in words[-1].divergences}
