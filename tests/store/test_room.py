"""Caps, first purchases, budgets, refunds: what limits leave, on a real database."""

import asyncio
from random import Random

import asyncpg
import pytest

from ledger.core.events import decode, encode
from ledger.core.refusals import ClawbackRefused, Refusal, TooLate
from ledger.verifying.findings import Reason
from loyalty.v1.audit_service_pb2 import VerifyHistoryResponse
from loyalty.v1.ledger_service_pb2 import Posting
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_PENDING, MemberRef
from server.database import connect
from tests.store.till import POLICY, Till, at, moved, open_till

CAPPED = POLICY.replace(
    'rate: {points: 1, per: "1.00 EUR"}}',
    'rate: {points: 1, per: "1.00 EUR"}, caps: [{per: member, window: local_day, points: 100}]}',
)
WELCOME = POLICY.replace(
    "redemptions:",
    "  - {kind: bonus, id: welcome, currency: p, points: 200, when: {first_purchase: true}}\n"
    "redemptions:",
)
BUDGET = (
    POLICY.replace(
        "redemptions:",
        "  - {kind: multiplier, id: twice, currency: p, factor: 2, group: g, campaign: k}\n"
        "redemptions:",
    )
    + "groups: [{id: g}]\ncampaigns: [{id: k, budgets: [{currency: p, points: 500}]}]\n"
)


async def gained(till: Till, member: MemberRef, document: str, version: int, euros: int) -> int:
    """Points that a version moved; nothing bought is a cancelled one."""
    lines = (euros * 100,) if euros else ()
    posting = await till.post(till.document(member, document, version, *lines))
    return sum(n if kind == "points_earned" else -n for kind, n in moved(posting))


async def last_word(till: Till) -> VerifyHistoryResponse:
    """The result of a verification."""
    return [word async for word in till.ledger.verify(skip_awards=False)][-1]


async def found(till: Till) -> dict[str, str]:
    """What a verification finds, by reason."""
    return {each.reason: each.detail for each in (await last_word(till)).divergences}


