"""Room, numbers, budgets and pins that were changed afterwards: every one is found."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ledger.verifying.findings import Reason
from tests.store.tampering import Place, Story, owned
from tests.store.till import POLICY, open_till

pytestmark = pytest.mark.asyncio(loop_scope="module")

BUDGET = 15
COUNTED = (
    POLICY.replace(
        'rate: {points: 1, per: "1.00 EUR"}}',
        'rate: {points: 1, per: "1.00 EUR"}, caps: [{window: local_day, points: 300}]}',
    )
    .replace("currencies:\n", "currencies:\n  - {id: q, role: tier_qualifying}\n")
    .replace(
        "redemptions:",
        "  - {kind: multiplier, id: twice, currency: p, factor: 2, group: g, campaign: k}\n"
        "  - {kind: bonus, id: welcome, currency: p, points: 50, when: {first_purchase: true}}\n"
        "  - {kind: grant, id: coffee, benefit: coffee, when: {first_purchase: true}}\n"
        '  - {kind: base, id: status, currency: q, rate: {points: 1, per: "1.00 EUR"}}\n'
        "redemptions:",
    )
    + "groups: [{id: g}]\n"
    "campaigns: [{id: k, budgets: [{currency: p, points: 500}]}]\n"
    "benefits: [{id: coffee, kind: coupon}]\n"
    "tiers:\n"
    "  ladder:\n"
    "    - {id: basic}\n"
    "    - {id: gold, reach_any: [[{metric: spend, money: EUR, at_least: 25000}]]}\n"
)

Change = Callable[[Any], None]


@asynccontextmanager
async def tell(url: str) -> AsyncIterator[Story]:
    """Four documents that use caps, a budget, a counter and a ladder, one of them taken back."""
    async with open_till(url) as till:
        await till.publish(COUNTED)
        member = await till.enrol("1")
        for number in range(1, 5):
            await till.post(till.document(member, f"D{number}", 1, 90_00))
        await till.post(till.document(member, "D1", 2))
        await till.post(till.document(None, "G1", 1, 10_00))
        async with owned(till, url, member) as story:
            yield story


async def of_member(story: Story) -> list[Place]:
    """Where the versions of the member's documents stand, oldest first."""
    rows = await story.owner.fetch(
        "SELECT lane, pos FROM event WHERE kind = 60 AND stream LIKE 'account/%' ORDER BY version"
    )
    return [(row[0], row[1]) for row in rows]


async def test_what_a_document_counts_for_is_stored_and_verifies(story: Story) -> None:
    account, _ = await story.till.ledger.reads.account(story.member)
    assert account.usage["cap/base.1", "", "2025-03-01"] == 3 * 90 - 60
    assert account.numbers["first_purchase", ""].highest == 4
    assert account.tier == "gold"
    assert account.benefits == ()
    assert len(await story.places(BUDGET)) == 5


def others_used_less(fact: Any) -> None:
    next(usage for usage in fact.usages if usage.name.startswith("cap/")).others -= 1


def uses_less(fact: Any) -> None:
    usage = next(usage for usage in fact.usages if usage.name.startswith("cap/"))
    usage.total -= 1
    usage.change -= 1


def changes_less(fact: Any) -> None:
    next(usage for usage in fact.usages if usage.name.startswith("budget/")).change -= 1


def is_the_first(fact: Any) -> None:
    fact.numbers[0].number = 1


def gives_a_coffee(fact: Any) -> None:
    fact.benefits.add(rule="coffee", benefit="coffee", quantity=1)


def is_gold(fact: Any) -> None:
    fact.pins.tier = "gold"


def is_of_2019(fact: Any) -> None:
    fact.pins.local_time = "2019-03-01T12:00:00+00:00"


def is_the_guests(fact: Any) -> None:
    fact.document.document_id = "G1"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (others_used_less, Reason.ROOM_MISMATCH),
        (uses_less, Reason.ROOM_MISMATCH),
        (uses_less, Reason.AWARD_MISMATCH),
        (changes_less, Reason.BUDGET_MISMATCH),
        (is_the_first, Reason.ROOM_MISMATCH),
        (gives_a_coffee, Reason.AWARD_MISMATCH),
        (is_gold, Reason.TIER_NOT_HELD),
        (is_of_2019, Reason.POLICY_NOT_IN_FORCE),
        (is_the_guests, Reason.DOCUMENT_FORKED),
    ],
)
async def test_a_changed_document_is_found(story: Story, change: Change, reason: Reason) -> None:
    await story.rewrite((await of_member(story))[2], change)
    assert reason in await story.found()


async def test_a_budget_that_adds_up_otherwise_is_found(story: Story) -> None:
    place = (await story.places(BUDGET))[1]

    def more(fact: Any) -> None:
        fact.change += 1

    await story.rewrite(place, more)
    assert place in (await story.found())[Reason.BUDGET_MISMATCH]


async def test_pins_that_change_between_versions_are_found(story: Story) -> None:
    last = (await of_member(story))[-1]

    def another_day(fact: Any) -> None:
        fact.pins.business_day = "2025-02-28"

    await story.rewrite(last, another_day)
    assert await story.found() == {Reason.AWARD_MISMATCH: [last]}
