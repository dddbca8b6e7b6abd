"""Recalls that were changed afterwards: every one is found."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ledger.core.events import KIND_NUMBER
from ledger.verifying.findings import Reason
from loyalty.v1.types_pb2 import RECALL_SPENT_ARREARS
from tests.store.recalling import Recaller
from tests.store.tampering import Story, owned
from tests.store.till import open_till

pytestmark = pytest.mark.asyncio(loop_scope="module")

Change = Callable[[Any], None]


@asynccontextmanager
async def tell(url: str) -> AsyncIterator[Story]:
    """Two lots: of one a part was spent, and what was left was set aside, given back and taken."""
    async with open_till(url) as till:
        await till.publish()
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 40_00))
        await till.post(till.document(member, "D2", 1, 60_00))
        recaller = Recaller(till, member)
        bad, good = await recaller.lots()
        await till.post(till.burn(member, 10))
        await recaller.quarantines(bad, good)
        await recaller.lifts(good)
        await recaller.claws_back(bad, spent=RECALL_SPENT_ARREARS)
        async with owned(till, url, member) as story:
            yield story


def of_another_recall(fact: Any) -> None:
    fact.recall_id = "another"


def of_another_entry(fact: Any) -> None:
    fact.entry_id = "another"


def tells_more_taken(fact: Any) -> None:
    fact.lots[0].taken += 1


def tells_more_set_aside(fact: Any) -> None:
    fact.lots[0].quarantined += 1


def tells_more_spent(fact: Any) -> None:
    fact.lots[0].spent += 1


def charges_more(fact: Any) -> None:
    fact.lots[0].charged += 1


def charges_nothing(fact: Any) -> None:
    fact.lots[0].charged = 0


def charges_one_more(fact: Any) -> None:
    fact.points += 1


def is_for_another_unit(fact: Any) -> None:
    fact.business_unit = "b"


@pytest.mark.parametrize(
    ("kind", "number", "change"),
    [
        ("points_quarantined", 0, of_another_recall),
        ("points_quarantined", 0, of_another_entry),
        ("quarantine_lifted", 0, of_another_recall),
        ("quarantine_clawed_back", 0, of_another_entry),
        ("quarantine_clawed_back", 0, is_for_another_unit),
        ("recall_made", 0, tells_more_set_aside),
        ("recall_made", 1, tells_more_set_aside),
        ("recall_made", 2, tells_more_taken),
        ("recall_made", 2, tells_more_spent),
        ("recall_made", 2, charges_more),
        ("recall_made", 2, charges_nothing),
        ("arrears_incurred", 0, charges_one_more),
    ],
)
async def test_a_changed_recall_is_found(
    story: Story, kind: str, number: int, change: Change
) -> None:
    place = (await story.places(KIND_NUMBER[kind]))[number]
    await story.rewrite(place, change)
    assert Reason.RECALL_MISMATCH in await story.found()
