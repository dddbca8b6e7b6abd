"""The shape of a document: its lines, payments, coupons and rates. Each check raises Malformed."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from ledger.core.refusals import Malformed
from ledger.referral_causes import REWARD_SOURCE
from ledger.short_forms import EARN_SOURCE
from loyalty.v1.ledger_service_pb2 import Activity
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_ACTIVITY,
    Document,
    DocumentKind,
    DocumentLine,
    DocumentStatus,
    ExchangeRate,
    LinePart,
    LinePartKind,
)
from server.checking import shape

OWN_SOURCES: Final = (EARN_SOURCE, REWARD_SOURCE)
"""Sources of documents that the ledger makes: of earns, and of rewards for referrals."""
LINES_MAX: Final = 500
PAYMENTS_MAX: Final = 50
COUPONS_MAX: Final = 50
RATES_MAX: Final = 20
PARTS_MAX: Final = 10
VERSION_MAX: Final = 10**10 - 1
"""Versions of a document are kept in ten digits."""
NIGHTS_MAX: Final = 999
KEY_LENGTH: Final = 200
"""Of a document's key: three names and what is between them."""
_KINDS: Final = frozenset(DocumentKind.values()) - {0, DOCUMENT_KIND_ACTIVITY}
_STATUSES: Final = frozenset(DocumentStatus.values()) - {0}
_PART_KINDS: Final = frozenset(LinePartKind.values()) - {0}
_RATE: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


def names(words: Iterable[str], *, without: str = "UNSPECIFIED") -> str:
    """List what an enumeration may be, for a refusal."""
    left = (word for word in words if not word.endswith(("UNSPECIFIED", without)))
    return "one of " + ", ".join(left)


def document(stated: Document) -> None:
    """Check a document as a unit states it."""
    _key("document", stated.source, "document_id", stated.document_id, stated.version)
    if stated.kind not in _KINDS:
        # An activity has a call of its own, whose fields are all it needs.
        expected = names(DocumentKind.keys(), without="ACTIVITY")
        shape.refuse("document.kind", stated.kind, expected)
    _status("document.status", stated.status)
    shape.currency_code("document.currency_code", stated.currency_code)
    shape.optional_text("document.receipt_code", stated.receipt_code)
    if stated.activity:
        expected = "nothing: RecordActivity posts activities"
        shape.refuse("document.activity", stated.activity, expected)
    if stated.HasField("stay"):
        _count("document.stay.nights", stated.stay.nights)
        _count("document.stay.stays", stated.stay.stays)
    _lines(stated.lines)
    if stated.payments:
        _payments(stated)
    if stated.coupons:
        coupons("document.coupons", stated.coupons)
    if stated.exchange_rates:
        _rates(stated)


def key(field: str, value: str) -> None:
    """Check the key of a document."""
    shape.text(field, value, KEY_LENGTH)
    unit, _, rest = value.partition("/")
    source, _, own_id = rest.partition("/")
    if not (unit and source and own_id):
        shape.refuse(field, value, "business_unit/source/document_id")


def activity(did: Activity) -> None:
    """Check an activity."""
    shape.text("activity.kind", did.kind)
    _key("activity", did.source, "activity_id", did.activity_id, did.version)
    _status("activity.status", did.status)
    coupons("activity.coupons", did.coupons)


def coupons(field: str, codes: Sequence[str]) -> None:
    """Check the coupons that were presented."""
    _at_most(field, len(codes), COUPONS_MAX)
    for index, code in enumerate(codes):
        shape.text(f"{field}[{index}]", code)


def _key(within: str, source: str, id_field: str, own_id: str, version: int) -> None:
    shape.text(f"{within}.source", source)
    if "/" in source or source in OWN_SOURCES:
        # Documents are known as unit/source/id, and the ledger makes some itself.
        own = " and ".join(map(repr, OWN_SOURCES))
        shape.refuse(f"{within}.source", source, f"a name without '/', other than {own}")
    shape.text(f"{within}.{id_field}", own_id)
    if not 1 <= version <= VERSION_MAX:
        shape.refuse(f"{within}.version", version, f"a whole number from 1 to {VERSION_MAX}")


