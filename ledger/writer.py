"""The writer: takes what waits, decides it in memory, commits it with one statement, answers.

One batch is decided and committed after the other. There is no timer: an idle writer answers a lone
caller at once, and while it waits for a commit the next batch gathers by itself. Only when a full
batch waits already is it decided on top of the one in flight, so that an import keeps both the
database and this process busy.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

import asyncpg
import structlog

from ledger.act import Act, Answer
from ledger.cache import Cache
from ledger.clock import Clock
from ledger.core.refusals import DeadlinePassed, NotServing, Refusal
from ledger.deciding import Broke, Result, decide_jobs
from ledger.garbage import search_young
from ledger.grounds import Surroundings
from ledger.known import Known
from ledger.lanes import account_of
from ledger.lookup import Lookup
from ledger.metrics import WriterMetrics
from ledger.periods import PeriodBook
from ledger.policies import PolicyBook
from ledger.receipt_codes import Guesses
from ledger.register import Register
from ledger.rows import AppendBatch, Head, Moved
from ledger.snapshots import Snapshots
from ledger.store import KeyTaken, Store
from ledger.waiting import Job, Waiting
from ledger.wanted import Wanted
from ledger.work import Work

log = structlog.get_logger()

BUSY: Final = 4
"""A batch of so many jobs was not a lone caller's: more have probably arrived meanwhile."""
BACK_OFF_SECONDS: Final = (0.05, 0.1, 0.2, 0.5, 1.0)
KEY_CONTESTS_MAX: Final = 5
ENDED: Final = "the writer has ended"
"""Why nothing is written any more, where it was ended from outside."""

DATABASE_LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    ConnectionError,
    OSError,
    TimeoutError,
)
"""After these nobody knows whether a commit that was under way happened."""
DATABASE_REFUSES: Final = (asyncpg.InsufficientResourcesError, asyncpg.PostgresIOError)
"""The statement failed for certain: disk full, out of memory, broken storage."""


@dataclass(slots=True)
class Decided:
    """A batch of jobs with the result of each act, before its commit."""

    jobs: Sequence[Job]
    results: list[tuple[Act, Result]]
    work: Work
    batch: AppendBatch


class DatabaseAway(Exception):
    """The database did not come back before the writer was told to end."""


