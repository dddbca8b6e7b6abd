"""Where writes wait for the writer: two bounded queues, so that no import holds up a till."""

import asyncio
from collections import deque
from typing import NamedTuple

from ledger.act import Act
from ledger.core.refusals import NotServing, QueueFull

BULK_SHARE = 4
"""At most every fourth place in a batch goes to bulk, even while no till waits: one that comes a
moment later has to wait for that batch."""
QUIET_TURNS = 12
"""Turns of the event loop without a new call, after which all that arrived has been read."""
GATHERING_SECONDS = 0.02


class Job(NamedTuple):
    """Acts that are decided together: one, or an atomic group."""

    acts: tuple[Act, ...]

    @property
    def abandoned(self) -> bool:
        """Nobody waits for any of it."""
        return all(act.delivered for act in self.acts)


class Waiting:
    """Interactive and bulk jobs, each in order of arrival."""

    def __init__(self, limit: int) -> None:
        """Let at most `limit` acts wait in each queue."""
        self._limit = limit
        self._interactive: deque[Job] = deque()
        self._bulk: deque[Job] = deque()
        self._sizes = [0, 0]
        self._arrived = asyncio.Event()
        self._closed_because = ""

    @property
    def interactive(self) -> int:
        """Interactive acts waiting."""
        return self._sizes[0]

    @property
    def bulk(self) -> int:
        """Bulk acts waiting."""
        return self._sizes[1]

    def close(self, because: str) -> None:
        """Accept nothing more; what waits is still taken. Wakes a taker for its last turn."""
        self._closed_because = because
        self._arrived.set()

    def fail(self, because: str) -> None:
        """Refuse what waits and what comes: nobody will take it any more."""
        self.close(because)
        for queue in (self._interactive, self._bulk):
            while queue:
                for act in queue.popleft().acts:
                    act.answer(NotServing(cause=because))
        self._sizes = [0, 0]

    def put(self, jobs: list[Job], *, bulk: bool) -> None:
        """Add jobs, all or none. Raises QueueFull or NotServing."""
        if self._closed_because:
            raise NotServing(cause=self._closed_because)
        size = sum(len(job.acts) for job in jobs)
        # An empty queue takes a call of any legal size: else a large batch could never enter.
        if self._sizes[bulk] and self._sizes[bulk] + size > self._limit:
            raise QueueFull(limit=self._limit)
        (self._bulk if bulk else self._interactive).extend(jobs)
        self._sizes[bulk] += size
        self._arrived.set()

    async def gather(self, most: int) -> None:
        """Let calls that have arrived already be read, as long as the queues grow by it.

        A busy event loop reads few calls between two batches: without this, batches stay small
        and each pays a whole commit. Nobody waits for calls that have not arrived.
        """
        quiet = 0
        until = asyncio.get_running_loop().time() + GATHERING_SECONDS
        while quiet < QUIET_TURNS and not self.full(most):
            before = sum(self._sizes)
            await asyncio.sleep(0)
            quiet = 0 if sum(self._sizes) > before else quiet + 1
            if asyncio.get_running_loop().time() > until:
                return

    async def take(self, most: int) -> list[Job]:
        """What waits, up to `most` acts, groups whole; empty only when closed and drained."""
        while not (self._interactive or self._bulk):
            if self._closed_because:
                return []
            self._arrived.clear()
            await self._arrived.wait()
        for_bulk = min(self._sizes[1], _bulk_max(most))
        jobs: list[Job] = []
        self._pop(0, most - for_bulk, jobs)
        self._pop(1, for_bulk, jobs)
        return jobs

    def full(self, most: int) -> bool:
        """Whether a whole batch waits."""
        return self._sizes[0] >= most or self._sizes[1] >= _bulk_max(most)

    def _pop(self, which: int, most: int, jobs: list[Job]) -> None:
        queue = self._bulk if which else self._interactive
        taken = 0
        # A group goes whole, even one that is larger than the share.
        while queue and taken < most and (not taken or taken + len(queue[0].acts) <= most):
            job = queue.popleft()
            taken += len(job.acts)
            jobs.append(job)
        self._sizes[which] -= taken


def _bulk_max(most: int) -> int:
    return max(1, most // BULK_SHARE)
