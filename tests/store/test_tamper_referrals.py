"""Referrals that were changed afterwards: causes, and rewards in the other member's stream."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ledger.verifying.findings import Reason
from tests.store.referring import friends, referring
from tests.store.tampering import Story, owned
from tests.store.till import open_till

pytestmark = pytest.mark.asyncio(loop_scope="module")

CREATED, CHANGED, POSTED = 7, 8, 60


@asynccontextmanager
async def tell(url: str) -> AsyncIterator[Story]:
    """A purchase that was rewarded, one that was not, a return, and a purchase after that."""
    async with open_till(url) as till:
        told = await friends(till)
        other = await till.enrol("other")
        await told.buys("D1", 50_00)
        await told.buys("D2", 60_00)
        await told.buys("D1")
        await told.buys("D3", 70_00)
        await till.write(referring(till, other, told.new))
        async with owned(till, url, told.new) as story:
            yield story


def of_another(fact: Any) -> None:
    fact.referrer_id = "0198a1c2-0000-7000-8000-000000000002"


def by_another_unit(fact: Any) -> None:
    fact.reward_unit = "b"


def for_another_purchase(fact: Any) -> None:
    fact.document = "a/till/D2"


def the_other_way(fact: Any) -> None:
    fact.counts = not fact.counts


def not_rewarded(fact: Any) -> None:
    fact.reward_version = 0


def rewarded_again(fact: Any) -> None:
    fact.reward_version += 1


CHANGES: list[tuple[int, int, Callable[[Any], None]]] = [
    (CREATED, 0, of_another),
    (CREATED, 0, by_another_unit),
    (CHANGED, 0, for_another_purchase),
    (CHANGED, 0, not_rewarded),
    (CHANGED, 1, the_other_way),
    (CHANGED, 1, not_rewarded),
    (CHANGED, 2, for_another_purchase),
    (CHANGED, 2, rewarded_again),
]


@pytest.mark.parametrize(("kind", "number", "change"), CHANGES)
async def test_a_changed_referral_is_found(
    story: Story, kind: int, number: int, change: Callable[[Any], None]
) -> None:
    places = await story.places(kind)
    if kind == CREATED:
        # The one that has a cause: the other is of another stream.
        [lane] = {lane for lane, _ in await story.places(CHANGED)}
        places = [place for place in places if place[0] == lane]
    await story.rewrite(places[number], change)
    assert Reason.REFERRAL_MISMATCH in await story.found()


async def rewards(story: Story) -> list[tuple[int, int]]:
    rows = await story.owner.fetch(
        "SELECT lane, pos FROM event WHERE kind = $1 AND stream <> (SELECT stream FROM event"
        " WHERE kind = $2 LIMIT 1) ORDER BY pos",
        POSTED,
        CHANGED,
    )
    return [(row[0], row[1]) for row in rows]


async def test_a_reward_that_nothing_caused_is_found(story: Story) -> None:
    place, *_ = await rewards(story)

    def of_no_referral(fact: Any) -> None:
        fact.document.document_id = "0198a1c2-0000-7000-8000-000000000009"

    await story.rewrite(place, of_no_referral)
    assert len((await story.found())[Reason.REFERRAL_MISMATCH]) == 2


async def test_a_purchase_below_the_minimum_is_no_cause(story: Story) -> None:
    [purchase, *_] = [
        place for place in await story.places(POSTED) if place not in await rewards(story)
    ]

    def is_cheap(fact: Any) -> None:
        fact.document.lines[0].net_minor_units = 29_99

    await story.rewrite(purchase, is_cheap)
    assert Reason.REFERRAL_MISMATCH in await story.found()