def _status(field: str, status: int) -> None:
    if status not in _STATUSES:
        shape.refuse(field, status, names(DocumentStatus.keys()))


def _at_most(field: str, count: int, most: int) -> None:
    if count > most:
        shape.refuse(field, f"{count} entries", f"at most {most}")


def _lines(lines: Sequence[DocumentLine]) -> None:
    if len(lines) > LINES_MAX:
        shape.refuse("document.lines", f"{len(lines)} lines", f"at most {LINES_MAX} lines")
    seen: set[str] = set()
    total = 0
    for index, line in enumerate(lines):
        try:
            _line(line, seen)
            total += line.net_minor_units
        except Malformed as refusal:
            # The path is put together here, so that lines that are right cost nothing for it.
            path = f"document.lines[{index}].{refusal.field}"
            raise Malformed(field=path, value=refusal.value, expected=refusal.expected) from None
    if total > shape.AMOUNT_MAX:
        expected = f"net amounts of at most {shape.AMOUNT_MAX} together"
        shape.refuse("document.lines", f"{total} together", expected)


def _line(line: DocumentLine, seen: set[str]) -> None:
    line_id = line.line_id
    shape.text("line_id", line_id)
    if line_id in seen:
        shape.refuse("line_id", line_id, "an id that no other line of the document has")
    seen.add(line_id)
    shape.text("category", line.category)
    shape.quantity("quantity", line.quantity)
    net = line.net_minor_units
    shape.amount("net_minor_units", net, least=0)
    if not 0 <= line.paid_with_points_minor_units <= net:
        shape.refuse(
            "paid_with_points_minor_units",
            line.paid_with_points_minor_units,
            f"a part of the net amount: 0 to {net}",
        )
    shape.optional_text("brand", line.brand)
    shape.optional_text("sku", line.sku)
    if line.parts:
        _parts(line.parts, net)


def _parts(parts: Sequence[LinePart], net: int) -> None:
    _at_most("parts", len(parts), PARTS_MAX)
    left = net
    for index, part in enumerate(parts):
        if part.kind not in _PART_KINDS:
            shape.refuse(f"parts[{index}].kind", part.kind, names(LinePartKind.keys()))
        if not 0 <= part.minor_units <= left:
            expected = f"what of the net amount is left for it: 0 to {left}"
            shape.refuse(f"parts[{index}].minor_units", part.minor_units, expected)
        left -= part.minor_units


def _payments(stated: Document) -> None:
    _at_most("document.payments", len(stated.payments), PAYMENTS_MAX)
    for index, payment in enumerate(stated.payments):
        shape.text(f"document.payments[{index}].kind", payment.kind)
        shape.amount(f"document.payments[{index}].minor_units", payment.minor_units, least=0)


def _rates(stated: Document) -> None:
    _at_most("document.exchange_rates", len(stated.exchange_rates), RATES_MAX)
    seen = {stated.currency_code}
    for index, rate in enumerate(stated.exchange_rates):
        _rate(f"document.exchange_rates[{index}]", rate, seen)


def _rate(field: str, rate: ExchangeRate, seen: set[str]) -> None:
    code = rate.currency_code
    shape.currency_code(f"{field}.currency_code", code)
    if code in seen:
        expected = "a currency other than the document's, once"
        shape.refuse(f"{field}.currency_code", code, expected)
    seen.add(code)
    if not (_RATE.fullmatch(rate.rate) and rate.rate.strip("0.")):
        shape.refuse(f"{field}.rate", rate.rate, 'a decimal number above zero such as "7.80"')
    shape.day(f"{field}.rate_date", rate.rate_date)


def _count(field: str, value: int) -> None:
    if not 0 <= value <= NIGHTS_MAX:
        shape.refuse(field, value, f"a whole number from 0 to {NIGHTS_MAX}")
