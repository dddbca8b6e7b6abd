"""The adapter itself: who sends, what is in it, what it means."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import unquote_plus

from adapters.frame import moments, signatures
from adapters.frame.adapter import NO_DELIVERY, Adapter, Connection, read_as
from adapters.frame.mapping import MappingFile
from adapters.frame.money import amount_of, shares
from adapters.frame.netting import NetLine, Returned, stated, take_back, unique_ids
from adapters.frame.reading import json_of, object_of
from adapters.frame.words import (
    Canonical,
    Content,
    Delivery,
    Dropped,
    Item,
    Nothing,
    Outcome,
    Parked,
    Part,
    Parts,
    Reply,
    Statement,
    Unreadable,
    Verdict,
)
from adapters.youzan.shapes import Buyer, Envelope, Line, Refund, Settings, Trade
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_ORDER,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    DOCUMENT_STATUS_PENDING,
    Document,
)

ZONE: Final = "Asia/Shanghai"
"""Youzan writes China's time, without saying so, whatever the shop's zone."""
CURRENCY: Final = "CNY"
TAKEN: Final = (Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.ID_REUSED, Outcome.GREETING)
VERSION_DIGITS: Final = 19
UNPAID, PAID, DONE, CLOSED = range(4)
STATES: Final = {
    "WAIT_BUYER_PAY": UNPAID,
    "WAIT_PAY_RETURN": UNPAID,
    "TRADE_NO_CREATE_PAY": UNPAID,
    "WAIT_GROUP": UNPAID,
    "WAIT_CONFIRM": PAID,
    "TRADE_PAID": PAID,
    "WAIT_SELLER_SEND_GOODS": PAID,
    "WAIT_BUYER_CONFIRM_GOODS": PAID,
    "TRADE_BUYER_SIGNED": PAID,
    "TRADE_SUCCESS": DONE,
    "TRADE_CLOSED": CLOSED,
    "TRADE_CLOSE": CLOSED,
    "TRADE_CANCEL": CLOSED,
    # Events say it too; some carry no trade.
    "trade_TradePaid": PAID,
    "trade_TradeBuyerPay": PAID,
    "trade_TradeSuccess": DONE,
    "trade_TradeClose": CLOSED,
}

PAID_BACK: Final = (
    "youzan_trade_refundsuccess",
    "trade_refund_refundsuccess",
    "trade_refund_refundselleragree",
    "trade_refund_refundsellercreated",
    "trade_refund_sysrefund",
)
"""Messages of refunds after which the money is gone. The older family has one for each way: goods
returned, no goods to return, by the shop itself, by Youzan. One refund has one number in all."""


class Youzan(Adapter):
    """Trades and refunds of Youzan."""

    name = "youzan"
    version = 1
    settings = Settings
    secrets = ("client_id", "client_secret")
    body_max = 1024 * 1024

    def verify(self, delivery: Delivery, connection: Connection) -> Verdict:
        """MD5 of client id, body and secret; older pushes sign the message alone, in the body."""
        signed, given = delivery.body, delivery.header("event-sign")
        if not given:
            told = object_of(delivery)
            signed = str(told.get("msg") or "").encode()
            given = str(told.get("sign") or "")
        expected = [
            hashlib.md5(client.encode() + signed + secret.encode()).hexdigest()
            for client in connection.keys("client_id")
            for secret in connection.keys("client_secret")
        ]
        # Written in any case; compared in constant time.
        return Verdict.GENUINE if signatures.same(expected, given.lower()) else Verdict.FORGED

    def event_id(self, delivery: Delivery) -> str:
        """`msg_id`, which stays when Youzan sends again."""
        return str(object_of(delivery).get("msg_id") or "")

    def reply(self, outcome: Outcome, delivery: Delivery = NO_DELIVERY) -> Reply:
        """Only `success` ends the repetitions; every answer is HTTP 200."""
        del delivery
        taken = outcome in TAKEN
        told = {"code": 0 if taken else 1, "msg": "success" if taken else str(outcome)}
        return Reply(200, json.dumps(told, separators=(",", ":")).encode(), "application/json")

    def split(self, delivery: Delivery, connection: Connection) -> Iterable[Item]:
        """A trade, a state of one, or a refund."""
        told = object_of(delivery)
        if "full_order_info" in told:
            # What the API or an export tells, without an envelope.
            return [_trade(told, "pulled", {})]
        kind = str(told.get("type") or "")
        if read_as(Envelope, told).test:
            return [Dropped("test")]
        if _is_echo(told, connection):
            return [Dropped("own_echo")]
        message = _message(told.get("msg"))
        if kind.startswith("trade_Trade") or "full_order_info" in message:
            return [_trade(message, kind, told)]
        if kind.lower() in PAID_BACK:
            return [_refund(message, told)]
        return [Dropped("not_ours")]

    def canonicalise(self, parts: Parts, mapping: MappingFile) -> Canonical:
        """The trade as it stands, less its refunds."""
        told = [content for content in parts.of("trade/") if content.get("trade")]
        if not told:
            raise Parked("sale_missing", "of this trade only a state or a refund is known")
        newest = max(told, key=lambda content: _changed(read_as(Trade, content["trade"])))
        trade = read_as(Trade, newest["trade"])
        if trade.order_info.order_extra.is_points_order:
            return Nothing("points_order")
        state = max(_state(content) for content in parts.of("trade/"))
        if state == UNPAID:
            return Nothing("not_paid")
        return _statement(trade, state, parts, mapping)


def _is_echo(told: Mapping[str, Any], connection: Connection) -> bool:
    """Whether we made it ourselves: Youzan tells by whose client, in clear or as MD5."""
    own = [hashlib.md5(each.encode()).hexdigest() for each in connection.keys("client_id")]
    return connection.mapping.is_ours(told.get("client_hash")) or told.get("client_hash") in own


def _message(msg: Any) -> dict[str, Any]:
    """The message: an object, its JSON, or its JSON encoded for an address, even twice."""
    for _ in range(3):
        if not isinstance(msg, str):
            break
        text = msg.strip()
        msg = unquote_plus(text) if text.startswith(("%7B", "%7b", "%25")) else json_of(text)
    if not isinstance(msg, dict):
        raise Unreadable("msg is no JSON object, as it is or encoded for an address")
    return msg


def _trade(message: Mapping[str, Any], kind: str, told: Mapping[str, Any]) -> Part:
    """A part for each kind of event: versions of different kinds cannot be compared."""
    content: dict[str, Any] = {"kind": kind, "shop": str(told.get("kdt_id") or ""), "trade": None}
    if "full_order_info" in message:
        trade = read_as(Trade, message["full_order_info"])
        content["trade"] = trade.model_dump()
        tid, version = trade.order_info.tid, _changed(trade)
    else:
        tid, version = str(message.get("tid") or told.get("id") or ""), 0
        content["update_time"] = str(message.get("update_time") or "")
        if not tid:
            raise Unreadable("a trade without tid")
    return Part(f"trade/{tid}", f"trade/{kind}", _version(told, version), content)


def _version(told: Mapping[str, Any], instead: int) -> int:
    version = told.get("version", instead)
    if isinstance(version, bool) or not (
        isinstance(version, int)
        or (isinstance(version, str) and version.isdecimal() and len(version) <= VERSION_DIGITS)
    ):
        raise Unreadable(f"version is {str(version)[:40]!r}, expected a whole number")
    return int(version)


def _refund(message: Mapping[str, Any], told: Mapping[str, Any]) -> Part:
    oids = message.get("oids")
    if isinstance(oids, str):
        oids = [each for each in oids.strip("[]").replace('"', "").split(",") if each.strip()]
    refund = read_as(Refund, {**message, "oids": oids or []})
    subject = f"trade/{refund.tid}"
    return Part(subject, f"refund/{refund.refund_id}", _version(told, 0), refund.model_dump())


def _state(content: Content) -> int:
    """How far a trade has come, by what an event is called and by what it carries."""
    states = [STATES.get(content["kind"], UNPAID)]
    if content["trade"]:
        status = content["trade"]["order_info"]["status"]
        if status not in STATES:
            known = ", ".join(name for name in STATES if name.isupper())
            raise Unreadable(f"status is {status[:40]!r}, expected one of {known}")
        states.append(STATES[status])
    return max(states)


def _changed(trade: Trade) -> int:
    """When the trade last changed."""
    told = trade.order_info.update_time or trade.order_info.created
    return moments.instant(told, "update_time", zone=ZONE)


def _statement(trade: Trade, state: int, parts: Parts, mapping: MappingFile) -> Statement:
    shops = sorted({content["shop"] for content in parts.of("trade/") if content["shop"]})
    place = mapping.place(*(f"shop/{shop}" for shop in shops), "shop")
    currency = mapping.currency(place, CURRENCY)
    settings: Settings = mapping.settings
    final = state == DONE or settings.settled_at == "paid"
    open_status = DOCUMENT_STATUS_FINAL if final else DOCUMENT_STATUS_PENDING
    refunds = [read_as(Refund, content) for content in parts.of("refund/")]
    info = trade.order_info
    document = Document(
        source=mapping.source_name,
        document_id=info.tid,
        kind=DOCUMENT_KIND_ORDER,
        status=DOCUMENT_STATUS_CANCELLED if state == CLOSED else open_status,
        currency_code=currency,
    )
    if state != CLOSED:
        document.lines.extend(stated(_net_lines(trade, refunds), mapping, gross=False))
    times = [_changed(trade), *(_time(refund.update_time) for refund in refunds)]
    times += [_time(str(content.get("update_time") or "")) for content in parts.of("trade/")]
    occurred = moments.instant(info.pay_time or info.created, "pay_time", zone=ZONE)
    return Statement(
        origin=mapping.origin(place, operator=info.order_extra.cashier_id),
        document=document,
        members=mapping.members(_known(trade.buyer_info)),
        occurred_at=occurred,
        changed_at=max(times),
    )


def _known(buyer: Buyer) -> dict[str, str]:
    """By what the buyer is known: 0 stands for somebody who never logged in."""
    return {kind: value for kind, value in buyer.model_dump().items() if value != "0"}


def _time(told: str) -> int:
    """A time that may be missing."""
    return moments.instant(told, "update_time", zone=ZONE) if told else 0


def _net_lines(trade: Trade, refunds: Iterable[Refund]) -> list[NetLine]:
    """What was paid without shipping, divided by the lines, less refunds."""
    paid = _fen(trade.pay_info.payment, "payment") - _fen(trade.pay_info.post_fee, "post_fee")
    if paid < 0:
        raise Unreadable("payment is less than post_fee")
    # Discounts on the whole trade stand in no line: the lines say only in which proportion.
    weights = [_fen(line.payment, "payment of a line") for line in trade.orders]
    if not any(weights):
        weights = [1] * len(trade.orders)
    ids = unique_ids([line.oid for line in trade.orders])
    lines = [
        NetLine(line_id, _codes(line), amount, 0, Decimal(line.num), line.outer_sku_id)
        for line, line_id, amount in zip(trade.orders, ids, shares(paid, weights), strict=True)
    ]
    for refund in refunds:
        back = [
            Returned(line, line.amount, 0, Decimal(0))
            for line in lines
            if line.line_id in refund.oids
        ]
        take_back(lines, back, _fen(refund.refunded_fee, "refunded_fee"))
    return lines


def _codes(line: Line) -> tuple[str, ...]:
    """By what a line may be mapped, from the closest to the widest."""
    named = {"sku": line.outer_sku_id, "outer": line.outer_item_id, "item": line.item_id}
    return (*(f"{name}/{code}" for name, code in named.items() if code), "line")


def _fen(told: str, what: str) -> int:
    return amount_of(told, CURRENCY, what)


ADAPTER: Final = Youzan()
