"""The sender: tells the messages of a member one after the other, again and again if it must be.

The member's row stays locked meanwhile, so of several processes one sends. One that dies between
the receiver's answer and its own commit sends once more, with the same id.
"""

import asyncio
import secrets
from collections.abc import Sequence
from typing import Final, Protocol

import asyncpg
import structlog

from adapters.frame.metrics import Metrics
from adapters.frame.outbox import store
from adapters.frame.outbox.messages import Message, Outcome
from adapters.frame.outbox.store import Told

log = structlog.get_logger(__name__)

MEMBERS_MAX: Final = 16
ATTEMPTS_MAX: Final = 20
FIRST_SECONDS: Final = 5
LONGEST_SECONDS: Final = 21_600
"""Pauses grow threefold up to this: the last attempt is about three days after the first."""
LEFT_ALONE_MAX: Final = 3_600


class Receiver(Protocol):
    """Whoever is told."""

    async def deliver(self, message: Message) -> Outcome:
        """Try once. Does not raise for what the other side does."""

    async def close(self) -> None:
        """Close all connections."""


class Sender:
    """Sends for one subscription."""

    def __init__(
        self, pool: asyncpg.Pool, subscription: str, receiver: Receiver, metrics: Metrics
    ) -> None:
        """Tell `receiver`."""
        self._pool = pool
        self._subscription = subscription
        self._receiver = receiver
        self._metrics = metrics
        self._time = asyncio.get_running_loop().time
        self._left_alone_until = 0.0

    async def step(self) -> bool:
        """Send what is due of some members; False when nothing is, or the receiver wants peace."""
        if self._time() < self._left_alone_until:
            return False
        async with self._pool.acquire() as session, session.transaction():
            due = await store.to_be_told(session, self._subscription, MEMBERS_MAX)
            if not due:
                return False
            told = await asyncio.gather(*(self._tell(*each) for each in due))
            await store.keep_outcomes(session, self._subscription, told)
        self._count(told)
        asked = min(max(each.left_alone for each in told), LEFT_ALONE_MAX)
        self._left_alone_until = self._time() + asked
        return True

    async def _tell(self, member_id: str, attempts: int, messages: Sequence[Message]) -> Told:
        told = Told(member_id, attempts)
        for message in messages:
            outcome = await self._receiver.deliver(message)
            tried = told.attempts + 1
            if not outcome.problem:
                told.settled.append((message, "sent", "", tried))
            elif outcome.final or tried >= ATTEMPTS_MAX:
                # The messages after it say how things are now: they need not wait for it.
                told.settled.append((message, "dead", outcome.problem, tried))
            else:
                told.settled.append((message, "waiting", outcome.problem, tried))
                told.attempts, told.problem = tried, outcome.problem
                told.wait = max(pause_after(tried), outcome.seconds)
                told.left_alone = outcome.seconds
                return told
            told.attempts = 0
        return told

    def _count(self, told: Sequence[Told]) -> None:
        for message, state, problem, attempts in (row for each in told for row in each.settled):
            result = "failed" if state == "waiting" else state
            self._metrics.told.labels(self._subscription, message.kind, result).inc()
            if state != "sent":
                log.warning(
                    "message_not_delivered",
                    subscription=self._subscription,
                    message=message.message_id,
                    state=state,
                    attempts=attempts,
                    problem=problem,
                )


def pause_after(attempts: int) -> int:
    """Return seconds before the next attempt: three times the last pause, a fifth more or less.

    What failed together is so not tried again together.
    """
    pause: int = min(FIRST_SECONDS * 3 ** (attempts - 1), LONGEST_SECONDS)
    return max(pause * (80 + secrets.randbelow(41)) // 100, 1)
