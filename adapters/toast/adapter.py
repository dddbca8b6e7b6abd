"""The adapter itself: who sends, what is in it, what it means."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from adapters.frame import moments, signatures
from adapters.frame.adapter import Adapter, Connection, each, read_as
from adapters.frame.mapping import MappingFile, PlaceRow
from adapters.frame.money import amount_of
from adapters.frame.netting import (
    NetLine,
    Returned,
    pay_with_points,
    spread,
    stated,
    take_back,
    unique_ids,
)
from adapters.frame.reading import object_of
from adapters.frame.words import (
    Canonical,
    Delivery,
    Dropped,
    Item,
    Nothing,
    Part,
    Parts,
    Statement,
    Unreadable,
    Verdict,
    short,
)
from adapters.toast.shapes import Check, Customer, Order, Reference, Refund, Selection, Settings
from loyalty.v1 import types_pb2
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_SALE,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    Document,
)

CLOSED: Final = "CLOSED"
OPEN: Final = "OPEN"
SIGNED_SECONDS: Final = 2 * 86_400
"""How old a signed message may be: Toast sends again for hours."""
NEVER_TAKEN: Final = ("VOIDED", "DENIED", "CANCELLED", "ERROR", "ERROR_NETWORK")
NOT_GOODS: Final = {
    "HOUSE_ACCOUNT_PAY_BALANCE": "deposit",
    "TOAST_CARD_SELL": "gift_card",
    "TOAST_CARD_RELOAD": "gift_card",
}
"""What some selections are in words that every policy knows."""


class Toast(Adapter):
    """Checks of Toast's orders."""

    name = "toast"
    version = 1
    settings = Settings
    secrets = ("webhook_secret",)
    kept_headers = ("content-type", "toast-restaurant-external-id")

    def verify(self, delivery: Delivery, connection: Connection) -> Verdict:
        """HMAC-SHA256, in base64, of the raw body and the message's own timestamp behind it."""
        signature = delivery.header("toast-signature")
        signed_at = _signed_at(delivery)
        signed = delivery.body + signed_at.encode()
        if not signatures.hmac_base64(connection.keys("webhook_secret"), signed, signature):
            return Verdict.FORGED
        moment = moments.instant(signed_at, "timestamp")
        if not signatures.fresh(moment, delivery.received_at, seconds=SIGNED_SECONDS):
            return Verdict.STALE
        return Verdict.GENUINE

    def event_id(self, delivery: Delivery) -> str:
        """The event's own GUID, which stays when Toast sends again."""
        return str(object_of(delivery).get("guid") or "")

    def split(self, delivery: Delivery, connection: Connection) -> Iterable[Item]:
        """Each check of the order."""
        told = object_of(delivery)
        details = told.get("details")
        details = details if isinstance(details, dict) else {"order": told}
        raw = details.get("order")
        if not (isinstance(raw, dict) and isinstance(raw.get("checks"), list)):
            return [Dropped("not_ours")]
        order = read_as(Order, raw)
        named = details.get("restaurantGuid") or delivery.header("toast-restaurant-external-id")
        restaurant = str(named or "")
        settings: Settings = connection.mapping.settings
        if order.in_test_mode:
            return [Dropped("test", f"order/{order.guid}")]
        if settings.restaurants_only and restaurant not in settings.restaurants_only:
            return [Dropped("not_ours", f"order/{order.guid}")]
        return each(raw["checks"], lambda check: _part(read_as(Check, check), order, restaurant))

    def canonicalise(self, parts: Parts, mapping: MappingFile) -> Canonical:
        """A check that is paid, less what was refunded."""
        content = parts.contents["check"]
        check = read_as(Check, content["check"])
        order = read_as(Order, content["order"])
        gone = check.voided or check.deleted or order.voided or order.deleted
        if order.excess_food:
            return Nothing("excess_food")
        if not gone and not _is_paid(check):
            return Nothing("not_paid")
        return _statement(check, order, str(content["restaurant"]), mapping, gone=gone)


def _is_paid(check: Check) -> bool:
    """Whether nothing is owed: an open check tells when a share of it was paid, too."""
    return check.payment_status == CLOSED or (
        check.payment_status != OPEN and check.paid is not None
    )


def _signed_at(delivery: Delivery) -> str:
    """The time that is signed with the body; empty: none is told, so nothing can be genuine."""
    with suppress(Unreadable):
        told = object_of(delivery).get("timestamp")
        return told if isinstance(told, str) else ""
    return ""


def _part(check: Check, order: Order, restaurant: str) -> Part:
    content: dict[str, Any] = {
        "check": check.model_dump(by_alias=True),
        "order": order.model_dump(by_alias=True),
        "restaurant": restaurant,
    }
    version = moments.instant(order.modified, "modifiedDate")
    return Part(f"check/{check.guid}", "check", version, content)


