"""Where in a request a word stands that the policy does not know.

The rules name the word; the caller needs the path of the field in the request that was sent.
"""

from collections.abc import Sequence
from typing import Final

from google.protobuf.message import Message

from ledger.core.refusals import (
    ForeignCurrency,
    Malformed,
    Refusal,
    UnknownActivity,
    UnknownBusinessUnit,
    UnknownCategory,
    UnknownCurrency,
    UnknownPayment,
)
from loyalty.v1.ledger_service_pb2 import (
    EarnPointsRequest,
    PostDocumentRequest,
    QuoteDocumentRequest,
    RecordActivityRequest,
)

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
        UnknownBusinessUnit
        | UnknownCategory
        | UnknownCurrency
        | UnknownActivity
        | UnknownPayment
        | ForeignCurrency
        | Malformed,
    ):
        return
    refusal.field = _path(refusal.field, refusal.value, request)


def _path(field: str, value: str | int, request: Message | None) -> str:
    match request:
        case PostDocumentRequest() | QuoteDocumentRequest() if field == "category":
            words = [line.category for line in request.document.lines]
            return _entry("document.lines[{}].category", words, value) or field
        case PostDocumentRequest() | QuoteDocumentRequest() if field == "payments":
            words = [payment.kind for payment in request.document.payments]
            return _entry("document.payments[{}].kind", words, value) or field
        case PostDocumentRequest() | QuoteDocumentRequest() if field in _OF_DOCUMENT:
            return _OF_DOCUMENT[field]
        case EarnPointsRequest() if field in _OF_EARN:
            return _OF_EARN[field]
        case RecordActivityRequest() if field == "activity":
            return "activity.kind"
        case Message() if "origin" in request.DESCRIPTOR.fields_by_name:
            return _OF_WRITES.get(field, field)
    return field


def _entry(path: str, words: Sequence[str], value: str | int) -> str:
    """Path of the first entry with this word; empty when there is none."""
    return next((path.format(at) for at, word in enumerate(words) if word == value), "")
