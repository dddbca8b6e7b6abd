"""The worker: reads deliveries into parts, makes statements of subjects, posts them.

Everything that a step takes it holds by row locks within one transaction, so a process that dies
leaves its work to the next one at once; and every write's request id follows from its content, so
what was sent already counts once. Several workers share the work.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Final

import asyncpg
import structlog

from adapters.frame import stating, subjects
from adapters.frame.adapter import Api, Connection
from adapters.frame.claiming import stays_unclaimed
from adapters.frame.database import LOST
from adapters.frame.metrics import Metrics
from adapters.frame.posting import Answer, Ledger, Refused
from adapters.frame.splitting import read_some
from adapters.frame.stating import Pending
from adapters.frame.subjects import Subject
from adapters.frame.words import (
    Acquaintance,
    Nothing,
    Parked,
    RetryLater,
    Unreadable,
    shown,
)

log = structlog.get_logger(__name__)

SUBJECTS_MAX: Final = 200
FETCHES_MAX: Final = 8
POLL_SECONDS: Final = 1.0
BACK_OFF_SECONDS: Final = (0.2, 0.5, 1.0, 2.0, 5.0)


class Worker:
    """Works through inbox and subjects of some connections."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        connections: Mapping[str, Connection],
        *,
        ledger: Ledger,
        api: Api,
        metrics: Metrics,
        dry_run: bool = False,
    ) -> None:
        """Work on `connections`; `dry_run` lets the ledger check everything and record nothing."""
        self._pool = pool
        self.connections = connections
        self._ledger = ledger
        self._api = api
        self._metrics = metrics
        self._dry_run = dry_run
        self._fetching = asyncio.Semaphore(FETCHES_MAX)

    async def run(self, arrived: asyncio.Event) -> None:
        """Work until cancelled; `arrived` is set when there is something new in the inbox."""
        failures = 0
        while True:
            arrived.clear()
            try:
                busy = await self.step()
                failures = 0
            except LOST as error:
                log.warning("inbox_lost", error=str(error) or type(error).__name__)
                await _pause(failures)
                failures += 1
                continue
            except Exception:
                log.exception("worker_step_failed")
                await _pause(failures)
                failures += 1
                continue
            if not busy:
                with suppress(TimeoutError):
                    await asyncio.wait_for(arrived.wait(), POLL_SECONDS)

    async def step(self) -> bool:
        """Read some deliveries and work on some subjects; False when there was nothing to do."""
        read = await read_some(self._pool, self.connections, self._metrics)
        return bool(await self.state_some()) or bool(read)

    async def drain(self) -> None:
        """Work until nothing is left that can be done now."""
        while await self.step():
            pass

    async def wake(self) -> None:
        """Make due what a new mapping, release or mode may read otherwise. At start."""
        for connection in self.connections.values():
            await self._pool.execute(
                "UPDATE adapters.subject SET due_at = now() WHERE connection = $1"
                " AND (state IN ('parked', 'dead') AND read_by <> $2 OR reason = $3 AND NOT $4)",
                connection.name,
                stating.read_by(connection),
                stating.DRY_RUN,
                self._dry_run,
            )

    async def state_some(self) -> int:
        """Work on subjects that are due; how many they were."""
        try:
            return await self._state_claimed(SUBJECTS_MAX)
        except LOST:
            raise
        except Exception:
            # One of them breaks what is written of all: alone it harms only itself.
            log.exception("stating_failed")
        return await self._state_claimed(1)

    async def _state_claimed(self, most: int) -> int:
        async with self._pool.acquire() as connection, connection.transaction():
            claimed = await subjects.claim(connection, list(self.connections), most=most)
            if not claimed:
                return 0
            await asyncio.gather(*map(self._resolve, claimed))
            await self._state([each for each in claimed if not each.hints])
            try:
                async with connection.transaction():
                    await subjects.settle(connection, claimed)
            except Exception as error:
                if most > 1 or isinstance(error, LOST):
                    raise
                await subjects.give_up(connection, claimed[0], shown(error))
        self._tell(claimed)
        return len(claimed)

    def _tell(self, claimed: Sequence[Subject]) -> None:
        """Count what became of subjects, and log those that are stuck."""
        for each in claimed:
            result = f"{each.state}:{each.reason}" if each.reason else each.state
            self._metrics.stated.labels(each.connection, result).inc()
            if each.state in ("parked", "dead"):
                log.warning(
                    "subject_stuck",
                    connection=each.connection,
                    subject=each.subject,
                    state=each.state,
                    reason=each.reason,
                    detail=each.detail,
                )

    async def _resolve(self, subject: Subject) -> None:
        """Fetch what thin events left out; the hints stay when that fails."""
        if not subject.hints:
            return
        connection = self.connections[subject.connection]
        subject.read_by = stating.read_by(connection)
        try:
            async with self._fetching:
                found = await connection.adapter.resolve(
                    subject.parts, subject.hints, connection, self._api
                )
            for part in found:
                if part.subject != subject.subject or part.content is None:
                    raise Unreadable(f"{part.subject} was fetched for {subject.subject}")
        except Exception as error:
            stating.failed(subject, error)
            return
        for part in found:
            subject.take(part, None)
        subject.hints = []

    async def _state(self, claimed: Sequence[Subject]) -> None:
        waiting: list[Pending] = []
        for subject in claimed:
            try:
                made = await self._made_of(subject)
            except Exception as error:
                stating.failed(subject, error)
            else:
                waiting += [made] if made is not None else []
        while waiting:
            waiting = await self._post(waiting)

    async def _made_of(self, subject: Subject) -> Pending | None:
        """What is to be posted of a subject; None when it is settled without."""
        found = stating.canonical(subject, self.connections[subject.connection])
        if isinstance(found, Nothing):
            stating.settle(subject, "done", found.reason)
            return None
        if isinstance(found, Acquaintance):
            if not self._dry_run:
                await self._link(subject, found)
            stating.settle(subject, "done", stating.DRY_RUN if self._dry_run else "")
            return None
        return stating.pending(subject, found, dry_run=self._dry_run)

    async def _post(self, waiting: Sequence[Pending]) -> list[Pending]:
        """Send statements; those that are to be sent otherwise come back."""
        try:
            answers = await self._ledger.post([made.item for made in waiting])
        except RetryLater as error:
            for made in waiting:
                stating.failed(made.subject, error)
            return []
        return [
            made
            for made, answer in zip(waiting, answers, strict=True)
            if self._goes_on(made, answer)
        ]

    def _goes_on(self, made: Pending, answer: Answer) -> bool:
        """Settle a statement by its answer; True: it is to be sent again, otherwise."""
        if not isinstance(answer, Refused):
            stating.answered(made, answer)
            return False
        subject = made.subject
        if made.goes_on(answer.reason):
            return True
        if made.claims and stays_unclaimed(answer.reason):
            stating.unclaimed(made, answer.reason)
            return False
        stating.failed(subject, answer.raised())
        return False

    async def _link(self, subject: Subject, found: Acquaintance) -> None:
        """Link the identities that the ledger does not know to the member who has one of them."""
        known = [(each, await self._ledger.member_id(each)) for each in found.identities]
        member = next((each for each, member_id in known if member_id), None)
        if member is None:
            raise Parked("ledger_unknown_member", "nobody has any of these identities yet")
        for added in (each for each, member_id in known if not member_id):
            request_id = sha256(
                "\0".join(
                    (subject.connection, subject.subject, member.value, added.scheme, added.value)
                ).encode()
            ).hexdigest()
            refused = await self._ledger.link(request_id, found.origin, member, added)
            if refused is not None:
                raise refused.raised()
        member_id = next(filter(None, (member_id for _, member_id in known)))
        subject.acquainted = [(each.scheme, each.value, member_id) for each in found.identities]


async def _pause(failures: int) -> None:
    await asyncio.sleep(BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)])
