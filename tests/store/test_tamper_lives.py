"""Lives of points that were changed afterwards: in what the rules gave, and in the lots."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ledger.verifying.findings import Reason
from tests.store.tampering import Story, owned
from tests.store.till import POLICY, open_till

pytestmark = pytest.mark.asyncio(loop_scope="module")

EARNED, POSTED = 20, 60
IDLE = (
    POLICY.replace("{id: p, role: spendable}", "{id: p, role: spendable, expiry: idle}")
    + "expiries: [{id: idle, kind: inactivity, months: 18, extended_by: [earn, burn]}]\n"
)


def lives_longer(life: Any) -> None:
    life.inactive_months = 36


def is_kept_by_a_tier(life: Any) -> None:
    life.unless_tiers.append("gold")


def of_another_policy(life: Any) -> None:
    life.policy_digest = "0" * 64


CHANGES = [lives_longer, is_kept_by_a_tier]


@asynccontextmanager
async def tell(url: str) -> AsyncIterator[Story]:
    """A document with two versions, whose points live as long as the member does something."""
    async with open_till(url) as till:
        await till.publish(IDLE)
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 90_00))
        await till.post(till.document(member, "D1", 2, 95_00))
        async with owned(till, url, member) as story:
            yield story


async def found_after(story: Story, kind: int, change: Callable[[Any], None]) -> set[str]:
    """What verification finds once the first fact of a kind was changed."""
    await story.rewrite((await story.places(kind))[0], change)
    return set(await story.found())


@pytest.mark.parametrize("change", CHANGES)
async def test_a_changed_life_in_an_award_is_found(
    story: Story, change: Callable[[Any], None]
) -> None:
    def of_grant(posted: Any) -> None:
        change(posted.grants[0].life)

    assert Reason.AWARD_MISMATCH in await found_after(story, POSTED, of_grant)


@pytest.mark.parametrize("change", [*CHANGES, of_another_policy])
async def test_a_changed_life_of_a_lot_is_found(
    story: Story, change: Callable[[Any], None]
) -> None:
    def of_lot(earned: Any) -> None:
        change(earned.life)

    assert Reason.AWARD_MISMATCH in await found_after(story, EARNED, of_lot)


async def test_a_changed_end_of_a_lot_is_found(story: Story) -> None:
    def never_ends(earned: Any) -> None:
        earned.ClearField("life")

    assert Reason.AWARD_MISMATCH in await found_after(story, EARNED, never_ends)
