"""Requests that are right, for tests that make them wrong in one place."""

from loyalty.v1.ledger_service_pb2 import (
    BatchItem,
    BurnPointsRequest,
    CaptureHoldRequest,
    EarnPointsRequest,
    HoldPointsRequest,
    PostDocumentRequest,
    ReverseEntryRequest,
)
from loyalty.v1.member_service_pb2 import EnrolMemberRequest
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_SALE,
    DOCUMENT_STATUS_FINAL,
    Document,
    DocumentLine,
    Identity,
    MemberRef,
    Money,
    Origin,
    Points,
)

CARD = "8800"


def member(card: str = CARD) -> MemberRef:
    """A member by card."""
    return MemberRef(identity=Identity(scheme="card", value=card))


def enrolment(request_id: str = "e-1", card: str = CARD) -> EnrolMemberRequest:
    """A card joins at the supermarket."""
    return EnrolMemberRequest(
        request_id=request_id,
        origin=Origin(business_unit="market"),
        identities=[Identity(scheme="card", value=card)],
    )


def sale(
    request_id: str = "r-1",
    *,
    document_id: str = "T-1",
    cents: int = 12_50,
    unit: str = "market",
    card: str = CARD,
) -> PostDocumentRequest:
    """A basket with one line of groceries."""
    return PostDocumentRequest(
        request_id=request_id,
        origin=Origin(business_unit=unit),
        member=member(card),
        document=Document(
            source="till",
            document_id=document_id,
            version=1,
            kind=DOCUMENT_KIND_SALE,
            status=DOCUMENT_STATUS_FINAL,
            currency_code="USD",
            lines=[DocumentLine(line_id="1", category="grocery", net_minor_units=cents)],
        ),
    )


def earn(request_id: str = "r-2", cents: int = 12_50) -> EarnPointsRequest:
    """A simple till's sale."""
    return EarnPointsRequest(
        request_id=request_id,
        origin=Origin(business_unit="market"),
        member=member(),
        amount=Money(currency_code="USD", minor_units=cents),
        category="grocery",
    )


def burn(request_id: str = "b-1", points: int = 500, unit: str = "market") -> BurnPointsRequest:
    """Points are spent."""
    return BurnPointsRequest(
        request_id=request_id,
        origin=Origin(business_unit=unit),
        member=member(),
        points=Points(currency="point", amount=points),
    )


def hold(request_id: str = "h-1", points: int = 500, hold_id: str = "H-1") -> HoldPointsRequest:
    """Points are set aside."""
    return HoldPointsRequest(
        request_id=request_id,
        origin=Origin(business_unit="market"),
        member=member(),
        hold_id=hold_id,
        points=Points(currency="point", amount=points),
    )


def capture(request_id: str = "c-1", points: int = 500) -> CaptureHoldRequest:
    """Held points are spent."""
    return CaptureHoldRequest(
        request_id=request_id,
        origin=Origin(business_unit="market"),
        hold_id="H-1",
        points=points,
        final=True,
    )


def reversal(entry_id: str, request_id: str = "v-1", unit: str = "market") -> ReverseEntryRequest:
    """A burn is taken back."""
    return ReverseEntryRequest(
        request_id=request_id, origin=Origin(business_unit=unit), entry_id=entry_id
    )


def sales(count: int, *, prefix: str = "s", card: str = CARD) -> list[BatchItem]:
    """Baskets for a batch."""
    return [
        BatchItem(
            post_document=sale(f"{prefix}-{number}", document_id=f"{prefix}-{number}", card=card)
        )
        for number in range(count)
    ]
