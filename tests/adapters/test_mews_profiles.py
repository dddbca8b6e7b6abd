"""Reception sees points and tier in Mews: in the guest's membership of our programme."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse

from adapters.frame.adapter import Shown
from adapters.frame.outbox import operating
from adapters.frame.outbox.messages import Message
from adapters.frame.outbox.profiles import ProfileReceiver
from adapters.frame.outbox.subscription import Subscription, read
from adapters.frame.posting import Ledger
from adapters.frame.words import RetryLater, Unreadable
from loyalty.v1.member_service_pb2 import GrantTierRequest
from loyalty.v1.types_pb2 import Origin
from tests.adapters import mewses
from tests.adapters.mewses import PROGRAMME
from tests.adapters.rig import Rig, api_of, connection, rig, vendor
from tests.server import requests
from tests.server.served import Caller, Served

FILE = f"""
schema: loyalty.outbox/v1
subscription: mews-profiles
connection: mews
customer_scheme: mews-customer
profile:
  programme: {PROGRAMME}
  currency: point
  tiers: {{basic: tier-1, silver: tier-2}}
  without_tier: tier-0
"""
SHOWN = Shown(("C1", "C2"), PROGRAMME, 120, "tier-2")


async def shown(api: mewses.MewsApi, what: Shown = SHOWN) -> None:
    made = connection(mewses.MAPPING, mewses.SECRETS)
    async with api_of(api.app) as calls:
        await made.adapter.show(what, made, calls)


def hotel(*memberships: dict[str, Any]) -> mewses.MewsApi:
    api = mewses.MewsApi()
    api.lists["reservations"] = [mewses.reservation()]
    api.lists["orderItems"] = [mewses.item("a", 93.46, 100)]
    api.lists["loyaltyMemberships"] = list(memberships)
    return api


async def test_only_live_memberships_of_our_programme_are_written() -> None:
    api = hotel(
        mewses.membership(),
        mewses.membership(Id="M2", AccountId="C2"),
        mewses.membership(Id="M3", AccountId="C3"),
        mewses.membership(Id="M4", LoyaltyProgramId="somebody-else"),
        mewses.membership(Id="M5", State="Canceled"),
        mewses.membership(Id="M6", ActivityState="Deleted"),
    )
    await shown(api)
    value = {"Points": {"Value": 120}, "LoyaltyTierId": {"Value": "tier-2"}}
    assert api.updates == [{"LoyaltyMembershipId": each, **value} for each in ("M1", "M2")]
    await shown(api, Shown(("C1",), PROGRAMME, 0, None))
    assert api.updates[2:] == [{"LoyaltyMembershipId": "M1", "Points": {"Value": 0}}]


async def test_who_has_no_membership_yet_is_waited_for() -> None:
    api = hotel(mewses.membership(State="Declined"))
    with pytest.raises(RetryLater, match=f"no live membership of programme {PROGRAMME}"):
        await shown(api)
    assert api.updates == []


async def test_what_mews_refuses_is_told_apart_from_what_passes_by_itself() -> None:
    api = hotel(mewses.membership())
    api.faults = [
        JSONResponse({}, 429, {"retry-after": "30"}),
        JSONResponse({"Message": "Invalid LoyaltyTierId"}, 400),
        JSONResponse({}, 404),
    ]
    with pytest.raises(RetryLater) as asked:
        await shown(api)
    assert asked.value.seconds == 30
    with pytest.raises(Unreadable, match="answers 400"):
        await shown(api)
    with pytest.raises(RetryLater, match="no such membership"):
        await shown(api)


async def test_an_answer_that_nobody_foresaw_spoils_one_attempt(tmp_path: Path) -> None:
    file = tmp_path / "it.outbox.yaml"
    file.write_text(FILE, encoding="utf-8")
    api = hotel(mewses.membership())
    api.answers = [["none"], {}]
    data = {"customers": ["C1"], "points": 5, "tier": "silver"}
    message = Message("msg_1", "m", "profile.changed", 1, json.dumps({"data": data}))
    made = connection(mewses.MAPPING, mewses.SECRETS)
    async with api_of(api.app) as calls:
        receiver = ProfileReceiver(Subscription(read(file), None, made), calls)
        outcomes = [await receiver.deliver(message) for _ in range(3)]
        bare = Subscription(read(file), None, connection(mewses.MAPPING))
        refused = await ProfileReceiver(bare, calls).deliver(message)
    assert [each.problem for each in outcomes] == [
        "not understood: AttributeError",
        f"no live membership of programme {PROGRAMME}: account C1",
        "",
    ]
    assert not any(each.final for each in outcomes)
    assert refused.problem == "mews.client_token is missing"


@asynccontextmanager
async def reception(
    served: Served, caller: Caller, folder: Path, api: mewses.MewsApi
) -> AsyncIterator[Rig]:
    """A hotel whose guest C1, our member, has stayed and left."""
    (folder / "mappings").mkdir()
    (folder / "mappings" / "it.outbox.yaml").write_text(FILE, encoding="utf-8")
    async with (
        vendor(api.app) as address,
        rig(served, caller, folder, mewses.mapping(address), mewses.SECRETS, outbox=False) as at,
    ):
        told = mewses.body(mewses.webhook(("ServiceOrderUpdated", "R1")))
        await at.post(told, {"content-type": "application/json"}, path="/hush")
        await at.work()
        await at.serving.outbox.drain()
        yield at


async def again(at: Rig) -> None:
    """Let all pauses be over."""
    await at.pool.execute("UPDATE adapters.outbox_member SET send_at = now() WHERE send_at > now()")
    await at.serving.outbox.drain()


async def messages(at: Rig) -> list[tuple[str, str, str]]:
    rows = await at.pool.fetch("SELECT kind, state, problem FROM adapters.outbox_message")
    return [tuple(row) for row in rows]


async def tier(caller: Caller, name: str) -> None:
    await caller.members.GrantTier(
        GrantTierRequest(
            request_id=f"grant-{name}",
            origin=Origin(business_unit="hotel"),
            member=requests.member(),
            tier=name,
            reason="status match",
        )
    )


@pytest.mark.database
async def test_a_stay_is_seen_at_reception_and_what_changes_while_mews_is_away_is_one_update(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    api = hotel(mewses.membership())
    async with reception(served, caller, tmp_path, api) as at:
        (membership,) = api.lists["loyaltyMemberships"]
        points = await at.points("card", "8800")
        assert points > 0
        assert (membership["Points"], membership["LoyaltyTierId"]) == (points, "tier-1")
        await at.serving.outbox.drain()
        assert len(api.updates) == 1, "what is shown is not written again"
        api.faults = [JSONResponse({}, 500)]
        await caller.ledger.BurnPoints(requests.burn("b-1", points=100))
        await at.serving.outbox.drain()
        ((_, state, problem),) = [each for each in await messages(at) if each[1] != "sent"]
        assert (state, problem) == ("waiting", "127.0.0.1 answers 500")
        await tier(caller, "silver")
        await again(at)
        assert len(api.updates) == 2
        assert (membership["Points"], membership["LoyaltyTierId"]) == (points - 100, "tier-2")
        told = Subscription(read(tmp_path / "mappings" / "it.outbox.yaml"))
        ledger = Ledger(caller.channel, await served.token("drafts", verbs=("read",)))
        (drafted,) = await operating.draft(ledger, told, requests.member(), "C1")
        assert (drafted["receiver"], drafted["customers"]) == ("profiles of mews", ("C1",))
        assert (drafted["points"], drafted["level"]) == (points - 100, "tier-2")


@pytest.mark.database
async def test_a_tier_without_a_row_is_a_dead_letter_and_holds_back_nothing_after_it(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    api = hotel(mewses.membership())
    async with reception(served, caller, tmp_path, api) as at:
        (membership,) = api.lists["loyaltyMemberships"]
        await tier(caller, "gold")
        await at.serving.outbox.drain()
        ((_, _, problem),) = [each for each in await messages(at) if each[1] == "dead"]
        assert problem == (
            "unmapped_tier: tier 'gold' has no row in profile.tiers, only basic, silver"
        )
        assert membership["LoyaltyTierId"] == "tier-1"
        await tier(caller, "silver")
        await at.serving.outbox.drain()
        assert membership["LoyaltyTierId"] == "tier-2"
