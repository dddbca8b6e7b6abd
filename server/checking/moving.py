"""The shape of what makes a document another's: claims, moves, versions that do it.

Each check raises Malformed.
"""

from typing import Any, Final

from loyalty.v1.account_service_pb2 import GetDocumentRequest, ListUnclaimedDocumentsRequest
from loyalty.v1.ledger_service_pb2 import (
    ClaimDocumentRequest,
    MoveDocumentRequest,
    PostDocumentRequest,
)
from server.auth import Principal, Verb
from server.checking import documents, shape

REASON_LENGTH: Final = 200


def claim_document(request: ClaimDocumentRequest) -> None:
    """Check a claim."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    documents.key("document", request.document)
    shape.text("receipt_code", request.receipt_code)


def move_document(request: MoveDocumentRequest) -> None:
    """Check a move."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    documents.key("document", request.document)
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


def get_document(request: GetDocumentRequest) -> None:
    """Check a question for a document."""
    documents.key("document", request.document)
    shape.optional_text("min_position", request.min_position, shape.OPAQUE_LENGTH)


def list_unclaimed(request: ListUnclaimedDocumentsRequest) -> None:
    """Check a question for documents that are nobody's."""
    shape.optional_text("business_unit", request.business_unit)
    for name in ("from_time", "until_time"):
        if request.HasField(name):
            shape.moment(name, getattr(request, name))
    shape.page(request)
    shape.optional_text("min_position", request.min_position, shape.OPAQUE_LENGTH)


def require_more(request: Any, principal: Principal) -> None:
    """Raise Permission where a document asks for more than the verb of its call."""
    if not isinstance(request, PostDocumentRequest):
        return
    if request.move:
        principal.require(Verb.MOVE, request.origin.business_unit)
    if request.document_unit and request.document_unit != request.origin.business_unit:
        principal.require(Verb.RETURN, request.origin.business_unit)
