"""Square: payments signed over address and body, with their orders fetched."""

from typing import Any

from adapters.frame.words import Delivery
from tests.adapters import squares
from tests.adapters.rig import lines_of
from tests.adapters.spoilt import case, texts
from tests.adapters.spoilt.case import Case, System


def sign(body: bytes, key: str = squares.KEY) -> Delivery:
    return Delivery(body, squares.signed(body, key=key))


def asked(*lines: dict[str, Any], **changes: Any) -> squares.SquareApi:
    """An API that knows an order with these lines, or with a good one."""
    api = squares.SquareApi()
    told = squares.order(*(lines or [squares.line("a", 10_00)]))
    api.orders["O1"] = {**told, **changes}
    return api


def sent(kind: str = "payment.updated", api: Any = None, **changes: Any) -> Case:
    """A payment for the order that is fetched."""
    told = squares.event(kind, squares.payment(10_00, **changes))
    return Case([sign(squares.body(told))], api=(api or asked()).app)


def good() -> Case:
    return sent()


def body(text: str) -> bytes:
    return squares.body(
        squares.event("payment.updated", squares.payment(10_00, receipt_number=text))
    )


def priced(amount: Any, currency: str = "USD") -> Case:
    """A line of this amount in the order that is fetched."""
    line = squares.line("a", 10_00)
    total = {"amount": amount, "currency": currency}
    return sent(api=asked(line, line_items=[{**line, "total_money": total}]))


def paid(amount: Any) -> Case:
    return sent(amount_money={"amount": amount, "currency": "USD"})


def huge() -> Case:
    """In the payment, and in the order that is fetched."""
    return Case([*paid(10**20).sent, *good().sent], api=priced(10**20).api)


def beyond() -> Case:
    number = str(2**53 + 1)
    made = sent(id=int(number))
    return Case(
        made.sent, api=made.api, holds=lambda said: said.document.document_id == str(number)
    )


def twins() -> Case:
    made = sent(api=asked(squares.line("a", 5_00), squares.line("a", 5_00)))
    return Case(
        made.sent, api=made.api, holds=lambda said: lines_of(said) == [("grocery", 5_00)] * 2
    )


SYSTEM = System(
    "square",
    squares.MAPPING,
    squares.SECRETS,
    good,
    {
        **texts.json_rows(body, sign, lambda: sent().api),
        case.WRONG: lambda: Case([sign(body(""), key="another")]),
        case.MISSING: lambda: Case([Delivery(body(""))]),
        case.LARGE: lambda: Case([sign(b" " * 20_000_000)]),
        case.REUSED: lambda: Case([*good().sent, *sent(receipt_number="other").sent]),
        case.DIGITS: lambda: paid(1000.5),
        case.HUGE: huge,
        case.NO_NUMBER: lambda: paid(float("nan")),
        case.NEGATIVE: lambda: sent(api=asked(squares.line("a", 10_00, quantity="-1"))),
        case.BELOW: lambda: Case([*paid(-10_00).sent, *good().sent], api=priced(-10_00).api),
        case.AS_TEXT: lambda: paid("1000"),
        case.OBJECT: lambda: sent(receipt_number={"a": 1}),
        case.BEYOND: beyond,
        case.TWINS: twins,
        case.CURRENCIES: lambda: priced(10_00, "EUR"),
        case.NO_ZONE: lambda: sent(updated_at="2026-03-01T12:00:01"),
        case.SHORT_FORM: lambda: sent(updated_at="20260301T120001Z"),
        case.YEAR_1: lambda: sent(updated_at="0001-01-01T00:00:00Z"),
        case.YEAR_9999: lambda: sent(updated_at="9999-12-31T23:59:59Z"),
        case.UNKNOWN: lambda: Case(
            [sign(squares.body(squares.event("invoice.made", {"id": "I"})))]
        ),
        case.PLACE: lambda: sent(location_id="L77"),
        case.CATEGORY: lambda: Case(
            good().sent,
            squares.MAPPING.replace("{code: line,", "{code: item/other,"),
            asked().app,
        ),
        case.CURRENCY: lambda: Case(
            sent(amount_money={"amount": 10_00, "currency": "SEK"}).sent,
            api=priced(10_00, "SEK").api,
        ),
        case.NOBODY: lambda: sent(customer_id=None),
        case.EARLY: lambda: Case(
            [sign(squares.body(squares.event("refund.created", squares.refund(1_00))))]
        ),
        case.TEST: lambda: Case(
            [sign(squares.body(squares.event("webhooks.test_notification", {})))]
        ),
        case.UPWARDS: lambda: sent(order_id=".."),
        case.ANOTHER: lambda: sent(api=asked(id="O2")),
        case.GONE: lambda: sent(api=squares.SquareApi()),
    },
)
