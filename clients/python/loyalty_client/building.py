"""Short ways to say money, points, members, origins and documents, checked as they are made.

    sale("T-1001", 1, [line("grocery", money("12.50", "USD"))])

Everything returned is a plain message of the contract, so whatever is not said here can be set.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Final

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from loyalty.v1.ledger_service_pb2 import BatchItem
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_FOLIO,
    DOCUMENT_KIND_ORDER,
    DOCUMENT_KIND_SALE,
    DOCUMENT_KIND_STAY,
    DOCUMENT_STATUS_FINAL,
    Document,
    DocumentKind,
    DocumentLine,
    DocumentStatus,
    Identity,
    MemberRef,
    Money,
    Origin,
    Points,
    Stay,
)

# ISO 4217: the currencies that have not two decimals.
_DECIMALS: Final = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def money(amount: str | int | Decimal, currency_code: str) -> Money:
    """An amount in the currency's main unit: `money("12.50", "USD")` is 1250 minor units.

    Raises:
        ValueError: no amount of that currency; says what would be right. A float never is.
    """
    if not isinstance(amount, str | int | Decimal) or isinstance(amount, bool):
        raise ValueError(f"amount {amount!r}: expected text, int or Decimal; a float is not exact")
    if len(currency_code) != 3 or not currency_code.isalpha() or not currency_code.isupper():
        raise ValueError(f"currency_code {currency_code!r}: expected ISO 4217 such as 'EUR'")
    places = _DECIMALS.get(currency_code, 2)
    try:
        minor = Decimal(amount).scaleb(places)
    except InvalidOperation:
        raise ValueError(f"amount {amount!r}: expected a number such as '12.50'") from None
    if not minor.is_finite() or minor != minor.to_integral_value():
        raise ValueError(f"amount {amount!r}: {currency_code} has {places} decimals")
    return Money(currency_code=currency_code, minor_units=int(minor))


def points(amount: int, currency: str = "point") -> Points:
    """Points, in the smallest unit of their currency."""
    return Points(currency=currency, amount=amount)


def member(member_id: str) -> MemberRef:
    """A member by the id that enrolling returned."""
    return MemberRef(member_id=member_id)


def identity(scheme: str, value: str) -> MemberRef:
    """A member as a unit knows them: `identity("card", "8800")`."""
    return MemberRef(identity=Identity(scheme=scheme, value=value))


def timestamp(at: datetime) -> Timestamp:
    """An instant for the contract.

    Raises:
        ValueError: the time has no zone, so it is no instant.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone; use datetime.now(UTC) or the like")
    stamp = Timestamp()
    stamp.FromDatetime(at.astimezone(UTC))
    return stamp


def origin(
    business_unit: str,
    *,
    channel: str = "",
    store: str = "",
    till: str = "",
    operator: str = "",
    client_software: str = "",
    occurred_at: datetime | None = None,
    business_date: str = "",
) -> Origin:
    """Where and when; give one to the client, and it stands in every request of its."""
    return Origin(
        business_unit=business_unit,
        channel=channel,
        store=store,
        till=till,
        operator=operator,
        client_software=client_software,
        occurred_time=None if occurred_at is None else timestamp(occurred_at),
        business_date=business_date,
    )


class Line:
    """A line of a document before the document gives it a number."""

    def __init__(self, currency_code: str, message: DocumentLine) -> None:
        """Hold the line, and the money it is in."""
        self.currency_code = currency_code
        self.message = message


def line(
    category: str,
    net: Money,
    *,
    quantity: str = "",
    line_id: str = "",
    paid_with_points: Money | None = None,
    sku: str = "",
    brand: str = "",
) -> Line:
    """A line of a document; without `line_id` its place in the document is its id.

    Raises:
        ValueError: the part paid with points is in other money.
    """
    paid = paid_with_points or Money(currency_code=net.currency_code)
    if paid.currency_code != net.currency_code:
        raise ValueError(f"paid_with_points is {paid.currency_code}, the line {net.currency_code}")
    message = DocumentLine(
        line_id=line_id,
        category=category,
        quantity=quantity,
        net_minor_units=net.minor_units,
        paid_with_points_minor_units=paid.minor_units,
        sku=sku,
        brand=brand,
    )
    return Line(net.currency_code, message)


def document(
    kind: DocumentKind.ValueType,
    document_id: str,
    version: int,
    lines: Iterable[Line],
    *,
    source: str,
    status: DocumentStatus.ValueType = DOCUMENT_STATUS_FINAL,
    currency_code: str = "",
    nights: int = 0,
) -> Document:
    """A document as it is now: all its lines, not what changed.

    Args:
        kind: what it is.
        document_id: the unit's own id of it.
        version: rises with every change.
        lines: what is left of it.
        source: system of the unit that numbers the documents.
        status: how far it has come.
        currency_code: needed only where there is no line.
        nights: of a stay.

    Raises:
        ValueError: lines in different money, or none and no `currency_code`.
    """
    given = list(lines)
    codes = {each.currency_code for each in given} | ({currency_code} - {""})
    if len(codes) != 1:
        raise ValueError(f"a document has one currency, this one has {sorted(codes) or 'none'}")
    stated = Document(
        source=source,
        document_id=document_id,
        version=version,
        kind=kind,
        status=status,
        currency_code=codes.pop(),
        stay=Stay(nights=nights, stays=1) if nights else None,
    )
    for number, each in enumerate(given, 1):
        copy = stated.lines.add()
        copy.CopyFrom(each.message)
        copy.line_id = copy.line_id or str(number)
    return stated


sale = partial(document, DOCUMENT_KIND_SALE, source="till")
"""A sale at a till; a return is a higher version with the lines that are left."""
order = partial(document, DOCUMENT_KIND_ORDER, source="shop")
"""An order of a web shop."""
stay = partial(document, DOCUMENT_KIND_STAY, source="pms")
"""A hotel stay with its `nights`; pending from booking to check-out."""
folio = partial(document, DOCUMENT_KIND_FOLIO, source="pms")
"""A guest's bill without a stay."""


def item(write: Message) -> BatchItem:
    """A write as an item of a batch.

    Raises:
        ValueError: batches do not take this kind of write.
    """
    if isinstance(write, BatchItem):
        return write
    for field in BatchItem.DESCRIPTOR.oneofs_by_name["write"].fields:
        if field.message_type == write.DESCRIPTOR:
            made = BatchItem()
            getattr(made, field.name).CopyFrom(write)
            return made
    raise ValueError(f"a batch takes no {write.DESCRIPTOR.name}")
