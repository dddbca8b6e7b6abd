"""Requests as bytes with places left open for ids and members, so that making one costs little.

All ids have the same width, so the lengths inside the serialised messages stay right.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from secrets import token_hex
from typing import Final

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from loyalty.v1.ledger_service_pb2 import (
    BatchItem,
    BatchPostRequest,
    EarnPointsRequest,
    PostDocumentRequest,
    PostStreamRequest,
)
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_SALE,
    DOCUMENT_STATUS_FINAL,
    Document,
    DocumentLine,
    Identity,
    MemberRef,
    Money,
    Origin,
)

UNIT: Final = "market"
SCHEME: Final = "card"
ID_WIDTH: Final = 20
MEMBER_WIDTH: Final = 10

_REQUEST_ID: Final = "R" * ID_WIDTH
_DOCUMENT_ID: Final = "D" * ID_WIDTH
_CARD: Final = "M" * MEMBER_WIDTH
_LINES: Final = (
    (("grocery", 42_50),),
    (("grocery", 7_99), ("household", 3_49)),
    (("fuel", 38_20),),
    (("grocery", 23_10), ("pharmacy", 12_00)),
    (("grocery", 118_75), ("household", 24_30)),
    (("grocery", 15_05),),
    (("grocery", 61_40), ("tobacco", 9_80)),
    (("pharmacy", 18_90),),
)
"""Eight baskets; one is worth a bonus, one reaches a multiplier."""


@dataclass(frozen=True, slots=True)
class Template:
    """A request that lacks its ids and its member."""

    body: bytes
    names_document: bool

    def filled(self, request_id: bytes, card: bytes) -> bytes:
        """Bytes of a request; a document is named like its request."""
        if self.names_document:
            return self.body % (request_id, card, request_id)
        return self.body % (request_id, card)


def card_of(member: int) -> bytes:
    """Card number of the member with a number."""
    return b"%010d" % member


def fresh_ids() -> Iterator[bytes]:
    """Ids that no other process and no other call makes."""
    prefix = token_hex(4).encode()
    return (prefix + b"%012d" % number for number in count())


def documents(occurred_seconds: int) -> tuple[Template, ...]:
    """Documents of an instant, in seconds since the epoch."""
    return tuple(
        _template(_document(lines, occurred_seconds), names_document=True) for lines in _LINES
    )


def earns(occurred_seconds: int) -> tuple[Template, ...]:
    """Earns of an instant, in seconds since the epoch."""
    return tuple(
        _template(_earn(*lines[0], occurred_seconds), names_document=False) for lines in _LINES
    )


def batch_items(occurred_seconds: int) -> tuple[Template, ...]:
    """Documents as items: any number of them, one after the other, are a BatchPostRequest."""
    return tuple(
        _template(
            BatchPostRequest(items=[BatchItem(post_document=_document(lines, occurred_seconds))]),
            names_document=True,
        )
        for lines in _LINES
    )


def stream_items(occurred_seconds: int) -> tuple[Template, ...]:
    """As `batch_items`, for a PostStreamRequest."""
    return tuple(
        _template(
            PostStreamRequest(items=[BatchItem(post_document=_document(lines, occurred_seconds))]),
            names_document=True,
        )
        for lines in _LINES
    )


def _template(message: Message, *, names_document: bool) -> Template:
    body = message.SerializeToString().replace(b"%", b"%%")
    for place in (_REQUEST_ID, _CARD, _DOCUMENT_ID):
        body = body.replace(place.encode(), b"%b")
    return Template(body, names_document)


def _origin(occurred_seconds: int) -> Origin:
    return Origin(
        business_unit=UNIT,
        channel="pos",
        store="0417",
        till="3",
        occurred_time=Timestamp(seconds=occurred_seconds),
    )


def _member() -> MemberRef:
    return MemberRef(identity=Identity(scheme=SCHEME, value=_CARD))


def _document(lines: tuple[tuple[str, int], ...], occurred_seconds: int) -> PostDocumentRequest:
    return PostDocumentRequest(
        request_id=_REQUEST_ID,
        origin=_origin(occurred_seconds),
        member=_member(),
        document=Document(
            source="till",
            document_id=_DOCUMENT_ID,
            version=1,
            kind=DOCUMENT_KIND_SALE,
            status=DOCUMENT_STATUS_FINAL,
            currency_code="USD",
            lines=[
                DocumentLine(line_id=str(number), category=category, net_minor_units=cents)
                for number, (category, cents) in enumerate(lines, 1)
            ],
        ),
    )


def _earn(category: str, cents: int, occurred_seconds: int) -> EarnPointsRequest:
    return EarnPointsRequest(
        request_id=_REQUEST_ID,
        origin=_origin(occurred_seconds),
        member=_member(),
        amount=Money(currency_code="USD", minor_units=cents),
        category=category,
    )


def bodies(templates: tuple[Template, ...], member: Callable[[], int]) -> Iterator[bytes]:
    """Requests for ever, each with ids of its own, for the members that are drawn."""
    for number, request_id in enumerate(fresh_ids()):
        template = templates[number % len(templates)]
        yield template.filled(request_id, card_of(member()))
