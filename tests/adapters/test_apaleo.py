"""Apaleo: what its webhooks, reservations and folios mean, recorded and written by hand."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from adapters.frame.translating import Result
from adapters.frame.words import Delivery, Nothing, Parked, Parts, Statement, Unreadable, Verdict
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_CANCELLED
from tests.adapters.apaleos import (
    MAPPING,
    SECRETS,
    ApaleoApi,
    body,
    charge,
    event,
    folio,
    mapping,
    reservation,
)
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


async def stay(*folios: Any, text: str = MAPPING, **changes: Any) -> Result:
    """What the reservation amounts to, with its folios fetched."""
    api = ApaleoApi(reservation(**changes))
    api.folios = {each["id"]: each for each in folios}
    made = connection(text, SECRETS)
    async with api_of(api.app) as calls:
        parts = await made.adapter.resolve(Parts("stay/XPGMSXGF-1", {}), [], made, calls)
    contents = {part.key: part.content or {} for part in parts}
    try:
        return made.adapter.canonicalise(Parts("stay/XPGMSXGF-1", contents), made.mapping)
    except (Parked, Unreadable) as error:
        return error


async def stated(*folios: Any, text: str = MAPPING, **changes: Any) -> Statement:
    return statement({"stay": await stay(*folios, text=text, **changes)})


# --- recorded payloads, as their index says ----------------------------------------------------


def recorded(payloads: Path, name: str) -> bytes:
    return (payloads / "apaleo" / f"{name}.json").read_bytes()


def test_the_recorded_health_check_is_answered_and_is_nothing(payloads: Path) -> None:
    made = connection(MAPPING, SECRETS)
    told = recorded(payloads, "event_healthcheck")
    assert made.adapter.verify(Delivery(told, path="hush"), made) is Verdict.GREETING
    assert made.adapter.verify(Delivery(told, path="wrong"), made) is Verdict.FORGED
    assert only(translate(MAPPING, told)) == Nothing("greeting")


def test_the_recorded_event_names_what_is_to_be_fetched(payloads: Path) -> None:
    told = recorded(payloads, "event_reservation_created")
    assert translate(MAPPING, told) == {"stay/XPGMSXGF-1": Nothing("to_be_fetched")}
    made = connection(MAPPING)
    (part,) = made.adapter.split(Delivery(told), made)
    assert part.version == 1_692_268_510_605_000  # type: ignore[union-attr]


def test_a_health_check_is_known_in_capitals_and_a_time_in_seconds() -> None:
    made = connection(MAPPING, SECRETS)
    check = body({"topic": "System", "type": "Healthcheck", "accountId": "HFTF"})
    assert made.adapter.verify(Delivery(check, path="hush"), made) is Verdict.GREETING
    assert only(translate(MAPPING, check)) == Nothing("greeting")
    (part,) = made.adapter.split(Delivery(body(event(timestamp=1530741026))), made)
    assert part.version == 1_530_741_026_000_000  # type: ignore[union-attr]


def test_the_recorded_reservation_is_not_checked_out(payloads: Path) -> None:
    result = only(translate(MAPPING, recorded(payloads, "reservation_confirmed")))
    assert result == Nothing("not_checked_out")


async def test_the_recorded_reservation_has_three_nights_once_its_guest_has_left(
    payloads: Path,
) -> None:
    told = json.loads(recorded(payloads, "reservation_confirmed"))
    closed = folio(charge("Accommodation", 140.19, 150), charge("FoodAndBeverages", 50.47, 54))
    made = await stated(closed, **{**told, "status": "CheckedOut", "externalCode": ""})
    assert made.document.stay.nights == 3
    assert lines_of(made) == [("room", 140_19), ("food", 50_47)]
    assert [(each.scheme, each.value) for each in made.members] == [("email", "anna@example.com")]


# --- stays -------------------------------------------------------------------------------------


async def test_allowances_moved_charges_city_tax_and_companies_do_not_earn() -> None:
    mine = folio(
        charge("Accommodation", 100, 107),
        charge("Accommodation", 100, 107, movedTo={"id": "XPGMSXGF-1-2"}),
        charge("Accommodation", 50, 53.5, isPosted=False),
        charge("CityTax", 5, 5),
        charge("SecondCityTax", 2, 2),
        charge("Accommodation", 9, 9, type="Tax"),
        charge("Other", 3, 3, type="GuestLevy"),
        charge("Accommodation", 60, 64.2, routedTo={"id": "XPGMSXGF-2-1"}, movedTo=None),
        allowances=[charge("Accommodation", 20, 21.4)],
    )
    company = folio(charge("Accommodation", 300, 321), number=2, company={"id": "ACME"})
    assert lines_of(await stated(mine, company)) == [("room", 80_00)]
    earn = await stated(mine, company, text=mapping(company_folios="earn"))
    assert lines_of(earn) == [("room", 380_00)]
    debitor = {**company, "company": None, "debitor": {"type": "Company", "name": "ACME"}}
    assert lines_of(await stated(mine, debitor)) == [("room", 80_00)]


async def test_an_open_folio_waits_and_who_never_came_is_cancelled() -> None:
    assert await stay(folio(charge("Accommodation", 1, 1), status="Open")) == Nothing("folio_open")
    assert await stay() == Nothing("folio_open"), "no folio yet"
    for status in ("Canceled", "NoShow"):
        made = await stated(status=status)
        assert made.document.status == DOCUMENT_STATUS_CANCELLED
    for status in ("Confirmed", "InHouse"):
        assert await stay(status=status) == Nothing("not_checked_out")


async def test_what_is_not_mapped_parks_and_what_cannot_be_is_dead() -> None:
    assert isinstance(await stay(folio(charge("Wellness", 1, 1))), Parked)
    assert isinstance(await stay(folio(charge("Accommodation", 1.005, 2))), Unreadable)
    assert isinstance(await stay(folio(), departure="2026-02-01T11:00:00+01:00"), Unreadable)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (event(accountId="OTHER"), "not_ours"),
        (event(clientId="US-SP-LOYALTY"), "own_echo"),
        (event(topic="Invoice"), "not_ours"),
        (event(topic="Folio", data={"entityId": "XPGMSXGF-1-1"}), "to_be_fetched"),
        (event(topic="Folio", data={"entityId": "HOUSE"}), "not_a_stay"),
    ],
)
def test_events(told: Any, reason: str) -> None:
    assert only(translate(MAPPING, body(told))) == Nothing(reason)


@pytest.mark.parametrize("timestamp", [None, "2026-03-04T10:00:00Z", 1.5, 10**18])
def test_a_time_in_another_form_is_a_dead_letter(timestamp: Any) -> None:
    assert isinstance(only(translate(MAPPING, body(event(timestamp=timestamp)))), Unreadable)


def test_basic_is_another_way_to_log_in() -> None:
    made = connection(mapping(login="basic"), {"webhook_secret": "apaleo:hush"})
    value = base64.b64encode(b"apaleo:hush").decode()

    def verdict(**headers: str) -> Verdict:
        return made.adapter.verify(Delivery(body(event()), headers), made)

    assert verdict(authorization=f"Basic {value}") is Verdict.GENUINE
    assert verdict(authorization="Basic !") is verdict() is Verdict.FORGED


async def test_a_pull_brings_what_changed() -> None:
    many = [reservation(id=f"R{number}-1", status="Confirmed") for number in range(130)]
    made = connection(MAPPING, SECRETS)
    async with api_of(ApaleoApi(*many).app) as calls:
        first = await made.adapter.pull("", made, calls)
        last = await made.adapter.pull(first.cursor, made, calls)
        none = await made.adapter.pull(last.cursor, made, calls)
    sizes = [len(json.loads(each.deliveries[0].body)["reservations"]) for each in (first, last)]
    assert (sizes, first.more, last.more) == ([100, 30], True, False)
    assert len(none.deliveries) == 1, "a window overlaps the one before it"


@pytest.mark.database
async def test_a_webhook_ends_in_points_and_a_correction_in_fewer(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    api = ApaleoApi(reservation())
    api.folios["XPGMSXGF-1-1"] = folio(charge("Accommodation", 100, 107))
    async with (
        vendor(api.app) as address,
        rig(served, caller, tmp_path, mapping(address), SECRETS) as at,
    ):
        await at.enrol("card", "9911", unit="hotel")
        api.reservations["XPGMSXGF-1"]["externalCode"] = "9911"

        async def told(**changes: Any) -> None:
            response = await at.post(body(event(**changes)), {}, path="/hush")
            assert response.status_code == 200
            await at.work()

        await told()
        before = await at.points("card", "9911")
        assert before >= 500
        await told()
        assert await at.documents() == 1
        api.folios["XPGMSXGF-1-1"] = folio(charge("Accommodation", 50, 53.5))
        await told(id="another", topic="Folio", data={"entityId": "XPGMSXGF-1-1"})
        assert await at.points("card", "9911") == before - 250
        assert (await at.post(body(event()), {}, path="/wrong")).status_code == 401
