"""Server processes of a simulation: each a ledger of its own over the one database."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, TypeVar

from ledger.core.instant import SECOND, Instant
from ledger.core.state import Account
from ledger.metrics import NoMetrics
from ledger.rows import AppendBatch
from ledger.service import Ledger, LedgerSettings
from tests.simulation.database import MemoryDatabase
from tests.simulation.store import Fate, MemoryStore

KEY: Final = bytes(range(32))
FATES: Final = (
    (Fate.WAITS, 0.10),
    (Fate.LOST_BEFORE, 0.02),
    (Fate.LOST_AFTER, 0.02),
    (Fate.DIES_BEFORE, 0.01),
    (Fate.DIES_AFTER, 0.01),
)
"""How often a commit has which fate."""
JUMP: Final = 0.02
"""How often a clock jumps before it is read."""
JUMP_MAX: Final = 300 * SECOND
WAIT_SECONDS: Final = 10.0
"""Virtual seconds after which who waits for a process looks whether it still lives."""
Result = TypeVar("Result")


@dataclass
class JumpingClock:
    """The world's time as one process sees it: its clock now and then jumps, either way."""

    world: "World"
    random: Random
    follows_database: bool = False
    off_by: Instant = 0

    def now(self) -> Instant:
        """The world's time, and how far this clock is off."""
        if self.random.random() < JUMP:
            self.off_by = self.random.randint(-JUMP_MAX, JUMP_MAX)
        return self.world.now + self.off_by


@dataclass
class Process:
    """A ledger while it lives."""

    ledger: Ledger
    store: MemoryStore

    @property
    def lives(self) -> bool:
        """Whether it still serves."""
        return not self.store.dead and self.ledger.serving

    async def run(self, doing: Coroutine[Any, Any, Result]) -> asyncio.Future[Result]:
        """Do something in this process; it is cancelled, wherever it is, when the process dies."""
        task = asyncio.ensure_future(doing)
        while not task.done():
            await asyncio.wait({task}, timeout=WAIT_SECONDS)
            if not self.lives:
                task.cancel()
                await asyncio.wait({task})
        return task


@dataclass
class World:
    """Time, the database, and the processes that believe they are alone with it."""

    seed: int
    now: Instant
    lanes: int = 16
    processes: list[Process] = field(default_factory=list)
    deaths: int = 0
    faults: dict[Fate, int] = field(default_factory=dict)
    folded: dict[str, Account] = field(default_factory=dict)
    """By stream, as far as somebody has looked at them."""
    calm: bool = False
    """No more faults: what is to end well can end."""

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self._starting = asyncio.Lock()
        self.database = MemoryDatabase(self.lanes)

    async def start(self, processes: int) -> None:
        """Start so many processes."""
        self.processes = [await self._process() for _ in range(processes)]

    async def any_process(self) -> Process:
        """One of the processes, as `process` gives it."""
        return await self.process(self.random.randrange(len(self.processes)))

    async def process(self, index: int) -> Process:
        """That process; one that died has been started again, with nothing in memory."""
        async with self._starting:
            if not self.processes[index].lives:
                await self._bury(self.processes[index])
                self.processes[index] = await self._process()
        return self.processes[index]

    async def stop(self) -> None:
        """End all processes."""
        for process in self.processes:
            await self._bury(process)

    async def _process(self) -> Process:
        store = MemoryStore(self.database, self._fate)
        clock = JumpingClock(self, Random(self.random.random()))
        settings = LedgerSettings(
            identity_key=KEY, approval_required=False, batch_max=16, cache_accounts=8
        )
        reading = MemoryStore(self.database)
        ledger = Ledger(store, reading, settings, clock, NoMetrics())
        await ledger.start()
        return Process(ledger, store)

    async def _bury(self, process: Process) -> None:
        """What a dead process still runs is ended without a last word."""
        self.deaths += process.store.dead
        running = [process.ledger._writing, *process.ledger._tasks]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _fate(self, batch: AppendBatch) -> Fate:
        del batch
        fate = Fate.HAPPENS
        if not self.calm:
            draw = self.random.random()
            for each, share in FATES:
                draw -= share
                if draw < 0:
                    fate = each
                    break
        self.faults[fate] = self.faults.get(fate, 0) + 1
        return fate
