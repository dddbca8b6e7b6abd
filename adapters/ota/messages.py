"""From messages to what is kept of them: stays with their folios, bookings."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import Element

from adapters.frame import moments
from adapters.frame.adapter import read_as
from adapters.frame.elements import attribute, child, children, descendants, is_true, local, text
from adapters.frame.fields import Sent
from adapters.frame.money import added, decimal, scaled
from adapters.frame.words import Unreadable
from adapters.ota.shapes import Guest, Revenue, Settings, Stay

RESERVATION: Final = "14"
"""Code of OpenTravel's table UIT for a confirmation number."""
GUEST: Final = "1"
"""Code of OpenTravel's table PRT for a guest."""
NIGHTS_MAX: Final = 999
NO_FOLIO: Final = "-"
STAYS: Final = "OTA_HotelStayInfoNotifRQ"
BOOKINGS: Final = ("OTA_HotelResNotifRQ", "OTA_HotelResRQ", "OTA_HotelResModifyNotifRQ")


class Message(Sent):
    """What is said about the message itself."""

    name: str
    sent: str
    number: int = 0
    """SequenceNmbr."""
    target: str = ""
    echo: str = ""


def unwrapped(root: Element) -> Element:
    """Return the message in a SOAP envelope, or the message itself. Raises Unreadable."""
    if local(root.tag) != "Envelope":
        return root
    body = child(root, "Body")
    if body is None or len(body) == 0:
        raise Unreadable("a SOAP envelope without a message in its Body")
    return body[0]


def about(message: Element) -> Message:
    """Return what a message says about itself."""
    number = attribute(message, "SequenceNmbr")
    return Message(
        name=local(message.tag),
        sent=attribute(message, "TimeStamp"),
        number=int(number) if number.isdecimal() and len(number) < 18 else 0,
        target=attribute(message, "Target"),
        echo=attribute(message, "EchoToken"),
    )


def stay_infos(message: Element) -> Iterator[tuple[Element, Element]]:
    """Return each StayInfo, with the StayInfos that names its hotel."""
    for group in descendants(message, "StayInfos"):
        for info in children(group, "StayInfo"):
            yield group, info


def stays_of(group: Element, info: Element, sent: str, settings: Settings) -> list[Stay]:
    """Return the folios of a stay. Raises Unreadable."""
    reservation = child(info, "HotelReservation")
    lines = _lines(info, settings)
    folios = sorted({folio for folio, _ in lines}) or [NO_FOLIO]
    nights, departure = nights_of(reservation, settings)
    made = []
    for folio in folios:
        raw = {
            "chain": attribute(info, "ChainCode") or attribute(group, "ChainCode"),
            "hotel": _hotel(group, info),
            "reservation": _reservation_id(info),
            "folio": folio,
            "sent": sent,
            "status": attribute(reservation, "ResStatus"),
            "departure": departure,
            "nights": nights if folio == folios[0] else 0,
            "stays": 1 if folio == folios[0] else 0,
            "lines": [line for named, line in lines if named == folio],
            "guest": guest_of(reservation, child(info, "LoyaltyPointsAccruals")),
            "mismatch": _mismatch(info, [line for _, line in lines], settings),
        }
        made.append(read_as(Stay, raw))
    return made


def _hotel(group: Element, info: Element) -> str:
    """Return the code of the hotel, or its name where a sender has no code for it."""
    property_info = next(descendants(child(info, "HotelReservation"), "BasicPropertyInfo"), None)
    told = (
        attribute(info, "HotelCode"),
        attribute(group, "HotelCode"),
        attribute(property_info, "HotelCode"),
        attribute(group, "HotelName"),
    )
    return next(filter(None, told), "")


def _reservation_id(info: Element) -> str:
    """Return the confirmation number, or the first number that a reservation has; or nothing."""
    reservation = child(info, "HotelReservation")
    ids = [
        *children(info, "ReservationID"),
        *children(info, "UniqueID"),
        *children(reservation, "UniqueID"),
        *descendants(child(info, "ResGlobalInfo"), "HotelReservationID"),
        *descendants(child(reservation, "ResGlobalInfo"), "HotelReservationID"),
    ]
    # The order of those of one sort stays.
    ids.sort(key=lambda each: RESERVATION not in (each.get("Type"), each.get("ResID_Type")))
    values = (attribute(each, "ID") or attribute(each, "ResID_Value") for each in ids)
    return next(filter(None, values), "")


def _lines(info: Element, settings: Settings) -> list[tuple[str, Revenue]]:
    """Lines with their folios. Lines that look alike are all real."""
    found: list[tuple[str, Revenue]] = []
    for category in descendants(child(info, "RevenueCategories"), "RevenueCategory"):
        code = attribute(category, "RevenueCategoryCode")
        if code in settings.totals:
            continue
        details = list(descendants(category, "RevenueDetail"))
        # A hotel that tells sums alone tells them in SummaryAmount; else it repeats the lines.
        for detail in details or children(category, "SummaryAmount"):
            folio = text(detail, "FolioIDs", "FolioID") or attribute(detail, "FolioID")
            raw = {
                "category": code,
                "pms": attribute(detail, "PMSRevenueCode"),
                "day": attribute(detail, "TransactionDate")[:10],
                "amount": _amount(detail),
                "currency": attribute(detail, "CurrencyCode"),
            }
            found.append((folio or NO_FOLIO, read_as(Revenue, raw)))
    return found


