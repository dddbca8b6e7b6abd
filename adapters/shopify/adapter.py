"""The adapter itself: who sends, what is in it, what it means."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from adapters.frame import moments, signatures
from adapters.frame.adapter import Adapter, Api, Connection, Pulled, each, read_as
from adapters.frame.calls import segment
from adapters.frame.mapping import MappingFile
from adapters.frame.netting import stated
from adapters.frame.reading import object_of
from adapters.frame.words import (
    Canonical,
    Delivery,
    Dropped,
    Faulty,
    Item,
    Nothing,
    Parked,
    Part,
    Parts,
    Statement,
    Unreadable,
    Verdict,
    short,
)
from adapters.shopify.netting import net_lines
from adapters.shopify.payments import pay, points_among_others
from adapters.shopify.shapes import Customer, Order, Refund, Settings, Transactions
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_ORDER,
    DOCUMENT_KIND_SALE,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    DOCUMENT_STATUS_PENDING,
    Document,
    DocumentStatus,
)

PAID: Final = ("paid", "partially_refunded", "refunded")
NEVER_PAID: Final = ("voided", "expired")
ORDERS: Final = ("create", "updated", "paid", "cancelled", "fulfilled", "partially_fulfilled")
PAGE: Final = 250
FIRST_PULL: Final = timedelta(days=2)


class Shopify(Adapter):
    """Orders and refunds of Shopify."""

    name = "shopify"
    version = 1
    settings = Settings
    secrets = ("webhook_secret",)
    api_secrets = ("access_token",)
    kept_headers = (
        "content-type",
        "x-shopify-topic",
        "x-shopify-shop-domain",
        "x-shopify-event-id",
        "x-shopify-triggered-at",
    )
    body_max = 4 * 1024 * 1024
    pull_seconds = 900

    def verify(self, delivery: Delivery, connection: Connection) -> Verdict:
        """HMAC-SHA256 of the raw body in base64, and the shop's own domain."""
        genuine = signatures.hmac_base64(
            connection.keys("webhook_secret"),
            delivery.body,
            delivery.header("x-shopify-hmac-sha256"),
        )
        shop = delivery.header("x-shopify-shop-domain")
        if not genuine or shop != connection.mapping.settings.shop:
            return Verdict.FORGED
        return Verdict.GENUINE

    def event_id(self, delivery: Delivery) -> str:
        """The id of the delivery; Shopify keeps it when it sends again."""
        return delivery.header("x-shopify-webhook-id")

    def split(self, delivery: Delivery, connection: Connection) -> Iterable[Item]:
        """An order with the refunds in it, or one refund."""
        told = object_of(delivery)
        topic = delivery.header("x-shopify-topic")
        kind, raw = _kind_of(topic, told)
        if kind == "order":
            sent = _moment(delivery.header("x-shopify-triggered-at"))
            return each([raw], lambda one: self._order(one, sent, connection))
        if kind == "refund":
            return each([raw], _refund)
        # An edit tells what changed, not the order: that comes with orders/updated.
        return [Dropped("told_by_order" if kind == "edit" else "not_ours")]

    def _order(self, raw: Any, sent: int, connection: Connection) -> Iterable[Item]:
        order = read_as(Order, raw)
        subject = _subject(order.id)
        if order.test:
            return [Dropped("test", subject)]
        if connection.mapping.is_ours(order.app_id, order.source_name):
            return [Dropped("own_echo", subject)]
        version = moments.instant(order.updated_at, "updated_at")
        items: list[Item] = [Part(subject, "order", version, order.model_dump(), sent)]
        if points_among_others(order, connection.mapping):
            items.append(Part(subject, "transactions", version, None, sent))
        refunds = raw.get("refunds") or []
        if not isinstance(refunds, list):
            return [*items, Faulty("refunds: expected a list", subject)]
        # What an order tells of a refund is as new as the order: transactions settle later.
        return [*items, *each(refunds, lambda one: _refund(_named(one, order.id), version))]

    def canonicalise(self, parts: Parts, mapping: MappingFile) -> Canonical:
        """The order with what its refunds took back, as one document."""
        if "order" not in parts.contents:
            raise Parked("sale_missing", "a refund came before its order")
        order = read_as(Order, parts.contents["order"])
        refunds = [read_as(Refund, content) for content in parts.of("refund/")]
        settings: Settings = mapping.settings
        status = _status(order, settings)
        if status is None:
            return Nothing("not_paid")
        place = mapping.place(*_place_codes(order))
        currency = mapping.currency(place, order.currency)
        lines, shipping, tip = net_lines(order, refunds)
        document = Document(
            source=mapping.source_name,
            document_id=order.id,
            kind=DOCUMENT_KIND_SALE if order.source_name == "pos" else DOCUMENT_KIND_ORDER,
            status=status,
            currency_code=currency,
            lines=stated(lines, mapping, gross=settings.amounts == "gross"),
            receipt_code=short(order.confirmation_number),
            coupons=_coupons(order),
        )
        for code, amount in (("shipping", shipping), ("tip", tip)):
            if amount > 0:
                category = mapping.category(code)
                document.lines.add(line_id=code, category=category, net_minor_units=amount)
        pay(document, order, parts, mapping)
        return Statement(
            origin=mapping.origin(place),
            document=document,
            members=mapping.members(_known_of(order, settings)),
            occurred_at=moments.instant(order.processed_at or order.created_at, "created_at"),
            changed_at=_changed(order, refunds),
        )

    async def resolve(
        self, parts: Parts, hints: Sequence[Part], connection: Connection, api: Api
    ) -> list[Part]:
        """Transactions of an order that was paid with points and something else."""
        order_id = parts.subject.removeprefix("order/")
        settings: Settings = connection.mapping.settings
        address = f"{settings.api}/orders/{segment(order_id)}/transactions.json"
        answer = await api.json("GET", address, headers=_login(connection))
        if answer is None:
            raise Unreadable(f"the shop knows no transactions of order {order_id}")
        newest = max(hints, key=lambda hint: hint.version)
        content = read_as(Transactions, answer).model_dump()
        return [Part(parts.subject, newest.key, newest.version, content, newest.rank)]

    async def pull(self, cursor: str, connection: Connection, api: Api) -> Pulled:
        """Orders that changed since the cursor, which is an `updated_at`."""
        settings: Settings = connection.mapping.settings
        since = cursor or (moments.utc(moments.now()) - FIRST_PULL).isoformat()
        query = {
            "status": "any",
            "limit": str(PAGE),
            "order": "updated_at asc",
            "updated_at_min": since,
        }
        answer = await api.json(
            "GET", f"{settings.api}/orders.json", params=query, headers=_login(connection)
        )
        orders = (answer or {}).get("orders", [])
        deliveries = [
            Delivery(json.dumps({"order": order}, default=str).encode(), _PULLED)
            for order in orders
        ]
        last = max((str(order.get("updated_at") or since) for order in orders), default=since)
        if len(orders) == PAGE and last == since:
            # A whole page of one second: what is left of that second comes with the next change.
            second = moments.instant(since, "cursor") + moments.SECOND
            last = moments.utc(second).isoformat()
        return Pulled(deliveries, last, more=len(orders) == PAGE)


