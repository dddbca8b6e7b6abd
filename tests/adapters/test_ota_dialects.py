"""OpenTravel stays as other senders write them."""

import pytest

from adapters.frame.words import Nothing, Statement
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_FINAL, DOCUMENT_STATUS_PENDING
from tests.adapters import hotel
from tests.adapters.rig import lines_of, only, statement
from tests.adapters.test_ota import ROOM, booking, meaning


def sums(*rows: tuple[str, str]) -> str:
    """Categories that tell their sums alone."""
    return "".join(
        f'<RevenueCategory RevenueCategoryCode="{code}">'
        f'<SummaryAmount Amount="{amount}" CurrencyCode="EUR"/></RevenueCategory>'
        for code, amount in rows
    )


def test_a_file_of_sums_names_hotel_reservation_and_days_elsewhere() -> None:
    told = hotel.message(
        "<StayInfo><RevenueCategories>"
        + sums(("9", "399.00"), ("2", "61.50"))
        + '</RevenueCategories><HotelReservation><UniqueID Type="14" ID="777"/><RoomStays>'
        '<RoomStay SourceOfBusiness="WEB"><TimeSpan Start="2026-03-01" End="2026-03-03"/>'
        "</RoomStay></RoomStays><ResGuests><ResGuest><Profiles><ProfileInfo><Profile><Customer>"
        "<Email>anna@example.com</Email></Customer></Profile></ProfileInfo></Profiles></ResGuest>"
        "</ResGuests></HotelReservation></StayInfo>",
        sent="",
        more='TransactionIdentifier="2026-03-04"',
    )
    named = told.replace(b'ChainCode="HB" HotelCode="LIS01"', b'HotelName="LIS01"')
    stated = statement(meaning(named))
    assert stated.document.document_id == "-/LIS01/777/-"
    assert lines_of(stated) == [("room", 399_00), ("food", 61_50)]
    assert stated.document.stay.nights == 2
    assert [each.value for each in stated.members] == ["anna@example.com"]
    inside = told.replace(b' HotelCode="LIS01"', b"").replace(
        b"<TimeSpan", b'<BasicPropertyInfo HotelCode="LIS01"/><TimeSpan'
    )
    assert statement(meaning(inside)).document.document_id == "HB/LIS01/777/-"


@pytest.mark.parametrize(
    "membership",
    [
        '<Memberships><Membership ProgramCode="MRW" AccountID="M9"/></Memberships>',
        '<Memberships><Membership ProgramCode="AIR" AccountID="A1"/>'
        '<Membership ProgramCode="MRW" AccountID="M9"/></Memberships>',
    ],
)
def test_a_membership_of_the_room_stay_names_who_has_none_in_the_profile(membership: str) -> None:
    rooms = hotel.room().replace("</RoomStay>", f"{membership}</RoomStay>")
    nobody = hotel.guest("", program="")
    stated = statement(meaning(hotel.message(hotel.stay(ROOM, rooms=rooms, guests=nobody))))
    assert [each.value for each in stated.members] == ["M9"]
    stated = statement(meaning(hotel.message(hotel.stay(ROOM, rooms=rooms))))
    assert stated.members[0].value == "M1", "the profile's comes first"


def test_a_loyalty_that_accrues_names_the_member_too() -> None:
    accrues = (
        "<LoyaltyPointsAccruals><LoyaltyPointsAccrual>"
        '<SelectedLoyalty ProgramCode="MRW" AccountID="M9"/>'
        "</LoyaltyPointsAccrual></LoyaltyPointsAccruals>"
    )
    told = hotel.stay(ROOM, guests=hotel.guest("", program=""))
    told = told.replace("<HotelReservation>", f"{accrues}<HotelReservation>")
    stated = statement(meaning(hotel.message(told)))
    assert [each.value for each in stated.members] == ["M9"]


@pytest.mark.parametrize("status", ["Reserved", "In-house", "Waitlisted"])
def test_who_has_not_left_earns_nothing_yet(status: str) -> None:
    early = hotel.message(hotel.stay(ROOM, status=status))
    assert only(meaning(early)) == Nothing("not_checked_out")
    left = hotel.message(hotel.stay(ROOM, status="Checked out"), sent="2026-03-05T04:00:00Z")
    assert statement(meaning(early, left)).document.status == DOCUMENT_STATUS_FINAL
    results = meaning(
        booking("Commit", "2026-02-01T00:00:00Z"), early, more="  bookings: pending\n"
    )
    booked = results["booking/HB/LIS01/R1"]
    assert isinstance(booked, Statement)
    assert booked.document.status == DOCUMENT_STATUS_PENDING, "the guest is still to leave"
