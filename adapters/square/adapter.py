"""The adapter itself: who sends, what is in it, what it means."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from adapters.frame import moments, signatures
from adapters.frame.adapter import Adapter, Api, Connection, Pulled, read_as
from adapters.frame.calls import expect_same, segment
from adapters.frame.mapping import MappingFile
from adapters.frame.netting import pay_with_points, stated
from adapters.frame.reading import object_of
from adapters.frame.words import (
    Acquaintance,
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
from adapters.square.netting import net_lines
from adapters.square.shapes import (
    LoyaltyAccount,
    Order,
    Payment,
    Refund,
    Return,
    Settings,
)
from loyalty.v1 import types_pb2
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_SALE,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    Document,
)

API_VERSION: Final = "2025-10-16"
NEVER_PAID: Final = ("CANCELED", "FAILED")
PAID: Final = "COMPLETED"
OVERLAP: Final = timedelta(hours=1)
FIRST_PULL: Final = timedelta(days=2)
PAGE: Final = 100
FETCHED: Final[Mapping[str, type[Payment | Order]]] = {"payment": Payment, "order": Order}


class Square(Adapter):
    """Payments, orders and refunds of Square."""

    name = "square"
    version = 1
    settings = Settings
    secrets = ("signature_key",)
    api_secrets = ("access_token",)
    body_max = 1024 * 1024
    pull_seconds = 900

    def verify(self, delivery: Delivery, connection: Connection) -> Verdict:
        """HMAC-SHA256, in base64, of the subscription's address and the raw body."""
        settings: Settings = connection.mapping.settings
        signed = settings.notification_url.encode() + delivery.body
        given = delivery.header("x-square-hmacsha256-signature")
        if not signatures.hmac_base64(connection.keys("signature_key"), signed, given):
            return Verdict.FORGED
        return Verdict.GENUINE

    def event_id(self, delivery: Delivery) -> str:
        """`event_id`, which stays when Square sends again."""
        told = object_of(delivery)
        return str(told.get("event_id") or "")

    def split(self, delivery: Delivery, connection: Connection) -> Iterable[Item]:
        """A payment, a refund, a customer; an event about an order says nothing of its own."""
        told = object_of(delivery)
        kind, raw = _kind_of(told)
        settings: Settings = connection.mapping.settings
        if told.get("type") == "webhooks.test_notification":
            return [Dropped("test")]
        if "merchant_id" in told and told["merchant_id"] != settings.merchant:
            return [Dropped("not_ours")]
        match kind:
            case "payment":
                return _payment(read_as(Payment, raw), connection.mapping)
            case "refund":
                return _refund(read_as(Refund, raw))
            case "order":
                return _order(read_as(Order, raw))
            case "loyalty_account":
                return [_customer(read_as(LoyaltyAccount, raw))]
            case "thin_order":
                return [Dropped("told_by_payment")]
            case "own_programme":
                return [Dropped("own_programme")]
            case _:
                return [Dropped("not_ours")]

    def canonicalise(self, parts: Parts, mapping: MappingFile) -> Canonical:
        """The payment, less what was refunded, as one document."""
        if parts.subject.startswith("customer/"):
            return _acquaintance(parts, mapping)
        if parts.subject.startswith("order/"):
            return Nothing("not_paid")
        if "payment" not in parts.contents:
            raise Parked("sale_missing", "a refund came before its payment")
        payment = read_as(Payment, parts.contents["payment"])
        if payment.status not in (PAID, *NEVER_PAID):
            return Nothing("not_paid")
        return _statement(payment, parts, mapping)

    async def resolve(
        self, parts: Parts, hints: Sequence[Part], connection: Connection, api: Api
    ) -> list[Part]:
        """What events do not carry: the order of a payment, what came back with a refund."""
        found: list[Part] = []
        for hint in hints:
            if hint.key == "payment":
                payment_id = parts.subject.removeprefix("payment/")
                content = await self._asked("payment", payment_id, connection, api)
                if not content:
                    raise Unreadable(f"Square knows no payment {payment_id}")
            else:
                order_id = hint.key.partition("/")[2]
                content = await self._asked("order", order_id, connection, api)
            found.append(Part(parts.subject, hint.key, hint.version, content, hint.rank))
        return found

    async def _asked(self, what: str, number: str, connection: Connection, api: Api) -> Content:
        """A payment or an order as it is now; empty: Square knows none."""
        settings: Settings = connection.mapping.settings
        address = f"{settings.api}/v2/{what}s/{segment(number)}"
        answer = await api.json("GET", address, headers=_login(connection))
        raw = answer.get(what) if isinstance(answer, dict) else None
        if raw is None:
            return {}
        found = read_as(FETCHED[what], raw)
        expect_same(what, number, found.id)
        return found.model_dump()

    async def pull(self, cursor: str, connection: Connection, api: Api) -> Pulled:
        """Payments and refunds that changed lately: a time, and what is left to be read of it."""
        told = json.loads(cursor) if cursor else {}
        begin = told.get("begin") or _stamp(moments.utc(moments.now()) - FIRST_PULL)
        kind = told.get("kind", "payments")
        settings: Settings = connection.mapping.settings
        query = {
            "updated_at_begin_time": begin,
            "sort_field": "UPDATED_AT",
            "sort_order": "ASC",
            "limit": str(PAGE),
            "cursor": told.get("page", ""),
        }
        answer = await api.json(
            "GET",
            f"{settings.api}/v2/{kind}",
            params={name: value for name, value in query.items() if value},
            headers=_login(connection),
        )
        found = (answer or {}).get(kind, [])
        one = kind.removesuffix("s")
        deliveries = [
            Delivery(json.dumps({one: each}, default=str).encode(), _PULLED) for each in found
        ]
        now = told.get("now") or _stamp(moments.utc(moments.now()))
        page = (answer or {}).get("cursor", "")
        rest = {"begin": begin, "kind": kind, "page": page, "now": now}
        if not page:
            if kind == "refunds":
                # The next pull begins a little before this one did: clocks differ.
                begin = _stamp(moments.utc(moments.instant(now, "cursor")) - OVERLAP)
                return Pulled(deliveries, json.dumps({"begin": begin}))
            rest |= {"kind": "refunds"}
        return Pulled(deliveries, json.dumps(rest), more=True)


