"""Pools that were changed afterwards, in the pool's account or a member's: every one is found."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest

from ledger.core.events import KIND_NUMBER
from ledger.verifying.findings import Reason
from loyalty.v1.events_pb2 import (
    TRANSFER_KIND_GIFT,
)
from loyalty.v1.types_pb2 import (
    POOL_PERMISSION_VIEW,
    Identity,
    MemberRef,
)
from tests.store.erasing import erase
from tests.store.moving import MOVING
from tests.store.pooling import CONTRIBUTE, SPEND, VIEW, Pooler
from tests.store.tampering import Place, Story, owned
from tests.store.till import open_till

pytestmark = pytest.mark.asyncio(loop_scope="module")

POLICY = MOVING + "transfers: [{id: gift, currency: p, relation: household}]\n"


@asynccontextmanager
async def tell(url: str) -> AsyncIterator[Story]:
    """A pool that was spent from, left and closed; another that its founder was erased from."""
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
        m3, m4, m5 = [await till.enrol(card) for card in ("3", "4", "5")]
        left = await pooler.opens(m3)
        await pooler.adds(left, m4, VIEW, by=m3)
        await pooler.adds(left, m5, VIEW, by=m3)
        await erase(till, m3)
        async with owned(till, url, m1) as story:
            yield story


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


CHANGES: Final = (
    ("pool_created", 0, of_another_pool),
    ("pool_member_added", 1, of_another_member),
    ("pool_member_added", 1, by_another),
    ("pool_member_added", 1, by_nobody),
    ("pool_member_removed", 0, of_another_member),
    ("pool_member_removed", 0, by_another),
    ("pool_permissions_changed", 0, by_another),
    ("pool_permissions_changed", 0, of_another_member),
    ("pool_permissions_changed", 0, only_to_look),
    ("pool_permissions_changed", 1, by_another),
    ("pool_permissions_changed", 1, only_to_look),
    ("pool_joined", 0, of_another_pool),
    ("pool_left", 1, of_another_pool),
    ("points_held", 0, by_another_spender),
    ("points_sent", -1, to_another),
)


@pytest.mark.parametrize(("kind", "which", "change"), CHANGES)
async def test_a_change_is_found(
    story: Story, kind: str, which: int, change: Callable[[Any], None]
) -> None:
    await story.rewrite((await places(story, kind))[which], change)
    assert Reason.POOL_MISMATCH in await story.found()


async def test_points_are_spent_by_who_may_or_by_the_member_alone(story: Story) -> None:
    for place in await places(story, "points_burned"):
        await story.rewrite(place, by_another_spender)
    found = (await story.found())[Reason.POOL_MISMATCH]
    assert set(found) == set(await places(story, "points_burned"))


async def test_who_came_last_does_not_administer_what_was_left(story: Story) -> None:
    last = MemberRef(identity=Identity(scheme="card", value="5"))
    member_id = (await story.till.ledger.reads.member(last)).member_id

    def to_the_last(fact: Any) -> None:
        fact.member_id = member_id

    [_, place] = await places(story, "pool_permissions_changed")
    await story.rewrite(place, to_the_last)
    assert place in (await story.found())[Reason.POOL_MISMATCH]


async def test_a_transfer_to_a_pool_is_no_gift(story: Story) -> None:
    # The pool is the youngest account with points; before it stands what members got home.
    [*_, last] = await places(story, "points_received")
    await story.rewrite(last, a_gift)
    assert last in (await story.found())[Reason.POOL_MISMATCH]
