"""Who was told of a member is told that the member was erased, or is another one now."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.responses import Response

from adapters.frame.outbox import operating
from loyalty.v1.member_service_pb2 import (
    EraseMemberRequest,
    GetMemberRequest,
    MergeMembersRequest,
    UnmergeMembersRequest,
)
from loyalty.v1.types_pb2 import (
    ERASED_BALANCE_KEPT,
    ERASURE_REQUESTER_AUTHORITY,
    MemberRef,
    Origin,
)
from tests.adapters.outboxes import Shop, Telling, file_of, subscription, telling
from tests.adapters.rig import vendor
from tests.server import requests
from tests.server.served import Caller, Served

ORIGIN = Origin(business_unit="market", operator="ann")


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
async def told(
    served: Served, caller: Caller, shop: Shop, tmp_path: Path
) -> AsyncIterator[Telling]:
    """A shop that is told everything, and one that is told of tiers alone."""
    token = await served.token("outbox", verbs=("audit", "read"))
    async with vendor(shop.app) as address:
        every = subscription(tmp_path, file_of(f"{address}/hooks"))
        tiers = file_of(f"{address}/hooks", webhook="  events: [tier.changed]", name="tiers")
        async with telling(served, caller, token, every, subscription(tmp_path, tiers)) as running:
            yield running


async def member_id(caller: Caller, card: str = requests.CARD) -> str:
    found = await caller.members.GetMember(GetMemberRequest(member=requests.member(card)))
    return str(found.member.member_id)


async def erase(caller: Caller) -> None:
    await caller.members.EraseMember(
        EraseMemberRequest(
            request_id="x-1",
            origin=ORIGIN,
            member=requests.member(),
            balance=ERASED_BALANCE_KEPT,
            requested_by=ERASURE_REQUESTER_AUTHORITY,
            reference="court/2026-7",
        )
    )


async def kept(told: Telling) -> list[tuple[str, str, object]]:
    """What is remembered of members: id, state and when somebody looks again."""
    rows = await told.pool.fetch("SELECT member_id, told, look_at FROM adapters.outbox_member")
    return [tuple(row) for row in rows]


async def test_who_is_erased_is_forgotten_and_the_receiver_told_so(
    caller: Caller, told: Telling, shop: Shop
) -> None:
    erased = await member_id(caller)
    await caller.ledger.PostDocument(requests.sale())
    await told.drain()
    await told.pool.execute(
        "INSERT INTO adapters.known_customer VALUES ('web', 'shop-customer', '12', $1)", erased
    )
    count, before = len(shop.got), shop.of("balance.changed")[-1]["version"]
    await erase(caller)
    await told.drain()
    (last,) = shop.got[count:]
    assert last["type"] == "member.erased"
    assert last["data"]["member_id"] == erased
    assert last["data"]["version"] > before
    assert set(last["data"]) == {"member_id", "version"}
    assert await told.pool.fetchval("SELECT count(*) FROM adapters.known_customer") == 0
    assert await kept(told) == [(erased, "{}", None), (erased, "{}", None)]
    assert await told.messages() == [("member.erased", "sent", 1, "")]
    returned = requests.sale("r-9", cents=5_00)
    returned.document.version = 2
    returned.member.CopyFrom(MemberRef(member_id=erased))
    assert (await caller.ledger.PostDocument(returned)).posting.entry_id
    await told.drain()
    assert len(shop.got) == count + 1, "of what is left of the account nothing is told"


async def test_who_never_heard_of_a_member_does_not_hear_of_the_erasure(
    caller: Caller, told: Telling, shop: Shop
) -> None:
    await erase(caller)
    await told.drain()
    assert shop.got == []
    assert await told.messages() == []


async def test_an_erasure_takes_the_place_of_what_waits_and_is_sent_until_it_arrives(
    caller: Caller, told: Telling, shop: Shop
) -> None:
    await caller.ledger.PostDocument(requests.sale())
    shop.answers = [lambda: Response(status_code=503)] * 2
    await told.drain()
    await erase(caller)
    shop.answers = [lambda: Response(status_code=410)]
    await told.drain()
    await told.again()
    assert [(kind, state) for kind, state, *_ in await told.messages()] == [
        ("member.erased", "dead")
    ]
    assert shop.got == []
    wanted = operating.Wanted(subscription="shop", kind="member.erased")
    await operating.retry(told.pool, wanted, operator="ann", why="the shop is back")
    await told.drain()
    assert [message["type"] for message in shop.got] == ["member.erased"]


async def test_who_was_merged_is_told_of_under_the_other_id_and_after_an_undoing_again(
    caller: Caller, told: Telling, shop: Shop
) -> None:
    await caller.members.EnrolMember(requests.enrolment("e-2", card="8811"))
    source, target = await member_id(caller), await member_id(caller, "8811")
    await caller.ledger.PostDocument(requests.sale(cents=100_00))
    await told.drain()
    count, had = len(shop.got), shop.of("balance.changed")
    merging = MergeMembersRequest(
        request_id="m-1",
        origin=ORIGIN,
        member=requests.member(),
        into=requests.member("8811"),
        reason="one person",
    )
    await caller.members.MergeMembers(merging)
    await told.drain()
    (merged,) = shop.of("member.merged")
    assert (merged["member_id"], merged["into"]) == (source, target)
    assert merged["version"] > max(each["version"] for each in had)
    others = [each["data"]["member_id"] for each in shop.got[count:] if each["data"] != merged]
    assert set(others) == {target}
    unmerging = UnmergeMembersRequest(
        request_id="u-1", origin=ORIGIN, member=requests.member(), reason="two persons"
    )
    count = len(shop.got)
    await caller.members.UnmergeMembers(unmerging)
    await told.drain()
    back = [
        each["data"]
        for each in shop.got[count:]
        if (each["type"], each["data"]["member_id"]) == ("balance.changed", source)
    ]
    assert back[-1]["version"] > merged["version"]
    assert back[-1]["balances"] == next(e["balances"] for e in had if e["member_id"] == source)
