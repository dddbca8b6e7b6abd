"""A simulation: callers, processes, passes over what is due; everything drawn from one seed."""

import asyncio
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from unittest.mock import patch
from uuid import UUID

from ledger.core.events import KIND_NAME
from ledger.core.instant import from_datetime
from ledger.core.refusals import Refusal
from tests.simulation.checks import check
from tests.simulation.loop import VirtualLoop
from tests.simulation.passes import Passes
from tests.simulation.processes import JUMP_MAX, World
from tests.simulation.store import Fate
from tests.simulation.traffic import Traffic

BEGIN = from_datetime(datetime(2026, 1, 1, tzinfo=UTC))
CALLERS = 16
PROCESSES = 2
_OFTEN = {"ledger.snapshots.EVERY": 10, "ledger.core.merging.LOTS_A_STEP": 3}
"""Snapshots are read as often as in years of service, and merges take many steps."""


@dataclass(frozen=True)
class Outcome:
    """What a simulation went through, for those who doubt that anything happened."""

    steps: int
    events: int
    history: str
    """A digest of every event, in its place and with its time."""
    kinds: dict[str, int]
    """How many of each kind of event."""
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
        with ExitStack() as stack:
            for name, value in _OFTEN.items():
                stack.enter_context(patch(name, value))
            for name in ("uuid_utils.uuid7", "server.services.merge_calls.uuid4"):
                stack.enter_context(patch(name, ids.next))
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
    passes = Passes(world, traffic, steps)
    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(_call(traffic, steps))
        for owner in range(PROCESSES):
            group.create_task(passes.sweep(owner))
            group.create_task(passes.go_on(owner))
    world.calm = True
    # No clock stands behind what another one has recorded.
    world.now += 2 * JUMP_MAX
    await passes.rest()
    await check(world, traffic)
    await world.stop()
    return _outcome(world, traffic)


async def _call(traffic: Traffic, steps: int) -> None:
    while traffic.steps < steps:
        await traffic.step()
        traffic.pass_time()


def _outcome(world: World, traffic: Traffic) -> Outcome:
    refused = Counter(
        sent.result.reason for sent in traffic.sent.values() if isinstance(sent.result, Refusal)
    )
    events = world.database.all_events()
    return Outcome(
        steps=traffic.steps,
        events=len(events),
        history=sha256(b"".join(event.leaf_hash for event in events)).hexdigest(),
        kinds=Counter(KIND_NAME[event.kind] for event in events),
        deaths=world.deaths,
        faults=world.faults,
        answered=len(traffic.sent) - refused.total(),
        refused=refused,
    )