_PULLED: Final = {"content-type": "application/json"}


def _login(connection: Connection) -> dict[str, str]:
    token = connection.secret("access_token")
    return {"Authorization": f"Bearer {token}", "Square-Version": API_VERSION}


def _stamp(moment: Any) -> str:
    return str(moment.isoformat())


def _kind_of(told: Mapping[str, Any]) -> tuple[str, Any]:
    """What a body is: an event by its type, an answer of the API by what is in it."""
    for kind in ("payment", "refund", "order", "loyalty_account"):
        if isinstance(told.get(kind), dict):
            return kind, told[kind]
    event = str(told.get("type") or "")
    data = told.get("data")
    inside = data.get("object") if isinstance(data, dict) else None
    family = event.partition(".")[0]
    if family == "order":
        return "thin_order", None
    if family == "loyalty" and not (isinstance(inside, dict) and "loyalty_account" in inside):
        return "own_programme", None
    if isinstance(inside, dict):
        for kind in ("payment", "refund", "loyalty_account"):
            if isinstance(inside.get(kind), dict):
                return kind, inside[kind]
    return ("own_programme", None) if "events" in told else ("", None)


def _payment(payment: Payment, mapping: MappingFile) -> list[Item]:
    subject = f"payment/{payment.id}"
    software = payment.application_details
    if software is not None and mapping.is_ours(software.application_id):
        return [Dropped("own_echo", subject)]
    version = moments.instant(payment.updated_at, "updated_at")
    items: list[Item] = [Part(subject, "payment", version, payment.model_dump())]
    if payment.status == PAID and payment.order_id:
        items.append(Part(subject, f"order/{payment.order_id}", version, None))
    return items


