"""Snapshots: states written down now and then, so that a long history need not be folded again.

They follow the log at a distance, may be deleted at any time, and are never an authority: what was
recorded after a snapshot is folded on top of it.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from ledger.cache import Cache
from ledger.core.snapshot import STATE_VERSION, encode
from ledger.core.state import Account
from ledger.repeating import again_and_again
from ledger.store import Store

EVERY: Final = 100
"""A snapshot is due each time an account's version passes a multiple of this."""
WAITING_MAX: Final = 10_000
WRITTEN_AT_ONCE: Final = 200
PAUSE_SECONDS: Final = 1.0


class Snapshots:
    """Collects accounts that are due, and writes them off the write path."""

    def __init__(self, store: Store) -> None:
        """Write to `store`."""
        self._store = store
        self._due: dict[str, Account] = {}

    def offer(self, accounts: Mapping[str, Account], before: Cache) -> None:
        """Take those whose version passed a multiple of EVERY since the cache last saw them."""
        for stream, account in accounts.items():
            if account.version < EVERY or len(self._due) >= WAITING_MAX:
                continue
            cached = before.account(stream)
            seen = 0 if cached is None else cached.version
            if account.version // EVERY > seen // EVERY:
                self._due[stream] = account

    async def run(self) -> None:
        """Write what is due, a little at a time, until cancelled."""
        await again_and_again(self.flush, seconds=PAUSE_SECONDS, failed="snapshots_not_written")

    async def flush(self) -> None:
        """Write everything that is due now."""
        while self._due:
            due = list(self._due.items())[:WRITTEN_AT_ONCE]
            rows = []
            for stream, account in due:
                rows.append((stream, account.version, encode(account)))
                await asyncio.sleep(0)
            await self._store.save_snapshots(rows, state_version=STATE_VERSION)
            # Only now: who is cancelled on the way leaves them to the last flush.
            for stream, account in due:
                if self._due.get(stream) is account:
                    del self._due[stream]
