"""Toast: orders with their checks, signed over body and time."""

import base64
import hashlib
import hmac
import json
from typing import Any

from adapters.frame import moments
from adapters.frame.words import Delivery
from tests.adapters import toasts
from tests.adapters.rig import lines_of
from tests.adapters.spoilt import case, texts
from tests.adapters.spoilt.case import Case, System
from tests.adapters.toasts import check, event, selection

MAPPING = toasts.mapping()


def sign(body: bytes, key: str = "a-secret") -> Delivery:
    try:
        headers = toasts.signed(body, key)
    except (ValueError, RecursionError):
        # It tells no time that could be signed with it.
        digest = hmac.digest(key.encode(), body, hashlib.sha256)
        headers = {"toast-signature": base64.b64encode(digest).decode()}
    return Delivery(body, {"content-type": "application/json", **headers})


def sent(*checks: dict[str, Any], **order: Any) -> Case:
    """An order of a good check, or of these."""
    return Case([sign(event(*(checks or [check(selection("S1", 10))]), **order))])


def good() -> Case:
    return sent()


def with_line(price: Any = 10, **changes: Any) -> Case:
    return sent(check(selection("S1", price, **changes)))


def body(text: str) -> bytes:
    return event(check(selection("S1", 10), displayNumber=text))


def stale() -> Case:
    told = json.loads(body(""))
    told["timestamp"] = moments.utc(moments.now() - 3 * moments.DAY).isoformat()
    return Case([sign(json.dumps(told).encode())])


def elsewhere() -> Case:
    told = json.loads(body(""))
    told["details"]["restaurantGuid"] = "R77"
    return Case([sign(json.dumps(told).encode())])


def unknown() -> Case:
    told = json.loads(body("")) | {"eventType": "menus_updated", "details": {"menus": []}}
    return Case([sign(json.dumps(told).encode())])


def beyond() -> Case:
    number = 2**53 + 1
    made = sent(check(selection("S1", 10), guid=number))
    return Case(made.sent, holds=lambda said: said.document.document_id == str(number))


def twins() -> Case:
    made = sent(check(selection("S1", 5), selection("S1", 5)))
    return Case(made.sent, holds=lambda said: lines_of(said) == [("food", 5_00)] * 2)


def rich() -> Case:
    """Discounts, charges, payments and refunds of both sorts."""
    told = check(
        selection(
            "S1",
            10,
            tax=1,
            item={"guid": "i"},
            refundDetails={"refundAmount": 1, "taxRefundAmount": 0.1},
        ),
        amount=9,
        appliedServiceCharges=[{"chargeAmount": 1}],
        appliedDiscounts=[{"discountAmount": 1}],
        payments=[
            {
                "type": "CREDIT",
                "amount": 10,
                "paymentStatus": "CAPTURED",
                "refund": {"refundAmount": 2},
            }
        ],
        customer={"guid": "g"},
    )
    return Case(sent(told).sent, f"{MAPPING}\npayments:\n  - {{code: CREDIT, kind: card}}\n")


SYSTEM = System(
    "toast",
    MAPPING,
    toasts.SECRETS,
    good,
    {
        **texts.json_rows(body, sign),
        case.WRONG: lambda: Case([sign(body(""), "another")]),
        case.MISSING: lambda: Case([Delivery(body(""))]),
        case.STALE: stale,
        case.LARGE: lambda: Case([sign(b" " * 20_000_000)]),
        case.REUSED: lambda: Case([*good().sent, *with_line(20).sent]),
        case.DIGITS: lambda: with_line(10.005),
        case.HUGE: lambda: with_line(10**20),
        case.NO_NUMBER: lambda: with_line("NaN"),
        case.NEGATIVE: lambda: with_line(quantity=-1),
        case.BELOW: lambda: with_line(-10),
        case.AS_TEXT: lambda: with_line("10.00"),
        case.OBJECT: lambda: sent(check(selection("S1", 10), displayNumber={"a": 1})),
        case.BEYOND: beyond,
        case.TWINS: twins,
        case.NO_ZONE: lambda: sent(modifiedDate="2026-03-01T20:00:01.000"),
        case.SHORT_FORM: lambda: sent(modifiedDate="20260301T200001+0000", paidDate=None),
        case.YEAR_1: lambda: sent(modifiedDate="0001-01-01T00:00:00.000+0000"),
        case.YEAR_9999: lambda: sent(modifiedDate="9999-12-31T23:59:59.000+0000"),
        case.UNKNOWN: unknown,
        case.PLACE: elsewhere,
        case.CATEGORY: lambda: Case(
            good().sent, MAPPING.replace("{code: line,", "{code: item/other,")
        ),
        case.NOBODY: lambda: sent(check(selection("S1", 10), appliedLoyaltyInfo=None)),
        case.TEST: lambda: sent(createdInTestMode=True),
        case.AMONG: lambda: sent(check(selection("S1", 10)), {"guid": None}, check({}, guid="C3")),
    },
    rich,
)
