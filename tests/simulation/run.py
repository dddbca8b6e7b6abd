"""A simulation: several callers, several processes, a sweeper; everything drawn from one seed."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from unittest.mock import patch
from uuid import UUID

from ledger.core.instant import SECOND, from_datetime
from server.sweeping import Sweeper, SweepStopped, into
from tests.simulation.checks import check
from tests.simulation.due import MemoryDue
from tests.simulation.loop import VirtualLoop
from tests.simulation.processes import JUMP_MAX, World
from tests.simulation.store import Fate
from tests.simulation.traffic import Traffic

BEGIN = from_datetime(datetime(2026, 1, 1, tzinfo=UTC))
CALLERS = 16
PROCESSES = 2
SWEEP_EVERY = 250


@dataclass(frozen=True)
class Outcome:
    """What a simulation went through, for those who doubt that anything happened."""

    steps: int
    events: int
    deaths: int
    faults: dict[Fate, int]
    answered: int
    refused: dict[str, int]


def simulate(seed: int, *, steps: int, members: int = 24) -> Outcome:
    """Run one world. Raises AssertionError with what is wrong; the seed makes it happen again."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        ids = _Ids(seed)
        # Snapshots at every turn: they are to be read as often as they are in years of service.
        with patch("uuid_utils.uuid7", ids.next), patch("ledger.snapshots.EVERY", 10):
            return loop.run_until_complete(_simulate(seed, steps, members))
    finally:
        asyncio.set_event_loop(None)
        loop.close()


class _Ids:
    """Ids in rising order, so that a seed names the same entries each time."""

    def __init__(self, seed: int) -> None:
        self._number = seed << 64

    def next(self) -> UUID:
        self._number += 1
        return UUID(int=(self._number % 2**128) | 7 << 76)


async def _simulate(seed: int, steps: int, members: int) -> Outcome:
    world = World(seed, BEGIN)
    await world.start(PROCESSES)
    traffic = Traffic(world, members)
    await traffic.begin()
    sweeping = asyncio.ensure_future(_sweep(world, traffic, steps))
    await asyncio.gather(*(_call(traffic, steps) for _ in range(CALLERS)))
    await sweeping
    world.calm = True
    # No clock stands behind what another one has recorded.
    world.now += 2 * JUMP_MAX
    await check(world, traffic)
    await world.stop()
    return _outcome(world, traffic)


async def _call(traffic: Traffic, steps: int) -> None:
    while traffic.steps < steps:
        await traffic.step()
        traffic.pass_time()


async def _sweep(world: World, traffic: Traffic, steps: int) -> None:
    """Sweep now and then, each time with another process; one that dies is found half done."""
    swept_at = 0
    while traffic.steps < steps:
        await asyncio.sleep(1.0)
        if traffic.steps < swept_at + SWEEP_EVERY:
            continue
        swept_at = traffic.steps
        process = await world.any_process()
        sweeper = Sweeper(MemoryDue(world), into(process.ledger))
        pass_ = asyncio.ensure_future(sweeper.sweep(world.now - 2 * JUMP_MAX - SECOND))
        while not pass_.done():
            await asyncio.wait({pass_}, timeout=1.0)
            if not process.lives:
                pass_.cancel()
                await asyncio.wait({pass_})
        if not pass_.cancelled() and pass_.exception() is not None:
            assert isinstance(pass_.exception(), SweepStopped), pass_.exception()


def _outcome(world: World, traffic: Traffic) -> Outcome:
    refused: dict[str, int] = {}
    for sent in traffic.sent.values():
        if isinstance(sent.result, Exception):
            reason = sent.result.reason
            refused[reason] = refused.get(reason, 0) + 1
    events = sum(len(lane) for lane in world.database.events.values())
    answered = len(traffic.sent) - sum(refused.values())
    return Outcome(traffic.steps, events, world.deaths, world.faults, answered, refused)
