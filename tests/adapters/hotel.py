"""A hotel that sends OpenTravel messages, written by hand from the standard."""

import base64
from typing import Final

SECRETS: Final = {"basic": "pms:s3cret"}
NAMESPACE: Final = "http://www.opentravel.org/OTA/2003/05"


def mapping(more: str = "", currencies: str = "EUR, USD", unit: str = "hotel") -> str:
    """The mapping of the hotel."""
    return f"""
schema: loyalty.adapter/v1
system: ota
connection: pms
version: 1
places:
  - {{code: hotel/MI/BOSCO, business_unit: {unit}, zone: America/New_York, currencies: [USD]}}
  - {{code: hotel/DENWE, business_unit: {unit}, zone: America/Denver, currencies: [USD]}}
  - {{code: hotel/LIS01, business_unit: {unit}, zone: Europe/Lisbon, currencies: [{currencies}]}}
categories:
  - {{code: category/9, category: room}}
  - {{code: category/2, category: food}}
  - {{code: category/7, category: general}}
  - {{code: category/8, category: general}}
  - {{code: category/14, category: general}}
  - {{code: pms/SPA*, category: spa}}
  - {{code: pms/VAT, category: tax}}
identities:
  - {{kind: membership, scheme: card}}
  - {{kind: email, scheme: email}}
settings:
  programs: [MRW]
{more}"""


def revenue(amount: str, day: str = "2026-03-01", pms: str = "11", **changes: str) -> str:
    """A line of a folio."""
    folio = changes.pop("folio", "1")
    named = {"TransactionDate": day, "PMSRevenueCode": pms, "Amount": amount, "CurrencyCode": "EUR"}
    told = " ".join(f'{name}="{value}"' for name, value in (named | changes).items())
    folios = f"<FolioIDs><FolioID>{folio}</FolioID></FolioIDs>" if folio else ""
    return f"<RevenueDetail {told}>{folios}</RevenueDetail>"


def category(code: str, *lines: str) -> str:
    """A category with its lines."""
    inside = "".join(lines)
    return (
        f'<RevenueCategory RevenueCategoryCode="{code}"><RevenueDetails>{inside}</RevenueDetails>'
        "</RevenueCategory>"
    )


def total(amount: str) -> str:
    """The sum of all categories."""
    return (
        '<RevenueCategory RevenueCategoryCode="17">'
        f'<SummaryAmount Amount="{amount}" CurrencyCode="EUR"/></RevenueCategory>'
    )


def guest(number: str = "M1", program: str = "MRW", more: str = "") -> str:
    """A guest with a membership."""
    return (
        f'<ResGuest {more}><Profiles><ProfileInfo><UniqueID Type="1" ID="P{number}"/>'
        f'<Profile ProfileType="1"><Customer><Email>{number}@example.com</Email>'
        f'<CustLoyalty ProgramID="{program}" MembershipID="{number}"/></Customer></Profile>'
        "</ProfileInfo></Profiles></ResGuest>"
    )


def room(begin: str = "2026-03-01", end: str = "2026-03-03", more: str = "") -> str:
    """A room, by the range of its rate."""
    return (
        f"<RoomStay><RoomRates><RoomRate {more}><Rates>"
        f'<Rate EffectiveDate="{begin}" ExpireDate="{end}"/></Rates></RoomRate></RoomRates>'
        "</RoomStay>"
    )


def stay(
    *categories: str,
    rooms: str = "",
    guests: str = "",
    number: str = "R1",
    status: str = "",
) -> str:
    """A stay that is over."""
    mark = f' ResStatus="{status}"' if status else ""
    return (
        f"<StayInfo><RevenueCategories>{''.join(categories)}</RevenueCategories>"
        f'<ReservationID Type="14" ID="{number}"/><HotelReservation{mark}>'
        f"<RoomStays>{rooms or room()}</RoomStays><ResGuests>{guests or guest()}</ResGuests>"
        "</HotelReservation></StayInfo>"
    )


def message(
    *stays: str, sent: str = "2026-03-04T04:00:00Z", more: str = "", hotel: str = "LIS01"
) -> bytes:
    """The message about stays."""
    time = f'TimeStamp="{sent}"' if sent else ""
    return (
        f'<OTA_HotelStayInfoNotifRQ xmlns="{NAMESPACE}" {time} Version="2.000" {more}>'
        f'<StayInfos ChainCode="HB" HotelCode="{hotel}">{"".join(stays)}</StayInfos>'
        "</OTA_HotelStayInfoNotifRQ>"
    ).encode()


def soap(told: bytes) -> bytes:
    """A message in an envelope, with a header nobody needs."""
    return (
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>'
        b'<h:CorrelationID xmlns:h="http://htng.org/2.1/Header/">c-1</h:CorrelationID></s:Header>'
        b"<s:Body>" + told + b"</s:Body></s:Envelope>"
    )


def signed(login: str = "pms:s3cret") -> dict[str, str]:
    """The headers of a message."""
    given = base64.b64encode(login.encode()).decode()
    return {"content-type": "text/xml", "authorization": f"Basic {given}"}
