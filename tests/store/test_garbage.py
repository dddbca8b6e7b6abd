"""Reference counts free what a write makes: nothing waits for the collector."""

import gc
from collections.abc import Awaitable, Callable

import pytest

from ledger.core.refusals import Refusal
from ledger.garbage import WORTH_A_SEARCH, search_young
from tests.cycles import cycles
from tests.store.every_kind import CHAPTERS
from tests.store.in_memory import memory_till
from tests.store.till import Till


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: str(chapter.__name__))
async def test_writes_leave_no_cycles(chapter: Callable[[Till], Awaitable[None]]) -> None:
    async with memory_till() as (till, _):
        with cycles() as found:
            await chapter(till)
    assert found == []


async def test_refusals_leave_no_cycles() -> None:
    async with memory_till() as (till, _):
        await till.publish()
        member = await till.enrol("1")
        with cycles() as found:
            for points in (1, 0, 5):
                with pytest.raises(Refusal):
                    await till.post(till.burn(member, points))
            refused = [till.burn(member, 7), till.burn(member, 8)]
            await till.ledger.write_batch(refused, client="till")
            await till.ledger.write_batch(refused, client="till", atomic=True)
    assert found == []


def test_a_search_waits_until_it_is_worth_it() -> None:
    begun = 0

    def count(phase: str, info: dict[str, int]) -> None:
        nonlocal begun
        begun += phase == "start" and info["generation"] == 0

    gc.collect()
    gc.callbacks.append(count)
    gc.disable()
    try:
        search_young()
        assert begun == 0
        kept: list[list[int]] = [[] for _ in range(WORTH_A_SEARCH + 10)]
        search_young()
        assert begun == 1
        assert kept
    finally:
        gc.callbacks.remove(count)
        gc.enable()
