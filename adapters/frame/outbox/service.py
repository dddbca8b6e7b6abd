"""Followers, drafters and senders of all subscriptions of a process, until it ends."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import asyncpg
import structlog

from adapters.frame.adapter import Api
from adapters.frame.database import LOST
from adapters.frame.metrics import Metrics
from adapters.frame.outbox import store
from adapters.frame.outbox.drafting import Drafter
from adapters.frame.outbox.following import Follower
from adapters.frame.outbox.profiles import ProfileReceiver
from adapters.frame.outbox.sending import Receiver, Sender
from adapters.frame.outbox.subscription import Subscription
from adapters.frame.outbox.webhooks import WebhookReceiver
from adapters.frame.posting import Ledger
from adapters.frame.words import RetryLater, shown

log = structlog.get_logger(__name__)

POLL_SECONDS: Final = 1.0
BACK_OFF_SECONDS: Final = (1.0, 2.0, 5.0, 15.0)
CONNECTIONS_EACH: Final = 3
"""Of the database: a step of any kind holds one, and no subscription waits for another's."""
RETRIED: Final = (RetryLater, *LOST)
Step = Callable[[], Awaitable[bool]]


class Outbox:
    """What goes out of one process."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        subscriptions: Mapping[str, Subscription],
        *,
        ledger: Ledger,
        api: Api,
        metrics: Metrics,
    ) -> None:
        """Work for `subscriptions`.

        Args:
            pool: of the adapters' database.
            subscriptions: by name.
            ledger: with a token that has the verbs audit and read.
            api: calls to the systems whose profiles are written.
            metrics: what is counted.
        """
        self._pool = pool
        self._subscriptions = subscriptions
        self._receivers = {name: _receiver(each, api) for name, each in subscriptions.items()}
        self._steps: list[tuple[str, Step]] = []
        for name, each in subscriptions.items():
            receiver = self._receivers[name]
            self._steps += [
                (name, Follower(pool, each, ledger).step),
                (name, Drafter(pool, each, ledger=ledger, metrics=metrics).step),
                (name, Sender(pool, name, receiver, metrics).step),
            ]

    async def begin(self) -> None:
        """Let there be a row for each subscription. At start."""
        for each in self._subscriptions.values():
            async with self._pool.acquire() as session:
                await store.subscribe(session, each.file)
            for problem in each.problems():
                log.error("secret_unusable", subscription=each.name, problem=problem)

    async def run(self) -> None:
        """Work until cancelled."""
        await asyncio.gather(*(_again(name, step) for name, step in self._steps))

    async def drain(self) -> None:
        """Work until nothing is left that can be done now."""
        while True:
            busy = [await step() for _, step in self._steps]
            if not any(busy):
                return

    async def close(self) -> None:
        """Close the connections to all receivers."""
        for each in self._receivers.values():
            await each.close()


def _receiver(subscription: Subscription, api: Api) -> Receiver:
    if subscription.file.webhook is not None:
        return WebhookReceiver(subscription, subscription.file.webhook)
    return ProfileReceiver(subscription, api)


async def _again(subscription: str, step: Step) -> None:
    """Take a step again and again; what fails is tried again a little later."""
    failures = 0
    while True:
        try:
            busy = await step()
            failures = 0
        except Exception as error:
            pause = BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)]
            failures += 1
            if isinstance(error, RETRIED):
                log.warning("outbox_waits", subscription=subscription, problem=shown(error))
            else:
                log.exception("outbox_step_failed", subscription=subscription)
            await asyncio.sleep(pause)
            continue
        if not busy:
            await asyncio.sleep(POLL_SECONDS)
