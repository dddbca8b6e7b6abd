"""How points are spent and how long they live, through the whole write side on a real database."""

from typing import Any

import pytest

from ledger.answers.postings import account_message
from ledger.core.instant import to_timestamp
from ledger.core.refusals import (
    BasketShareExceeded,
    ForeignCurrency,
    LimitReached,
    Malformed,
    NotForTier,
    NotNow,
    UnknownBusinessUnit,
    UnknownMember,
    UnknownReward,
)
from loyalty.v1.ledger_service_pb2 import BurnPointsRequest, HoldPointsRequest
from loyalty.v1.types_pb2 import MemberRef, Money, Origin, Points
from tests.store.till import POLICY, Till, at, moved, open_till

CATALOGUE = POLICY.replace(
    "  - {id: p, role: spendable}",
    "  - {id: p, role: spendable}\n  - {id: qp, role: tier_qualifying}",
).replace(
    "  - {id: pay, currency: p, min_points: 1, step: 1}",
    """\
  - id: pay
    currency: p
    business_unit: [a]
    max_basket_share: "50%"
    limits: [{window: local_day, points: 1000}]
benefits: [{id: gift, kind: gift}]
rewards:
  - {id: drink, currency: p, points: 60, value: "2.00 EUR", window: {from: 2025-03-10}}
  - {id: breakfast, currency: p, points: 80, benefit: gift, business_unit: [b]}
  - {id: suite, currency: p, points: 90, benefit: gift, tier: [gold]}
tiers: {ladder: [{id: basic}, {id: gold, reach_any: [[{currency: qp, at_least: 1}]]}]}
""",
)


async def member_with(till: Till, points: int, policy: str = CATALOGUE) -> MemberRef:
    """A member who has earned so many points under a policy."""
    await till.publish(policy)
    member = await till.enrol("1")
    await till.post(till.document(member, "D0", 1, points * 100))
    return member


def burn(till: Till, member: MemberRef, unit: str = "a", **keys: Any) -> BurnPointsRequest:
    """A burn."""
    origin = Origin(business_unit=unit)
    return BurnPointsRequest(request_id=till.rid(), origin=origin, member=member, **keys)


def p(amount: int) -> Points:
    """Points of p."""
    return Points(currency="p", amount=amount)


def euro(minor: int) -> Money:
    """Money of the unit."""
    return Money(currency_code="EUR", minor_units=minor)


async def test_points_pay_half_of_the_basket(database: str) -> None:
    async with open_till(database) as till:
        member = await member_with(till, 5000)
        with pytest.raises(Malformed) as no_basket:
            await till.post(burn(till, member, points=p(100)))
        assert no_basket.value.fields["field"] == "basket"
        dollars = Money(currency_code="USD", minor_units=1000)
        with pytest.raises(ForeignCurrency) as foreign:
            await till.post(burn(till, member, points=p(100), basket=dollars))
        assert foreign.value.fields["field"] == "basket.currency_code"
        with pytest.raises(BasketShareExceeded) as too_much:
            await till.post(burn(till, member, points=p(501), basket=euro(1000)))
        assert too_much.value.fields == {"requested": 501, "most": 500}
        await till.post(burn(till, member, money=euro(500), basket=euro(1000)))
        assert await till.available(member) == 4500


async def test_a_hold_keeps_to_the_same_terms(database: str) -> None:
    async with open_till(database) as till:
        member = await member_with(till, 5000)
        hold = HoldPointsRequest(
            request_id=till.rid(),
            origin=Origin(business_unit="a"),
            member=member,
            hold_id="H",
            points=p(700),
            basket=euro(1000),
        )
        with pytest.raises(BasketShareExceeded):
            await till.post(hold)
        hold.basket.minor_units = 2000
        await till.post(hold)
        with pytest.raises(LimitReached) as reached:
            await till.post(burn(till, member, points=p(301), basket=euro(9000)))
        assert reached.value.fields["used"] == 700


async def test_the_daily_limit_is_counted_by_the_local_day(database: str) -> None:
    async with open_till(database) as till:
        member = await member_with(till, 5000)
        first = await till.post(burn(till, member, points=p(900), basket=euro(9000)))
        with pytest.raises(LimitReached) as reached:
            await till.post(burn(till, member, points=p(101), basket=euro(9000)))
        assert reached.value.fields == {
            "requested": 101, "limit": 1000, "used": 900, "window": "local_day",
        }  # fmt: skip
        till.clock.set(at("2025-03-02T00:00"))
        await till.post(burn(till, member, points=p(1000), basket=euro(9000)))
        await till.post(till.reverse(first.entry_id))
        with pytest.raises(LimitReached):
            await till.post(burn(till, member, points=p(1), basket=euro(9000)))


