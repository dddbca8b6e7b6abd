"""Holds that do not keep their points, and were changed afterwards: every one is found."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ledger.core.events import KIND_NUMBER
from ledger.core.instant import DAY, SECOND, to_timestamp
from ledger.verifying.findings import Reason
from loyalty.v1.events_pb2 import RELEASE_CAUSE_RELEASED, RELEASE_CAUSE_TIMED_OUT
from tests.store.stories import MONTH
from tests.store.tampering import Story, owned
from tests.store.till import open_till

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXPIRING = (
    MONTH
    + "expiries: [{id: month, kind: fixed, days: 30}]\n"
    + "holds: [{timeout_hours: 2400, business_unit: [a], held_points: expire}]\n"
)


@asynccontextmanager
async def tell(url: str) -> AsyncIterator[Story]:
    """Of two lots that are held one expires, all of it, and then the rest is captured."""
    async with open_till(url) as till:
        await till.publish(EXPIRING)
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 40_00))
        till.clock.set(till.clock.now() + 10 * DAY)
        await till.post(till.document(member, "D2", 1, 60_00))
        await till.post(till.hold(member, "H", 90))
        till.clock.set(till.clock.now() + 22 * DAY)
        await till.post(till.capture("H", 20))
        async with owned(till, url, member) as story:
            yield story


def keeps_them(held: Any) -> None:
    held.points_expire = False


def was_given_back(released: Any) -> None:
    released.cause = RELEASE_CAUSE_RELEASED


def timed_out(released: Any) -> None:
    released.cause = RELEASE_CAUSE_TIMED_OUT


def leaves_more(released: Any) -> None:
    released.hold_left += 1


def lives_longer(released: Any) -> None:
    end = released.draws[0].expire_time
    end.CopyFrom(to_timestamp(end.seconds * SECOND + 90 * DAY))


def expires_in_part(expired: Any) -> None:
    expired.points -= 1


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("points_held", keeps_them),
        ("hold_released", leaves_more),
        ("hold_released", lives_longer),
        ("points_expired", expires_in_part),
    ],
)
async def test_a_changed_hold_is_found(
    story: Story, kind: str, change: Callable[[Any], None]
) -> None:
    await story.rewrite((await story.places(KIND_NUMBER[kind]))[0], change)
    found = set(await story.found())
    assert found & {Reason.BALANCE_MISMATCH, Reason.LOT_BELOW_ZERO}


@pytest.mark.parametrize("change", [was_given_back, timed_out])
async def test_a_part_of_a_hold_comes_back_for_no_other_reason(
    story: Story, change: Callable[[Any], None]
) -> None:
    await story.rewrite((await story.places(KIND_NUMBER["hold_released"]))[0], change)
    assert Reason.BALANCE_MISMATCH in await story.found()


async def test_what_a_hold_let_go_has_to_expire_next(story: Story) -> None:
    [place] = await story.places(KIND_NUMBER["points_expired"])
    divergences = [each.detail for each in (await story.verify()).divergences]
    assert divergences == []

    def of_another_lot(expired: Any) -> None:
        expired.lot_id = "another"

    await story.rewrite(place, of_another_lot)
    details = [each.detail for each in (await story.verify()).divergences]
    assert any("that a hold let go did not expire" in detail for detail in details)
