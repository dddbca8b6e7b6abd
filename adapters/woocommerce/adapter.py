"""The adapter itself: who sends, what is in it, what it means."""

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from adapters.frame import moments, signatures
from adapters.frame.adapter import Adapter, Api, Connection, Pulled, each, read_as
from adapters.frame.calls import segment
from adapters.frame.mapping import MappingFile
from adapters.frame.money import minor_units
from adapters.frame.netting import pay_with_points, stated
from adapters.frame.reading import json_of, object_of
from adapters.frame.words import (
    Canonical,
    Content,
    Delivery,
    Dropped,
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
from adapters.woocommerce.netting import REFUNDED_LINE, gmt, net_lines
from adapters.woocommerce.shapes import Deleted, Linked, Order, Refund, Settings
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_ORDER,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    DOCUMENT_STATUS_PENDING,
    Document,
    DocumentStatus,
    Payment,
)

CANCELLED: Final = ("cancelled", "failed")
PAGE: Final = 100
FIRST_PULL: Final = timedelta(days=2)


class WooCommerce(Adapter):
    """Orders and refunds of WooCommerce."""

    name = "woocommerce"
    version = 1
    settings = Settings
    secrets = ("webhook_secret",)
    api_secrets = ("consumer_key", "consumer_secret")
    kept_headers = ("content-type", "x-wc-webhook-topic", "x-wc-webhook-source")
    body_max = 4 * 1024 * 1024
    pull_seconds = 3600

    def verify(self, delivery: Delivery, connection: Connection) -> Verdict:
        """HMAC-SHA256 of the payload in base64; the ping at the beginning is not signed."""
        signature = delivery.header("x-wc-webhook-signature")
        if not signature and delivery.body.startswith(b"webhook_id="):
            return Verdict.GREETING
        keys = connection.keys("webhook_secret")
        genuine = signatures.hmac_base64(keys, delivery.body, signature)
        return Verdict.GENUINE if genuine else Verdict.FORGED

    def event_id(self, delivery: Delivery) -> str:
        """The delivery's id counts seconds only: two events of one second have the same."""
        sent = delivery.header("x-wc-webhook-delivery-id")
        return f"{sent[:64]}:{sha256(delivery.body).hexdigest()}"

    def split(self, delivery: Delivery, connection: Connection) -> Iterable[Item]:
        """An order, with a hint that its refunds are to be fetched; or a deletion."""
        source = delivery.header("x-wc-webhook-source").rstrip("/")
        if source and source != connection.mapping.settings.site:
            # A copy of the shop for trials sends what the shop sends, with the same secret.
            return [Dropped("test")]
        topic = delivery.header("x-wc-webhook-topic")
        told = object_of(delivery)
        if topic == "order.deleted":
            return each([told], lambda raw: _deletion(raw, delivery.received_at))
        if topic and topic not in ("order.created", "order.updated", "order.restored"):
            return [Dropped("not_ours")]
        if "amount" in told and "status" not in told:
            return each([told], _refund)
        return each([told], lambda raw: self._order(raw, connection))

    def _order(self, raw: Any, connection: Connection) -> Iterable[Item]:
        order = read_as(Order, raw)
        subject = f"order/{order.id}"
        if connection.mapping.is_ours(order.created_via):
            return [Dropped("own_echo", subject)]
        version = gmt(order.date_modified_gmt)
        items: list[Item] = [
            Part(subject, "order", version, _kept(order, connection.mapping.settings))
        ]
        if order.refunds and all(map(connection.keys, self.api_secrets)):
            items.append(Part(subject, "refunds", version, None))
        return items

    async def resolve(
        self, parts: Parts, hints: Sequence[Part], connection: Connection, api: Api
    ) -> list[Part]:
        """The refunds of an order, with their lines."""
        del hints
        order_id = parts.subject.removeprefix("order/")
        path = f"orders/{segment(order_id)}/refunds"
        refunds = await _get(api, connection, path, {"per_page": str(PAGE)})
        found = [read_as(Refund, raw) for raw in refunds or []]
        return [_refund_part(parts.subject, refund) for refund in found]

    def canonicalise(self, parts: Parts, mapping: MappingFile) -> Canonical:
        """The order less its refunds, as one document."""
        settings: Settings = mapping.settings
        if "order" not in parts.contents:
            if "deleted" in parts.contents:
                return Nothing("deleted_before_it_came")
            raise Parked("sale_missing", "a refund came before its order")
        order = read_as(Order, parts.contents["order"])
        deleted = parts.versions.get("deleted", 0) > gmt(order.date_modified_gmt)
        status = _status(order, settings, deleted=deleted)
        if status is None:
            return Nothing("not_paid")
        place = mapping.place(f"created_via/{order.created_via}", "online")
        currency = mapping.currency(place, order.currency)
        refunds = [read_as(Refund, content) for content in parts.of("refund/")]
        goods, shipping = net_lines(order, refunds)
        gross = settings.amounts == "gross"
        document = Document(
            source=mapping.source_name,
            document_id=order.id,
            kind=DOCUMENT_KIND_ORDER,
            status=status,
            currency_code=currency,
            lines=stated([*goods, *shipping], mapping, gross=gross),
            receipt_code=short(order.order_key),
            coupons=_coupons(order),
        )
        _pay(document, order, mapping)
        return Statement(
            origin=mapping.origin(place),
            document=document,
            members=mapping.members(_known_of(order, settings)),
            occurred_at=gmt(order.date_paid_gmt or order.date_created_gmt),
            changed_at=max(
                gmt(order.date_modified_gmt),
                parts.versions.get("deleted", 0),
                *(gmt(refund.date_created_gmt) for refund in refunds),
                0,
            ),
        )

    async def pull(self, cursor: str, connection: Connection, api: Api) -> Pulled:
        """Orders that were modified since the cursor, page by page.

        The cursor is where the last round ended and where this one stands.
        """
        at = json_of(cursor) if cursor else {}
        since = at.get("since") or _plain(moments.now() - FIRST_PULL // timedelta(microseconds=1))
        page = int(at.get("page", 1))
        query = {
            "modified_after": since,
            "dates_are_gmt": "true",
            "orderby": "id",
            "order": "asc",
            "per_page": str(PAGE),
            "page": str(page),
        }
        orders = await _get(api, connection, "orders", query) or []
        modified = [str(order.get("date_modified_gmt") or "") for order in orders]
        newest = max(since, at.get("newest", ""), *modified)
        deliveries = [
            Delivery(json.dumps(order, default=str).encode(), _PULLED) for order in orders
        ]
        if len(orders) == PAGE:
            place = {"since": since, "page": page + 1, "newest": newest}
            return Pulled(deliveries, json.dumps(place), more=True)
        return Pulled(deliveries, json.dumps({"since": newest}))


_PULLED: Final = {"content-type": "application/json", "x-wc-webhook-topic": "order.updated"}


async def _get(api: Api, connection: Connection, path: str, query: dict[str, str]) -> Any:
    settings: Settings = connection.mapping.settings
    login = (connection.secret("consumer_key"), connection.secret("consumer_secret"))
    return await api.json("GET", f"{settings.site}/wp-json/wc/v3/{path}", params=query, auth=login)


def _plain(moment: int) -> str:
    return moments.utc(moment).replace(tzinfo=None, microsecond=0).isoformat()


def _kept(order: Order, settings: Settings) -> Content:
    """An order without what is nobody's business: meta data that no rule asks for."""
    content = order.model_dump(exclude={"line_items": {"__all__": {"meta_data"}}})
    content["meta_data"] = [
        {"key": meta.key, "value": str(meta.value)}
        for meta in order.meta_data
        if meta.key == settings.member_meta and isinstance(meta.value, str | int)
    ]
    return content


def _deletion(raw: Any, received_at: int) -> Item:
    order_id = read_as(Deleted, raw).id
    return Part(f"order/{order_id}", "deleted", received_at, {"id": order_id})


def _refund(raw: Any) -> Item:
    refund, linked = read_as(Refund, raw), read_as(Linked, raw)
    order_id = linked.parent_id
    if linked.links is not None:
        order_id = linked.links.up[0].href.rstrip("/").rpartition("/")[2]
    if not order_id:
        raise Unreadable(f"refund {refund.id} does not say whose it is")
    return _refund_part(f"order/{order_id}", refund)


def _refund_part(subject: str, refund: Refund) -> Part:
    version = gmt(refund.date_created_gmt)
    content = refund.model_dump()
    for line in (*content["line_items"], *content["shipping_lines"], *content["fee_lines"]):
        line["meta_data"] = [meta for meta in line["meta_data"] if meta["key"] == REFUNDED_LINE]
    return Part(subject, f"refund/{refund.id}", version, content)


def _status(order: Order, settings: Settings, *, deleted: bool) -> DocumentStatus.ValueType | None:
    """How far the order has come; None while it is nothing to the ledger."""
    gone = deleted or order.status == "trash"
    if gone and settings.deleted == "cancel":
        return DOCUMENT_STATUS_CANCELLED
    if order.status in CANCELLED and not gone:
        return DOCUMENT_STATUS_CANCELLED
    if order.status == "refunded" and not order.refunds:
        return DOCUMENT_STATUS_CANCELLED
    paid = order.status in (*settings.paid, "refunded") or gone
    if paid and order.date_paid_gmt:
        return DOCUMENT_STATUS_FINAL
    return DOCUMENT_STATUS_PENDING if settings.unpaid == "pending" else None


def _known_of(order: Order, settings: Settings) -> dict[str, str]:
    meta = {each.key: each.value for each in order.meta_data}
    return {
        "meta": str(meta.get(settings.member_meta, "")),
        "customer": "" if order.customer_id == "0" else order.customer_id,
        "email": order.billing.email,
        "phone": order.billing.phone,
    }


def _coupons(order: Order) -> list[str]:
    codes = [each.code for each in order.coupon_lines if each.code]
    return [code for code in codes if len(code) <= 64 and code.isprintable()][:50]


def _pay(document: Document, order: Order, mapping: MappingFile) -> None:
    """Tell how it was paid, where the mapping has means of payment at all."""
    if not mapping.payments or not order.payment_method:
        return
    row = mapping.payment(order.payment_method)
    total = minor_units(order.total, order.currency, "total")
    document.payments.append(Payment(kind=row.kind, minor_units=max(total, 0)))
    if row.points:
        pay_with_points(document.lines, total)


ADAPTER: Final = WooCommerce()
