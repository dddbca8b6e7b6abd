"""OPERA Cloud: what its events, reservations and folios mean, recorded and written by hand."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.frame.mapping import MappingRefused
from adapters.frame.translating import Result
from adapters.frame.words import (
    Acquaintance,
    Delivery,
    Nothing,
    Parked,
    Parts,
    Statement,
    Unreadable,
)
from adapters.opera.access import PAGES_MAX
from loyalty.v1.types_pb2 import DOCUMENT_KIND_STAY, DOCUMENT_STATUS_CANCELLED
from tests.adapters import operas
from tests.adapters.rig import (
    api_of,
    connection,
    lines_of,
    only,
    rig,
    statement,
    translate,
    vendor,
)
from tests.server.served import Caller, Served


def stay(
    *postings: dict[str, Any],
    mapping: str = operas.MAPPING,
    balance: float | int = 0,
    window: int = 1,
    **changes: Any,
) -> Result:
    """What a reservation with a folio amounts to."""
    told = operas.bill(*postings, balance=balance, window=window)
    contents = {
        "reservation": operas.reservation(**changes),
        "bill": json.loads(json.dumps(told["reservationFolioInformation"])),
    }
    for each in contents["bill"]["folioWindows"]:
        for posting in each["folios"][0]["postings"]:
            posting["postedAmount"]["amount"] = str(posting["postedAmount"]["amount"])
        each["balance"]["amount"] = str(each["balance"]["amount"])
    made = connection(mapping)
    try:
        return made.adapter.canonicalise(Parts("stay/HOTEL1/571062", contents), made.mapping)
    except (Parked, Unreadable) as error:
        return error


def stated(*postings: dict[str, Any], **changes: Any) -> Statement:
    return statement({"stay": stay(*postings, **changes)})


# --- recorded payloads, as their index says ----------------------------------------------------


def recorded(payloads: Path, name: str) -> bytes:
    return (payloads / "opera_ohip" / f"{name}.json").read_bytes()


def test_recorded_events_are_profiles_to_be_fetched_and_nothing_earned(payloads: Path) -> None:
    results = translate(operas.MAPPING, recorded(payloads, "business_events_dequeue"))
    assert results == {
        "profile/42212": Nothing("to_be_fetched"),
        "profile/494139": Nothing("to_be_fetched"),
    }


def test_the_recorded_reservation_is_not_checked_out_and_earns_nothing(payloads: Path) -> None:
    results = translate(operas.MAPPING, recorded(payloads, "reservation_get"))
    assert results == {"stay/HOTEL1/571062": Nothing("not_checked_out")}


# --- stays -------------------------------------------------------------------------------------


def test_a_stay_earns_by_transaction_code_without_what_pays() -> None:
    made = stated(
        operas.posting("1000", 93.46),
        operas.posting("1000", 93.46),
        operas.posting("2001", 20),
        operas.posting("8100", 12.5),
        operas.posting("9000", -219.42),
        operas.posting("7777", -1, transactionType="Payment"),
    )
    assert lines_of(made) == [("room", 186_92), ("food", 20_00), ("tax", 12_50)]
    document = made.document
    assert (document.kind, document.document_id) == (DOCUMENT_KIND_STAY, "HOTEL1/571062")
    assert (document.stay.nights, document.stay.stays) == (3, 1)
    assert document.receipt_code == "813595"
    assert [(each.scheme, each.value) for each in made.members] == [
        ("card", "8800"),
        ("card", "8800"),
        ("opera-profile", "687128"),
    ]


def test_corrections_are_taken_off_their_code_and_then_off_the_others() -> None:
    made = stated(
        operas.posting("1000", 100),
        operas.posting("1000", -40),
        operas.posting("2001", 60),
        operas.posting("2002", -20),
    )
    assert lines_of(made) == [("room", 50_00), ("food", 50_00)]


@pytest.mark.parametrize(
    "debit",
    [
        {"debit": {"amount": "10", "currencyCode": "EUR"}},
        {"debitAmount": {"amount": 10, "currencyCode": "EUR"}},
        {"debitAmount": 12, "creditAmount": "2.00"},
    ],
)
def test_debit_and_credit_say_the_same(debit: dict[str, Any]) -> None:
    debit = {"transactionCode": "1000", **debit}
    told = operas.bill(debit)["reservationFolioInformation"]
    told["folioWindows"][0]["balance"]["amount"] = "0"
    made = connection(operas.MAPPING)
    contents = {"reservation": operas.reservation(), "bill": told}
    found = made.adapter.canonicalise(Parts("stay/HOTEL1/571062", contents), made.mapping)
    assert lines_of(statement({"stay": found})) == [("room", 10_00)]


async def bill_of(api: operas.OperaApi, mapping: str = operas.MAPPING) -> Statement:
    """What the stay amounts to, with all that is fetched for it."""
    api.reservations["571062"] = operas.reservation()
    made = connection(mapping, operas.SECRETS)
    subject = "stay/HOTEL1/571062"
    async with api_of(api.app) as calls:
        parts = await made.adapter.resolve(Parts(subject, {}), [], made, calls)
    contents = {part.key: part.content for part in parts if part.content is not None}
    return statement({"": made.adapter.canonicalise(Parts(subject, contents), made.mapping)})


async def test_postings_beyond_a_page_and_windows_that_were_left_out_are_fetched() -> None:
    api = operas.OperaApi()
    first = operas.bill(*[operas.posting("1000", 10) for _ in range(7)])
    second = operas.bill(operas.posting("2001", 20), window=2)
    windows = first["reservationFolioInformation"]["folioWindows"]
    windows += second["reservationFolioInformation"]["folioWindows"]
    api.bills["571062"], api.cut = first, {2}
    assert lines_of(await bill_of(api)) == [("room", 70_00), ("food", 20_00)]
    # What a window that does not count has left out is not missed.
    windows[1]["folios"][0]["postings"] = []
    assert lines_of(await bill_of(api, operas.mapping(windows="[1]"))) == [("room", 70_00)]
    with pytest.raises(Unreadable, match="folio window 2"):
        await bill_of(api)


async def test_a_folio_that_never_ends_is_given_up() -> None:
    api = operas.OperaApi()
    postings = [operas.posting("1000", 10)] * (PAGES_MAX * api.FOLIO_PAGE + 1)
    api.bills["571062"], api.cut = operas.bill(*postings), {1}
    with pytest.raises(Unreadable, match="more than 60 postings in folio window 1"):
        await bill_of(api)


@pytest.mark.parametrize("element", ["RESV NAME ID", "RESV_NAME_ID", "RESERVATION_NAME_ID"])
def test_a_posting_is_of_the_reservation_among_its_data(element: str) -> None:
    told = operas.event("DELETE POSTING", "9911")
    told["businessEvent"]["details"] = [
        {"dataElement": "AMOUNT", "newValue": 12.5},
        {"dataElement": element, "newValue": 571062},
    ]
    results = translate(operas.MAPPING, operas.body(operas.events(told)))
    assert results == {"stay/HOTEL1/571062": Nothing("to_be_fetched")}


def test_an_open_folio_waits_and_another_window_may_not_count() -> None:
    assert stay(operas.posting("1000", 10), balance=5) == Nothing("folio_open")
    mine = operas.mapping(windows="[1]")
    company = stay(operas.posting("1000", 10), balance=5, window=2, mapping=mine)
    assert lines_of(statement({"stay": company})) == []


@pytest.mark.parametrize("status", ["Cancelled", "NoShow"])
def test_who_never_came_is_cancelled_and_has_no_night(status: str) -> None:
    made = stated(status=status)
    assert made.document.status == DOCUMENT_STATUS_CANCELLED
    assert not made.document.HasField("stay")


@pytest.mark.parametrize("status", ["Reserved", "InHouse", "DueOut", "Waitlist"])
def test_whoever_is_still_there_earns_nothing_yet(status: str) -> None:
    assert stay(operas.posting("1000", 10), status=status) == Nothing("not_checked_out")


def test_what_is_not_mapped_parks() -> None:
    for result, reason in (
        (stay(operas.posting("3000", 10)), "unmapped_category"),
        (stay(hotelId="HOTEL9"), "unmapped_place"),
    ):
        assert isinstance(result, Parked)
        assert result.reason == reason


def test_amounts_beyond_the_currency_and_impossible_stays_are_dead() -> None:
    assert isinstance(stay(operas.posting("1000", "10.001")), Unreadable)
    backwards = {"arrivalDate": "2026-03-05", "departureDate": "2026-03-02"}
    assert isinstance(stay(operas.posting("1000", 10), roomStay=backwards), Unreadable)
    no_day = {"arrivalDate": "2026-02-30", "departureDate": "2026-03-02"}
    assert isinstance(stay(operas.posting("1000", 10), roomStay=no_day), Unreadable)


def test_a_number_that_the_ledger_cannot_hold_is_not_cut_short() -> None:
    ids = [{"id": "5" * 58, "type": "Reservation"}]
    assert isinstance(stay(operas.posting("1000", 10), reservationIdList=ids), Unreadable)


def test_an_inactive_membership_is_nobodys() -> None:
    guests = operas.reservation()["reservationGuests"]
    profile = guests[0]["profileInfo"]["profile"]["profileMemberships"]
    profile["profileMembership"][0]["inactive"] = True
    made = stated(reservationGuests=guests)
    assert [each.scheme for each in made.members] == ["opera-profile"]


# --- events ------------------------------------------------------------------------------------


def test_events_say_what_is_to_be_fetched_and_one_bad_one_spoils_no_other() -> None:
    told = operas.events(
        operas.event("CHECK OUT", "1", number=1),
        operas.event("UPDATE RESERVATION", "2", number=2, moduleName=3, createdDateTime=None),
        operas.event("CANCEL RESERVATION", "3", number=3, hotelId="HOTEL9"),
        operas.event("UPDATE RESERVATION", "4", number=4, publisherId="777"),
        operas.event("NEW HOUSEKEEPING TASK", "5", number=5),
        {"businessEvent": {"header": {}}},
    )
    results = translate(operas.MAPPING, operas.body(told))
    found = {name: result for name, result in results.items() if isinstance(result, Nothing)}
    assert found == {
        "stay/HOTEL1/1": Nothing("to_be_fetched"),
        "stay/HOTEL1/2": Nothing("to_be_fetched"),
        "stay/HOTEL9/3": Nothing("to_be_fetched"),
        "4": Nothing("own_echo"),
        "delivery 1 item 5": Nothing("not_ours"),
    }
    assert isinstance(results["delivery 1 item 6"], Unreadable)


@pytest.mark.parametrize(
    "told", [{}, {"businessEventData": 7}, {"reservations": {"reservation": 7}}, []]
)
def test_what_is_nothing_of_operas_is_a_dead_letter(told: Any) -> None:
    assert isinstance(only(translate(operas.MAPPING, operas.body(told))), Unreadable)


def test_a_profile_links_what_names_its_person() -> None:
    made = connection(operas.MAPPING)
    profile = {
        "emails": {"emailInfo": [{"email": {"emailAddress": "Anna@Example.com"}}]},
        "profileMemberships": {"profileMembership": [{"membershipId": "8800"}]},
    }
    found = made.adapter.canonicalise(Parts("profile/7", {"profile": profile}), made.mapping)
    assert isinstance(found, Acquaintance)
    assert [(each.scheme, each.value) for each in found.identities] == [
        ("card", "8800"),
        ("opera-profile", "7"),
        ("email", "anna@example.com"),
    ]
    gone = made.adapter.canonicalise(Parts("profile/7", {"profile": {}}), made.mapping)
    assert gone == Nothing("nothing_to_link")


def test_settings_are_checked() -> None:
    with pytest.raises(MappingRefused, match="RAW"):
        connection(operas.MAPPING.replace("code: PTS", "code: RAW"))
    with pytest.raises(MappingRefused, match="vendor_login"):
        connection(operas.mapping(vendor_login="none"))


# --- pulls, and end to end ---------------------------------------------------------------------


async def test_events_are_dequeued_until_there_are_none_after_the_days_departures() -> None:
    api = operas.OperaApi()
    api.queue = [operas.event("CHECK OUT", str(number), number=number) for number in range(3)]
    made = connection(operas.MAPPING, operas.SECRETS)
    async with api_of(api.app) as calls:
        cursor, told, more = "", [], True
        while more:
            pulled = await made.adapter.pull(cursor, made, calls)
            told += [json.loads(each.body) for each in pulled.deliveries]
            cursor, more = pulled.cursor, pulled.more
        assert [len(each["businessEventData"]) for each in told] == [2, 1]
        again = await made.adapter.pull(cursor, made, calls)
    assert (list(again.deliveries), again.more) == ([], False)
    assert api.logins <= 1, "a token is used until it ends"


async def test_departures_are_listed_until_there_are_no_more_and_those_over_are_fetched() -> None:
    api = operas.OperaApi()
    today = datetime.now(tz=UTC).date()
    days = {"arrivalDate": f"{today - timedelta(days=3)}", "departureDate": f"{today}"}
    for number, status in enumerate(("CheckedOut", "InHouse", "Cancelled", "NoShow", "Reserved")):
        ids = [{"id": str(number), "type": "Reservation"}]
        api.reservations[str(number)] = operas.reservation(
            status, reservationIdList=ids, roomStay=days
        )
    made = connection(operas.MAPPING, operas.SECRETS)
    async with api_of(api.app) as calls:
        pages, cursor = [], ""
        for _ in range(3):
            pulled = await made.adapter.pull(cursor, made, calls)
            pages += [each.body for each in pulled.deliveries]
            cursor = pulled.cursor
    assert translate(operas.MAPPING, *pages) == {
        f"stay/HOTEL1/{number}": Nothing("not_checked_out" if number in (1, 4) else "to_be_fetched")
        for number in range(5)
    }


@pytest.mark.database
async def test_a_check_out_earns_and_a_later_cancellation_takes_it_back(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    api = operas.OperaApi()
    api.reservations["571062"] = operas.reservation()
    api.bills["571062"] = operas.bill(operas.posting("1000", 100), operas.posting("9000", -100))
    async with vendor(api.app) as address:
        mapping = operas.mapping(address)
        async with rig(served, caller, tmp_path, mapping, operas.SECRETS) as at:

            async def dequeued(told: dict[str, Any]) -> None:
                await at.serving.inbox.keep("opera", "", delivery(told))
                await at.work()

            await dequeued(operas.events(operas.event("CHECK OUT", "571062")))
            earned = await at.points("card", "8800")
            assert earned >= 500
            await dequeued(operas.events(operas.event("UPDATE RESERVATION", "571062", number=2)))
            assert await at.documents() == 1, "what comes again changes nothing"
            api.reservations["571062"] = operas.reservation("Cancelled")
            await dequeued(operas.events(operas.event("CANCEL RESERVATION", "571062", number=3)))
            assert await at.points("card", "8800") == 0


def delivery(told: dict[str, Any]) -> Delivery:
    return Delivery(operas.body(told), {"content-type": "application/json"}, pulled=True)
