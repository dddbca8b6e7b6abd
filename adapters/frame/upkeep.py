"""Upkeep: figures that only a look into the database gives, and forgetting what is over."""

import asyncio
from collections.abc import Iterable
from typing import Final

import asyncpg
import structlog

from adapters.frame.database import LOST
from adapters.frame.metrics import Metrics

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 15.0
LOOKS_PER_FORGETTING: Final = 20
AT_ONCE: Final = 5_000
_STUCK: Final = """
SELECT connection, state, reason, count(*) AS subjects FROM adapters.subject
 WHERE state IN ('parked', 'dead') GROUP BY 1, 2, 3"""
_WAITING: Final = """
SELECT extract(epoch FROM now() - least(
         (SELECT min(received_at) FROM adapters.delivery WHERE state = 'new'),
         (SELECT min(due_at) FROM adapters.subject WHERE due_at <= now()), now()))::bigint"""
# The rows stay: an event id that came once is known for ever.
_FORGET_BODIES: Final = """
UPDATE adapters.delivery SET body = NULL, headers = '{}' WHERE delivery_id IN (
  SELECT delivery_id FROM adapters.delivery
   WHERE received_at < now() - $1 * interval '1 day' AND state = 'taken' AND body IS NOT NULL
   ORDER BY received_at LIMIT $2)"""
_FORGET_PARTS: Final = """
DELETE FROM adapters.part WHERE part_id IN (
  SELECT p.part_id FROM adapters.part p JOIN adapters.subject s USING (connection, subject)
   WHERE s.changed_at < now() - $1 * interval '1 day' AND s.state = 'done' AND s.due_at IS NULL
     AND NOT p.unread
   LIMIT $2)"""


_OUTBOX: Final = """
SELECT s.subscription,
       extract(epoch FROM now() - least(min(o.created_at) FILTER (WHERE o.state = 'waiting'),
                                        s.followed_at, now()))::bigint AS waiting,
       count(*) FILTER (WHERE o.state = 'dead') AS dead
  FROM adapters.outbox_subscription s
  LEFT JOIN adapters.outbox_message o
    ON o.subscription = s.subscription AND o.state IN ('waiting', 'dead')
 WHERE s.subscription = ANY($1) GROUP BY 1, s.followed_at"""
_FORGET_MESSAGES: Final = """
DELETE FROM adapters.outbox_message WHERE message_id IN (
  SELECT message_id FROM adapters.outbox_message
   WHERE changed_at < now() - $1 * interval '1 day' AND state = 'sent'
   ORDER BY changed_at LIMIT $2)"""


class Upkeep:
    """Looks every quarter of a minute."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        metrics: Metrics,
        *,
        keep_days: int,
        keep_parts_days: int,
        subscriptions: Iterable[str],
    ) -> None:
        """Keep raw bodies for `keep_days`, parts of settled subjects for `keep_parts_days`."""
        self._pool = pool
        self._metrics = metrics
        self._keep_days = keep_days
        self._keep_parts_days = keep_parts_days
        self._subscriptions = list(subscriptions)

    async def run(self) -> None:
        """Look until cancelled."""
        looks = 0
        while True:
            try:
                await self.look()
                if looks % LOOKS_PER_FORGETTING == 0:
                    await self.forget()
            except Exception as error:
                if not isinstance(error, LOST):
                    log.exception("upkeep_failed")
            looks += 1
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Bring the gauges up to date."""
        self._metrics.stuck.clear()
        for row in await self._pool.fetch(_STUCK):
            labels = row["connection"], row["state"], row["reason"]
            self._metrics.stuck.labels(*labels).set(row["subjects"])
        for row in await self._pool.fetch(_OUTBOX, self._subscriptions):
            self._metrics.outbox_waiting.labels(row["subscription"]).set(row["waiting"])
            self._metrics.outbox_dead.labels(row["subscription"]).set(row["dead"])
        self._metrics.waiting.set(await self._pool.fetchval(_WAITING))

    async def forget(self) -> None:
        """Take out bodies, parts and sent messages that are older than they may be."""
        await self._pool.execute(_FORGET_BODIES, self._keep_days, AT_ONCE)
        await self._pool.execute(_FORGET_MESSAGES, self._keep_days, AT_ONCE)
        await self._pool.execute(_FORGET_PARTS, self._keep_parts_days, AT_ONCE)
