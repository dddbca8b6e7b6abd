"""What a request states of a document, and what another unit than the document's may state.

The unit that sold takes the points back, and is owed what is missing: it gave them. What is written
off is borne by whom the policy names, else by the unit that sold.
"""

from ledger.act import Act
from ledger.core import refusals
from ledger.handlers.versions import Stated
from ledger.known import DocumentHead
from ledger.velocity import doer_of
from loyalty.v1.ledger_service_pb2 import PostDocumentRequest
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_CANCELLED, DOCUMENT_STATUS_PENDING, Document


def stated(
    act: Act, request: PostDocumentRequest, head: DocumentHead | None, *, awaited_scheme: str = ""
) -> Stated:
    """What a request says of a document. Raises UnknownDocument, NotAReturn."""
    origin, document = act.origin, request.document
    unit = request.document_unit or origin.business_unit
    if unit == origin.business_unit:
        doer = doer_of(act)
        return Stated(document, unit, origin, None, act.receipt_hash, awaited_scheme, doer)
    if head is None:
        raise refusals.UnknownDocument(document=f"{unit}/{document.source}/{document.document_id}")
    _check_takes_back(document, head.posted.document)
    return Stated(document, unit, head.posted.origin, origin, act.receipt_hash, awaited_scheme)


def _check_takes_back(document: Document, before: Document) -> None:
    """Refuse what is more than a return of goods."""
    if before.status == DOCUMENT_STATUS_CANCELLED:
        _refuse("document.status", document.status, "nothing: the document is cancelled")
    if document.status == DOCUMENT_STATUS_PENDING:
        _refuse("document.status", document.status, "a final or a cancelled document")
    for name in ("kind", "currency_code", "stay", "activity"):
        if getattr(document, name) != getattr(before, name):
            _refuse(f"document.{name}", str(getattr(document, name)), "what it was before")
    lines = {line.line_id: line for line in before.lines}
    for index, line in enumerate(document.lines):
        path, sold = f"document.lines[{index}]", lines.get(line.line_id)
        if sold is None:
            _refuse(f"{path}.line_id", line.line_id, "a line that the document has")
        elif line.category != sold.category:
            _refuse(f"{path}.category", line.category, f"{sold.category!r}, as it was sold")
        elif line.net_minor_units > sold.net_minor_units:
            most = f"at most {sold.net_minor_units}, as it was sold"
            _refuse(f"{path}.net_minor_units", line.net_minor_units, most)


def _refuse(field: str, value: str | int, expected: str) -> None:
    raise refusals.NotAReturn(field=field, value=value, expected=expected)
