"""Shopify: orders with all that belongs to them, signed over the body."""

from typing import Any

from starlette.applications import Starlette

from adapters.frame.words import Delivery
from tests.adapters import shop
from tests.adapters.rig import lines_of
from tests.adapters.shop import line, order
from tests.adapters.spoilt import case, texts
from tests.adapters.spoilt.case import Case, System

POINTS = f"""{shop.MAPPING}
payments:
  - {{code: card, kind: card}}
  - {{code: points, kind: points, points: true}}
"""


def sign(body: bytes, topic: str = "orders/updated", **changes: str) -> Delivery:
    return Delivery(body, shop.headers(body, topic, "d-1", **changes))


def sent(*lines: dict[str, Any], topic: str = "orders/updated", **changes: Any) -> Case:
    """An order with these lines, or with a good one."""
    told = order(*(lines or [line(1, "10.00")]), **changes)
    return Case([sign(shop.body(told), topic)])


def good() -> Case:
    return sent()


def body(text: str) -> bytes:
    return shop.body(order(line(1, "10.00"), confirmation_number=text))


def with_number(number: Any) -> Case:
    told = order(line(1, "10.00"))
    told["line_items"][0]["price"] = number
    return Case([sign(shop.body(told))])


def beyond() -> Case:
    number = 2**63 + 1
    made = sent(id=number)
    return Case(made.sent, holds=lambda said: said.document.document_id == str(number))


def twins() -> Case:
    made = sent(line(1, "10.00"), line(1, "10.00"))
    return Case(made.sent, holds=lambda said: lines_of(said) == [("goods", 10_00)] * 2)


def rich() -> Case:
    """Discounts, taxes, shipping, a tip, codes, attributes, and a refund of everything."""
    priced = line(
        1,
        "10.00",
        2,
        discount_allocations=[{"amount": "1.00"}],
        tax_lines=[{"price": "1.00"}],
    )
    told = order(
        priced,
        line(2, "5.00"),
        shipping_lines=[{"id": 1, "price": "4.00", "discount_allocations": [{"amount": "1.00"}]}],
        discount_codes=[{"code": "X"}],
        note_attributes=[{"name": "card", "value": "8"}],
        total_tip_received="1.00",
        payment_gateway_names=["card"],
    )
    sets = {"subtotal_amount_set": {"shop_money": {"amount": "1.00"}}}
    back = shop.refund(
        told,
        shop.returned(priced, "5.00"),
        transactions=[shop.paid_back("5.00")],
        order_adjustments=[{"kind": "shipping_refund", "amount": "-1.00", "tax_amount": "-0.10"}],
        refund_shipping_lines=[sets],
    )
    return Case([sign(shop.body({**told, "refunds": [back]}))], POINTS)


SYSTEM = System(
    "shopify",
    shop.MAPPING,
    {"webhook_secret": shop.SECRET},
    good,
    {
        **texts.json_rows(body, sign),
        case.WRONG: lambda: Case(
            [sign(body(""), **{"x-shopify-hmac-sha256": shop.signature(body("x"))})]
        ),
        case.MISSING: lambda: Case([sign(body(""), **{"x-shopify-hmac-sha256": ""})]),
        case.LARGE: lambda: Case([sign(b" " * 20_000_000)]),
        case.REUSED: lambda: Case([*good().sent, *sent(line(1, "20.00")).sent]),
        case.DIGITS: lambda: with_number("10.005"),
        case.HUGE: lambda: with_number(10**20),
        case.NO_NUMBER: lambda: with_number(float("nan")),
        case.NEGATIVE: lambda: sent({**line(1, "10.00"), "quantity": -1}, subtotal_price="10.00"),
        case.BELOW: lambda: with_number("-10.00"),
        case.AS_TEXT: lambda: with_number(10.0),
        case.OBJECT: lambda: sent(confirmation_number={"a": 1}),
        case.BEYOND: beyond,
        case.TWINS: twins,
        case.NO_ZONE: lambda: sent(updated_at="2026-03-01T10:00:00"),
        case.SHORT_FORM: lambda: sent(updated_at="20260301T100000+0000"),
        case.YEAR_1: lambda: sent(updated_at="0001-01-01T00:00:00Z"),
        case.YEAR_9999: lambda: sent(updated_at="9999-12-31T23:59:59Z"),
        case.UNKNOWN: lambda: sent(topic="customers/create"),
        case.PLACE: lambda: sent(source_name="pos", location_id=77),
        case.CATEGORY: lambda: Case(
            good().sent, shop.MAPPING.replace("{code: line,", "{code: sku/other,")
        ),
        case.CURRENCY: lambda: sent(currency="SEK"),
        case.NOBODY: lambda: sent(customer=None, email=None),
        case.EARLY: lambda: Case(
            [
                sign(
                    shop.body(shop.refund(order(), transactions=[shop.paid_back("5.00")])),
                    "refunds/create",
                )
            ]
        ),
        case.TEST: lambda: sent(test=True),
        case.UPWARDS: lambda: Case(
            sent(payment_gateway_names=["card", "points"], id="..").sent, POINTS, Starlette()
        ),
        case.GONE: lambda: Case(
            sent(payment_gateway_names=["card", "points"]).sent, POINTS, Starlette()
        ),
        case.AMONG: lambda: sent(refunds=[{"id": 1}, 7]),
    },
    rich,
)
