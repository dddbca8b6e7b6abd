"""What servers do by themselves, in every process at once: they sweep, and bring transfers on."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from ledger.core.instant import DAY, SECOND, Instant
from ledger.store import KeyTaken
from server.passes import PassStopped, into
from server.sweeping import Sweeper
from tests.simulation.due import MemoryDue, accounts, folded
from tests.simulation.processes import JUMP_MAX, Process, World
from tests.simulation.traffic import Traffic
from tests.simulation.transit import MemoryContinuing, MemoryTransfers

SWEEP_EVERY: Final = 250
"""Steps of the traffic between two sweeps of one process."""
GO_ON_EVERY: Final = 60
"""Steps of the traffic between two passes of one process over the transfers."""
PAUSE: Final = 2 * JUMP_MAX + 2 * SECOND
"""After which every clock has passed what was recorded before."""
STEPS_MAX: Final = 500
"""More steps than the longest merge has."""
REST: Final = 3 * DAY
"""After which nobody has time left to accept anything."""


@dataclass
class Passes:
    """The passes of all processes, while there is traffic and once it is over."""

    world: World
    traffic: Traffic
    steps: int
    transfers: MemoryTransfers = field(init=False)

    def __post_init__(self) -> None:
        self.transfers = MemoryTransfers(self.world.database)

    async def sweep(self, owner: int) -> None:
        """Sweep now and then, as that process; when it dies, the sweep stays half done."""
        while await self._busy(SWEEP_EVERY):
            await self._swept(await self.world.process(owner), f"sweeper-{owner}")

    async def go_on(self, owner: int) -> None:
        """Bring on transfers that are due, as that process; the others do the same meanwhile."""
        while await self._busy(GO_ON_EVERY):
            await self._gone_on(await self.world.process(owner), f"owner-{owner}")

    async def rest(self) -> None:
        """Let everything come to its end, now that nobody asks for anything and nothing fails."""
        self.world.now += REST
        for _ in range(STEPS_MAX):
            # A pass takes one step of each merge that is under way.
            await self._swept(await self.world.any_process(), "sweeper-at-rest")
            self.world.now += PAUSE
            if not self._merging():
                break
        else:
            raise AssertionError("a merge does not come to its end")
        # What could not arrive while two became one can now.
        await self._gone_on(await self.world.any_process(), "owner-at-rest")
        assert not self.transfers.under_way(), "one calm pass brings every transfer to its end"
        waiting = await MemoryDue(self.world).awaited(limit=1)
        assert not waiting, "one calm sweep credits what waited for a member"

    def _merging(self) -> bool:
        return any(folded(self.world, stream).merging for stream in accounts(self.world))

    async def _busy(self, steps: int) -> bool:
        """Wait until so many steps were taken; False when there are no more."""
        until = self.traffic.steps + steps
        while self.traffic.steps < min(until, self.steps):
            await asyncio.sleep(1.0)
        return self.traffic.steps < self.steps

    def _passed(self) -> Instant:
        """What every clock has passed, however far it has jumped back."""
        return self.world.now - 2 * JUMP_MAX - SECOND

    async def _swept(self, process: Process, client: str) -> None:
        sweeper = Sweeper(MemoryDue(self.world), into(process.ledger, client=client))
        _require(await process.run(sweeper.sweep(self._passed())), PassStopped)

    async def _gone_on(self, process: Process, client: str) -> None:
        continuing = MemoryContinuing(self.transfers, into(process.ledger, client=client))
        # As `keep_continuing` does, a pass that fails is left to the next one.
        _require(await process.run(continuing.go_on(self._passed())), (PassStopped, KeyTaken))


def _require(done: asyncio.Future[object], allowed: type | tuple[type, ...]) -> None:
    """Assert that something ended well, died, or failed in a way that is allowed."""
    error = None if done.cancelled() else done.exception()
    assert error is None or isinstance(error, allowed), error
