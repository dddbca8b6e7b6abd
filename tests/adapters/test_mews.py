"""Mews: what its webhooks and lists mean, recorded and written by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.frame.translating import Result
from adapters.frame.words import (
    Acquaintance,
    Canonical,
    Delivery,
    Nothing,
    Parked,
    Parts,
    Statement,
    Unreadable,
    Verdict,
)
from loyalty.v1.types_pb2 import DOCUMENT_KIND_STAY, DOCUMENT_STATUS_CANCELLED
from tests.adapters import mewses
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


def meaning(told: Any, mapping: str = mewses.MAPPING) -> dict[str, Result]:
    return translate(mapping, mewses.body(told))


async def stay(api: mewses.MewsApi, mapping: str = mewses.MAPPING) -> Canonical:
    """What the reservation R1 amounts to, with all that is fetched for it."""
    made = connection(mapping, mewses.SECRETS)
    told = mewses.webhook(("ServiceOrderUpdated", api.lists["reservations"][0]["Id"]))
    (hint,) = made.adapter.split(Delivery(mewses.body(told)), made)
    subject = f"stay/{api.lists['reservations'][0]['Id']}"
    async with api_of(api.app) as calls:
        parts = await made.adapter.resolve(Parts(subject, {}), [hint], made, calls)  # type: ignore[list-item]
    contents = {part.key: part.content for part in parts if part.content is not None}
    return made.adapter.canonicalise(Parts(subject, contents), made.mapping)


def hotel(*items: Any, **changes: Any) -> mewses.MewsApi:
    api = mewses.MewsApi()
    api.lists["reservations"] = [mewses.reservation(**changes)]
    api.lists["orderItems"] = list(items)
    api.lists["loyaltyMemberships"] = [mewses.membership()]
    return api


async def stated(*items: Any, mapping: str = mewses.MAPPING, **changes: Any) -> Statement:
    return statement({"stay": await stay(hotel(*items, **changes), mapping)})


# --- recorded payloads, as their index says ----------------------------------------------------


def recorded(payloads: Path, name: str) -> Any:
    return json.loads((payloads / "mews" / f"{name}.json").read_text(encoding="utf-8"))


def test_the_recorded_webhook_names_what_is_to_be_fetched(payloads: Path) -> None:
    fetched, dropped = Nothing("to_be_fetched"), Nothing("not_ours")
    assert meaning(recorded(payloads, "webhook_general")) == {
        "stay/bfee2c44-1f84-4326-a862-5289598f6e2d": fetched,
        "delivery 1 item 2": dropped,
        "delivery 1 item 3": dropped,
        "customer/c2f1d888-232e-49eb-87ac-5f75363af13b": fetched,
        "customer/b3ce0fd7-a715-4bfc-969e-ef7a4822963c": fetched,
        "payment/a41e2d45-71bc-49b4-9a05-a3ac5f75735c": Nothing("tender"),
    }


def test_the_recorded_reservation_is_not_checked_out(payloads: Path) -> None:
    assert only(meaning(recorded(payloads, "reservations_getall_response"))) == Nothing(
        "not_checked_out"
    )


async def test_recorded_items_are_city_tax_and_a_companys_room(payloads: Path) -> None:
    tax, room = recorded(payloads, "orderitems_getall_response")["OrderItems"]
    api = hotel(tax, Id=tax["ServiceOrderId"])
    made = statement({"stay": await stay(api)})
    assert lines_of(made) == [], "city tax is no revenue, closed or not"
    api = hotel(room, Id=room["ServiceOrderId"], AccountType="Company")
    made = statement({"stay": await stay(api)})
    assert (lines_of(made), made.members) == ([], ())
    assert made.document.stay.nights == 2, "nights count whoever pays"
    earn = mewses.mapping(company_items="earn")
    assert await stay(api, earn) == Nothing("bill_open")
    api.lists["orderItems"][0] |= {"AccountingState": "Closed"}
    assert lines_of(statement({"stay": await stay(api, earn)})) == [("room", 93_46)]


def test_a_bill_whose_number_the_ledger_cannot_hold_is_not_cut_short(payloads: Path) -> None:
    told = recorded(payloads, "outletitems_getall_response")
    for item in told["OutletItems"]:
        item["BillId"] = "5" * 64
    assert isinstance(meaning(told)[f"outlet/{'5' * 64}"], Unreadable)


def test_outlet_items_of_older_answers_name_no_enterprise(payloads: Path) -> None:
    told = recorded(payloads, "outletitems_getall_response")
    for item in told["OutletItems"]:
        del item["EnterpriseId"]
    made = meaning(told)["outlet/5c82a9bd-729c-4f80-af48-a56ab3aebbf6"]
    assert lines_of(statement({"": made})) == [("food", 44_00)]


def test_what_a_webhook_says_of_integrations_is_not_ours_and_its_token_is_not_kept() -> None:
    made = connection(mewses.MAPPING, mewses.SECRETS)
    older = {"Action": "IntegrationCreated", "Data": {"AccessToken": "9E5E", "IsEnabled": True}}
    newer = mewses.webhook(("ServiceOrderUpdated", "R1"))
    newer["Events"].append(
        {"Discriminator": "IntegrationCreated", "Value": {"AccessToken": "9E5E", "Requestor": None}}
    )
    for told in (older, newer):
        kept = made.adapter.redacted(Delivery(mewses.body(told))).body
        assert b"9E5E" not in kept
        assert b"AccessToken" in kept
        results = meaning(json.loads(kept))
        results.pop("stay/R1", None)
        assert only(results) == Nothing("not_ours")


def test_recorded_outlet_items_are_nobodys_revenue_and_a_tender(payloads: Path) -> None:
    results = meaning(recorded(payloads, "outletitems_getall_response"))
    made = results.pop("outlet/5c82a9bd-729c-4f80-af48-a56ab3aebbf6")
    assert isinstance(made, Statement)
    assert (lines_of(made), made.members) == ([("food", 44_00)], ())
    assert made.document.receipt_code == "1305"
    assert only(results) == Nothing("tender")


def test_the_recorded_membership_is_an_identity_and_no_points(payloads: Path) -> None:
    told = recorded(payloads, "loyaltymemberships_getall_response")
    made = only(meaning(told))
    assert isinstance(made, Acquaintance)
    assert [(each.scheme, each.value) for each in made.identities] == [
        ("card", "PRV-MBR-9842XKLT"),
        ("membership", "MBR-2025-AX49ZT73"),
        ("mews-customer", "fadd5bb6-b428-45d5-94f8-fd0d89fece6d"),
    ]


# --- stays -------------------------------------------------------------------------------------


async def test_a_stay_earns_net_by_kind_of_item_and_nights_by_the_hotels_clock() -> None:
    made = await stated(
        mewses.item("a", 93.46, 100),
        mewses.item("b", 93.46, 100),
        mewses.item("c", 10, 11.9, "ProductOrder"),
        mewses.item("d", 5, 5, "CityTax"),
        mewses.item("e", 50, 50, CanceledUtc="2026-03-24T00:00:00Z", AccountingState="Canceled"),
    )
    assert sorted(lines_of(made)) == [("food", 10_00), ("room", 186_92)]
    assert (made.document.kind, made.document.stay.nights) == (DOCUMENT_KIND_STAY, 2)
    assert [each.value for each in made.members] == ["8800", "MBR-1", "C1"]


async def test_a_rebate_comes_off_and_tax_may_be_a_part() -> None:
    rebate = mewses.item("r", -20, -20, "Rebate")
    made = await stated(mewses.item("a", 100, 107), rebate, mapping=mewses.mapping(amounts="gross"))
    (line,) = made.document.lines
    assert (line.net_minor_units, line.parts[0].minor_units) == (87_00, 5_69)


async def test_an_open_item_waits_and_a_cancellation_takes_back() -> None:
    waits = mewses.item("a", 100, 107, AccountingState="Open")
    assert await stay(hotel(waits)) == Nothing("bill_open")
    made = await stated(State="Canceled", CancelledUtc="2026-03-20T00:00:00Z")
    assert made.document.status == DOCUMENT_STATUS_CANCELLED
    for state in ("Inquired", "Confirmed", "Started", "Optional", "Requested"):
        assert await stay(hotel(State=state)) == Nothing("not_checked_out")


async def test_a_cancelled_membership_is_nobodys() -> None:
    api = hotel(mewses.item("a", 100, 107))
    api.lists["loyaltyMemberships"] = [mewses.membership(State="Canceled")]
    assert [each.scheme for each in statement({"s": await stay(api)}).members] == ["mews-customer"]


async def test_what_is_not_mapped_parks() -> None:
    with pytest.raises(Parked, match="unmapped_category"):
        await stay(hotel(mewses.item("a", 1, 1, "Mystery")))
    money = {"Currency": "USD", "NetValue": 1, "GrossValue": 1}
    with pytest.raises(Parked, match="unmapped_currency"):
        await stay(hotel(mewses.item("a", 1, 1, Amount=money)))


async def test_a_service_order_that_is_no_reservation_is_nothing() -> None:
    made = connection(mewses.MAPPING, mewses.SECRETS)
    async with api_of(mewses.MewsApi().app) as calls:
        (part,) = await made.adapter.resolve(Parts("stay/X", {}), [], made, calls)
    contents = {part.key: part.content or {}}
    found = made.adapter.canonicalise(Parts("stay/X", contents), made.mapping)
    assert found == Nothing("not_a_reservation")


def test_events_of_other_enterprises_and_our_own_updates_are_dropped() -> None:
    other = mewses.webhook(("ServiceOrderUpdated", "R1"), enterprise="another")
    assert only(meaning(other)) == Nothing("not_ours")
    ours = mewses.membership(UpdaterProfile={"Id": "our-profile"})
    assert only(meaning({"LoyaltyMemberships": [ours]})) == Nothing("own_echo")


@pytest.mark.parametrize(
    "told",
    [
        {},
        [],
        {"EnterpriseId": mewses.ENTERPRISE, "Events": 7},
        {"Reservations": [{"Id": "R1"}]},
        {"OrderItems": [{"Id": True}]},
    ],
)
def test_what_cannot_be_read_is_a_dead_letter(told: Any) -> None:
    assert isinstance(only(meaning(told)), Unreadable)


def test_only_the_token_in_the_address_is_genuine() -> None:
    made = connection(mewses.MAPPING, mewses.SECRETS)

    def verdict(path: str = "", **query: str) -> Verdict:
        return made.adapter.verify(Delivery(b"{}", query=query, path=path), made)

    assert verdict("hush") is verdict(token="hush") is Verdict.GENUINE
    assert verdict() is verdict("Hush") is verdict(token="") is Verdict.FORGED
    bare = connection(mewses.MAPPING)
    assert bare.adapter.verify(Delivery(b"{}", path=""), bare) is Verdict.FORGED


async def test_a_pull_goes_through_all_lists_page_by_page() -> None:
    api = mewses.MewsApi()
    changed = {"UpdatedUtc": "2999-01-01T00:00:00Z"}
    api.lists["orderItems"] = [mewses.item(str(n), 1, 1, **changed) for n in range(150)]
    made = connection(mewses.MAPPING, mewses.SECRETS)
    async with api_of(api.app) as calls:
        cursor, sizes, more = "", [], True
        while more:
            pulled = await made.adapter.pull(cursor, made, calls)
            sizes += [len(json.loads(each.body)["OrderItems"]) for each in pulled.deliveries]
            cursor, more = pulled.cursor, pulled.more
    assert sizes == [100, 50]
    assert list(json.loads(cursor)) == ["begin"]


@pytest.mark.database
async def test_a_webhook_ends_in_points_and_coming_again_changes_nothing(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    api = hotel(mewses.item("a", 93.46, 100))
    async with (
        vendor(api.app) as address,
        rig(served, caller, tmp_path, mewses.mapping(address), mewses.SECRETS) as at,
    ):
        told = mewses.body(mewses.webhook(("ServiceOrderUpdated", "R1")))
        headers = {"content-type": "application/json"}
        for _ in range(2):
            assert (await at.post(told, headers, path="/hush")).status_code == 200
            await at.work()
        assert await at.documents() == 1
        assert await at.points("card", "8800") >= 465
        assert (await at.post(told, headers, path="/wrong")).status_code == 401
