"""Whoever parts from a member leaves nothing of their tier behind, whatever covered the tiers."""

from loyalty.v1.events_pb2 import TIER_BASIS_EARNED, TIER_BASIS_GRANTED
from loyalty.v1.types_pb2 import MemberRef
from tests.store.in_memory import memory_till
from tests.store.merging import merge, unmerge
from tests.store.test_granted_tiers import POLICY, held
from tests.store.test_tiers import grant, granted, tier
from tests.store.till import Till, at
from tests.store.verifying import divergences_of

GRANT_ENDS = "2025-06-01T00:00"
"""Silver at 300 and gold at 500 a year, until the end of the next year."""


async def earning(till: Till, name: str, points: int) -> MemberRef:
    """A member who has bought something for so many points."""
    member = await till.enrol(name)
    await till.post(till.document(member, f"D-{name}", 1, points * 100))
    return member


async def test_a_tier_of_who_has_left_does_not_come_back_when_a_grant_is_over() -> None:
    async with memory_till() as (till, database):
        await till.publish(POLICY)
        a, b = await earning(till, "a", 500), await earning(till, "b", 300)
        source = await merge(till, a, b)
        assert await tier(till, b) == "gold"
        await granted(till, grant(till, b, "gold", until=GRANT_ENDS))
        till.clock.set(at("2025-07-01T00:00"))
        await unmerge(till, source)
        assert await held(till, a) == ("gold", TIER_BASIS_EARNED, "basic")
        assert await held(till, b) == ("silver", TIER_BASIS_EARNED, "basic")
        assert await divergences_of(database) == []


async def test_nor_while_it_lasts_and_ends_later() -> None:
    async with memory_till() as (till, database):
        await till.publish(POLICY)
        a, b = await earning(till, "a", 500), await earning(till, "b", 300)
        source = await merge(till, a, b)
        await granted(till, grant(till, b, "gold", until=GRANT_ENDS))
        await unmerge(till, source)
        assert await held(till, b) == ("gold", TIER_BASIS_GRANTED, "silver")
        till.clock.set(at(GRANT_ENDS))
        assert await held(till, b) == ("silver", TIER_BASIS_EARNED, "basic")
        await till.post(till.document(b, "D9", 1, 1_00))
        assert await divergences_of(database) == []


async def test_nested_everybody_has_their_own_again() -> None:
    async with memory_till() as (till, database):
        await till.publish(POLICY)
        a, b = await earning(till, "a", 500), await earning(till, "b", 300)
        c = await earning(till, "c", 10)
        inner = await merge(till, a, b)
        await granted(till, grant(till, b, "gold", until="2025-05-01T00:00"))
        outer = await merge(till, b, c)
        assert await tier(till, c) == "gold"
        await granted(till, grant(till, c, "gold", until=GRANT_ENDS))
        till.clock.set(at("2025-07-01T00:00"))
        await unmerge(till, outer)
        assert await held(till, c) == ("basic", TIER_BASIS_EARNED, "basic")
        assert await held(till, b) == ("gold", TIER_BASIS_EARNED, "basic")
        await unmerge(till, inner)
        assert await held(till, b) == ("silver", TIER_BASIS_EARNED, "basic")
        assert await held(till, a) == ("gold", TIER_BASIS_EARNED, "basic")
        # What is returned later asks nothing of the others.
        await till.post(till.document(b, "D-b", 2))
        assert await tier(till, b) == "basic"
        assert await divergences_of(database) == []


async def test_two_who_came_and_one_who_leaves() -> None:
    """The one who stays has brought silver, and keeps it for both."""
    async with memory_till() as (till, database):
        await till.publish(POLICY)
        a, c = await earning(till, "a", 500), await earning(till, "c", 300)
        b = await earning(till, "b", 10)
        leaves, stays = await merge(till, a, b), await merge(till, c, b)
        await granted(till, grant(till, b, "gold", until=GRANT_ENDS))
        till.clock.set(at("2025-07-01T00:00"))
        await unmerge(till, leaves)
        assert await held(till, b) == ("silver", TIER_BASIS_EARNED, "basic")
        await unmerge(till, stays)
        assert await held(till, b) == ("basic", TIER_BASIS_EARNED, "basic")
        assert await held(till, c) == ("silver", TIER_BASIS_EARNED, "basic")
        assert await divergences_of(database) == []
