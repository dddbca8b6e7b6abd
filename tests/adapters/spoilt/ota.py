"""OTA / HTNG: stays with their folios, posted with a password."""

from adapters.frame.words import Delivery
from tests.adapters import hotel
from tests.adapters.hotel import category, guest, message, revenue, room, stay
from tests.adapters.rig import lines_of
from tests.adapters.spoilt import case, texts
from tests.adapters.spoilt.case import Case, System

MAPPING = hotel.mapping()


def sign(body: bytes, login: str = "pms:s3cret") -> Delivery:
    return Delivery(body, hotel.signed(login))


def sent(*stays: str, time: str = "2026-03-04T04:00:00Z", at: str = "LIS01") -> Case:
    told = stays or (stay(category("9", revenue("10.00"))),)
    return Case([sign(message(*told, sent=time, hotel=at))])


def good() -> Case:
    return sent()


def folio(*lines: str) -> Case:
    return sent(stay(category("9", *lines)))


def body(text: str) -> bytes:
    return message(stay(category("9", revenue("10.00")), number=text or "R1"))


def beyond() -> Case:
    number = 2**63 + 1
    made = sent(stay(category("9", revenue("10.00")), number=str(number)))
    return Case(made.sent, holds=lambda said: said.document.document_id == f"HB/LIS01/{number}/1")


def twins() -> Case:
    made = folio(revenue("5.00"), revenue("5.00"))
    return Case(made.sent, holds=lambda said: lines_of(said) == [("room", 5_00)] * 2)


def below() -> Case:
    """A correction: it comes off its own category."""
    made = folio(revenue("14.00"), revenue("-4.00"))
    return Case(made.sent, holds=lambda said: lines_of(said) == [("room", 10_00)])


def years(begin: str, end: str) -> Case:
    """A message and a stay of that time: each alone is refused."""
    line = category("9", revenue("10.00"))
    times = [sent(time=f"{day}T00:00:00Z") for day in (begin, end)]
    return Case(
        [
            *(delivery for made in times for delivery in made.sent),
            *sent(stay(line, number="R2", rooms=room(begin, end))).sent,
            *sent(stay(line, number="R3", rooms=room(end, ""))).sent,
        ]
    )


def unknown() -> Case:
    return Case([sign(b'<OTA_PingRQ xmlns="http://www.opentravel.org/OTA/2003/05"/>')])


SYSTEM = System(
    "ota",
    MAPPING,
    hotel.SECRETS,
    good,
    {
        **texts.xml_rows(body, sign),
        case.WRONG: lambda: Case([sign(body(""), "pms:other")]),
        case.MISSING: lambda: Case([Delivery(body(""))]),
        case.LARGE: lambda: Case([sign(b" " * 20_000_000)]),
        case.REUSED: lambda: Case([*good().sent, *folio(revenue("20.00")).sent]),
        case.DIGITS: lambda: folio(revenue("10.005")),
        case.HUGE: lambda: folio(revenue(str(10**20))),
        case.NO_NUMBER: lambda: folio(revenue("NaN")),
        case.BELOW: below,
        case.BEYOND: beyond,
        case.TWINS: twins,
        case.CURRENCIES: lambda: folio(revenue("5.00"), revenue("5.00", CurrencyCode="USD")),
        case.NO_ZONE: lambda: sent(time="2026-03-04T04:00:00"),
        case.SHORT_FORM: lambda: sent(time="20260304T040000Z"),
        case.YEAR_1: lambda: years("0001-01-01", "0001-01-02"),
        case.YEAR_9999: lambda: years("9999-12-30", "9999-12-31"),
        case.UNKNOWN: unknown,
        case.PLACE: lambda: sent(at="OTHER"),
        case.CATEGORY: lambda: sent(stay(category("77", revenue("10.00")))),
        case.CURRENCY: lambda: folio(revenue("10.00", CurrencyCode="SEK")),
        case.NOBODY: lambda: sent(
            stay(category("9", revenue("10.00")), guests="<ResGuest><Profiles/></ResGuest>")
        ),
        case.TEST: lambda: Case(
            [
                sign(message(stay(category("9", revenue("10.00"))), more=f'Target="{word}"'))
                for word in ("Test", "TEST")
            ]
        ),
        case.AMONG: lambda: sent(
            stay(category("9", revenue("10.00")), guests=guest()),
            stay(category("9", revenue("ten")), number="R2"),
        ),
    },
)