class Writer:
    """Owns the order in which this process writes."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        policies: PolicyBook,
        periods: PeriodBook,
        cache: Cache,
        snapshots: Snapshots,
        metrics: WriterMetrics,
        register: Register,
    ) -> None:
        """Write to `store`; `start` learns where it stands."""
        self._store = store
        self._snapshots = snapshots
        self._policies = policies
        self._periods = periods
        self._cache = cache
        self._metrics = metrics
        self._register = register
        self._lookup = Lookup(store, cache, register=register, policies=policies)
        self._around = Surroundings(store.lanes, clock, policies, periods, Guesses(), cache.purse)
        self._standing: dict[int, Head] = {}
        self._in_flight: tuple[Decided, asyncio.Task[bool]] | None = None
        self.stopped_because = ""
        self._last_size = 0
        self.ending = False
        """Set when no more will come: then a database that is away is not waited for."""
        self.paused_because = ""
        """Set from outside while nothing may be written, though what waits may wait on."""

    async def start(self) -> None:
        """Learn where the lanes stand."""
        self._standing = await self._store.heads()

    async def run(self, waiting: Waiting, *, batch_max: int) -> None:
        """Serve until `waiting` is closed and drained. Never dies of a batch."""
        jobs: list[Job] = []
        try:
            while jobs := await self._next(waiting, batch_max):
                self._last_size = len(jobs)
                self._metrics.queue_depth(waiting.interactive, waiting.bulk)
                pipelined = waiting.full(batch_max)
                try:
                    await self._step(_live(jobs), pipelined=pipelined)
                except Exception as error:
                    log.exception("batch_failed", error=str(error))
                    self._fail(jobs, error)
                jobs = []
            await self._settle_in_flight()
        except BaseException:
            self._abandon(jobs)
            raise

    def _abandon(self, jobs: Sequence[Job]) -> None:
        """Ended from outside: nobody may hang on what was taken already.

        The commit in flight goes on by itself; if it comes to nothing, those who wait are told.
        """
        self._fail(jobs, NotServing(cause=ENDED))
        if self._in_flight is None:
            return
        decided, commit = self._in_flight

        def settle(commit: asyncio.Task[bool]) -> None:
            if commit.cancelled() or commit.exception() is not None or not commit.result():
                self._fail(decided.jobs, NotServing(cause=ENDED))

        commit.add_done_callback(settle)

    async def _next(self, waiting: Waiting, batch_max: int) -> list[Job]:
        if not waiting.full(batch_max):
            await self._settle_in_flight()
            search_young()
        if self._last_size >= BUSY:
            await waiting.gather(batch_max)
        return await waiting.take(batch_max)

    async def _step(self, jobs: list[Job], *, pipelined: bool) -> None:
        """Decide jobs, on top of the batch in flight if there is one, and begin their commit."""
        if self._in_flight is not None and self._in_flight[0].work.of_programme:
            # What a policy says, or that a period is closed, holds only once it is history.
            await self._settle_in_flight()
        if self._in_flight is None and not pipelined:
            await self._commit_alone(jobs)
            return
        parent = self._in_flight[0].work if self._in_flight is not None else None
        try:
            decided = await self._decide(jobs, parent)
        except DATABASE_LOST as error:
            await self._reconnect(error, attempt=0)
            decided = None
        # If the batch below was decided again, after a lost race or a crash, this one is void.
        if not await self._settle_in_flight() or decided is None:
            await self._commit_alone(jobs)
            return
        self._in_flight = (decided, asyncio.create_task(self._commit(decided)))

    async def _settle_in_flight(self) -> bool:
        """Wait for the batch in flight; False when it had to be decided again, or failed."""
        if self._in_flight is None:
            return True
        decided, commit = self._in_flight
        self._in_flight = None
        try:
            if await commit:
                return True
            await self._commit_alone(list(decided.jobs))
        except Exception as error:
            log.exception("batch_failed", error=str(error))
            self._fail(decided.jobs, error)
        except BaseException:
            self._fail(decided.jobs, NotServing(cause=ENDED))
            raise
        return False

    async def _commit_alone(self, jobs: list[Job]) -> None:
        """Decide and commit until all is done.

        Who lost a race tries again at once, and from the second loss on with half as much: a
        small batch is decided sooner and touches fewer lanes, so that no process starves beside
        a faster one.
        """
        size, attempt = len(jobs), 0
        while jobs := _live(jobs):
            part = jobs[:size]
            try:
                decided = await self._decide(part, None)
                assert decided is not None, "there is no parent to wait for"
                committed = await self._commit(decided, attempt)
            except DATABASE_LOST as error:
                await self._reconnect(error, attempt)
                committed = False
            if committed:
                jobs, attempt, size = jobs[len(part) :], 0, size * 2
                continue
            attempt += 1
            if attempt > 1:
                size = max(1, size // 2)

    async def _decide(self, jobs: Sequence[Job], parent: Work | None) -> Decided | None:
        """Look up what the jobs need, then decide them in order.

        None where they ask for what only a commit of the parent shows.
        """
        standing = self._standing if parent is None else parent.standing
        made: Known | None = None if parent is None else parent.made
        looked_up = Wanted()
        while True:
            work = Work(self._around, standing, looked_up)
            acts = [act for job in jobs for act in job.acts]
            await self._lookup.fill(work.known, acts, made, looked_up)
            try:
                results = await decide_jobs(jobs, work, self._cannot_serve)
            except Broke as broke:
                if parent is not None:
                    return None
                if not await self._overtaken():
                    self._report(broke)
                jobs, looked_up = _live(jobs), Wanted()
                continue
            if work.wanted.histories and parent is not None:
                return None
            if not work.wanted:
                batch = work.close()
                self._add_profiles(batch, work.made)
                return Decided(jobs, results, work, batch)
            looked_up = looked_up | work.wanted
            jobs = _live(jobs)

    def _add_profiles(self, batch: AppendBatch, made: Known) -> None:
        """Seal what was told of members; of those who were erased nothing is to be left."""
        kept = {stream: each for stream, each in made.profiles.items() if stream not in made.erased}
        batch.profiles = self._register.sealed(kept)
        batch.erased_profiles = [(account_of(stream),) for stream in sorted(made.erased)]

    async def _overtaken(self) -> bool:
        """Whether another process wrote meanwhile.

        Then what was looked up may be of before and after it, and an act may break that is sound.
        """
        heads = await self._store.heads()
        moved = {lane: head for lane, head in heads.items() if head != self._standing[lane]}
        if moved:
            await self._catch_up(Moved(moved))
        return bool(moved)

    def _report(self, broke: Broke) -> None:
        """Tell who sent an act that broke. The others have to be decided again without it."""
        name = type(broke.job.acts[0].request).__name__
        log.error("act_failed", request=name, exc_info=broke.error)
        self._fail([broke.job], broke.error)

    def _cannot_serve(self, job: Job) -> Refusal | None:
        because = self.stopped_because or self.paused_because
        if because:
            return NotServing(cause=because)
        deadline = job.acts[0].deadline
        if deadline is not None and deadline < asyncio.get_running_loop().time():
            return DeadlinePassed()
        return None

    async def _commit(self, decided: Decided, attempt: int = 0) -> bool:
        """Append and answer. False: nothing was written, and it has to be decided again."""
        began = asyncio.get_running_loop().time()
        try:
            moved = await self._store.append(decided.batch) if decided.batch.expected else None
        except KeyTaken:
            if attempt >= KEY_CONTESTS_MAX:
                raise
            return False
        except DATABASE_LOST as error:
            await self._reconnect(error, attempt)
            if not await self._happened(decided.batch):
                return False
            moved = None
        if moved is not None:
            await self._catch_up(moved)
            return False
        self._take_over(decided, asyncio.get_running_loop().time() - began)
        return True

    def _take_over(self, decided: Decided, seconds: float) -> None:
        """What was decided is now history: remember it, then tell those who wait."""
        work, batch = decided.work, decided.batch
        for lane in batch.expected:
            self._standing[lane] = work.standing[lane]
            self._metrics.lane_moved(lane, work.standing[lane].next_pos)
        self._snapshots.offer(work.made.accounts, self._cache)
        self._cache.put(work.made.accounts, work.made.identities)
        self._cache.put_missing(work.known.accounts)
        self._cache.put_purses(work.made.purses)
        self._cache.put_profiles(work.made.profiles)
        for each in work.policy_facts:
            self._policies.add(*each)
        for closed in work.period_facts:
            self._periods.add(closed)
        self._metrics.batch_committed(len(decided.results), len(batch.events), seconds)
        for act, result in decided.results:
            self._count(result)
            act.answer(result)

    def _count(self, result: Result) -> None:
        if isinstance(result, Refusal):
            self._metrics.refused(result.reason)
        elif isinstance(result, Answer) and result.replayed:
            self._metrics.replayed()

    async def _catch_up(self, moved: Moved) -> None:
        """Another process wrote in these lanes: forget what it changed, and stand where it left."""
        for lane, head in moved.heads.items():
            before = self._standing[lane].next_pos
            if head.next_pos < before:
                await self._stop(f"lane {lane} went back from {before} to {head.next_pos}")
                return
            if head.next_pos > before:
                self._cache.forget(await self._store.touched_streams(lane, before))
            self._standing[lane] = head
        await self._policies.refresh(self._store)
        await self._periods.refresh(self._store)

    async def _stop(self, because: str) -> None:
        log.critical("history_went_back", detail=because)
        self.stopped_because = f"{because}; compare the database with the last known positions"
        self._cache.clear()

    async def _reconnect(self, error: BaseException, attempt: int) -> None:
        if self.ending:
            raise DatabaseAway(str(error)) from error
        log.warning("database_lost", error=str(error) or type(error).__name__, attempt=attempt)
        await self._store.drop_sessions()
        await asyncio.sleep(BACK_OFF_SECONDS[min(attempt, len(BACK_OFF_SECONDS) - 1)])

    async def _happened(self, batch: AppendBatch) -> bool:
        """Whether a commit whose answer was lost took place. Never guesses."""
        for attempt in count():
            try:
                heads = await self._store.settle(batch.expected)
                moved = any(heads[lane].next_pos != pos for lane, pos in batch.expected.items())
                return moved == bool(batch.events) and await self._stands(batch)
            except DATABASE_LOST as error:
                await self._reconnect(error, attempt)
        raise AssertionError("counting does not end")

    async def _stands(self, batch: AppendBatch) -> bool:
        """Whether all of a batch is history.

        A part does not tell: another process that decides the same at the same instant, what has
        expired of an account or the next step of a merge, writes the same event beside others.
        """
        for lane, pos in batch.expected.items():
            leaves = [event.leaf_hash for event in batch.events if event.lane == lane]
            there = await self._store.events(lane, pos, len(leaves)) if leaves else []
            if [event.leaf_hash for event in there] != leaves:
                return False
        rows = await self._store.find_keys([row.key for row in batch.keys], [])
        return set(rows) == set(batch.keys)

    def _fail(self, jobs: Sequence[Job], result: Refusal | Exception) -> None:
        if isinstance(result, DatabaseAway):
            # Whether the last batch was recorded is not known: its request ids will tell.
            result = NotServing(cause="shutting down while the database is away")
        elif isinstance(result, DATABASE_REFUSES):
            result = NotServing(cause=f"the database cannot write: {result}")
        for job in jobs:
            for act in job.acts:
                act.answer(result)


def _live(jobs: Sequence[Job]) -> list[Job]:
    """Jobs that somebody still waits for."""
    return [job for job in jobs if not job.abandoned]
