"""Youzan: trades pushed as a text within a message, signed over the body."""

import json
from typing import Any

from adapters.frame.words import Delivery
from tests.adapters import youzans
from tests.adapters.rig import lines_of
from tests.adapters.spoilt import case, texts
from tests.adapters.spoilt.case import Case, System
from tests.adapters.youzans import line, push, trade

MAPPING = youzans.mapping()
SUCCESS = "trade_TradeSuccess"


def sign(body: bytes, secret: str = "geheim") -> Delivery:
    return Delivery(body, youzans.signed(body, secret))


def sent(*lines: dict[str, Any], msg: dict[str, Any] | None = None, **info: Any) -> Case:
    """A trade that its buyer has received."""
    told = trade("TRADE_SUCCESS", *lines, **info)
    told["full_order_info"] |= msg or {}
    return Case([sign(push(SUCCESS, told))])


def good() -> Case:
    return sent()


def body(text: str) -> bytes:
    told = trade("TRADE_SUCCESS", order_extra={"cashier_id": text})
    return push(SUCCESS, json.dumps(told))


def paid(amount: Any) -> Case:
    return sent(msg={"pay_info": {"payment": amount, "post_fee": "0.00"}})


def beyond() -> Case:
    number = 2**63 + 1
    return Case(sent(tid=number).sent, holds=lambda said: said.document.document_id == str(number))


def twins() -> Case:
    made = sent(line(1, "50.00"), line(1, "50.00"))
    return Case(made.sent, holds=lambda said: lines_of(said) == [("goods", 50_00)] * 2)


SYSTEM = System(
    "youzan",
    MAPPING,
    youzans.SECRETS,
    good,
    {
        **texts.json_rows(body, sign),
        case.WRONG: lambda: Case([sign(body(""), "another")]),
        case.MISSING: lambda: Case([Delivery(body(""))]),
        case.LARGE: lambda: Case([sign(b" " * 20_000_000)]),
        case.REUSED: lambda: Case([*good().sent, *sent(line(1, "50.00"), paid="50.00").sent]),
        case.DIGITS: lambda: paid("100.005"),
        case.HUGE: lambda: paid(10**20),
        case.NO_NUMBER: lambda: paid(float("nan")),
        case.NEGATIVE: lambda: sent({**line(1, "100.00"), "num": -1}),
        case.BELOW: lambda: paid("-100.00"),
        case.AS_TEXT: lambda: paid(100.0),
        case.OBJECT: lambda: sent(order_extra={"cashier_id": {"a": 1}}),
        case.BEYOND: beyond,
        case.TWINS: twins,
        case.NO_ZONE: good,
        case.SHORT_FORM: lambda: sent(update_time="20260301T120100"),
        case.YEAR_1: lambda: sent(update_time="0001-01-01 00:00:00"),
        case.YEAR_9999: lambda: sent(update_time="9999-12-31 23:59:59"),
        case.UNKNOWN: lambda: Case([sign(push("item_State", {"item": 1}))]),
        case.PLACE: lambda: Case(good().sent, MAPPING.replace("{code: shop", "{code: other")),
        case.CATEGORY: lambda: Case(
            good().sent, MAPPING.replace("{code: line,", "{code: sku/other,")
        ),
        case.CURRENCY: lambda: Case(good().sent, MAPPING.replace("[CNY]", "[HKD]")),
        case.NOBODY: lambda: sent(msg={"buyer_info": {}}),
        case.EARLY: lambda: Case(
            [sign(push("youzan_trade_RefundSuccess", youzans.refund("5.00")))]
        ),
        case.TEST: lambda: Case(
            [sign(push(SUCCESS, trade("TRADE_SUCCESS"), test=flag)) for flag in (True, "true")]
        ),
    },
)
