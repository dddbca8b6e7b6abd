"""Apaleo: webhooks that name what changed, all of it fetched; a secret path."""

from typing import Any

from adapters.frame.words import Delivery
from tests.adapters import apaleos
from tests.adapters.apaleos import charge, event, folio, reservation
from tests.adapters.rig import lines_of
from tests.adapters.spoilt import case, texts
from tests.adapters.spoilt.case import Case, System

NUMBER = "XPGMSXGF-1"
_JSON = {"content-type": "application/json"}


def sign(body: bytes, secret: str = "hush") -> Delivery:
    return Delivery(body, _JSON, path=secret)


def body(text: str) -> bytes:
    return apaleos.body(event(data={"entityId": f"R{text}"}))


def sent(*charges: Any, **changes: Any) -> Case:
    """The reservation that a webhook names, with these charges or a good one."""
    told = reservation(**changes)
    number = str(told["id"])
    api = apaleos.ApaleoApi(told)
    api.reservations = {number: told}
    made = folio(*(charges or [charge("Accommodation", 10, 11)]), reservation={"id": number})
    api.folios[made["id"]] = made
    return Case([sign(apaleos.body(event(data={"entityId": number})))], api=api.app)


def good() -> Case:
    return sent()


def priced(net: Any, currency: str = "EUR") -> Case:
    amount = {"grossAmount": net, "netAmount": net, "currency": currency}
    return sent(charge("Accommodation", 10, 11, amount=amount))


def beyond() -> Case:
    number = 2**53 + 1
    made = sent(id=number)
    return Case(
        made.sent, api=made.api, holds=lambda said: said.document.document_id == str(number)
    )


def twins() -> Case:
    made = sent(charge("Accommodation", 5, 6), charge("Accommodation", 5, 6))
    return Case(
        made.sent,
        api=made.api,
        holds=lambda said: (
            (lines_of(said), said.document.lines[0].quantity) == ([("room", 10_00)], "2")
        ),
    )


def another() -> Case:
    """The vendor answers with another reservation."""
    api = apaleos.ApaleoApi()
    api.reservations = {NUMBER: reservation(id="OTHER-1")}
    return Case(good().sent, api=api.app)


def among() -> Case:
    told = {"reservations": [reservation("Confirmed"), {"id": None}, 7]}
    return Case([Delivery(apaleos.body(told), _JSON, pulled=True)])


SYSTEM = System(
    "apaleo",
    apaleos.MAPPING,
    apaleos.SECRETS,
    good,
    {
        **texts.json_rows(body, sign, lambda: sent(id="RMARK").api),
        case.NUL: lambda: Case([sign(body("\0")), *good().sent], api=sent(externalCode="5\0").api),
        case.WRONG: lambda: Case([sign(body(""), "other")]),
        case.MISSING: lambda: Case([sign(body(""), "")]),
        case.LARGE: lambda: Case([sign(b" " * 20_000_000)]),
        case.REUSED: lambda: Case([*good().sent, sign(body("2"))]),
        case.DIGITS: lambda: priced(10.005),
        case.HUGE: lambda: priced(10**20),
        case.NO_NUMBER: lambda: priced("NaN"),
        case.BELOW: lambda: sent(charge("Accommodation", 14, 15), charge("Accommodation", -4, -4)),
        case.AS_TEXT: lambda: sent(
            charge(
                "Accommodation",
                10,
                11,
                amount={"grossAmount": "11", "netAmount": "10", "currency": "EUR"},
            )
        ),
        case.OBJECT: lambda: sent(externalCode={"a": 1}),
        case.BEYOND: beyond,
        case.TWINS: twins,
        case.CURRENCIES: lambda: sent(
            charge("Accommodation", 10, 11),
            charge(
                "FoodAndBeverages",
                5,
                6,
                amount={"grossAmount": 6, "netAmount": 5, "currency": "USD"},
            ),
        ),
        case.NO_ZONE: lambda: sent(modified="2026-03-04T10:30:00"),
        case.SHORT_FORM: lambda: sent(
            arrival="20260301T150000+0100", departure=" 2026-03-04T11:00:00+01:00"
        ),
        case.YEAR_1: lambda: sent(arrival="0001-01-01T15:00:00+01:00"),
        case.YEAR_9999: lambda: sent(departure="9999-12-31T11:00:00+01:00"),
        case.UNKNOWN: lambda: Case([sign(apaleos.body(event("Invoice")))]),
        case.PLACE: lambda: sent(property={"id": "SOLD"}),
        case.CATEGORY: lambda: sent(charge("Wellness", 10, 11)),
        case.CURRENCY: lambda: priced(10, "SEK"),
        case.NOBODY: lambda: sent(externalCode="", primaryGuest=None),
        case.TEST: lambda: Case([sign(apaleos.body(event("system", "healthcheck")))]),
        case.AMONG: among,
        case.UPWARDS: lambda: Case(
            [sign(apaleos.body(event(data={"entityId": ".."})))], api=good().api
        ),
        case.ANOTHER: another,
        case.GONE: lambda: Case(good().sent, api=apaleos.ApaleoApi().app),
    },
)
