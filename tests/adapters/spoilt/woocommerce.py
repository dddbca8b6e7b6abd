"""WooCommerce: orders signed over the body, their refunds fetched."""

from typing import Any

from adapters.frame.words import Delivery
from tests.adapters import woo
from tests.adapters.rig import lines_of
from tests.adapters.spoilt import case, texts
from tests.adapters.spoilt.case import Case, System
from tests.adapters.woo import line, order


def sign(body: bytes, topic: str = "order.updated", **changes: str) -> Delivery:
    return Delivery(body, woo.headers(body, topic, **changes))


def sent(*lines: dict[str, Any], topic: str = "order.updated", **changes: Any) -> Case:
    """An order with these lines, or with a good one."""
    return Case([sign(woo.body(order(*(lines or [line(1, "10.00")]), **changes)), topic)])


def good() -> Case:
    return sent()


def body(text: str) -> bytes:
    return woo.body(order(line(1, "10.00"), order_key=text))


def with_line(**changes: Any) -> Case:
    return sent(line_items=[{**line(1, "10.00"), **changes}])


def beyond() -> Case:
    number = 2**53 + 1
    return Case(sent(id=number).sent, holds=lambda said: said.document.document_id == str(number))


def twins() -> Case:
    made = sent(line(1, "10.00"), line(1, "10.00"))
    return Case(made.sent, holds=lambda said: lines_of(said) == [("goods", 10_00)] * 2)


def gone() -> Case:
    """A refund that its shop does not know any more when it is asked for: the sum stands."""
    told = woo.refunded(order(line(1, "10.00")), woo.refund(5, "4.00"))
    made = Case([sign(woo.body(told))], api=woo.Api().app)
    return Case(made.sent, api=made.api, holds=lambda said: lines_of(said) == [("goods", 6_00)])


def rich() -> Case:
    """Fees, shipping, a coupon, taxes and a refund."""
    told = order(
        line(1, "10.00", 2, total_tax="1.00"),
        fee_lines=[line(3, "2.00", name="Tip"), line(4, "-1.00", name="Loyal customer")],
        shipping_lines=[line(9, "4.00")],
        coupon_lines=[{"code": "c"}],
    )
    told = woo.refunded(told, woo.refund(5, "3.00"))
    mapping = f"{woo.MAPPING}\npayments:\n  - {{code: stripe, kind: points, points: true}}\n"
    return Case([sign(woo.body(told))], mapping)


SYSTEM = System(
    "woocommerce",
    woo.MAPPING,
    woo.SECRETS,
    good,
    {
        **texts.json_rows(body, sign),
        case.WRONG: lambda: Case([sign(body(""), **{"x-wc-webhook-signature": "bm9uc2Vuc2U="})]),
        case.MISSING: lambda: Case([sign(body(""), **{"x-wc-webhook-signature": ""})]),
        case.LARGE: lambda: Case([sign(b" " * 20_000_000)]),
        case.REUSED: lambda: Case([*good().sent, *sent(line(1, "20.00")).sent]),
        case.DIGITS: lambda: with_line(total="10.005"),
        case.HUGE: lambda: with_line(total=10**20),
        case.NO_NUMBER: lambda: with_line(total=float("nan")),
        case.NEGATIVE: lambda: with_line(quantity=-1),
        case.BELOW: lambda: with_line(total="-10.00"),
        case.AS_TEXT: lambda: with_line(total=10.0),
        case.OBJECT: lambda: sent(order_key={"a": 1}),
        case.BEYOND: beyond,
        case.TWINS: twins,
        case.NO_ZONE: good,
        case.SHORT_FORM: lambda: sent(date_modified_gmt="20260301T100000"),
        case.YEAR_1: lambda: sent(date_modified_gmt="0001-01-01T00:00:00"),
        case.YEAR_9999: lambda: sent(date_modified_gmt="9999-12-31T23:59:59"),
        case.UNKNOWN: lambda: sent(topic="product.updated"),
        case.PLACE: lambda: Case(
            good().sent, woo.MAPPING.replace("{code: online,", "{code: created_via/app,")
        ),
        case.CATEGORY: lambda: Case(
            good().sent, woo.MAPPING.replace("{code: line,", "{code: sku/other,")
        ),
        case.CURRENCY: lambda: sent(currency="SEK"),
        case.NOBODY: lambda: sent(customer_id=0, billing={}),
        case.EARLY: lambda: Case([sign(woo.body(woo.refund(5, "4.00", parent_id=727)), "")]),
        case.TEST: lambda: Case(
            [sign(body(""), **{"x-wc-webhook-source": "https://staging.example/"})]
        ),
        case.UPWARDS: lambda: Case(
            [sign(woo.body(woo.refunded(order(line(1, "10.00"), id=".."), woo.refund(5, "4.00"))))],
            api=woo.Api().app,
        ),
        case.GONE: gone,
    },
    rich,
)
