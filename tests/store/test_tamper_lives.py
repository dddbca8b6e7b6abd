"""Lives of points that were changed afterwards: in what the rules gave, and in the lots."""

from collections.abc import Callable
from typing import Any

import pytest

from ledger.findings import Reason
from server.database import connect
from tests.store.tampering import Story
from tests.store.till import POLICY, open_till

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


async def found_after(database: str, kind: int, change: Callable[[Any], None]) -> set[str]:
    """What verification finds once the first fact of a kind was changed."""
    async with open_till(database) as till:
        await till.publish(IDLE)
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 90_00))
        await till.post(till.document(member, "D1", 2, 95_00))
        owner = await connect(database, role=None)
        try:
            story = Story(till, owner, member)
            assert await story.found() == {}
            await owner.execute("ALTER TABLE event DISABLE TRIGGER event_append_only")
            await story.rewrite((await story.places(kind))[0], change)
            return set(await story.found())
        finally:
            await owner.close()


@pytest.mark.parametrize("change", CHANGES)
async def test_a_changed_life_in_an_award_is_found(
    database: str, change: Callable[[Any], None]
) -> None:
    def of_grant(posted: Any) -> None:
        change(posted.grants[0].life)

    assert Reason.AWARD_MISMATCH in await found_after(database, POSTED, of_grant)


@pytest.mark.parametrize("change", [*CHANGES, of_another_policy])
async def test_a_changed_life_of_a_lot_is_found(
    database: str, change: Callable[[Any], None]
) -> None:
    def of_lot(earned: Any) -> None:
        change(earned.life)

    assert Reason.AWARD_MISMATCH in await found_after(database, EARNED, of_lot)


async def test_a_changed_end_of_a_lot_is_found(database: str) -> None:
    def never_ends(earned: Any) -> None:
        earned.ClearField("life")

    assert Reason.AWARD_MISMATCH in await found_after(database, EARNED, never_ends)