async def test_a_reward_is_bought_at_its_price(database: str) -> None:
    async with open_till(database, now="2025-03-10T12:00") as till:
        member = await member_with(till, 500)
        drink = await till.post(burn(till, member, reward="drink"))
        assert moved(drink) == [("points_burned", 60)]
        await till.post(burn(till, member, unit="b", reward="breakfast"))
        assert await till.available(member) == 360
        words = [word async for word in till.ledger.verify(skip_awards=False)]
        assert list(words[-1].divergences) == []


async def test_the_catalogue_says_what_is_for_whom_where_and_when(database: str) -> None:
    async with open_till(database, now="2025-03-09T23:59") as till:
        member = await member_with(till, 500)
        with pytest.raises(NotNow) as now:
            await till.post(burn(till, member, reward="drink"))
        assert now.value.fields == {"local_time": "2025-03-09T23:59:00+00:00"}
        with pytest.raises(UnknownReward) as unknown:
            await till.post(burn(till, member, reward="breakfast"))
        assert unknown.value.fields["known"] == "drink, suite"
        with pytest.raises(NotForTier) as tier:
            await till.post(burn(till, member, reward="suite"))
        assert tier.value.fields == {"tier": "basic", "known": "gold"}


async def test_what_expires_next_is_told_by_its_end_and_not_by_what_is_spent_first(
    database: str,
) -> None:
    text = POLICY.replace(
        "{id: p, role: spendable}", "{id: p, role: spendable, expiry: month, draw_first: [b]}"
    )
    text = text.replace(
        "earn:\n",
        "earn:\n  - {kind: bonus, id: promo, currency: p, points: 7, funder: b, expiry: ever}\n",
    )
    lives = "expiries: [{kind: fixed, id: month, months: 1}, {kind: never, id: ever}]\n"
    async with open_till(database) as till:
        member = await member_with(till, 100, text + lives)
        account, position = await till.ledger.reads.account(member)
        message = account_message(account, full=True, position=position)
        assert [(lot.funder, lot.available) for lot in message.lots] == [("b", 7), ("a", 100)]
        (balance,) = message.balances
        assert balance.next_expire_time == message.lots[1].expire_time
        assert balance.next_expire_points == 100


async def test_a_wrong_word_is_told_before_a_wrong_member(database: str) -> None:
    async with open_till(database) as till:
        await till.publish(CATALOGUE)
        nobody = MemberRef(member_id="nobody")
        with pytest.raises(UnknownBusinessUnit):
            await till.post(burn(till, nobody, unit="x", points=p(1)))
        with pytest.raises(UnknownReward):
            await till.post(burn(till, nobody, reward="x"))
        with pytest.raises(UnknownMember):
            await till.post(burn(till, nobody, reward="suite"))


# --- lives --------------------------------------------------------------------------------------

IDLE = POLICY.replace("{id: p, role: spendable}", "{id: p, role: spendable, expiry: idle}") + (
    "expiries: [{kind: inactivity, id: idle, months: 12, hard_months: 36}]\n"
)


async def test_s21_points_live_on_with_activity_and_people_see_until_when(database: str) -> None:
    async with open_till(database, now="2024-01-15T12:00") as till:
        member = await member_with(till, 100, IDLE)
        till.clock.set(at("2024-06-20T12:00"))
        posted = await till.post(till.document(member, "D2", 1, 1000))
        account, position = await till.ledger.reads.account(member)
        message = account_message(account, full=True, position=position)
        gone = to_timestamp(at("2025-06-21T00:00"))
        assert [lot.expire_time for lot in message.lots] == [gone, gone]
        assert message.balances[0].next_expire_time == gone
        assert posted.balances[0].next_expire_time == gone
        till.clock.set(at("2025-06-25T12:00"))
        late = till.document(member, "D3", 1, 2000, occurred="2025-05-10T12:00")
        assert moved(await till.post(late)) == [
            ("points_expired", 100), ("points_expired", 10), ("points_earned", 20),
        ]  # fmt: skip
        till.clock.set(at("2026-05-10T23:59"))
        assert await till.available(member) == 20
        till.clock.set(at("2026-05-11T00:00"))
        assert await till.available(member) == 0
        words = [word async for word in till.ledger.verify(skip_awards=False)]
        assert words[-1].done
        assert list(words[-1].divergences) == []
