"""Short forms of documents: an amount alone, and an activity, as the documents they are kept as."""

from typing import Final

from loyalty.v1.ledger_service_pb2 import (
    EarnPointsRequest,
    PostDocumentRequest,
    RecordActivityRequest,
)
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_ACTIVITY,
    DOCUMENT_KIND_SALE,
    DOCUMENT_STATUS_FINAL,
)

EARN_SOURCE: Final = "earn"
"""Source of the documents that EarnPoints makes; no other write may use it."""


def as_document(earn: EarnPointsRequest, client: str) -> PostDocumentRequest:
    """The one-line final document that an earn stands for, keyed by client and request."""
    # Field by field: arguments by name cost protobuf twice as much.
    request = PostDocumentRequest()
    request.request_id = request_id = earn.request_id
    request.validate_only = earn.validate_only
    request.origin.CopyFrom(earn.origin)
    request.member.CopyFrom(earn.member)
    document, amount = request.document, earn.amount
    document.source = EARN_SOURCE
    document.document_id = f"{client}:{request_id}"
    document.version = 1
    document.kind = DOCUMENT_KIND_SALE
    document.status = DOCUMENT_STATUS_FINAL
    document.currency_code = amount.currency_code
    line = document.lines.add()
    line.line_id = "1"
    line.category = earn.category
    line.net_minor_units = amount.minor_units
    return request


def activity_document(record: RecordActivityRequest) -> PostDocumentRequest:
    """The document without lines that an activity is kept as."""
    request = PostDocumentRequest(
        request_id=record.request_id,
        validate_only=record.validate_only,
        origin=record.origin,
        member=record.member,
    )
    did, document = record.activity, request.document
    document.source = did.source
    document.document_id = did.activity_id
    document.version = did.version
    document.kind = DOCUMENT_KIND_ACTIVITY
    document.status = did.status
    document.activity = did.kind
    document.coupons.extend(did.coupons)
    return request