def _statement(
    check: Check, order: Order, restaurant: str, mapping: MappingFile, *, gone: bool
) -> Statement:
    place = mapping.place(f"restaurant/{restaurant}")
    # Toast tells no currency: a restaurant has one.
    currency = place.currencies[0]
    document = Document(
        source=mapping.source_name,
        document_id=check.guid,
        kind=DOCUMENT_KIND_SALE,
        status=DOCUMENT_STATUS_CANCELLED if gone else DOCUMENT_STATUS_FINAL,
        currency_code=currency,
        receipt_code=short(check.display_number) if not gone else "",
    )
    if not gone:
        document.lines.extend(stated(_net_lines(check, currency), mapping, gross=False))
        _pay(document, check, mapping)
    customer = check.customer or Customer()
    known = {
        "loyalty": check.loyalty.identifier if check.loyalty else "",
        "customer": customer.guid,
        "phone": customer.phone,
        "email": customer.email,
    }
    return Statement(
        origin=mapping.origin(place),
        document=document,
        members=mapping.members(known),
        occurred_at=_occurred(check, order, place),
        changed_at=moments.instant(order.modified, "modifiedDate"),
    )


def _occurred(check: Check, order: Order, place: PlaceRow) -> int:
    """When it was paid; else when it was closed, opened, or its business day began."""
    for told in (check.paid, order.closed, order.opened):
        if told is not None:
            return moments.instant(told, "paidDate")
    told = str(order.business_date)
    try:
        # It would read a day of one digit too, and guess where the month ends.
        day = datetime.strptime(told if len(told) == 8 else "", "%Y%m%d").date()  # noqa: DTZ007
    except ValueError:
        raise Unreadable(f"businessDate is {told[:40]}, expected yyyymmdd") from None
    return moments.instant(f"{day}T00:00:00", "businessDate", zone=place.zone)


def _net_lines(check: Check, currency: str) -> list[NetLine]:
    """Selections after discounts on them and on the check, less refunds."""
    taken = [each for each in check.selections if not each.voided]
    ids = unique_ids([each.guid for each in taken])
    lines = [_line(each, line_id, currency) for each, line_id in zip(taken, ids, strict=True)]
    _discount(lines, check, currency)
    back = [
        Returned(line, *_refunded(each.refund_details, currency), Decimal(0))
        for each, line in zip(taken, lines, strict=True)
        if each.refund_details is not None
    ]
    paid_back = sum(
        amount_of(each.refund.refund_amount, currency, "refundAmount")
        for each in check.payments
        if each.refund is not None and each.payment_status not in NEVER_TAKEN
    )
    charges = [each.refund_details for each in check.charges if each.refund_details is not None]
    paid_back -= sum(sum(_refunded(each, currency)) for each in charges)
    named = sum(each.amount + each.tax for each in back)
    # What payments paid back beyond the selections that are named is spread over what is left.
    take_back(lines, back, max(paid_back, named))
    return lines


def _line(selection: Selection, line_id: str, currency: str) -> NetLine:
    amount = amount_of(selection.price, currency, "price")
    tax = amount_of(selection.tax, currency, "tax")
    quantity = Decimal(selection.quantity)
    if quantity < 0:
        raise Unreadable(f"quantity of selection {line_id} is {quantity}, expected 0 or more")
    return NetLine(line_id, _codes(selection), amount, tax, quantity, _guid(selection.item))


def _codes(selection: Selection) -> tuple[str, ...]:
    """By what a selection may be mapped, from the closest to the widest."""
    if selection.selection_type in NOT_GOODS:
        return (NOT_GOODS[selection.selection_type],)
    if selection.deferred:
        return ("gift_card",)
    named = {
        "item": _guid(selection.item),
        "group": _guid(selection.item_group),
        "sales": _guid(selection.sales_category),
    }
    return (*(f"{name}/{guid}" for name, guid in named.items() if guid), "line")


def _guid(reference: Reference | None) -> str:
    return "" if reference is None else reference.guid


def _discount(lines: Sequence[NetLine], check: Check, currency: str) -> None:
    """Bring the selections down to the check's amount: discounts on the check are not in them."""
    goods = sum(line.amount for line in lines)
    charges = sum(amount_of(each.charge_amount, currency, "chargeAmount") for each in check.charges)
    if check.amount is None:
        off = sum(amount_of(each.discount_amount, currency, "discount") for each in check.discounts)
        target = max(goods - off, 0)
    else:
        target = max(amount_of(check.amount, currency, "amount") - charges, 0)
    if target < goods:
        taxes = [line.tax for line in lines]
        for line in lines:
            line.tax = 0
        spread(lines, goods - target)
        for line, tax in zip(lines, taxes, strict=True):
            line.tax = tax


def _refunded(refund: Refund, currency: str) -> tuple[int, int]:
    amount = amount_of(refund.refund_amount, currency, "refundAmount")
    return amount, amount_of(refund.tax_refund_amount, currency, "taxRefundAmount")


def _pay(document: Document, check: Check, mapping: MappingFile) -> None:
    """Tell how it was paid, where the mapping has words for it. Raises Parked."""
    if not mapping.payments:
        return
    points = 0
    for payment in check.payments:
        if payment.payment_status in NEVER_TAKEN:
            continue
        row = mapping.payment(payment.type)
        amount = amount_of(payment.amount, document.currency_code, "amount")
        document.payments.append(types_pb2.Payment(kind=row.kind, minor_units=amount))
        points += amount if row.points else 0
    pay_with_points(document.lines, points)


ADAPTER: Final = Toast()
