"""The hotels: the bookings of two Portuguese houses where the file is there, else seeded stays."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from ledger.core.instant import Instant, from_datetime
from server.demo.owners import STAY_PERCENT, Members
from server.demo.sources import (
    WHOLE,
    Control,
    Kind,
    Line,
    Source,
    SourceDocument,
    Status,
    in_part,
    major,
    seeded,
    shared_file,
)

PUBLISHED: Final = Decimal("25996260.41")
"""Revenue of all stays that ended in a check-out: rate times nights."""

FILE: Final = "hotel/hotel_bookings.csv.zip"
ENTRY: Final = "hotel_bookings.csv"
ZONE: Final = ZoneInfo("Europe/Lisbon")
FIRST_DAY: Final = date(2016, 12, 1)
SEEDED_STAYS: Final = 6_000

_MONTHS: Final = {
    datetime(2000, number, 1, tzinfo=UTC).strftime("%B"): number for number in range(1, 13)
}
_LINKS: Final = f"made up: {STAY_PERCENT} % of the bookings are given to members by hash"


@dataclass(frozen=True, slots=True)
class Booking:
    """A booking and how it ended; `outcome_day` is the day of check-out or of cancellation."""

    number: str
    house: str
    channel: str
    booked_day: date
    arrival_day: date
    outcome_day: date
    nights: int
    net: int
    stayed: bool
    cancelled: bool


def read(members: Members, *, real: bool, share: Fraction = WHOLE) -> Source:
    """Read a share of the bookings; who stayed is not in the file: the demo's own rule says so."""
    path = shared_file(FILE) if real else None
    return _seeded(members, share) if path is None else _real(path, members, share)


def _real(path: Path, members: Members, share: Fraction) -> Source:
    with zipfile.ZipFile(path) as archive, archive.open(ENTRY) as raw:
        rows = csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8", newline=""))
        bookings = [_booking(number, row) for number, row in enumerate(rows)]
    stays = [booking for booking in bookings if booking.stayed]
    chosen = [
        booking
        for booking in bookings
        if booking.outcome_day >= FIRST_DAY and in_part(share, "hotel", booking.number)
    ]
    amount = _revenue(bookings)
    below_zero = _revenue(booking for booking in chosen if booking.net < 0)
    return Source(
        business_unit="hotel",
        origin=f"real: Hotel Booking Demand, check-outs from {FIRST_DAY} on",
        links=_LINKS,
        control=Control(
            PUBLISHED,
            len(stays),
            amount,
            left_out=amount - _revenue(chosen),
            below_zero=below_zero,
        ),
        documents=list(
            chain.from_iterable(
                _versions(booking, members) for booking in chosen if booking.net >= 0
            )
        ),
    )


def _revenue(bookings: Iterable[Booking]) -> Decimal:
    return major(sum(booking.net for booking in bookings if booking.stayed))


def _booking(number: int, row: dict[str, str]) -> Booking:
    arrival = date(
        int(row["arrival_date_year"]),
        _MONTHS[row["arrival_date_month"]],
        int(row["arrival_date_day_of_month"]),
    )
    nights = int(row["stays_in_weekend_nights"]) + int(row["stays_in_week_nights"])
    rate = Decimal(row["adr"]).scaleb(2)
    assert rate == int(rate), "rates have at most two decimals"
    segment = row["market_segment"]
    return Booking(
        number=str(number),
        house="city" if row["hotel"] == "City Hotel" else "resort",
        channel="ota" if segment == "Online TA" else "front-desk",
        booked_day=arrival - timedelta(days=int(row["lead_time"])),
        arrival_day=arrival,
        outcome_day=date.fromisoformat(row["reservation_status_date"]),
        nights=nights,
        net=int(rate) * nights,
        stayed=row["reservation_status"] == "Check-Out",
        cancelled=row["reservation_status"] == "Canceled",
    )


def _seeded(members: Members, share: Fraction) -> Source:
    bookings = [_invented(number) for number in range(SEEDED_STAYS)]
    chosen = [booking for booking in bookings if in_part(share, "hotel", booking.number)]
    amount = _revenue(bookings)
    stays = sum(booking.stayed for booking in bookings)
    return Source(
        business_unit="hotel",
        origin="seeded: stays made up by hash",
        links=_LINKS,
        control=Control(None, stays, amount, left_out=amount - _revenue(chosen)),
        documents=list(chain.from_iterable(_versions(booking, members) for booking in chosen)),
    )


def _invented(number: int) -> Booking:
    chance = seeded("hotel", "booking", number)
    arrival = date(2017, 1, 1) + timedelta(days=chance % 340)
    nights = 1 + chance // 340 % 7
    lead = chance // 10_000 % 60
    cancelled = chance // 1_000_000 % 4 == 0
    left = arrival - timedelta(days=lead // 2) if cancelled else arrival + timedelta(days=nights)
    return Booking(
        number=f"S{number:06d}",
        house="city" if chance // 4_000_000 % 2 else "resort",
        channel=("ota", "front-desk", "web")[chance // 8_000_000 % 3],
        booked_day=arrival - timedelta(days=lead),
        arrival_day=arrival,
        outcome_day=left,
        nights=nights,
        net=nights * (6_000 + chance // 24_000_000 % 14_000),
        stayed=not cancelled,
        cancelled=cancelled,
    )


def _versions(booking: Booking, members: Members) -> Iterator[SourceDocument]:
    """What the hotel states of a booking as time goes on.

    A member's booking is pending from the day it is made (its points show, but cannot be spent)
    until it ends; for others only the stay itself is told. A no-show never was a stay.
    """
    owner = members.of_visit("hotel", booking.number, percent=STAY_PERCENT)
    known = owner is not None
    begins = max(booking.booked_day, FIRST_DAY)
    if known and (booking.stayed or booking.cancelled):
        yield _version(booking, owner, 1, Status.PENDING, _at(begins, 9))
    if booking.stayed:
        # A stay of no nights ends on the day it began, after that.
        ended_at = max(_at(booking.outcome_day, 11), _at(booking.arrival_day, 16))
        yield _version(booking, owner, 2 if known else 1, Status.FINAL, ended_at)
    elif known and booking.cancelled:
        ended_at = max(_at(booking.outcome_day, 12), _at(begins, 10))
        yield _version(booking, owner, 2, Status.CANCELLED, ended_at)


def _version(
    booking: Booking, owner: int | None, version: int, status: Status, at: Instant
) -> SourceDocument:
    return SourceDocument(
        business_unit="hotel",
        document_id=booking.number,
        kind=Kind.STAY,
        currency_code="EUR",
        occurred_at=at,
        owner=owner,
        lines=(Line("room", f"room/{booking.house}", booking.net),),
        version=version,
        status=status,
        channel=booking.channel,
        store=booking.house,
        nights=booking.nights,
    )


def _at(day: date, hour: int) -> Instant:
    return from_datetime(datetime.combine(day, time(hour), tzinfo=ZONE))