def _refund(refund: Refund) -> list[Item]:
    if not refund.payment_id:
        return [Dropped("unlinked_refund", f"refund/{refund.number}")]
    subject = f"payment/{refund.payment_id}"
    version = moments.instant(refund.updated_at, "updated_at")
    items: list[Item] = [Part(subject, f"refund/{refund.number}", version, refund.model_dump())]
    if refund.status == PAID and refund.order_id:
        items.append(Part(subject, f"returns/{refund.order_id}", version, None))
    return items


def _order(order: Order) -> list[Item]:
    """An order as the API tells it: a part of every payment that paid for it."""
    payments = [tender.payment_id or tender.id for tender in order.tenders]
    if not any(payments):
        return [Part(f"order/{order.id}", "order", order.version, order.model_dump())]
    key, content = f"order/{order.id}", order.model_dump()
    items: list[Item] = []
    for payment in filter(None, payments):
        items.append(Part(f"payment/{payment}", key, order.version, content))
        items.append(Part(f"payment/{payment}", "payment", 0, None))
    return items


def _customer(account: LoyaltyAccount) -> Item:
    when = account.updated_at or account.created_at
    version = moments.instant(when, "updated_at") if when else 0
    subject = f"customer/{account.customer_id or account.id}"
    return Part(subject, "loyalty_account", version, account.model_dump())


def _acquaintance(parts: Parts, mapping: MappingFile) -> Canonical:
    account = read_as(LoyaltyAccount, parts.contents["loyalty_account"])
    known = {"customer": account.customer_id, "phone": account.mapping.phone_number}
    identities = mapping.members(known)
    if len(identities) < 2:
        return Nothing("nothing_to_link")
    return Acquaintance(mapping.origin(mapping.place("merchant")), identities)


def _statement(payment: Payment, parts: Parts, mapping: MappingFile) -> Statement:
    settings: Settings = mapping.settings
    order = _order_of(payment, parts, settings)
    refunds = [read_as(Refund, content) for content in parts.of("refund/")]
    completed = sorted(
        (each for each in refunds if each.status == PAID), key=lambda each: each.created_at
    )
    place = mapping.place(f"location/{payment.location_id}")
    lines = net_lines(payment, order, completed, _returns(parts))
    document = Document(
        source=mapping.source_name,
        document_id=payment.id,
        kind=DOCUMENT_KIND_SALE,
        status=DOCUMENT_STATUS_CANCELLED if payment.status in NEVER_PAID else DOCUMENT_STATUS_FINAL,
        currency_code=mapping.currency(place, payment.amount_money.currency),
        lines=stated(lines, mapping, gross=settings.amounts == "gross"),
        receipt_code=short(payment.receipt_number),
    )
    if mapping.payments:
        row = mapping.payment(payment.source_type)
        amount = payment.amount_money.amount
        document.payments.append(types_pb2.Payment(kind=row.kind, minor_units=amount))
        pay_with_points(document.lines, amount if row.points else 0)
    times = [payment.updated_at, *(refund.updated_at for refund in completed)]
    return Statement(
        origin=mapping.origin(place, operator=payment.team_member_id),
        document=document,
        members=mapping.members(
            {
                "customer": payment.customer_id or (order.customer_id if order else ""),
                "email": payment.buyer_email_address,
            }
        ),
        occurred_at=moments.instant(payment.created_at, "created_at"),
        changed_at=max(moments.instant(time, "updated_at") for time in times),
    )


def _order_of(payment: Payment, parts: Parts, settings: Settings) -> Order | None:
    """What was bought. Raises Parked while it is not known and has to be waited for."""
    content = parts.contents.get(f"order/{payment.order_id}")
    if content:
        return read_as(Order, content)
    if payment.status == PAID and settings.without_order == "wait":
        raise Parked("order_missing", f"order {payment.order_id or '(none)'} of the payment")
    return None


def _returns(parts: Parts) -> dict[str, Sequence[Return]]:
    """What came back, by id of the refund's order."""
    return {
        key.partition("/")[2]: read_as(Order, content).returns if content else ()
        for key, content in parts.contents.items()
        if key.startswith("returns/")
    }


ADAPTER: Final = Square()
