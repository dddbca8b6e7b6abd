"""The stopwatch counts each part for itself, counts no waiting, and finds what it is to time."""

import asyncio
from importlib import import_module
from time import thread_time_ns

import pytest

from bench.stopwatch import PARTS, PLACES, Stopwatch

TURN = 2_000_000


def work(nanoseconds: int) -> None:
    ends = thread_time_ns() + nanoseconds
    while thread_time_ns() < ends:
        pass


def test_what_a_part_calls_is_counted_for_the_part_that_is_called() -> None:
    stopwatch = Stopwatch()
    inner = stopwatch.timed("inner", lambda: work(TURN))

    def outer() -> None:
        work(TURN)
        inner()

    stopwatch.timed("outer", outer)()
    assert TURN <= stopwatch.spent["outer"] < 2 * TURN
    assert TURN <= stopwatch.spent["inner"] < 2 * TURN


async def test_waiting_is_nobodys_time_and_answers_pass_through() -> None:
    stopwatch = Stopwatch()

    async def answer(value: int) -> int:
        work(TURN)
        await asyncio.sleep(0.02)
        return value

    timed = stopwatch.waiting("part", answer)
    assert list(await asyncio.gather(timed(1), timed(2))) == [1, 2]
    assert 2 * TURN <= stopwatch.spent["part"] < 4 * TURN


async def test_a_caller_that_leaves_ends_what_is_timed() -> None:
    stopwatch = Stopwatch()
    ended = asyncio.Event()

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    task = asyncio.ensure_future(stopwatch.waiting("part", wait)())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


def test_every_place_that_is_timed_exists_in_the_product() -> None:
    for place in PLACES:
        module = import_module(place.module)
        owner = getattr(module, place.owner) if place.owner else module
        function = getattr(owner, place.name)
        assert asyncio.iscoroutinefunction(function) is place.waits, place
        assert place.part in PARTS