def _amount(element: Element) -> str:
    """An amount; without a point it may be told in minor units, by DecimalPlaces."""
    amount, places = attribute(element, "Amount"), attribute(element, "DecimalPlaces")
    if places in ("1", "2", "3") and "." not in amount:
        return format(scaled(decimal(amount, "Amount"), -int(places)), "f")
    return amount


def _mismatch(info: Element, lines: list[Revenue], settings: Settings) -> str:
    told: Decimal | None = None
    for category in descendants(child(info, "RevenueCategories"), "RevenueCategory"):
        if attribute(category, "RevenueCategoryCode") in settings.totals:
            sums = children(category, "SummaryAmount") or descendants(category, "RevenueDetail")
            amounts = (decimal(_amount(each), "the total") for each in sums)
            told = added((told or Decimal(0), *amounts))
    found = added(Decimal(line.amount) for line in lines)
    if told is None or told == found:
        return ""
    return f"the lines add up to {found}, the total is {told}"


def guest_of(reservation: Element | None, accruals: Element | None = None) -> Guest:
    """Return the primary guest: the one marked so, or the first.

    Memberships of the guest's profile come first, then those of the room stay and of what is to be
    accrued.
    """
    guests = list(descendants(child(reservation, "ResGuests"), "ResGuest"))
    primary = [each for each in guests if is_true(attribute(each, "PrimaryIndicator"))]
    first = next(iter([*primary, *guests]), None)
    profiles = list(descendants(first, "Profile"))
    own = [each for each in profiles if attribute(each, "ProfileType") in (GUEST, "")]
    memberships = [
        (attribute(each, "ProgramID"), attribute(each, "MembershipID"))
        for profile in own
        for each in descendants(profile, "CustLoyalty")
    ]
    memberships += [
        (attribute(each, "ProgramCode"), attribute(each, "AccountID"))
        for where in (child(reservation, "RoomStays"), accruals)
        for each in descendants(where, "Membership", "SelectedLoyalty")
    ]
    infos = list(descendants(first, "ProfileInfo"))
    numbers = (attribute(child(each, "UniqueID"), "ID") for each in infos)
    emails = (text(each) for profile in own for each in descendants(profile, "Email"))
    raw = {
        "memberships": [pair for pair in memberships if pair[1]],
        "email": next(filter(None, emails), ""),
        "profile": next(filter(None, numbers), ""),
    }
    return read_as(Guest, raw)


def nights_of(reservation: Element | None, settings: Settings) -> tuple[int, str]:
    """Return how many nights count, and the day of departure. Raises Unreadable."""
    rooms: Counter[date] = Counter()
    stays = list(descendants(child(reservation, "RoomStays"), "RoomStay"))
    for room_stay in stays:
        nights = _rate_nights(room_stay) or _span_nights(child(room_stay, "TimeSpan"))
        rooms.update(nights)
    if not rooms:
        rooms.update(_span_nights(child(reservation, "ResGlobalInfo", "TimeSpan")))
    if not rooms:
        return 0, ""
    counted = sum(min(count, settings.rooms_max) for count in rooms.values())
    return min(counted, NIGHTS_MAX), (max(rooms) + timedelta(days=1)).isoformat()


def _rate_nights(room_stay: Element) -> Counter[date]:
    """Nights by the ranges of the rates. Several rates for one night are one night of a room."""
    rooms: Counter[date] = Counter()
    for room_rate in descendants(room_stay, "RoomRate"):
        units = attribute(room_rate, "NumberOfUnits")
        count = int(units) if units.isdecimal() and len(units) < 3 else 1
        for rate in descendants(room_rate, "Rate"):
            begin, end = attribute(rate, "EffectiveDate"), attribute(rate, "ExpireDate")
            if not begin:
                continue
            # The end is the day of departure, unless the message says otherwise.
            inclusive = attribute(rate, "ExpireDateExclusiveInd").lower() in ("false", "0")
            for night in _nights(begin, end, inclusive=inclusive or not end):
                rooms[night] = max(rooms[night], count)
    return rooms


def _span_nights(span: Element | None) -> Counter[date]:
    begin, end = attribute(span, "Start"), attribute(span, "End")
    return Counter(_nights(begin, end, inclusive=False)) if begin and end else Counter()


def _nights(begin: str, end: str, *, inclusive: bool) -> list[date]:
    first = moments.day(begin)
    last = moments.day(end or begin) + timedelta(days=1 if inclusive else 0)
    count = (last - first).days
    if not 0 <= count <= NIGHTS_MAX:
        raise Unreadable(f"a stay from {first} to {last}, expected 0 to {NIGHTS_MAX} nights")
    return [first + timedelta(days=at) for at in range(count)]


def booking_of(message: Element, reservation: Element, sent: str, settings: Settings) -> Stay:
    """Return a booking; without a number it has an empty one. Raises Unreadable."""
    hotel = next(descendants(reservation, "BasicPropertyInfo"), None)
    nights, departure = nights_of(reservation, settings)
    raw = {
        "chain": attribute(hotel, "ChainCode"),
        "hotel": attribute(hotel, "HotelCode"),
        "reservation": _reservation_id(reservation) or NO_FOLIO,
        "sent": sent,
        "created": attribute(reservation, "CreateDateTime"),
        "status": attribute(reservation, "ResStatus") or attribute(message, "ResStatus"),
        "departure": departure,
        "nights": nights,
        "stays": 1,
        "guest": guest_of(reservation),
    }
    return read_as(Stay, raw)
