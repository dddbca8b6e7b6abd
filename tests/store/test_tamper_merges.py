"""Merges that were changed afterwards, on either side: every change is found."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ledger.core.events import KIND_NUMBER, decode
from ledger.envelope import StoredEvent
from ledger.verifying.findings import Reason
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_PENDING
from tests.store.merging import merge, unmerge
from tests.store.tampering import Story, owned
from tests.store.till import open_till

pytestmark = pytest.mark.asyncio(loop_scope="module")

Change = Callable[[Any], None]


@asynccontextmanager
async def tell(url: str) -> AsyncIterator[Story]:
    """Lots, pending ones, a hold and a debt that went with a member, and came back."""
    async with open_till(url) as till:
        await till.publish()
        s, t = await till.enrol("s"), await till.enrol("t")
        await till.post(till.document(s, "D1", 1, 100_00))
        await till.post(till.hold(s, "H", 40))
        waits = till.document(s, "D2", 1, 30_00)
        waits.document.status = DOCUMENT_STATUS_PENDING
        await till.post(waits)
        await till.post(till.document(t, "D3", 1, 50_00))
        source = await merge(till, s, t)
        await till.post(till.document(s, "D1", 2, 80_00))
        burn = await till.post(till.burn(t, 20))
        await unmerge(till, source)
        await till.post(till.document(s, "D1", 3, 60_00))
        await till.post(till.reverse(burn.entry_id, 5))
        async with owned(till, url, s) as story:
            yield story


def one_more_lot_point(fact: Any) -> None:
    fact.lots[0].points += 1
    fact.points += 1


def of_another_issuer(fact: Any) -> None:
    fact.lots[0].issuer = "b"


def lives_longer(fact: Any) -> None:
    fact.lots[0].expire_time.seconds = 4_000_000_000


def drawn_from_another_issuer(fact: Any) -> None:
    fact.draws[0].issuer = "b"


def to_another(fact: Any) -> None:
    fact.to_id = "somebody else"


def from_another(fact: Any) -> None:
    fact.from_id = "somebody else"


def another_hold(fact: Any) -> None:
    fact.hold_id = "another"


def expires_now(fact: Any) -> None:
    fact.points_expire = True


def was_spent_of(fact: Any) -> None:
    fact.captured = True


def later_step(fact: Any) -> None:
    fact.step += 1


def by_another(fact: Any) -> None:
    fact.actor = "somebody else"


def counts_more(fact: Any) -> None:
    if fact.counts:
        fact.counts[0].qualifying.add(currency="p", tier_window="2026", points=10_000)
    else:
        fact.reason = "another"


CHANGES: tuple[tuple[str, Change, Reason], ...] = (
    ("lots_moved_in", of_another_issuer, Reason.MERGE_MISMATCH),
    ("lots_moved_in", lives_longer, Reason.MERGE_MISMATCH),
    ("lots_moved_in", from_another, Reason.MERGE_MISMATCH),
    ("lots_moved_in", one_more_lot_point, Reason.BALANCE_MISMATCH),
    ("lots_moved_out", drawn_from_another_issuer, Reason.MERGE_MISMATCH),
    ("lots_moved_out", to_another, Reason.MERGE_MISMATCH),
    ("hold_moved_in", of_another_issuer, Reason.MERGE_MISMATCH),
    ("hold_moved_out", to_another, Reason.MERGE_MISMATCH),
    ("hold_moved_in", another_hold, Reason.MERGE_MISMATCH),
    ("hold_moved_in", expires_now, Reason.MERGE_MISMATCH),
    ("hold_moved_in", was_spent_of, Reason.MERGE_MISMATCH),
    ("hold_moved_out", expires_now, Reason.BALANCE_MISMATCH),
    ("merge_stepped", later_step, Reason.MERGE_MISMATCH),
    ("merge_stepped", by_another, Reason.MERGE_MISMATCH),
    ("merge_stepped", counts_more, Reason.MERGE_MISMATCH),
)


@pytest.mark.parametrize(("kind", "change", "reason"), CHANGES)
async def test_a_changed_fact_of_a_merge_is_found(
    story: Story, kind: str, change: Change, reason: Reason
) -> None:
    await story.rewrite((await story.places(KIND_NUMBER[kind]))[0], change)
    assert reason in await story.found()


async def test_a_version_that_goes_on_from_what_never_stood_is_found(story: Story) -> None:
    rows = await story.owner.fetch(
        "SELECT * FROM event WHERE kind = $1", KIND_NUMBER["document_posted"]
    )
    stored = [StoredEvent(*row) for row in rows]
    going_on = [each for each in stored if _goes_on(each)]
    # The second version stands with the target, the third with the source again.
    assert len(going_on) == 2
    for each in going_on:
        place = (each.lane, each.pos)
        await story.rewrite(place, from_another_price)
        assert place in (await story.found())[Reason.DOCUMENT_FORKED]
        await story.put_back()


def _goes_on(event: StoredEvent) -> bool:
    fact: Any = decode(event.payload)
    return bool(fact.HasField("before"))


def from_another_price(fact: Any) -> None:
    fact.before.posted.document.lines[0].net_minor_units += 1


async def test_points_that_came_back_and_were_never_spent_are_found(story: Story) -> None:
    [place] = await story.places(KIND_NUMBER["burn_reversed"])

    def more(fact: Any) -> None:
        fact.draws[0].points += 100
        fact.points += 100
        fact.available_after += 100

    await story.rewrite(place, more)
    assert Reason.MERGE_MISMATCH in await story.found()
