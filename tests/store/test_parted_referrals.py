"""The cause of a reward that goes with its member into another account, and what becomes of it."""

from collections.abc import Callable
from typing import Any

import pytest

from ledger.core.events import KIND_NUMBER, decode
from ledger.verifying.findings import Reason
from loyalty.v1.types_pb2 import MemberRef
from tests.simulation.database import MemoryDatabase
from tests.store.in_memory import memory_till
from tests.store.merging import merge, unmerge
from tests.store.referring import Friends, friends, referring
from tests.store.stories import move
from tests.store.till import Till
from tests.store.verifying import divergences_of, rewritten


async def rewarded(till: Till) -> tuple[Friends, MemberRef, str]:
    """NEW has bought D1, OLD has 200 for it; then NEW is merged into another member."""
    told = await friends(till)
    other = await till.enrol("other")
    assert await told.buys("D1", 50_00) == 200
    return told, other, await merge(till, told.new, other)


async def test_a_purchase_returned_meanwhile_counts_no_more_once_they_part() -> None:
    async with memory_till() as (till, database):
        told, _, source = await rewarded(till)
        assert await told.buys("D1") == 200, "the referral rests"
        assert await divergences_of(database) == []
        await unmerge(till, source)
        assert (await told.has(), await told.cause()) == (0, ("D1", False))
        assert await told.buys("D2", 60_00) == 200
        assert await told.cause() == ("D2", True)
        assert await divergences_of(database) == []


async def test_a_purchase_that_went_to_somebody_else_meanwhile_is_no_cause() -> None:
    async with memory_till() as (till, database):
        told, _, source = await rewarded(till)
        stranger = await till.enrol("x")
        await till.post(move(till, stranger, "D1"))
        assert await told.has() == 200, "the referral rests"
        await unmerge(till, source)
        assert (await told.has(), await told.cause()) == (0, ("D1", False))
        # It is the stranger's; what they do with it concerns nobody's referral.
        await till.post(till.document(stranger, "D1", 2, 70_00))
        assert await told.buys("D2", 60_00) == 200
        assert await divergences_of(database) == []


async def test_a_purchase_that_nothing_happened_to_goes_on_counting() -> None:
    async with memory_till() as (till, database):
        told, other, source = await rewarded(till)
        await till.post(till.document(other, "E1", 1, 90_00))
        await told.buys("D1", 55_00)
        await unmerge(till, source)
        assert (await told.has(), await told.cause()) == (200, ("D1", True))
        assert await divergences_of(database) == []


async def test_who_was_brought_may_be_merged_into_who_brought_them() -> None:
    async with memory_till() as (till, database):
        told = await friends(till)
        await told.buys("D1", 50_00)
        source = await merge(till, told.new, told.old)
        await told.buys("D1")
        assert await told.has() == 200
        await unmerge(till, source)
        assert (await told.has(), await told.cause()) == (0, ("D1", False))
        assert await divergences_of(database) == []


async def test_both_of_two_who_became_one_have_a_referral_of_their_own() -> None:
    async with memory_till() as (till, database):
        told = await friends(till)
        other, second = await till.enrol("other"), await till.enrol("second")
        await till.write(referring(till, other, second))
        await told.buys("D1", 50_00)
        source = await merge(till, told.new, other)
        await till.post(till.document(other, "E1", 1, 70_00))
        await told.buys("D1")
        assert (await told.has(), await till.available(second)) == (200, 200)
        await unmerge(till, source)
        assert (await told.has(), await till.available(second)) == (0, 200)
        assert await divergences_of(database) == []


def of_another_purchase(fact: Any) -> None:
    fact.document = "a/till/E9"


def still_counts(fact: Any) -> None:
    fact.counts = True


@pytest.mark.parametrize("change", [of_another_purchase, still_counts])
async def test_a_changed_loss_is_found(change: Callable[[Any], None]) -> None:
    async with memory_till() as (till, database):
        told, _, source = await rewarded(till)
        await told.buys("D1")
        await unmerge(till, source)
    with rewritten(database, _last_change(database), change):
        assert Reason.REFERRAL_MISMATCH in {each.reason for each in await divergences_of(database)}


async def test_a_loss_that_nothing_explains_is_found() -> None:
    """The version that took the purchase back stood in the other account, and says less now."""
    async with memory_till() as (till, database):
        told, _, source = await rewarded(till)
        await told.buys("D1")
        await unmerge(till, source)

    def of_nobody_else(fact: Any) -> None:
        fact.owner_id = ""

    events = database.all_events()
    returned = next(each for each in events if getattr(decode(each.payload), "owner_id", "") != ""
                    and each.kind == KIND_NUMBER["document_posted"])  # fmt: skip
    with rewritten(database, returned, of_nobody_else):
        details = [each.detail for each in await divergences_of(database)]
    assert any("nothing happened to it" in detail for detail in details)


def _last_change(database: MemoryDatabase) -> Any:
    changed = KIND_NUMBER["referral_cause_changed"]
    return [each for each in database.all_events() if each.kind == changed][-1]
