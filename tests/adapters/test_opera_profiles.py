"""Reception sees points and tier in OPERA: in the membership of our type in the guest's profile."""

from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse

from adapters.frame.adapter import Shown
from adapters.frame.words import Delivery, RetryLater, Unreadable
from tests.adapters import operas
from tests.adapters.rig import api_of, connection, rig, vendor
from tests.server.served import Caller, Served

FILE = """
schema: loyalty.outbox/v1
subscription: opera-profiles
connection: opera
customer_scheme: opera-profile
profile:
  programme: GH
  currency: point
  tiers: {basic: B, silver: S}
"""
SHOWN = Shown(("687128",), "GH", 120, "S")


def membership(**changes: Any) -> dict[str, Any]:
    """A membership as OPERA tells it, with what we do not know."""
    return {
        "membershipId": "88 00/1",
        "membershipType": "GH",
        "membershipIdNo": 5077,
        "membershipLevel": "B",
        "nameOnCard": "Ada",
        "orderSequence": 1.25,
        **changes,
    }


def hotel(*memberships: dict[str, Any]) -> operas.OperaApi:
    api = operas.OperaApi()
    listed = {"profileMembership": list(memberships)}
    api.profiles["687128"] = {"profileMemberships": listed}
    return api


async def shown(api: operas.OperaApi, what: Shown = SHOWN) -> None:
    made = connection(operas.MAPPING, operas.SECRETS)
    async with api_of(api.app) as calls:
        await made.adapter.show(what, made, calls)


async def test_only_points_and_level_of_our_active_memberships_change() -> None:
    other = membership(membershipType="AA")
    gone = membership(membershipId="1", inactive=True)
    api = hotel(other, membership(), gone)
    await shown(api)
    assert api.changed == [membership(currentPoints=120, membershipLevel="S")]
    await shown(api, Shown(("687128",), "GH", 0, None))
    assert api.changed[1:] == [membership(currentPoints=0, membershipLevel="S")]


async def test_who_has_no_membership_yet_is_waited_for() -> None:
    for api in (hotel(), hotel(membership(inactive=True)), operas.OperaApi()):
        with pytest.raises(RetryLater, match="no active membership of type GH: profile 687128"):
            await shown(api)
        assert api.changed == []


async def test_what_opera_refuses_is_told_apart_from_what_passes_by_itself() -> None:
    api = hotel(membership())
    api.faults = [
        JSONResponse({}, 429, {"retry-after": "30"}),
        JSONResponse({"title": "Invalid level"}, 400),
        JSONResponse({"title": "Not found"}, 404),
    ]
    with pytest.raises(RetryLater) as asked:
        await shown(api)
    assert asked.value.seconds == 30
    with pytest.raises(Unreadable, match="answers 400 to PUT"):
        await shown(api)
    with pytest.raises(RetryLater, match="no such membership"):
        await shown(api)
    broken = hotel()
    broken.profiles["687128"] = {"profileMemberships": {"profileMembership": ["GH"]}}
    with pytest.raises(Unreadable, match="no list of memberships"):
        await shown(broken)


@pytest.mark.database
async def test_a_stay_is_seen_at_reception(served: Served, caller: Caller, tmp_path: Path) -> None:
    api = hotel(membership(membershipId="8800"))
    api.reservations["571062"] = operas.reservation()
    api.bills["571062"] = operas.bill(operas.posting("1000", 500), operas.posting("9000", -500))
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "it.outbox.yaml").write_text(FILE, encoding="utf-8")
    async with (
        vendor(api.app) as address,
        rig(served, caller, tmp_path, operas.mapping(address), operas.SECRETS, outbox=False) as at,
    ):
        told = operas.events(operas.event("CHECK OUT", "571062"))
        await at.serving.inbox.keep("opera", "", Delivery(operas.body(told), pulled=True))
        await at.work()
        await at.serving.outbox.drain()
        (change,) = api.changed
        points = await at.points("card", "8800")
        assert points > 0
        assert (change["currentPoints"], change["membershipLevel"]) == (points, "B")
        assert change["nameOnCard"] == "Ada"
