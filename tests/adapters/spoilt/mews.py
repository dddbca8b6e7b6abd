"""Mews: webhooks that name what changed, all of it fetched; a token in the address."""

from typing import Any

from adapters.frame.words import Delivery
from tests.adapters import mewses
from tests.adapters.mewses import item, reservation, webhook
from tests.adapters.rig import lines_of
from tests.adapters.spoilt import case, texts
from tests.adapters.spoilt.case import Case, System


def sign(body: bytes, token: str = "hush") -> Delivery:
    return Delivery(body, {"content-type": "application/json"}, path=token)


def body(text: str) -> bytes:
    return mewses.body(webhook(("ServiceOrderUpdated", f"R{text}")))


def sent(*items: Any, **changes: Any) -> Case:
    """The reservation that a webhook names, with these items or a good one."""
    told = reservation(**changes)
    api = mewses.MewsApi()
    api.lists["reservations"] = [told]
    api.lists["orderItems"] = [
        {**each, "ServiceOrderId": told["Id"]} for each in (items or [item("I1", 10, 11)])
    ]
    api.lists["loyaltyMemberships"] = [mewses.membership()]
    hook = webhook(("ServiceOrderUpdated", str(told["Id"])))
    return Case([sign(mewses.body(hook))], api=api.app)


def good() -> Case:
    return sent()


def priced(net: Any, currency: str = "EUR") -> Case:
    money = {"Currency": currency, "NetValue": net, "GrossValue": net}
    return sent(item("I1", 10, 11, Amount=money))


def twins() -> Case:
    made = sent(item("I1", 5, 6), item("I1", 5, 6))
    return Case(
        made.sent,
        api=made.api,
        holds=lambda said: (
            (lines_of(said), said.document.lines[0].quantity) == ([("room", 10_00)], "2")
        ),
    )


def negative() -> Case:
    """A bill of an outlet with a line below nothing: it comes off the others."""

    def line(number: str, count: int) -> dict[str, Any]:
        return {
            "Id": number,
            "EnterpriseId": mewses.ENTERPRISE,
            "BillId": "B1",
            "Type": "Revenue",
            "UnitCount": count,
            "UnitAmount": {"Currency": "EUR", "NetValue": 5, "GrossValue": 5},
            "ConsumedUtc": "2026-03-24T13:00:00Z",
            "UpdatedUtc": "2026-03-24T13:00:00Z",
        }

    told = {"OutletItems": [line("A", 3), line("B", -1)]}
    made = Delivery(mewses.body(told), {"content-type": "application/json"}, pulled=True)
    return Case([made], holds=lambda said: lines_of(said) == [("food", 10_00)])


def another() -> Case:
    """Mews answers with another reservation."""
    api = mewses.MewsApi()
    api.answers = [{"Reservations": [reservation(Id="R2")]}]
    return Case(good().sent, api=api.app)


def among() -> Case:
    told = {"Reservations": [reservation("Confirmed"), {"Id": None}, 7]}
    return Case([Delivery(mewses.body(told), {"content-type": "application/json"}, pulled=True)])


SYSTEM = System(
    "mews",
    mewses.MAPPING,
    mewses.SECRETS,
    good,
    {
        **texts.json_rows(body, sign, lambda: sent(Id="RMARK").api),
        case.NUL: lambda: Case([sign(body("\0")), *good().sent], api=sent(Number="5\0").api),
        case.WRONG: lambda: Case([sign(body(""), "other")]),
        case.MISSING: lambda: Case([sign(body(""), "")]),
        case.LARGE: lambda: Case([sign(b" " * 20_000_000)]),
        case.REUSED: lambda: Case([*good().sent, sign(body("2"))]),
        case.DIGITS: lambda: priced(10.005),
        case.HUGE: lambda: priced(10**20),
        case.NO_NUMBER: lambda: priced("NaN"),
        case.NEGATIVE: negative,
        case.BELOW: lambda: sent(item("I1", 14, 15), item("I2", -4, -4)),
        case.AS_TEXT: lambda: sent(
            item("I1", 10, 11, Amount={"Currency": "EUR", "NetValue": "10", "GrossValue": "11"})
        ),
        case.OBJECT: lambda: sent(Number={"a": 1}),
        case.TWINS: twins,
        case.CURRENCIES: lambda: sent(
            item("I1", 10, 11),
            item("I2", 5, 6, Amount={"Currency": "USD", "NetValue": 5, "GrossValue": 6}),
        ),
        case.NO_ZONE: lambda: sent(UpdatedUtc="2026-03-25T13:00:00"),
        case.SHORT_FORM: lambda: sent(UpdatedUtc="20260325T130000Z"),
        case.YEAR_1: lambda: sent(UpdatedUtc="0001-01-01T00:00:00Z"),
        case.YEAR_9999: lambda: sent(UpdatedUtc="9999-12-31T23:59:59Z"),
        case.UNKNOWN: lambda: Case([sign(mewses.body(webhook(("MessageAdded", "X"))))]),
        case.PLACE: lambda: sent(item("I1", 10, 11, EnterpriseId="sold-last-year")),
        case.CATEGORY: lambda: sent(item("I1", 10, 11, "Spa")),
        case.CURRENCY: lambda: priced(10, "SEK"),
        case.NOBODY: lambda: sent(AccountType="Company"),
        case.AMONG: among,
        case.ANOTHER: another,
        case.GONE: lambda: Case(good().sent, api=mewses.MewsApi().app),
    },
)
