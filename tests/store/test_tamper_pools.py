"""Pools that were changed afterwards, in the pool's account or a member's: every one is found."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ledger.core.events import KIND_NUMBER
from ledger.findings import Reason
from loyalty.v1.events_pb2 import TRANSFER_KIND_GIFT
from loyalty.v1.types_pb2 import POOL_PERMISSION_VIEW
from server.database import connect
from tests.store.moving import MOVING
from tests.store.pooling import CONTRIBUTE, SPEND, VIEW, Pooler
from tests.store.tampering import Place, Story
from tests.store.till import open_till

POLICY = MOVING + "transfers: [{id: gift, currency: p, relation: household}]\n"


@asynccontextmanager
async def pooling(url: str) -> AsyncIterator[Story]:
    """A pool that was spent from, that a member left, and that was closed."""
    async with open_till(url) as till:
        pooler = Pooler(till)
        await till.publish(POLICY)
        m1, m2 = await pooler.s24()
        pool = await pooler.opens(m1)
        await pooler.adds(pool, m2, VIEW, by=m1)
        await pooler.permits(pool, m2, VIEW, CONTRIBUTE, SPEND, by=m1)
        await pooler.moves(m1, pool, 50)
        await pooler.moves(m2, pool, 50)
        await till.post(pooler.burn(pool, m2, 20))
        await till.post(pooler.hold(pool, m2, "H", 10))
        await pooler.removes(pool, m2, by=m1)
        await pooler.closes(pool, by=m1)
        await till.post(till.burn(m1, 10))
        owner = await connect(url, role=None)
        story = Story(till, owner, m1)
        try:
            assert await story.found() == {}
            await owner.execute("ALTER TABLE event DISABLE TRIGGER event_append_only")
            yield story
        finally:
            await owner.close()


async def places(story: Story, kind: str) -> list[Place]:
    """Where facts of a kind stand, by version of their account."""
    rows = await story.owner.fetch(
        "SELECT lane, pos FROM event WHERE kind = $1 ORDER BY stream, version", KIND_NUMBER[kind]
    )
    return [(row[0], row[1]) for row in rows]


def of_another_member(fact: Any) -> None:
    fact.member_id = "somebody else"


def of_another_pool(fact: Any) -> None:
    fact.pool_id = "another pool"


def by_another(fact: Any) -> None:
    fact.by_id = "somebody else"


def by_nobody(fact: Any) -> None:
    fact.by_id = ""


def only_to_look(fact: Any) -> None:
    fact.permissions[:] = [POOL_PERMISSION_VIEW]


def by_another_spender(fact: Any) -> None:
    fact.spender_id = "somebody else"


def to_another(fact: Any) -> None:
    fact.receiver_id = "somebody else"


def a_gift(fact: Any) -> None:
    fact.kind = TRANSFER_KIND_GIFT


@pytest.mark.parametrize(
    ("kind", "which", "change"),
    [
        ("pool_created", 0, of_another_pool),
        ("pool_member_added", 1, of_another_member),
        ("pool_member_added", 1, by_another),
        ("pool_member_added", 1, by_nobody),
        ("pool_member_removed", 0, of_another_member),
        ("pool_member_removed", 0, by_another),
        ("pool_permissions_changed", 0, by_another),
        ("pool_permissions_changed", 0, of_another_member),
        ("pool_permissions_changed", 0, only_to_look),
        ("pool_joined", 0, of_another_pool),
        ("pool_left", 1, of_another_pool),
        ("points_held", 0, by_another_spender),
        ("points_sent", -1, to_another),
    ],
)
async def test_a_change_is_found(
    database: str, kind: str, which: int, change: Callable[[Any], None]
) -> None:
    async with pooling(database) as story:
        await story.rewrite((await places(story, kind))[which], change)
        assert Reason.POOL_MISMATCH in await story.found()


async def test_points_are_spent_by_who_may_or_by_the_member_alone(database: str) -> None:
    async with pooling(database) as story:
        for place in await places(story, "points_burned"):
            await story.rewrite(place, by_another_spender)
        found = (await story.found())[Reason.POOL_MISMATCH]
        assert set(found) == set(await places(story, "points_burned"))


async def test_a_transfer_to_a_pool_is_no_gift(database: str) -> None:
    async with pooling(database) as story:
        # The pool is the youngest account; before it stands what members got home.
        [*_, last] = await places(story, "points_received")
        await story.rewrite(last, a_gift)
        assert last in (await story.found())[Reason.POOL_MISMATCH]
