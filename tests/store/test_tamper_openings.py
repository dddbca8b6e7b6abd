"""Opening balances that were changed afterwards: rows, their lots, and which file a source is."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ledger.verifying.findings import Reason
from loyalty.v1.types_pb2 import Identity, MemberRef
from tests.store.openings import LADDER, OTHER, lot, nights, row, tier
from tests.store.tampering import Story, owned
from tests.store.till import open_till

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOT, ROW, SOURCE = 34, 100, 101


@asynccontextmanager
async def tell(url: str) -> AsyncIterator[Story]:
    """Three rows of a source, and the owner of the database."""
    async with open_till(url) as till:
        await till.publish(LADDER)
        await till.post(row(till, 1, lot(100), lot(50)))
        await till.post(row(till, 2, lot(10), metrics=[nights(3)], tier=tier("silver")))
        await till.post(row(till, 3))
        async with owned(
            till, url, MemberRef(identity=Identity(scheme="card", value="1"))
        ) as story:
            yield story


def has_more_lots(fact: Any) -> None:
    fact.lots += 1


def is_of_another_file(fact: Any) -> None:
    fact.source_digest = OTHER


def is_of_another_source(fact: Any) -> None:
    fact.source = "elsewhere"


def is_the_third_row(fact: Any) -> None:
    fact.row = "3"


CHANGES: list[tuple[int, int, Callable[[Any], None]]] = [
    (ROW, 0, has_more_lots),
    (ROW, 0, is_of_another_file),
    (ROW, 1, is_of_another_source),
    (LOT, 0, is_of_another_file),
    (SOURCE, 0, is_of_another_file),
]


@pytest.mark.parametrize(("kind", "number", "change"), CHANGES)
async def test_a_changed_opening_is_found(
    story: Story, kind: int, number: int, change: Callable[[Any], None]
) -> None:
    await story.rewrite((await story.places(kind))[number], change)
    assert Reason.OPENING_MISMATCH in await story.found()


async def test_a_row_that_stands_twice_is_found(story: Story) -> None:
    for place in await story.places(ROW):
        await story.rewrite(place, is_the_third_row)
    assert len((await story.found())[Reason.OPENING_MISMATCH]) == 2


async def test_a_source_in_a_foreign_stream_is_found(story: Story) -> None:
    [place] = await story.places(SOURCE)
    await story.rewrite(place, is_of_another_source)
    assert Reason.COLUMN_MISMATCH in await story.found()
