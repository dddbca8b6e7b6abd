"""Reconciling pulls: what a sender forgot to send is asked for, on a schedule, by one process.

What a pull brings goes through the inbox like everything else; what is known changes nothing.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import asyncpg
import structlog

from adapters.frame.adapter import Api, Connection
from adapters.frame.database import LOST
from adapters.frame.inbox import Inbox
from adapters.frame.metrics import Metrics
from adapters.frame.words import Delivery, Outcome, RetryLater, Unreadable, shown

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 5.0
FAILED_SECONDS: Final = 120
_BEGIN: Final = """
INSERT INTO adapters.cursor (connection, position, due_at)
SELECT connection, '', now() FROM unnest($1::text[]) AS connection ON CONFLICT DO NOTHING"""
_CLAIM: Final = """
SELECT connection, position FROM adapters.cursor
 WHERE due_at <= now() AND connection = ANY($1)
 ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED"""
_MOVE: Final = """
UPDATE adapters.cursor
   SET position = $2, due_at = now() + $3 * interval '1 second', problem = $4,
       pulled_at = CASE WHEN $4 = '' THEN now() ELSE pulled_at END
 WHERE connection = $1"""


class Puller:
    """Pulls for the connections whose systems can be asked."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        connections: Mapping[str, Connection],
        *,
        inbox: Inbox,
        api: Api,
        metrics: Metrics,
    ) -> None:
        """Pull into `inbox`."""
        self._pool = pool
        self._connections = {name: each for name, each in connections.items() if can_pull(each)}
        self._inbox = inbox
        self._api = api
        self._metrics = metrics

    async def run(self) -> None:
        """Pull what is due until cancelled."""
        begun = False
        while True:
            try:
                if not begun:
                    await self._pool.execute(_BEGIN, list(self._connections))
                    begun = True
                while await self.step():
                    pass
            except Exception as error:
                if not isinstance(error, LOST):
                    log.exception("pulling_failed")
            await asyncio.sleep(LOOK_SECONDS)

    async def step(self) -> bool:
        """Make one pull that is due; False when none is."""
        async with self._pool.acquire() as row_holder, row_holder.transaction():
            row = await row_holder.fetchrow(_CLAIM, list(self._connections))
            if row is None:
                return False
            connection = self._connections[row["connection"]]
            position, wait, problem = await self._pull(connection, row["position"])
            await row_holder.execute(_MOVE, connection.name, position, wait, problem)
        return True

    async def _pull(self, connection: Connection, cursor: str) -> tuple[str, int, str]:
        """Where the next pull goes on, in how many seconds, and what was wrong with this one."""
        try:
            pulled = await connection.adapter.pull(cursor, connection, self._api)
            for delivery in pulled.deliveries:
                await self._take(connection, delivery)
        except LOST:
            raise
        except Exception as error:
            if not isinstance(error, RetryLater | Unreadable):
                log.exception("pull_failed", connection=connection.name)
            self._metrics.pulls.labels(connection.name, "failed").inc()
            wait = getattr(error, "seconds", 0) or FAILED_SECONDS
            return cursor, wait, shown(error)
        self._metrics.pulls.labels(connection.name, "done").inc()
        return pulled.cursor, 0 if pulled.more else connection.adapter.pull_seconds, ""

    async def _take(self, connection: Connection, delivery: Delivery) -> None:
        kept = connection.adapter.redacted(delivery)
        headers = {
            name: value
            for name, value in kept.headers.items()
            if name in connection.adapter.kept_headers
        }
        bare = Delivery(kept.body, headers, received_at=kept.received_at, pulled=True)
        if await self._inbox.keep(connection.name, "", bare) is Outcome.ACCEPTED:
            self._metrics.pulled.labels(connection.name).inc()


def can_pull(connection: Connection) -> bool:
    """Whether a connection's system can be asked, and has the secrets for it."""
    adapter = connection.adapter
    return adapter.pull_seconds > 0 and all(map(connection.keys, adapter.api_secrets))
