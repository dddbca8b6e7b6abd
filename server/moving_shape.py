"""The shape of what makes a document another's: claims, moves, versions that do it.

Each check raises Malformed.
"""

from typing import Any

from loyalty.v1.ledger_service_pb2 import (
    ClaimDocumentRequest,
    MoveDocumentRequest,
    PostDocumentRequest,
)
from server import document_shape, shape
from server.auth import Principal, Verb

REASON_LENGTH = 200


def claim_document(request: ClaimDocumentRequest) -> None:
    """Check a claim."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    document_shape.key("document", request.document)
    shape.text("receipt_code", request.receipt_code)


def move_document(request: MoveDocumentRequest) -> None:
    """Check a move."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    document_shape.key("document", request.document)
    shape.text("reason", request.reason, REASON_LENGTH)


def stated(request: PostDocumentRequest) -> None:
    """Check what a version says of whose document it is."""
    named = request.HasField("member")
    if request.move and not named:
        shape.refuse("move", "true", "nothing, for a document that names no member")
    if request.unclaimed_if_unknown and request.member.WhichOneof("ref") != "identity":
        expected = "nothing, for a document that names no identity"
        shape.refuse("unclaimed_if_unknown", "true", expected)
    shape.optional_text("document_unit", request.document_unit)


def require_more(request: Any, principal: Principal) -> None:
    """Raise Permission where a document asks for more than the verb of its call."""
    if not isinstance(request, PostDocumentRequest):
        return
    unit = request.origin.business_unit
    if request.move:
        principal.require(Verb.MOVE, unit)
    if request.document_unit and request.document_unit != unit:
        principal.require(Verb.RETURN, unit)
