"""A till on a ledger in memory: for tests that look at one history many times."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ledger.clock import SettableClock
from ledger.metrics import NoMetrics
from ledger.service import Ledger, LedgerSettings
from tests.simulation.database import MemoryDatabase
from tests.simulation.store import MemoryStore
from tests.store.till import KEY, Till, at

LANES = 16


@asynccontextmanager
async def memory_till(
    *, now: str = "2025-03-01T12:00"
) -> AsyncIterator[tuple[Till, MemoryDatabase]]:
    """As `open_till`, without a database; and where everything stands."""
    database, clock = MemoryDatabase(LANES), SettableClock(at(now))
    settings = LedgerSettings(identity_key=KEY)
    ledger = Ledger(MemoryStore(database), MemoryStore(database), settings, clock, NoMetrics())
    await ledger.start()
    try:
        yield Till(ledger, clock), database
    finally:
        running = [ledger._writing, *ledger._tasks]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
