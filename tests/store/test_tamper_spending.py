"""Draws that were changed afterwards, under a policy that says what is spent first: found."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ledger.core.events import KIND_NUMBER
from ledger.core.instant import DAY
from tests.store.stories import MONTH
from tests.store.tampering import Story, owned
from tests.store.till import open_till

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROMO = (
    MONTH.replace("expiry: month}", "expiry: month, draw_first: [b]}").replace(
        "redemptions:",
        "  - {kind: bonus, id: promo, currency: p, points: 30, funder: b,"
        ' when: {basket_min: "50.00"}}\n'
        "redemptions:",
    )
    + "expiries: [{id: month, kind: fixed, days: 30}]\n"
)


@asynccontextmanager
async def tell(url: str) -> AsyncIterator[Story]:
    """Of 40 points of a and, later, 60 of a and 30 that b pays for, some are held and spent."""
    async with open_till(url) as till:
        await till.publish(PROMO)
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 40_00))
        till.clock.set(till.clock.now() + DAY)
        await till.post(till.document(member, "D2", 1, 60_00))
        await till.post(till.hold(member, "H", 20))
        await till.post(till.burn(member, 15))
        async with owned(till, url, member) as story:
            yield story


def other_way_round(spent: Any) -> None:
    draws = list(spent.draws)
    del spent.draws[:]
    spent.draws.extend(reversed(draws))


async def test_what_comes_first_is_told_first(story: Story) -> None:
    await story.rewrite((await story.places(KIND_NUMBER["points_burned"]))[0], other_way_round)
    details = [each.detail for each in (await story.verify()).divergences]
    assert any("do not begin with what b pay for" in detail for detail in details)


@pytest.mark.parametrize("kind", ["points_held", "points_burned"])
async def test_draws_that_leave_something_over_that_comes_first_are_found(
    story: Story, kind: str
) -> None:
    lots: list[Any] = []
    burned = (await story.places(KIND_NUMBER["points_burned"]))[0]
    await story.rewrite(burned, lambda fact: lots.extend(fact.draws))
    base = next(draw for draw in lots if draw.funder == "a")

    def takes_what_ends_first(spent: Any) -> None:
        del spent.draws[:]
        spent.draws.add().CopyFrom(base)
        spent.draws[0].points = spent.points

    await story.rewrite((await story.places(KIND_NUMBER[kind]))[0], takes_what_ends_first)
    details = [each.detail for each in (await story.verify()).divergences]
    assert any("and is left over" in detail for detail in details)