async def test_a_booking_sees_the_slot_and_takes_it_when_it_is_final(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(WELCOME)
        member = await till.enrol("1")
        booked = till.document(member, "R1", 1, 5000)
        booked.document.status = DOCUMENT_STATUS_PENDING
        assert moved(await till.post(booked)) == [("points_pended", 250)]
        assert await gained(till, member, "D1", 1, 10) == 210
        final = moved(await till.post(till.document(member, "R1", 2, 5000)))
        assert final == [("pending_clawed_back", 200), ("points_released", 50)]
        assert await found(till) == {}


async def test_s20b_a_return_is_refused_while_its_points_are_spent(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(POLICY + "refunds: {when_spent: refuse}\n")
        member = await till.enrol("1")
        await gained(till, member, "D1", 1, 100)
        await till.post(till.burn(member, 80, unit="b"))
        with pytest.raises(ClawbackRefused) as refused:
            await till.post(till.document(member, "D1", 2))
        assert refused.value.fields["missing"] == 80
        assert await till.available(member) == 20
        assert await gained(till, member, "D2", 1, 80) == 80
        assert await gained(till, member, "D1", 2, 0) == -100


async def test_s30_a_budget_is_shared_and_never_overshot(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(BUDGET)
        members = {name: await till.enrol(name) for name in ("M1", "M2", "M3")}
        campaign = []
        for name, document, version, euros in [
            ("M1", "D1", 1, 300),
            ("M2", "D2", 1, 250),
            ("M1", "D1", 2, 220),
            ("M3", "D3", 1, 100),
            ("M2", "D2", 2, 240),
        ]:
            sale = till.document(members[name], document, version, euros * 100)
            campaign.append(of_campaign(await till.post(sale)))
        assert campaign == [(300, 300), (250, 200), (220, 220), (100, 80), (240, 200)]
        available = [await till.available(member) for member in members.values()]
        assert available == [440, 440, 180]
        assert await budget_used(database) == [300, 500, 420, 500]
        assert await found(till) == {}


async def test_budgets_of_a_day_and_for_ever_are_kept_side_by_side(database: str) -> None:
    budgets = "{currency: p, points: 500}, {currency: p, points: 300, window: local_day}"
    async with open_till(database) as till:
        await till.publish(BUDGET.replace("{currency: p, points: 500}", budgets))
        member = await till.enrol("1")
        campaign = []
        for number, (day, euros) in enumerate([(26, 200), (26, 150), (27, 400), (28, 9)]):
            occurred = f"2025-02-{day}T12:00"
            sale = till.document(member, f"D{number}", 1, euros * 100, occurred=occurred)
            campaign.append([g for g in (await till.post(sale)).grants if g.rule == "twice"])
        given = [[(grant.wanted, grant.granted) for grant in grants] for grants in campaign]
        assert given == [[(200, 200)], [(150, 100)], [(400, 200)], []]
        assert await found(till) == {}


def of_campaign(posting: Posting) -> tuple[int, int]:
    """What the campaign's rule wanted and got."""
    [grant] = [grant for grant in posting.grants if grant.rule == "twice"]
    return grant.wanted, grant.granted


async def budget_used(url: str) -> list[int]:
    """What was used of the budget after each of its facts."""
    owner = await connect(url, role=None)
    try:
        rows = await owner.fetch("SELECT payload FROM event WHERE kind = 15 ORDER BY version")
    finally:
        await owner.close()
    return [decode(row[0]).used_after for row in rows]  # type: ignore[union-attr]


async def test_two_processes_never_overshoot_a_budget(database: str) -> None:
    async with open_till(database) as one, open_till(database) as two:
        await one.publish(BUDGET)
        two.client = "other"
        await two.ledger.policies.refresh(two.ledger.reading)
        members = [await one.enrol(str(number)) for number in range(6)]
        random = Random(30)
        sales = [
            till.write(till.document(member, f"{till.client}{number}", 1, random.randint(1, 9000)))
            for till in (one, two)
            for number, member in enumerate(members * 3)
        ]
        answers = await asyncio.gather(*sales)
        given = 0
        for answer in answers:
            assert isinstance(answer.message, Posting)
            given += sum(grant.granted for grant in answer.message.grants if grant.rule == "twice")
        used = await budget_used(database)
        assert used[-1] == given == 500
        assert max(used) == 500
        assert await found(one) == {}


async def test_a_validated_document_uses_nothing_of_a_budget(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(BUDGET)
        member = await till.enrol("1")
        trial = till.document(member, "D1", 1, 40_000)
        trial.validate_only = True
        assert of_campaign(await till.post(trial)) == (400, 400)
        assert await budget_used(database) == []
        refused = await till.ledger.write_batch(
            [till.document(member, "D2", 1, 40_000), till.burn(member, 10_000)],
            client="till",
            atomic=True,
        )
        assert all(isinstance(result, Refusal) for result in refused)
        assert await gained(till, member, "D3", 1, 400) == 800
        assert await budget_used(database) == [400]


async def test_a_restarted_process_knows_what_was_used(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(BUDGET)
        member = await till.enrol("1")
        await gained(till, member, "D1", 1, 450)
    async with open_till(database) as again:
        again.client = "again"
        assert await gained(again, member, "D2", 1, 100) == 150


async def test_a_document_that_comes_too_late_is_refused_and_its_return_is_not(
    database: str,
) -> None:
    async with open_till(database) as till:
        await till.publish(POLICY + "documents: {lateness_days: 7}\n")
        member = await till.enrol("1")
        with pytest.raises(TooLate) as late:
            await till.post(till.document(member, "D1", 1, 100, occurred="2025-02-22T11:59"))
        assert late.value.fields == {
            "occurred_time": "2025-02-22T11:59:00+00:00",
            "limit": "2025-02-22T12:00:00+00:00",
        }
        await till.post(till.document(member, "D1", 1, 100, occurred="2025-02-22T12:00"))
        till.clock.set(at("2025-06-01T12:00"))
        gone = till.document(member, "D1", 2, occurred="2025-02-22T12:00")
        assert moved(await till.post(gone)) == [("points_clawed_back", 1)]


async def test_a_budget_that_was_tampered_with_is_found(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(BUDGET)
        member = await till.enrol("1")
        await gained(till, member, "D1", 1, 300)
        await gained(till, member, "D2", 1, 100)
        owner = await connect(database, role=None)
        try:
            await forget_budget(owner)
        finally:
            await owner.close()
        wrong = await found(till)
        assert "documents and budget/budget/k/p/all/ differ" in wrong[Reason.BUDGET_MISMATCH]


async def forget_budget(owner: asyncpg.Connection) -> None:
    """Let the budget's last fact say that only a point was taken."""
    await owner.execute("ALTER TABLE event DISABLE TRIGGER event_append_only")
    row = await owner.fetchrow(
        "SELECT lane, pos, payload FROM event WHERE kind = 15 ORDER BY version DESC LIMIT 1"
    )
    assert row is not None
    fact = decode(row["payload"])
    fact.change, fact.used_after = 1, 301  # type: ignore[union-attr]
    await owner.execute(
        "UPDATE event SET payload = $3 WHERE lane = $1 AND pos = $2",
        row["lane"],
        row["pos"],
        encode(fact),
    )


BY_LINE = (
    CAPPED.replace(
        "redemptions:",
        "  - {kind: bonus, id: fifty, currency: p, points: 50, when: {basket_min: 90.00 EUR}}\n"
        "redemptions:",
    )
    + "refunds: {clawback: pro_rata_by_line}\n"
)


async def test_each_returned_line_takes_its_share_back(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(BY_LINE)
        member = await till.enrol("1")
        bought = await till.post(till.document(member, "D1", 1, 3000, 3000, 3000))
        assert moved(bought) == [("points_earned", 140)]
        returned = await till.post(till.document(member, "D1", 2, 3000, 3000))
        assert moved(returned) == [("points_clawed_back", 47)]
        again = await till.post(till.document(member, "D1", 3, 3000))
        assert moved(again) == [("points_clawed_back", 47)]
        assert await gained(till, member, "D2", 1, 80) == 70
        # It comes back in full: with the room that is left, and nothing more.
        more = await till.post(till.document(member, "D1", 4, 3000, 3000, 3000))
        assert sum(n for _, n in moved(more)) == 50 - 16
        assert await gained(till, member, "D1", 5, 0) == -80
        assert await found(till) == {}


VISITS = (
    POLICY.replace(
        "redemptions:",
        "  - {kind: bonus, id: third, currency: p, points: 30,"
        " when: {counter: [{counter: visit, every: 3}]}}\n"
        "  - {kind: bonus, id: week, currency: p, points: 5,"
        " when: {counter: [{counter: days, at_least: 2}]}}\n"
        "  - {kind: grant, id: coffee, benefit: coffee, valid_days: 10,"
        " when: {counter: [{counter: visit, exactly: 1}]}}\n"
        "redemptions:",
    )
    + "benefits: [{id: coffee, kind: coupon}]\n"
    "counters:\n"
    "  - {id: visit, distinct: local_day}\n"
    "  - {id: days, kind: streak, period: local_day}\n"
)


async def test_the_third_visit_a_streak_and_a_coupon(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(VISITS)
        member = await till.enrol("1")
        points = []
        for number, day in enumerate(["01", "01", "02", "04"], 1):
            till.clock.set(at(f"2025-04-{day}T12:0{number}"))
            points.append(await gained(till, member, f"D{number}", 1, 10))
        # The second day makes a streak of two; the third day with a visit is the third visit.
        assert points == [10, 10, 15, 40]
        account, _ = await till.ledger.reads.account(member)
        coupons = [(each.document, each.benefit, each.expires_at) for each in account.benefits]
        assert coupons == [
            ("a/till/D1", "coffee", at("2025-04-12T00:00")),
            ("a/till/D2", "coffee", at("2025-04-12T00:00")),
        ]
        assert await gained(till, member, "D1", 2, 0) == -10
        account, _ = await till.ledger.reads.account(member)
        assert [each.document for each in account.benefits] == ["a/till/D2"]
        assert await found(till) == {}
