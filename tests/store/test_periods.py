"""Accounting periods: closed for good, and what is late belongs to the next one."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from ledger.core.refusals import (
    Malformed,
    NoPolicy,
    PeriodNotOver,
    PeriodOutOfOrder,
    RequestConflict,
    UnknownPeriod,
)
from ledger.verifying.findings import Reason
from loyalty.v1.audit_service_pb2 import (
    ClosePeriodRequest,
    GetSettlementRequest,
    GetSettlementResponse,
    Period,
)
from loyalty.v1.types_pb2 import MemberRef
from projections import PROJECTIONS
from projections.rebuild import rebuild
from server.auth import Principal
from server.database import connect
from server.services.settlement_reads import SettlementReads
from tests.projections.following import follow_to_the_end
from tests.store.stories import verified
from tests.store.tampering import Story
from tests.store.till import POLICY, Till, at, moved, open_till

PRICED = (
    POLICY.replace("step: 1}", "step: 1, lateness_days: 14}")
    + 'settlement: {prices: [{currency: p, price: "0.01 EUR"}], residual: rounding}\n'
)
EVERYONE = Principal("auditor", frozenset({"*"}), frozenset({"audit"}))
CLOSED = 71

Flows = dict[tuple[str, str, str], tuple[int, int]]
"""(points, minor units) by (issuer, unit, period it is about)."""


async def close(till: Till, period: str, *, rid: str = "") -> Period:
    """Close a month."""
    request = ClosePeriodRequest(request_id=rid or till.rid(), period=period, operator="anna")
    message = (await till.write(request)).message
    assert isinstance(message, Period)
    return message


async def asked(
    till: Till, period: str = "", principal: Principal = EVERYONE
) -> GetSettlementResponse:
    """The settlement of a month, once the read side has seen everything."""
    await follow_to_the_end(till.ledger.reading.pool)
    reads = SettlementReads(till.ledger)
    return await reads.settlement(GetSettlementRequest(period=period), principal)


async def settled(till: Till, period: str = "") -> Flows:
    """Its flows between different units; that they sum to zero is looked at by the way."""
    answer = await asked(till, period)
    sums = [sum(each.points[0].amount for each in answer.parties if each.points)]
    sums += [sum(int(each.amounts[0].minor_units) for each in answer.parties if each.amounts)]
    assert set(sums) == {0}
    return {
        (flow.issuer, flow.business_unit, flow.about_period): (
            flow.burned + flow.reclaimed + flow.converted,
            flow.paid.minor_units,
        )
        for flow in answer.flows
        if flow.issuer != flow.business_unit
    }


def drawn(posting: Any) -> list[tuple[str, int]]:
    """(issuer, points) of a burn."""
    return [(draw.issuer, draw.points) for draw in posting.movements[-1].draws]


async def two_burns(till: Till) -> tuple[MemberRef, str]:
    """January of S29: 1000 points of a, 500 of b; 800 burned at b, 400 at a."""
    await till.publish(PRICED)
    till.clock.set(at("2025-01-05T12:00"))
    member = await till.enrol("1")
    await till.post(till.document(member, "D1", 1, 1000_00))
    till.clock.set(at("2025-01-06T12:00"))
    await till.post(till.document(member, "D2", 1, 500_00, unit="b"))
    till.clock.set(at("2025-01-10T12:00"))
    assert drawn(await till.post(till.burn(member, 800, unit="b"))) == [("a", 800)]
    till.clock.set(at("2025-01-20T12:00"))
    second = await till.post(till.burn(member, 400))
    assert drawn(second) == [("a", 200), ("b", 200)]
    return member, second.entry_id


async def test_s29_settlement_reversal_and_a_late_fact_after_the_close(database: str) -> None:
    async with open_till(database, now="2025-01-01T12:00") as till:
        member, second = await two_burns(till)
        january = {("a", "b", ""): (800, 8_00), ("b", "a", ""): (200, 2_00)}
        assert await settled(till, "2025-01") == january
        till.clock.set(at("2025-02-03T12:00"))
        await close(till, "2025-01")
        till.clock.set(at("2025-02-05T12:00"))
        await till.post(till.reverse(second))
        till.clock.set(at("2025-02-06T12:00"))
        late = await till.post(till.burn(member, 100, unit="b", occurred="2025-01-30T12:00"))
        assert drawn(late) == [("a", 100)]
        assert list(late.late_for) == ["accounting/2025-01"]
        assert await settled(till, "2025-01") == january
        assert await settled(till, "2025-02") == {
            ("b", "a", ""): (-200, -2_00),
            ("a", "b", "2025-01"): (100, 1_00),
        }
        account, _ = await till.ledger.reads.account(member)
        assert {lot.issuer: lot.available for lot in account.lots} == {"a": 100, "b": 500}
        assert await verified(till) == {}


async def test_closed_months_stay_as_they_are(database: str) -> None:
    async with open_till(database, now="2025-01-01T12:00") as till:
        member, _ = await two_burns(till)
        till.clock.set(at("2025-02-03T12:00"))
        first = await close(till, "2025-01", rid="close")
        assert (first.closed, first.closed_by) == (True, "till/anna")
        before = await asked(till, "2025-01")
        till.clock.set(at("2025-02-08T12:00"))
        for _ in range(3):
            await till.post(till.burn(member, 10, unit="b", occurred="2025-01-30T12:00"))
        again = await till.write(
            ClosePeriodRequest(request_id=till.rid(), period="2025-01", operator="ben")
        )
        assert again.replayed
        assert again.message == first == await close(till, "2025-01", rid="close")
        with pytest.raises(RequestConflict):
            await close(till, "2025-02", rid="close")
        after = await asked(till, "2025-01")
        assert (list(after.flows), list(after.parties)) == (
            list(before.flows),
            list(before.parties),
        )


async def test_months_close_in_order_once_they_are_over(database: str) -> None:
    async with open_till(database, now="2025-03-15T12:00") as till:
        with pytest.raises(NoPolicy):
            await close(till, "2025-01")
        await till.publish(PRICED)
        with pytest.raises(PeriodNotOver) as early:
            await close(till, "2025-03")
        assert early.value.fields["end_time"] == "2025-04-01T00:00:00+00:00"
        with pytest.raises(Malformed):
            await close(till, "2025-3")
        await close(till, "2025-01")
        for period in ("2024-12", "2025-03", "2025-04"):
            with pytest.raises(PeriodOutOfOrder) as order:
                await close(till, period)
            assert order.value.fields["next_period"] == "2025-02"
        await close(till, "2025-02")
        periods = (await SettlementReads(till.ledger).periods()).periods
        assert [(each.period, each.closed) for each in periods] == [
            ("2025-01", True),
            ("2025-02", True),
            ("2025-03", False),
        ]
        with pytest.raises(UnknownPeriod):
            await asked(till, "2024-12")
        with pytest.raises(UnknownPeriod):
            await asked(till, "2025-04")
        assert await verified(till) == {}


async def test_the_first_close_takes_in_all_before_it(database: str) -> None:
    async with open_till(database, now="2024-11-01T12:00") as till:
        await till.publish(PRICED)
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 100_00))
        await till.post(till.burn(member, 30, unit="b"))
        till.clock.set(at("2025-01-15T12:00"))
        await till.post(till.burn(member, 20, unit="b"))
        assert await settled(till, "2025-01") == {("a", "b", ""): (20, 20)}
        till.clock.set(at("2025-02-03T12:00"))
        await close(till, "2025-01")
        assert await settled(till, "2025-01") == {
            ("a", "b", "2024-11"): (30, 30),
            ("a", "b", ""): (20, 20),
        }
        assert await settled(till) == {}


async def test_a_late_document_says_what_was_over(database: str) -> None:
    async with open_till(database, now="2025-01-15T12:00") as till:
        await till.publish(PRICED)
        member = await till.enrol("1")
        till.clock.set(at("2025-02-03T12:00"))
        timely = await till.post(till.document(member, "D0", 1, 10_00, occurred="2025-01-30T12:00"))
        assert list(timely.late_for) == []
        await close(till, "2025-01")
        late = await till.post(till.document(member, "D1", 1, 60_00, occurred="2025-01-30T12:00"))
        assert moved(late) == [("points_earned", 60)]
        assert list(late.late_for) == ["accounting/2025-01"]
        back = await till.post(till.document(member, "D1", 2, 40_00))
        assert list(back.late_for) == []
        guest = await till.post(till.document(None, "D2", 1, 9_00, occurred="2025-01-02T12:00"))
        assert list(guest.late_for) == ["accounting/2025-01"]
        assert await verified(till) == {}


async def test_a_document_of_last_year_says_which_window_is_over(database: str) -> None:
    tiers = "tiers: {ladder: [{id: basic}, {id: gold, invite_only: true}]}\n"
    async with open_till(database, now="2024-12-15T12:00") as till:
        await till.publish(PRICED + tiers)
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 60_00))
        till.clock.set(at("2025-01-03T12:00"))
        back = await till.post(till.document(member, "D1", 2, 40_00))
        assert list(back.late_for) == ["tier/2024"]
        late = await till.post(till.document(member, "D2", 1, 9_00, occurred="2024-12-30T12:00"))
        assert list(late.late_for) == ["tier/2024"]
        assert list((await till.post(till.document(member, "D3", 1, 9_00))).late_for) == []


async def test_a_price_that_gives_no_whole_cents_leaves_a_remainder(database: str) -> None:
    odd = PRICED.replace('price: "0.01 EUR"', 'price: "1.00 EUR", per_points: 30')
    async with open_till(database, now="2025-01-15T12:00") as till:
        await till.publish(odd)
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 100_00))
        await till.post(till.burn(member, 10, unit="b"))
        answer = await asked(till)
        [flow] = answer.flows
        assert (flow.paid.minor_units, flow.remainder) == (33, "1/3")
        amounts = {each.account: each.amounts[0].minor_units for each in answer.parties}
        assert amounts == {"a": "-100/3", "b": "33", "rounding": "1/3"}


@pytest.mark.parametrize(("priced", "minor"), [("issue", 20), ("burn", 40)])
async def test_the_price_is_that_of_issue_or_of_burn(
    database: str, priced: str, minor: int
) -> None:
    policy = PRICED.replace("settlement: {", f"settlement: {{priced: {priced}, ")
    dearer = policy.replace("version: 1", "version: 2").replace('"0.01 EUR"}]', '"0.02 EUR"}]')
    async with open_till(database, now="2025-01-05T12:00", approval_required=False) as till:
        await till.publish(policy)
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 100_00))
        await till.publish(dearer.replace("2020-01-01", "2025-01-10"))
        till.clock.set(at("2025-01-15T12:00"))
        await till.post(till.burn(member, 20, unit="b"))
        assert await settled(till) == {("a", "b", ""): (20, minor)}


async def test_without_a_price_points_alone_are_settled(database: str) -> None:
    async with open_till(database, now="2025-01-15T12:00") as till:
        await till.publish(POLICY)
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 100_00))
        await till.post(till.burn(member, 20, unit="b"))
        answer = await asked(till)
        [flow] = answer.flows
        assert not flow.HasField("paid")
        assert [(each.account, each.points[0].amount) for each in answer.parties] == [
            ("a", -20),
            ("b", 20),
        ]


async def test_a_unit_sees_its_own_side(database: str) -> None:
    async with open_till(database, now="2025-01-15T12:00") as till:
        await till.publish(PRICED)
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 100_00))
        await till.post(till.burn(member, 20, unit="b"))
        await till.post(till.burn(member, 10))
        b = Principal("b", frozenset({"b"}), frozenset({"audit"}))
        answer = await asked(till, principal=b)
        assert [(each.issuer, each.business_unit) for each in answer.flows] == [("a", "b")]
        assert [each.account for each in answer.parties] == ["b"]


async def test_months_are_those_of_the_programmes_zone(database: str) -> None:
    berlin = PRICED.replace("zone: UTC\ncurrencies", "zone: Europe/Berlin\ncurrencies")
    async with open_till(database, now="2025-01-15T12:00") as till:
        await till.publish(berlin)
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 100_00))
        till.clock.set(at("2025-01-31T23:30"))
        await till.post(till.burn(member, 20, unit="b"))
        assert await settled(till, "2025-01") == {}
        assert await settled(till, "2025-02") == {("a", "b", ""): (20, 20)}
        await close(till, "2025-01")


async def test_the_read_side_is_rebuilt_to_the_same_digest(database: str) -> None:
    async with open_till(database, now="2025-01-01T12:00") as till:
        _, second = await two_burns(till)
        till.clock.set(at("2025-02-03T12:00"))
        await close(till, "2025-01")
        await till.post(till.reverse(second))
        before = await settled(till, "2025-02")
        rebuilt = await rebuild(till.ledger.reading.pool, "dated_draws")
        assert rebuilt.digest == rebuilt.replaced_digest
        assert await settled(till, "2025-02") == before
        assert "dated_draws" in {each.name for each in PROJECTIONS}


async def test_two_processes_close_at_once_and_what_one_posts_is_on_one_side(
    database: str,
) -> None:
    async with open_till(database, now="2025-01-01T12:00") as till:
        member, _ = await two_burns(till)
        async with open_till(database, now="2025-02-03T12:00") as other:
            other.client = "office"
            till.clock.set(at("2025-02-03T12:00"))
            burns = [
                till.post(till.burn(member, 10, occurred="2025-01-30T12:00")) for _ in range(20)
            ]
            answers: list[Any] = await asyncio.gather(close(other, "2025-01"), *burns)
            closed, *postings = answers
            assert closed.closed
            late = sum(bool(posting.late_for) for posting in postings)
            january, february = await settled(till, "2025-01"), await settled(till, "2025-02")
            assert january["b", "a", ""] == (200 + 10 * (20 - late), 2_00 + 10 * (20 - late))
            assert february.get(("b", "a", "2025-01"), (0, 0)) == (10 * late, 10 * late)
            assert await verified(till) == {}


def cut_earlier(fact: Any) -> None:
    for cut in fact.cut:
        cut.next_pos = max(0, cut.next_pos - 1)


def another_month(fact: Any) -> None:
    fact.period = "2025-02"


def a_longer_month(fact: Any) -> None:
    fact.end_time.seconds += 86_400


def without_a_lane(fact: Any) -> None:
    del fact.cut[3]


@pytest.mark.parametrize("change", [cut_earlier, another_month, a_longer_month, without_a_lane])
async def test_a_changed_closing_is_found(database: str, change: Callable[[Any], None]) -> None:
    async with open_till(database, now="2025-01-01T12:00") as till:
        member, _ = await two_burns(till)
        till.clock.set(at("2025-02-03T12:00"))
        await close(till, "2025-01")
        owner = await connect(database, role=None)
        try:
            story = Story(till, owner, member)
            assert await story.found() == {}
            await owner.execute("ALTER TABLE event DISABLE TRIGGER event_append_only")
            await story.rewrite((await story.places(CLOSED))[0], change)
            assert Reason.PERIOD_MISMATCH in await story.found()
        finally:
            await owner.close()


async def test_a_late_fact_that_hides_it_is_found(database: str) -> None:
    async with open_till(database, now="2025-01-01T12:00") as till:
        member, _ = await two_burns(till)
        till.clock.set(at("2025-02-03T12:00"))
        await close(till, "2025-01")
        await till.post(till.burn(member, 10, unit="b", occurred="2025-01-30T12:00"))
        owner = await connect(database, role=None)
        try:
            story = Story(till, owner, member)
            await owner.execute("ALTER TABLE event DISABLE TRIGGER event_append_only")
            for place in await story.places(23):
                await story.rewrite(place, lambda fact: fact.ClearField("late_for"))
            assert Reason.PERIOD_MISMATCH in await story.found()
        finally:
            await owner.close()