_PULLED: Final = {"content-type": "application/json", "x-shopify-topic": "orders/updated"}


def _login(connection: Connection) -> dict[str, str]:
    return {"X-Shopify-Access-Token": connection.secret("access_token")}


def _kind_of(topic: str, told: Mapping[str, Any]) -> tuple[str, Any]:
    """What a body is: by its topic; without one, as in a file, by its shape."""
    if "order" in told and isinstance(told["order"], dict):
        return "order", told["order"]
    if "refund" in told and isinstance(told["refund"], dict):
        return "refund", told["refund"]
    if isinstance(told.get("order_edit"), dict):
        return "edit", None
    family, _, event = topic.partition("/")
    if topic:
        kind = {"orders": "order", "refunds": "refund"}.get(family, "")
        return (kind, told) if kind == "refund" or event in ORDERS else ("", told)
    return ("refund", told) if "refund_line_items" in told else ("order", told)


def _subject(order_id: str) -> str:
    return f"order/{order_id}"


def _moment(text: str) -> int:
    return moments.instant(text, "x-shopify-triggered-at") if text else 0


def _named(refund: Any, order_id: str) -> Any:
    """A refund in an order, where it does not repeat whose it is."""
    return {"order_id": order_id, **refund} if isinstance(refund, dict) else refund


def _refund(raw: Any, told_at: int = 0) -> Item:
    refund = read_as(Refund, raw)
    version = moments.instant(refund.created_at, "created_at")
    subject, key = _subject(refund.order_id), f"refund/{refund.id}"
    return Part(subject, key, version, refund.model_dump(), max(told_at, version))


def _status(order: Order, settings: Settings) -> DocumentStatus.ValueType | None:
    """How far the order has come; None while it is nothing to the ledger."""
    if order.cancelled_at or order.financial_status in NEVER_PAID:
        return DOCUMENT_STATUS_CANCELLED
    if order.financial_status in PAID:
        return DOCUMENT_STATUS_FINAL
    return DOCUMENT_STATUS_PENDING if settings.unpaid == "pending" else None


def _place_codes(order: Order) -> tuple[str, ...]:
    """Orders of the till belong to its location, and to nothing else; others may have one too."""
    at = f"location/{order.location_id or 'none'}"
    return (at,) if order.source_name == "pos" else (at, "online")


def _changed(order: Order, refunds: Sequence[Refund]) -> int:
    times = [order.updated_at, order.cancelled_at, *(refund.created_at for refund in refunds)]
    return max(moments.instant(time, "time of change") for time in times if time)


def _known_of(order: Order, settings: Settings) -> dict[str, str]:
    customer = order.customer or Customer()
    attributes = {each.name: each.value for each in order.note_attributes}
    return {
        "attribute": attributes.get(settings.member_attribute, ""),
        "customer": customer.id or "",
        "email": customer.email or order.email,
        "phone": customer.phone or order.phone,
    }


def _coupons(order: Order) -> list[str]:
    codes = [each.code for each in order.discount_codes if each.code]
    return [code for code in codes if len(code) <= 64 and code.isprintable()][:50]


ADAPTER: Final = Shopify()
