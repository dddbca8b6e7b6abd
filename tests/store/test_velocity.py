"""Limits of velocity: counted exactly, whoever does it, and given back by the stated rule."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ledger.core.instant import DAY, SECOND
from ledger.core.refusals import Refusal, VelocityExceeded
from ledger.verifying.findings import Reason
from loyalty.v1.ledger_service_pb2 import AdjustPointsRequest, Posting
from loyalty.v1.member_service_pb2 import LinkIdentityRequest
from loyalty.v1.types_pb2 import Identity, MemberRef, Origin, Points
from server.database import connect
from tests.store.moving import Mover
from tests.store.tampering import Story
from tests.store.test_adjusting import verified
from tests.store.till import POLICY, Till, at, moved, open_till

HOUR = DAY // 24


def limited(*limits: str) -> str:
    lines = "\n".join(f"  - {{{limit}}}" for limit in limits)
    adjustments = "adjustments: {points_alone: 100000, reasons: [{id: goodwill}]}\n"
    gifts = 'transfers: [{id: gift, currency: p, fee_share: "10%", fee_unit: b}]\n'
    return f"{POLICY}{adjustments}{gifts}velocity:\n{lines}\n"


@asynccontextmanager
async def watched(database: str, *limits: str) -> AsyncIterator[tuple[Till, MemberRef]]:
    """A till under limits, with a member who has 10,000 points."""
    async with open_till(database) as till:
        await till.publish(limited(*limits))
        till.clock.set(at("2025-03-03T10:00"))
        member = await till.enrol("1")
        await till.post(till.document(member, "D0", 1, 10_000_00))
        yield till, member


def served(request: Any, operator: str) -> Any:
    request.origin.operator = operator
    return request


def adjusting(till: Till, member: MemberRef, points: int, by: str = "u1") -> AdjustPointsRequest:
    return AdjustPointsRequest(
        request_id=till.rid(),
        origin=Origin(business_unit="a", operator=by),
        member=member,
        points=Points(currency="p", amount=points),
        reason="goodwill",
    )


async def refused(till: Till, request: Any) -> dict[str, str | int]:
    with pytest.raises(VelocityExceeded) as exceeded:
        await till.post(request)
    return exceeded.value.fields


async def test_a_member_may_burn_so_often_and_so_much_a_day(database: str) -> None:
    limit = "id: often, verbs: [burn, hold], per: member, window: local_day, count: 3, "
    async with watched(database, limit + "points: 500, currency: p") as (till, member):
        await till.post(till.burn(member, 200))
        await till.post(till.hold(member, "H", 200))
        assert await refused(till, till.burn(member, 101)) == {
            "limit": "often",
            "per": "member",
            "what": "points",
            "most": 500,
            "used": 400,
            "requested": 101,
            "window": "local_day",
            "free_at": "2025-03-04T00:00:00Z",
        }
        await till.post(till.burn(member, 100))
        assert (await refused(till, till.burn(member, 1)))["what"] == "times"
        other = await till.enrol("2")
        await till.post(till.document(other, "D1", 1, 100_00))
        await till.post(till.burn(other, 100))
        assert "free_at" not in await refused(till, till.burn(other, 501))
        till.clock.set(at("2025-03-04T00:00"))
        await till.post(till.burn(member, 1))
        assert await verified(till.ledger) == []


@pytest.mark.parametrize("per", ["member", "client"])
async def test_gifts_count_and_give_back_what_returns(database: str, per: str) -> None:
    limit = f"id: often, verbs: [transfer], per: {per}, window: local_day, count: 2, "
    async with watched(database, limit + "points: 500, currency: p") as (till, member):
        mover, friend = Mover(till), await till.enrol("2")
        await mover.moves(member, friend, 300)
        fields = await refused(till, mover.transfer(member, friend, 201))
        assert (fields["what"], fields["used"]) == ("points", 300)
        sent = await mover.sends(member, friend, 200)
        assert (await refused(till, mover.transfer(member, friend, 1)))["what"] == "times"
        await mover.cancels(member, sent.entry_id)
        await mover.brought_on(sent.entry_id)
        await mover.moves(member, friend, 200)
        await refused(till, mover.transfer(member, friend, 1))
        assert await verified(till.ledger) == []


async def test_a_rolling_window_counts_in_twelfths(database: str) -> None:
    limit = "id: roll, verbs: [burn], per: member, hours: 24, count: 2"
    async with watched(database, limit) as (till, member):
        await till.post(till.burn(member, 1))
        till.clock.set(at("2025-03-03T15:00"))
        await till.post(till.burn(member, 1))
        # The burn at ten lies in the two hours from ten on, and is free a day after their end.
        fields = await refused(till, till.burn(member, 1))
        assert fields["free_at"] == "2025-03-04T12:00:00Z"
        till.clock.set(at("2025-03-04T11:59"))
        await refused(till, till.burn(member, 1))
        till.clock.set(at("2025-03-04T12:00"))
        await till.post(till.burn(member, 1))
        assert await verified(till.ledger) == []


async def test_it_counts_when_it_is_recorded_not_when_it_is_said_to_have_happened(
    database: str,
) -> None:
    limit = "id: often, verbs: [burn], per: member, window: local_day, count: 1"
    async with watched(database, limit) as (till, member):
        await till.post(till.burn(member, 1))
        earlier = till.burn(member, 1)
        earlier.origin.occurred_time.FromSeconds(at("2025-03-02T10:00") // SECOND)
        await refused(till, earlier)


@pytest.mark.parametrize(
    ("per", "scope"), [("client", "client"), ("operator", "operator"), ("business_unit", "unit")]
)
async def test_what_many_accounts_share_is_counted_in_purses(
    database: str, per: str, scope: str
) -> None:
    limit = f"id: all, verbs: [burn, adjust], per: {per}, window: local_week, count: 2"
    async with watched(database, limit) as (till, member):
        other = await till.enrol("2")
        await till.post(adjusting(till, other, 50))
        await till.post(served(till.burn(member, 10), "U1"))
        assert (await refused(till, served(till.burn(other, 10), "u1")))["per"] == per
        free: Any = {
            "client": Till(till.ledger, till.clock, "office").burn(other, 1),
            "operator": served(till.burn(other, 1), "u2"),
            "business_unit": served(till.burn(other, 1, "b"), "u1"),
        }[per]
        client = "office" if per == "client" else "till"
        await till.ledger.write(free, client=client)
        owner = await connect(database, role=None)
        streams = await owner.fetch("SELECT DISTINCT stream FROM event WHERE kind = 15")
        assert all(f"velocity/all/times/{scope}/" in row[0] for row in streams)
        assert not any("u1" in row[0] for row in streams)
        await owner.close()
        till.clock.set(at("2025-03-10T00:00"))
        await till.post(served(till.burn(other, 1), "u1"))
        assert await verified(till.ledger) == []


async def test_who_names_no_operator_is_counted_together(database: str) -> None:
    limit = "id: each, verbs: [burn], per: operator, window: local_day, count: 1"
    async with watched(database, limit) as (till, member):
        await till.post(till.burn(member, 1))
        await refused(till, till.burn(member, 1))
        await till.post(served(till.burn(member, 1), "u1"))


async def test_a_proposal_counts_when_it_is_agreed_to_for_who_proposed_it(database: str) -> None:
    from tests.store.test_adjusting import approving

    limit = "id: desk, verbs: [adjust], per: operator, window: local_day, count: 1"
    async with watched(database, limit) as (till, member):
        wish = adjusting(till, member, 200_000)
        wish.propose = True
        proposed = await till.post(wish)
        await till.post(adjusting(till, member, -5))
        office = Till(till.ledger, till.clock, "office")
        with pytest.raises(VelocityExceeded):
            await office.post(approving(office, proposed.entry_id))
        till.clock.set(at("2025-03-04T00:00"))
        await office.post(approving(office, proposed.entry_id))
        await refused(till, adjusting(till, member, 1))
        assert await verified(till.ledger) == []


@pytest.mark.parametrize("per", ["member", "client"])
async def test_what_is_reversed_or_released_leaves_room_again(database: str, per: str) -> None:
    limit = f"id: l, verbs: [burn, hold], per: {per}, window: local_day, count: 2, "
    async with watched(database, limit + "points: 300, currency: p") as (till, member):
        burn = await till.post(till.burn(member, 200))
        await till.post(till.hold(member, "H", 100))
        await refused(till, till.burn(member, 1))
        await till.post(till.release("H"))
        await till.post(till.burn(member, 100))
        await refused(till, till.burn(member, 1))
        await till.post(till.reverse(burn.entry_id, 150))
        # A part of it stands, so that it is still one of two.
        assert (await refused(till, till.burn(member, 1)))["what"] == "times"
        rest = await till.post(till.reverse(burn.entry_id))
        await till.post(till.burn(member, 200))
        await till.post(till.reverse(rest.entry_id))
        fields = await refused(till, till.burn(member, 1))
        assert (fields["used"], fields["most"]) == (3, 2)
        assert await verified(till.ledger) == []


async def test_time_gives_back_what_a_hold_had_used(database: str) -> None:
    limit = "id: l, verbs: [hold], per: client, hours: 12, count: 1"
    async with open_till(database) as till:
        await till.publish(limited(limit) + "holds: [{timeout_hours: 1}]\n")
        till.clock.set(at("2025-03-03T10:00"))
        member = await till.enrol("1")
        await till.post(till.document(member, "D0", 1, 100_00))
        await till.post(till.hold(member, "H1", 10))
        await refused(till, till.hold(member, "H2", 10))
        till.clock.set(at("2025-03-03T11:30"))
        await till.post(till.hold(member, "H3", 10))
        assert await verified(till.ledger) == []


async def test_a_limit_may_keep_what_is_reversed(database: str) -> None:
    limit = "id: l, verbs: [burn], per: member, window: local_day, count: 1, reversals: keep"
    async with watched(database, limit) as (till, member):
        burn = await till.post(till.burn(member, 10))
        reversal = await till.post(till.reverse(burn.entry_id))
        await refused(till, till.burn(member, 1))
        await till.post(till.reverse(reversal.entry_id))
        till.clock.set(at("2025-03-04T00:00"))
        await till.post(till.burn(member, 1))
        assert await verified(till.ledger) == []


# --- what staff earn ----------------------------------------------------------------------


async def test_staff_serve_themselves_only_so_often(database: str) -> None:
    limit = "id: own, verbs: [earn_by_staff], per: member, window: local_day, count: 2, "
    async with watched(database, limit + "points: 100, currency: p") as (till, _):
        anna = await till.enrol("9")
        staff = Identity(scheme="staff", value="u9")
        await till.write(
            LinkIdentityRequest(
                request_id=till.rid(),
                origin=Origin(business_unit="a"),
                member=anna,
                identity=staff,
            )
        )
        await till.post(served(till.document(anna, "S1", 1, 80_00), "u9"))
        fields = await refused(till, served(till.document(anna, "S2", 1, 21_00), "u9"))
        assert (fields["what"], fields["used"], fields["requested"]) == ("points", 80, 21)
        await till.post(served(till.document(anna, "S2", 1, 20_00), "u9"))
        await refused(till, served(till.document(anna, "S3", 1, 0, 1), "u9"))
        await till.post(served(till.document(anna, "S4", 1, 50_00), "u8"))
        # A return gives room back, and more than was counted needs room.
        await till.post(served(till.document(anna, "S1", 2, 30_00), "u9"))
        await refused(till, served(till.document(anna, "S2", 2, 71_00), "u9"))
        await till.post(served(till.document(anna, "S1", 3), "u9"))
        await till.post(served(till.document(anna, "S5", 1, 80_00), "u9"))
        assert await verified(till.ledger) == []


async def test_one_operator_serves_one_member_only_so_often(database: str) -> None:
    limit = "id: friend, verbs: [earn_by_staff], per: operator, window: local_week, count: 1"
    async with watched(database, limit) as (till, member):
        other = await till.enrol("2")
        await till.post(served(till.document(member, "F1", 1, 10_00), "u1"))
        await refused(till, served(till.document(member, "F2", 1, 10_00), "U1"))
        await till.post(served(till.document(member, "F2", 1, 10_00), "u2"))
        await till.post(served(till.document(other, "F3", 1, 10_00), "u1"))
        await till.post(till.document(member, "F4", 1, 10_00))
        await till.post(served(till.document(member, "F1", 2), "u1"))
        await till.post(served(till.document(member, "F5", 1, 10_00), "u1"))
        assert await verified(till.ledger) == []


# --- exactness and proof ----------------------------------------------------------------------


async def test_two_processes_pass_no_limit(database: str) -> None:
    limits = (
        "id: unit, verbs: [burn], per: business_unit, window: local_day, points: 1000, currency: p",
        "id: mine, verbs: [burn], per: member, hours: 24, count: 30",
    )
    async with watched(database, *limits) as (one, member), open_till(database) as two:
        two.clock.set(one.clock.now())
        second = await one.enrol("2")
        await one.post(one.document(second, "D1", 1, 10_000_00))
        answers = await asyncio.gather(
            *(
                till.ledger.write(till.burn(who, 30), client=till.client)
                for till, client in ((one, "till"), (two, "rival"))
                for till.client in [client]
                for who in (member, second)
                for _ in range(15)
            ),
            return_exceptions=True,
        )
        burned = [each for each in answers if not isinstance(each, BaseException)]
        assert len(burned) == 33
        assert all(
            isinstance(each, VelocityExceeded) for each in answers if isinstance(each, Exception)
        )
        assert await verified(one.ledger) == []


async def test_a_batch_counts_in_its_order(database: str) -> None:
    limit = "id: l, verbs: [burn], per: client, window: local_day, count: 2"
    async with watched(database, limit) as (till, member):
        requests = [till.burn(member, 1) for _ in range(4)]
        results = await till.ledger.write_batch(requests, client="till")
        assert [isinstance(each, Refusal) for each in results] == [False, False, True, True]
        atomic = [till.burn(member, 1) for _ in range(3)]
        all_or_none = await till.ledger.write_batch(atomic, client="office", atomic=True)
        assert all(isinstance(each, Refusal) for each in all_or_none)
        [posted] = await till.ledger.write_batch([till.burn(member, 1)], client="office")
        assert not isinstance(posted, Refusal)
        message = posted.message
        assert isinstance(message, Posting)
        assert moved(message) == [("points_burned", 1)]


def more_others(fact: Any) -> None:
    fact.usages[0].others += 1


def unlimited(fact: Any) -> None:
    del fact.usages[:]


def of_another(fact: Any) -> None:
    fact.usages[0].name = "velocity/other/times"


@pytest.mark.parametrize("change", [more_others, unlimited, of_another])
async def test_a_tampered_use_of_a_member_is_found(database: str, change: Any) -> None:
    limit = "id: l, verbs: [burn], per: member, window: local_day, count: 3"
    async with watched(database, limit) as (till, member):
        await till.post(till.burn(member, 1))
        await till.post(till.burn(member, 1))
        await till.post(till.burn(member, 1))
        owner = await connect(database, role=None)
        story = Story(till, owner, member)
        assert await story.found() == {}
        await owner.execute("ALTER TABLE event DISABLE TRIGGER event_append_only")
        await story.rewrite((await story.places(23))[-1], change)
        assert Reason.VELOCITY_MISMATCH in await story.found()
        await owner.close()


async def test_a_tampered_purse_of_a_client_is_found(database: str) -> None:
    limit = "id: l, verbs: [burn], per: client, window: local_day, count: 3"
    async with watched(database, limit) as (till, member):
        await till.post(till.burn(member, 1))
        await till.post(till.burn(member, 1))
        owner = await connect(database, role=None)
        story = Story(till, owner, member)
        assert await story.found() == {}
        await owner.execute("ALTER TABLE event DISABLE TRIGGER event_append_only")

        def less(fact: Any) -> None:
            fact.usages[0].total = fact.usages[0].change = 0

        await story.rewrite((await story.places(23))[-1], less)
        assert Reason.BUDGET_MISMATCH in await story.found()
        await owner.close()
