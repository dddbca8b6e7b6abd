"""The demo's documents and acts as the contract's requests. Request ids depend on content alone."""

from typing import Final

from ledger.core.instant import Instant, to_timestamp
from loyalty.v1 import ledger_service_pb2 as ledger_pb
from loyalty.v1 import types_pb2 as types_pb
from server.demo.sources import Kind, SourceDocument, Status

CURRENCY: Final = "point"
STAMP: Final = "stamp"
SCHEME: Final = "card"
SOFTWARE: Final = "loyalty demo"

_KINDS: Final = {
    Kind.SALE: types_pb.DOCUMENT_KIND_SALE,
    Kind.ORDER: types_pb.DOCUMENT_KIND_ORDER,
    Kind.STAY: types_pb.DOCUMENT_KIND_STAY,
}
_STATUSES: Final = {
    Status.PENDING: types_pb.DOCUMENT_STATUS_PENDING,
    Status.FINAL: types_pb.DOCUMENT_STATUS_FINAL,
    Status.CANCELLED: types_pb.DOCUMENT_STATUS_CANCELLED,
}


def identity_of(owner: int) -> types_pb.Identity:
    """The card of a member."""
    return types_pb.Identity(scheme=SCHEME, value=f"{owner:06d}")


def member_of(owner: int) -> types_pb.MemberRef:
    """A member as every unit names them: by the card."""
    return types_pb.MemberRef(identity=identity_of(owner))


def origin_of(business_unit: str, at: Instant) -> types_pb.Origin:
    """Where and when a burn, a hold or an enrolment happens."""
    return types_pb.Origin(
        business_unit=business_unit, client_software=SOFTWARE, occurred_time=to_timestamp(at)
    )


def document_item(document: SourceDocument) -> ledger_pb.BatchItem:
    """The posting of one version of a document or of an activity."""
    origin = origin_of(document.business_unit, document.occurred_at)
    origin.channel, origin.store = document.channel, document.store
    if document.kind is Kind.ACTIVITY:
        return _activity_item(document, origin)
    stay = None
    if document.kind is Kind.STAY:
        stay = types_pb.Stay(nights=document.nights, stays=1)
    return ledger_pb.BatchItem(
        post_document=ledger_pb.PostDocumentRequest(
            request_id=f"{document.business_unit}-{document.document_id}-{document.version}",
            origin=origin,
            member=None if document.owner is None else member_of(document.owner),
            document=types_pb.Document(
                source="demo",
                document_id=document.document_id,
                version=document.version,
                kind=_KINDS[document.kind],
                status=_STATUSES[document.status],
                currency_code=document.currency_code,
                lines=[
                    types_pb.DocumentLine(
                        line_id=line.line_id, category=line.category, net_minor_units=line.net
                    )
                    for line in document.lines
                ],
                stay=stay,
                payments=[types_pb.Payment(kind=document.payment, minor_units=document.net)]
                if document.payment
                else [],
                coupons=[document.coupon] if document.coupon else [],
            ),
        )
    )


def _activity_item(document: SourceDocument, origin: types_pb.Origin) -> ledger_pb.BatchItem:
    assert document.owner is not None, "an activity is somebody's"
    return ledger_pb.BatchItem(
        record_activity=ledger_pb.RecordActivityRequest(
            request_id=f"{document.business_unit}-{document.document_id}",
            origin=origin,
            member=member_of(document.owner),
            activity=ledger_pb.Activity(
                kind=document.activity,
                source="demo",
                activity_id=document.document_id,
                version=document.version,
                status=_STATUSES[document.status],
            ),
        )
    )


def burn_item(owner: int, unit: str, points: int, at: Instant) -> ledger_pb.BatchItem:
    """A member pays with points."""
    return ledger_pb.BatchItem(
        burn_points=ledger_pb.BurnPointsRequest(
            request_id=f"burn-{owner}-{at}",
            origin=origin_of(unit, at),
            member=member_of(owner),
            points=types_pb.Points(currency=CURRENCY, amount=points),
        )
    )


def redeem_item(owner: int, unit: str, reward: str, at: Instant) -> ledger_pb.BatchItem:
    """A member takes a reward of the catalogue."""
    return ledger_pb.BatchItem(
        burn_points=ledger_pb.BurnPointsRequest(
            request_id=f"redeem-{owner}-{at}",
            origin=origin_of(unit, at),
            member=member_of(owner),
            reward=reward,
        )
    )


def hold_item(owner: int, unit: str, hold_id: str, points: int, at: Instant) -> ledger_pb.BatchItem:
    """A unit sets points aside."""
    return ledger_pb.BatchItem(
        hold_points=ledger_pb.HoldPointsRequest(
            request_id=f"hold-{hold_id}",
            origin=origin_of(unit, at),
            member=member_of(owner),
            hold_id=hold_id,
            points=types_pb.Points(currency=CURRENCY, amount=points),
        )
    )


def capture_item(unit: str, hold_id: str, points: int, at: Instant) -> ledger_pb.BatchItem:
    """A unit spends some of what it holds and lets go of the rest."""
    return ledger_pb.BatchItem(
        capture_hold=ledger_pb.CaptureHoldRequest(
            request_id=f"capture-{hold_id}",
            origin=origin_of(unit, at),
            hold_id=hold_id,
            points=points,
            final=True,
        )
    )


def release_item(unit: str, hold_id: str, at: Instant) -> ledger_pb.BatchItem:
    """A unit lets go of what it holds."""
    return ledger_pb.BatchItem(
        release_hold=ledger_pb.ReleaseHoldRequest(
            request_id=f"release-{hold_id}", origin=origin_of(unit, at), hold_id=hold_id
        )
    )


def reverse_item(unit: str, entry_id: str, at: Instant) -> ledger_pb.BatchItem:
    """A unit takes a burn back."""
    return ledger_pb.BatchItem(
        reverse_entry=ledger_pb.ReverseEntryRequest(
            request_id=f"reverse-{entry_id}", origin=origin_of(unit, at), entry_id=entry_id
        )
    )


def advance_item(owner: int, unit: str, at: Instant) -> ledger_pb.BatchItem:
    """Somebody asks that what is due be recorded."""
    return ledger_pb.BatchItem(
        advance_account=ledger_pb.AdvanceAccountRequest(
            request_id=f"advance-{owner}-{at}", origin=origin_of(unit, at), member=member_of(owner)
        )
    )
