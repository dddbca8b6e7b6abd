"""Transfers and conversions that were changed afterwards, on either side: every one is found."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ledger.core.events import KIND_NUMBER
from ledger.verifying.findings import Reason
from tests.store.moving import ACCEPTED, Mover
from tests.store.tampering import Place, Story, owned
from tests.store.till import open_till

pytestmark = pytest.mark.asyncio(loop_scope="module")

POLICY = (
    ACCEPTED.replace("currencies:\n", "currencies:\n  - {id: q, role: spendable}\n")
    + "conversions: [{id: swap, currency: p, into: q, rate: 4/5, issuer: b, fee_points: 2}]\n"
)
Change = Callable[[Any], None]


@asynccontextmanager
async def tell(url: str) -> AsyncIterator[Story]:
    """One transfer that arrived, one that came back, one under way, and a conversion."""
    async with open_till(url) as till:
        mover = Mover(till)
        await till.publish(POLICY)
        m1, m2 = await mover.s24()
        arrived = await mover.sends(m1, m2, 30)
        await mover.accepts(m2, arrived.entry_id)
        await mover.brought_on(arrived.entry_id)
        back = await mover.sends(m1, m2, 20)
        await mover.declines(m2, back.entry_id)
        await mover.sends(m1, m2, 10)
        await till.post(mover.convert(m2, 40))
        async with owned(till, url, m1) as story:
            yield story


async def of(story: Story, kind: str) -> list[Place]:
    """Where facts of a kind stand, by version of their account."""
    rows = await story.owner.fetch(
        "SELECT lane, pos FROM event WHERE kind = $1 ORDER BY stream, version", KIND_NUMBER[kind]
    )
    return [(row[0], row[1]) for row in rows]


def to_another(fact: Any) -> None:
    fact.receiver_id = "somebody else"


def from_another(fact: Any) -> None:
    fact.sender_id = "somebody else"


def of_another_transfer(fact: Any) -> None:
    fact.entry_id = "another"


def of_another_issuer(fact: Any) -> None:
    fact.lots[0].issuer = "b"


def to_expire_later(fact: Any) -> None:
    fact.lots[0].expire_time.seconds += 86_400


def without_its_fee(fact: Any) -> None:
    fact.fee = 0


def with_other_draws(fact: Any) -> None:
    fact.draws[0].issuer = "b"


def is_no_fee(fact: Any) -> None:
    fact.fee = False


def gives_one_more(fact: Any) -> None:
    fact.received += 1


def at_another_unit(fact: Any) -> None:
    fact.business_unit = "a"


def lives_for_a_while(fact: Any) -> None:
    fact.expire_time.seconds = fact.earned_time.seconds + 86_400


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("points_sent", to_another),
        ("points_sent", of_another_issuer),
        ("points_sent", to_expire_later),
        ("points_sent", without_its_fee),
        ("points_received", from_another),
        ("points_received", of_another_transfer),
        ("points_received", of_another_issuer),
        ("points_received", to_expire_later),
        ("transfer_completed", of_another_transfer),
        ("transfer_completed", with_other_draws),
        ("points_returned", of_another_transfer),
        ("points_returned", to_another),
        ("points_burned", is_no_fee),
        ("points_converted", gives_one_more),
        ("points_converted", at_another_unit),
        ("converted_points_issued", at_another_unit),
        ("converted_points_issued", lives_for_a_while),
    ],
)
async def test_a_changed_fact_is_found(story: Story, kind: str, change: Change) -> None:
    await story.rewrite((await of(story, kind))[0], change)
    assert Reason.TRANSFER_MISMATCH in await story.found()


async def test_points_out_of_nowhere_are_found_where_they_stand(story: Story) -> None:
    [place] = await of(story, "points_received")

    def more(fact: Any) -> None:
        fact.lots[0].points += 5
        fact.points += 5
        fact.available_after += 5

    await story.rewrite(place, more)
    await story.rewrite_balances(place[0], place[1] + 1, 5)
    assert place in (await story.found())[Reason.TRANSFER_MISMATCH]
