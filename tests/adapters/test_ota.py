"""OTA: what its messages mean, the recorded ones and those written by hand."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from adapters.frame.translating import Result
from adapters.frame.words import (
    Delivery,
    Nothing,
    Outcome,
    Parked,
    Statement,
    Unreadable,
    Verdict,
)
from adapters.ota import ADAPTER
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_STAY,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_PENDING,
)
from tests.adapters import hotel
from tests.adapters.rig import connection, lines_of, only, rig, statement, translate
from tests.server.served import Caller, Served

ROOM = hotel.category("9", hotel.revenue("399.00"), hotel.revenue("399.00", "2026-03-02"))


def meaning(*told: bytes, more: str = "") -> dict[str, Result]:
    return translate(hotel.mapping(more), *told, content_type="text/xml")


def stays(results: dict[str, Result]) -> dict[str, Statement]:
    return {name: said for name, said in results.items() if isinstance(said, Statement)}


# --- recorded payloads, as their index says ----------------------------------------------------


def recorded(payloads: Path, name: str) -> bytes:
    return (payloads / "opera_ota_htng" / f"{name}.xml").read_bytes()


def test_the_recorded_stay_is_its_revenue_without_tax_and_without_the_total(payloads: Path) -> None:
    stated = statement(meaning(recorded(payloads, "OTA_HotelStayInfoNotifRQ_marriott")))
    document = stated.document
    assert document.document_id == "MI/BOSCO/71294827/4586"
    assert document.kind == DOCUMENT_KIND_STAY
    assert document.currency_code == "USD"
    found: dict[str, int] = {}
    for line in document.lines:
        code = line.line_id.partition("/")[0]
        found[code] = found.get(code, 0) + line.net_minor_units
    assert found == {"9": 1197_00, "2": 198_00, "7": 84_00, "14": 6_00, "8": 10_36}
    telephone = [line for line in document.lines if line.line_id.startswith("14/40/2005-10-18")]
    assert [line.net_minor_units for line in telephone] == [1_50, 1_50], "both are real"
    assert (document.stay.nights, document.stay.stays) == (3, 1)
    assert [(each.scheme, each.value) for each in stated.members] == [("card", "123456789")]


def test_the_recorded_answer_has_the_shape_of_ours(payloads: Path) -> None:
    theirs = ElementTree.fromstring(recorded(payloads, "OTA_HotelStayInfoNotifRS"))
    told = recorded(payloads, "OTA_HotelStayInfoNotifRQ_marriott")
    ours = ElementTree.fromstring(ADAPTER.reply(Outcome.ACCEPTED, Delivery(told)).body)
    assert ours.tag == theirs.tag
    assert [each.tag for each in ours] == [each.tag for each in theirs]


def test_the_recorded_booking_earns_nothing_and_its_card_is_not_kept(payloads: Path) -> None:
    told = recorded(payloads, "OTA_HotelResRQ")
    assert only(meaning(told)) == Nothing("booking")
    assert only(meaning(told, more="  bookings: pending\n")) == Nothing("booking_without_number")
    kept = ADAPTER.redacted(Delivery(told)).body
    assert b"4666" not in kept
    assert b"DENWE" in kept
    numbered = told.replace(b"<RoomStays>", b'<UniqueID Type="14" ID="77"/><RoomStays>')
    numbered = numbered.replace(b'Version="5.000"', b'TimeStamp="2010-05-01T10:00:00Z"')
    stated = statement(meaning(numbered, more="  bookings: pending\n"))
    assert stated.document.status == DOCUMENT_STATUS_PENDING
    assert (stated.document.stay.nights, len(stated.document.lines)) == (2, 0)


# --- money -------------------------------------------------------------------------------------


def test_a_closer_code_of_the_hotel_comes_before_the_category() -> None:
    told = hotel.category("9", hotel.revenue("90.00", pms="SPA1"), hotel.revenue("5.00", pms="VAT"))
    assert lines_of(statement(meaning(hotel.message(hotel.stay(told))))) == [("spa", 90_00)]


def test_a_total_that_does_not_fit_is_reported_and_the_stay_still_counts() -> None:
    told = hotel.message(hotel.stay(ROOM, hotel.total("900.00")))
    results = meaning(told)
    assert isinstance(results["total/HB/LIS01/R1"], Unreadable)
    assert "798" in str(results["total/HB/LIS01/R1"])
    assert sum(amount for _, amount in lines_of(statement(stays(results)))) == 798_00
    parked = only(meaning(told, more="  total_mismatch: park\n"))
    assert isinstance(parked, Parked)
    assert parked.reason == "total_mismatch"
    assert len(meaning(hotel.message(hotel.stay(ROOM, hotel.total("798.00"))))) == 1


def test_a_category_that_tells_its_sum_alone_counts_with_it() -> None:
    summed = (
        '<RevenueCategory RevenueCategoryCode="9"><SummaryAmount Amount="50000" DecimalPlaces="2"'
        ' CurrencyCode="EUR"/></RevenueCategory>'
    )
    stated = statement(meaning(hotel.message(hotel.stay(summed))))
    assert lines_of(stated) == [("room", 500_00)]
    assert stated.document.document_id == "HB/LIS01/R1/-"


def test_a_correction_is_taken_off_its_own_category_and_never_goes_below_nothing() -> None:
    food = hotel.category("2", hotel.revenue("30.00"), hotel.revenue("-10.00"))
    stated = statement(meaning(hotel.message(hotel.stay(ROOM, food))))
    assert sum(amount for name, amount in lines_of(stated) if name == "food") == 20_00
    credit = hotel.category("2", hotel.revenue("30.00"), hotel.revenue("-50.00"))
    stated = statement(meaning(hotel.message(hotel.stay(ROOM, credit))))
    assert sum(amount for _, amount in lines_of(stated)) == 778_00


def test_each_folio_is_a_document_and_nights_count_once() -> None:
    lines = [hotel.revenue("100.00", folio="A"), hotel.revenue("20.00", pms="40", folio="B")]
    results = meaning(hotel.message(hotel.stay(hotel.category("9", *lines))))
    told = {said.document.document_id[-1]: said.document for said in stays(results).values()}
    assert [told[name].stay.nights for name in "AB"] == [2, 0]
    assert [told[name].stay.stays for name in "AB"] == [1, 0]


def test_a_later_message_replaces_an_earlier_one_whatever_comes_first() -> None:
    early = hotel.message(hotel.stay(ROOM))
    late = hotel.message(
        hotel.stay(hotel.category("9", hotel.revenue("10.00"))), sent="2026-03-05T04:00:00Z"
    )
    for told in ([early, late], [late, early], [late, early, late]):
        assert lines_of(statement(meaning(*told))) == [("room", 10_00)]


def test_of_two_at_one_time_the_higher_number_counts() -> None:
    first = hotel.message(hotel.stay(ROOM), more='SequenceNmbr="7"')
    second = hotel.message(
        hotel.stay(hotel.category("9", hotel.revenue("10.00"))), more='SequenceNmbr="8"'
    )
    assert lines_of(statement(meaning(second, first))) == [("room", 10_00)]


# --- nights and guests -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rooms", "nights"),
    [
        (hotel.room("2026-03-01", "2026-03-01"), 0),
        (hotel.room("2026-03-01", "2026-03-02") + hotel.room("2026-03-02", "2026-03-05"), 4),
        (hotel.room() + hotel.room(), 2),
        (hotel.room(more='NumberOfUnits="3"'), 2),
        ('<RoomStay><TimeSpan Start="2026-03-01" End="2026-03-08"/></RoomStay>', 7),
        (
            '<RoomStay><RoomRates><RoomRate><Rates><Rate EffectiveDate="2026-03-01"'
            ' ExpireDate="2026-03-02" ExpireDateExclusiveInd="false"/></Rates></RoomRate>'
            "</RoomRates></RoomStay>",
            2,
        ),
    ],
)
def test_nights_are_dates_with_the_end_left_out(rooms: str, nights: int) -> None:
    stated = statement(meaning(hotel.message(hotel.stay(ROOM, rooms=rooms))))
    assert stated.document.stay.nights == nights


def test_more_rooms_may_count_more_nights() -> None:
    told = hotel.message(hotel.stay(ROOM, rooms=hotel.room() * 3))
    stated = statement(meaning(told, more="  rooms_max: 2\n"))
    assert stated.document.stay.nights == 4


def test_the_primary_guests_membership_of_our_programme_counts() -> None:
    guests = hotel.guest("M1") + hotel.guest("M2", more='PrimaryIndicator="true"')
    stated = statement(meaning(hotel.message(hotel.stay(ROOM, guests=guests))))
    assert [each.value for each in stated.members] == ["M2", "m2@example.com"]
    other = hotel.guest("A1", program="AIR")
    stated = statement(meaning(hotel.message(hotel.stay(ROOM, guests=other))))
    assert [each.scheme for each in stated.members] == ["email"]


@pytest.mark.parametrize("status", ["Cancelled", "No-show", "Cancel"])
def test_who_never_came_has_no_night_and_no_revenue(status: str) -> None:
    stated = statement(meaning(hotel.message(hotel.stay(ROOM, status=status))))
    assert stated.document.status == DOCUMENT_STATUS_CANCELLED
    assert not stated.document.lines


# --- bookings ----------------------------------------------------------------------------------


def booking(status: str, sent: str) -> bytes:
    return (
        f'<OTA_HotelResNotifRQ xmlns="{hotel.NAMESPACE}" TimeStamp="{sent}" ResStatus="{status}">'
        '<HotelReservations><HotelReservation CreateDateTime="2026-01-01T00:00:00Z">'
        '<UniqueID Type="14" ID="R1"/><RoomStays><RoomStay><TimeSpan Start="2026-03-01"'
        ' End="2026-03-03"/><BasicPropertyInfo ChainCode="HB" HotelCode="LIS01"/></RoomStay>'
        f"</RoomStays><ResGuests>{hotel.guest()}</ResGuests></HotelReservation>"
        "</HotelReservations></OTA_HotelResNotifRQ>"
    ).encode()


def test_a_booking_is_pending_until_it_is_cancelled_or_the_stay_replaces_it() -> None:
    more = "  bookings: pending\n"
    commit = booking("Commit", "2026-01-01T00:00:00Z")
    stated = statement(meaning(commit, more=more))
    assert stated.document.status == DOCUMENT_STATUS_PENDING
    assert stated.document.stay.nights == 2
    gone = booking("Cancel", "2026-01-02T00:00:00Z")
    assert statement(meaning(gone, commit, more=more)).document.status == DOCUMENT_STATUS_CANCELLED
    results = stays(meaning(hotel.message(hotel.stay(ROOM)), commit, more=more))
    assert results["booking/HB/LIS01/R1"].document.status == DOCUMENT_STATUS_CANCELLED
    assert results["stay/HB/LIS01/R1/1"].document.stay.nights == 2


# --- what is wrong -----------------------------------------------------------------------------


def test_test_messages_and_other_messages_are_dropped() -> None:
    told = hotel.message(hotel.stay(ROOM), more='Target="Test"')
    assert only(meaning(told)) == Nothing("test")
    assert only(meaning(b"<OTA_ProfileCreateRQ/>")) == Nothing("not_ours")


@pytest.mark.parametrize(
    "lines",
    [
        hotel.category("9", hotel.revenue("10.005")),
        hotel.category("9", hotel.revenue("ten")),
        hotel.category("9", hotel.revenue("1.00"), hotel.revenue("1.00", CurrencyCode="USD")),
        hotel.category("", hotel.revenue("1.00")),
    ],
)
def test_money_that_cannot_be_read_is_a_dead_letter_of_its_stay_alone(lines: str) -> None:
    results = meaning(hotel.message(hotel.stay(lines), hotel.stay(ROOM, number="R2")))
    assert len(results) == 2
    assert sum(isinstance(each, Unreadable) for each in results.values()) == 1
    assert statement(stays(results)).document.document_id == "HB/LIS01/R2/1"


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (hotel.message(hotel.stay(ROOM), hotel="ELSE"), "unmapped_place"),
        (hotel.message(hotel.stay(hotel.category("99", hotel.revenue("1")))), "unmapped_category"),
        (
            hotel.message(hotel.stay(hotel.category("9", hotel.revenue("1", CurrencyCode="GBP")))),
            "unmapped_currency",
        ),
    ],
)
def test_what_no_row_names_is_parked(told: bytes, reason: str) -> None:
    result = only(meaning(told))
    assert isinstance(result, Parked)
    assert result.reason == reason


def test_a_clock_without_zone_is_the_hotels() -> None:
    told = hotel.message(hotel.stay(ROOM), sent="2026-07-04T04:00:00")
    assert statement(meaning(told)).changed_at == 1_783_134_000_000_000


@pytest.mark.parametrize("rooms", [hotel.room("2026-03-01", "2036-03-01"), hotel.room("soon", "")])
def test_nights_that_cannot_be_are_a_dead_letter(rooms: str) -> None:
    assert isinstance(only(meaning(hotel.message(hotel.stay(ROOM, rooms=rooms)))), Unreadable)


def test_a_stay_without_a_number_is_a_dead_letter() -> None:
    assert isinstance(only(meaning(hotel.message(hotel.stay(ROOM, number="")))), Unreadable)


def test_hostile_xml_is_refused_before_it_grows() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><OTA_X>&c;</OTA_X>'
    assert isinstance(only(meaning(bomb)), Unreadable)
    assert isinstance(only(meaning(hotel.message(hotel.stay(ROOM))[:-20])), Unreadable)


def test_cards_are_taken_out_wherever_they_stand_and_memberships_stay() -> None:
    cards = (
        '<PaymentCard CardNumber="4111111111111111" SeriesCode="123"/>'
        "<CardNumber><PlainText>4111111111111111</PlainText></CardNumber>"
        "<Text>please charge 4111 1111 1111 1111</Text>"
    )
    told = hotel.message(
        hotel.stay(ROOM, guests=hotel.guest("4111111111111111", more='RPH="1"')) + cards
    )
    kept = ADAPTER.redacted(Delivery(told)).body
    assert kept.count(b"4111111111111111") == told.count(b"4111111111111111") - 2
    assert b"4111 1111" not in kept
    assert b"please charge" in kept
    assert b'SeriesCode="123"' not in kept
    plain = hotel.message(hotel.stay(ROOM))
    assert ADAPTER.redacted(Delivery(plain)).body == plain


# --- the door ----------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["pms:s3cre", "pms:", "", "other:s3cret"])
def test_another_password_is_forged(login: str) -> None:
    made = connection(hotel.mapping(), hotel.SECRETS)
    told = hotel.message(hotel.stay(ROOM))
    assert ADAPTER.verify(Delivery(told, hotel.signed()), made) is Verdict.GENUINE
    assert ADAPTER.verify(Delivery(told, hotel.signed(login)), made) is Verdict.FORGED
    assert ADAPTER.verify(Delivery(told), made) is Verdict.FORGED
    bare = connection(hotel.mapping())
    assert ADAPTER.verify(Delivery(told, hotel.signed("")), bare) is Verdict.FORGED


@pytest.mark.database
async def test_a_stay_in_soap_is_answered_in_soap_and_counts_once(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    async with rig(served, caller, tmp_path, hotel.mapping(), hotel.SECRETS) as at:
        await at.enrol("card", "M1", unit="hotel")
        told = hotel.soap(hotel.message(hotel.stay(ROOM), more='EchoToken="e&amp;1"'))
        for _ in range(2):
            answer = await at.post(told, hotel.signed())
            assert answer.status_code == 200
            root = ElementTree.fromstring(answer.content)
            said = root[0][0]
            assert said.tag == f"{{{hotel.NAMESPACE}}}OTA_HotelStayInfoNotifRS"
            assert said.get("EchoToken") == "e&1"
            assert said[0].tag.endswith("Success")
            await at.work()
        assert await at.points("card", "M1") == 5 * 798
        again = hotel.message(hotel.stay(ROOM), sent="2026-03-06T04:00:00Z")
        await at.post(again, hotel.signed())
        await at.work()
        assert await at.documents() == 1, "the same state at another time is no news"
        corrected = hotel.category("9", hotel.revenue("399.00"))
        late = hotel.message(hotel.stay(corrected), sent="2026-03-07T04:00:00Z")
        await at.post(late, hotel.signed())
        await at.work()
        assert await at.points("card", "M1") == 5 * 399
        broken = await at.post(told[:-30], hotel.signed())
        assert broken.status_code == 400
        assert b"<Errors>" in broken.content
        assert (await at.post(told, hotel.signed("pms:no"))).status_code == 401
