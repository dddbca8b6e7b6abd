"""OPERA Cloud: events that are dequeued, stays and folios that are fetched; no webhooks."""

from typing import Any

from adapters.frame.words import Delivery
from tests.adapters import operas
from tests.adapters.operas import bill, event, events, posting, reservation
from tests.adapters.rig import lines_of
from tests.adapters.spoilt import case, texts
from tests.adapters.spoilt.case import Case, System

NUMBER = "571062"


def pulled(body: bytes) -> Delivery:
    return Delivery(body, {"content-type": "application/json"}, pulled=True)


def body(text: str) -> bytes:
    return operas.body(events(event("UPDATE RESERVATION", f"R{text}")))


def sent(*postings: Any, header: dict[str, Any] | None = None, **changes: Any) -> Case:
    """The reservation that an event names, with these postings or a good one."""
    api = operas.OperaApi()
    told = reservation(**changes)
    number = str(told["reservationIdList"][0]["id"])
    api.reservations[number] = told
    api.bills[number] = bill(*(postings or [posting("1000", 10)]))
    hotel = {"hotelId": told["hotelId"], **(header or {})}
    queue = events(event("UPDATE RESERVATION", number, **hotel))
    return Case([pulled(operas.body(queue))], api=api.app)


def good() -> Case:
    return sent()


def ids(number: Any) -> list[dict[str, Any]]:
    return [{"id": number, "type": "Reservation"}, {"id": "813595", "type": "Confirmation"}]


def beyond() -> Case:
    number = 2**53 + 1
    made = sent(reservationIdList=ids(number))
    return Case(
        made.sent,
        api=made.api,
        holds=lambda said: said.document.document_id == f"HOTEL1/{number}",
    )


def twins() -> Case:
    made = sent(posting("1000", 5), posting("1000", 5))
    return Case(made.sent, api=made.api, holds=lambda said: lines_of(said) == [("room", 10_00)])


def priced(amount: Any, currency: str = "EUR") -> Case:
    money = {"amount": amount, "currencyCode": currency}
    return sent(posting("1000", 10, postedAmount=money))


def stayed(arrival: str, departure: str) -> Case:
    """A stay of those days, and an event of that time."""
    made = sent(roomStay={"arrivalDate": arrival, "departureDate": departure})
    late = sent(header={"createdDateTime": f"{arrival} 10:30:52.0"})
    return Case([*made.sent, *late.sent], api=made.api)


def another() -> Case:
    """OPERA answers with another reservation, or with one of another hotel."""
    api = operas.OperaApi()
    api.reservations = {
        NUMBER: reservation(reservationIdList=ids("5")),
        "6": reservation(reservationIdList=ids("6"), hotelId="OTHER"),
    }
    asked = [event("UPDATE RESERVATION", number) for number in (NUMBER, "6")]
    return Case([pulled(operas.body(events(*asked)))], api=api.app)


def among() -> Case:
    told = events(
        event("UPDATE RESERVATION", NUMBER),
        {"businessEvent": {}},
        7,  # type: ignore[arg-type]
        event("UPDATE RESERVATION", "5", number="²"),  # type: ignore[arg-type]
    )
    return Case([pulled(operas.body(told))], api=good().api)


SYSTEM = System(
    "opera",
    operas.MAPPING,
    operas.SECRETS,
    good,
    {
        **texts.json_rows(body, pulled, lambda: sent(reservationIdList=ids("RMARK")).api),
        case.NUL: lambda: Case(
            [pulled(body("\0")), *good().sent],
            api=sent(reservationIdList=ids(f"{NUMBER}"), hotelId="HOTEL1\0").api,
        ),
        case.WRONG: lambda: Case([Delivery(body(""))]),
        case.MISSING: lambda: Case([Delivery(body(""))]),
        case.LARGE: lambda: Case([Delivery(b" " * 20_000_000)]),
        case.REUSED: lambda: Case([*good().sent, pulled(body("2"))]),
        case.DIGITS: lambda: priced(10.005),
        case.HUGE: lambda: priced(10**20),
        case.NO_NUMBER: lambda: priced("NaN"),
        case.BELOW: lambda: sent(posting("1000", 14), posting("1000", -4)),
        case.AS_TEXT: lambda: priced("10"),
        case.OBJECT: lambda: sent(reservationIdList=ids({"a": 1})),
        case.BEYOND: beyond,
        case.TWINS: twins,
        case.CURRENCIES: lambda: sent(
            posting("1000", 10),
            posting("2000", 5, postedAmount={"amount": 5, "currencyCode": "USD"}),
        ),
        case.NO_ZONE: good,
        case.SHORT_FORM: lambda: sent(header={"createdDateTime": "20260305T103052"}),
        case.YEAR_1: lambda: stayed("0001-01-01", "0001-01-02"),
        case.YEAR_9999: lambda: stayed("9999-12-30", "9999-12-31"),
        case.UNKNOWN: lambda: Case([pulled(operas.body(events(event("NEW ROOM TYPE", "1"))))]),
        case.PLACE: lambda: Case(
            good().sent,
            operas.MAPPING.replace("{code: hotel/HOTEL1,", "{code: hotel/OTHER,"),
            good().api,
        ),
        case.CATEGORY: lambda: sent(posting("7777", 10)),
        case.CURRENCY: lambda: priced(10, "SEK"),
        case.NOBODY: lambda: sent(reservationGuests=[]),
        case.AMONG: among,
        case.UPWARDS: lambda: Case(
            [pulled(operas.body(events(event("UPDATE RESERVATION", ".."))))], api=good().api
        ),
        case.ANOTHER: another,
        case.GONE: lambda: Case(good().sent, api=operas.OperaApi().app),
    },
)
