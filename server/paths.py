"""Where in a request a word stands that the policy does not know.

The rules name the word; the caller needs the path of the field in the request that was sent.
"""

from typing import Final

from google.protobuf.message import Message

from ledger.core.refusals import (
    ForeignCurrency,
    Malformed,
    Refusal,
    UnknownBusinessUnit,
    UnknownCategory,
    UnknownCurrency,
)
from loyalty.v1.ledger_service_pb2 import EarnPointsRequest, PostDocumentRequest

_OF_WRITES: Final = {
    "business_unit": "origin.business_unit",
    "currency": "points.currency",
    "occurred_at": "origin.occurred_time",
}
_OF_EARN: Final = {"currency_code": "amount.currency_code", "lines": "amount.minor_units"}
_OF_DOCUMENT: Final = {"currency_code": "document.currency_code", "lines": "document.lines"}


def place(refusal: Refusal, request: Message | None) -> None:
    """Put the path of the field into a refusal that names it by its last word only."""
    if not isinstance(
        refusal,
        UnknownBusinessUnit | UnknownCategory | UnknownCurrency | ForeignCurrency | Malformed,
    ):
        return
    field = refusal.field
    match request:
        case PostDocumentRequest() if field == "category":
            for index, line in enumerate(request.document.lines):
                if line.category == refusal.value:
                    refusal.field = f"document.lines[{index}].category"
                    return
        case PostDocumentRequest() if field in _OF_DOCUMENT:
            refusal.field = _OF_DOCUMENT[field]
        case EarnPointsRequest() if field in _OF_EARN:
            refusal.field = _OF_EARN[field]
        case Message() if "origin" in request.DESCRIPTOR.fields_by_name:
            refusal.field = _OF_WRITES.get(field, field)
