"""The ledger as a whole: what the server, and nobody else, talks to."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Final, Self

import asyncpg

from ledger.act import Act, Answer
from ledger.cache import Cache
from ledger.clock import Clock, SystemClock
from ledger.core import refusals
from ledger.core.instant import SECOND
from ledger.core.refusals import Refusal
from ledger.identities import IdentityHash
from ledger.log import Log
from ledger.metrics import NoMetrics, WriterMetrics
from ledger.periods import PeriodBook
from ledger.policies import PolicyBook
from ledger.preparing import prepare
from ledger.reads.documents import DocumentReads
from ledger.reads.erasures import Erasures
from ledger.reads.explaining import Explanations
from ledger.reads.history import History
from ledger.reads.members import Reads
from ledger.reads.openings import OpeningReads
from ledger.reads.policies import PolicyReads
from ledger.reads.quoting import Quotes
from ledger.register import Register
from ledger.repeating import again_and_again
from ledger.snapshots import Snapshots
from ledger.store import Store
from ledger.verifying.verify import verify
from ledger.waiting import Job, Waiting
from ledger.writer import DATABASE_LOST, ENDED, Writer
from ledger.writes import ABOUT_POLICY, WriteRequest
from loyalty.v1.audit_service_pb2 import VerifyHistoryResponse

CLOCK_APART_MAX: Final = SECOND // 2
CLOCK_CHECK_SECONDS: Final = 30.0
ATOMIC_MAX: Final = 512


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """How a ledger process behaves; the server fills it from its configuration."""

    identity_key: bytes
    queue_max: int = 4096
    batch_max: int = 512
    cache_accounts: int = 200_000
    policy_refresh_seconds: float = 2.0
    approval_required: bool = True
    """Whether a second person has to approve a policy before it is published."""


class Ledger:
    """One process's hold on the ledger: it writes in batches, and reads what is recorded."""

    def __init__(
        self,
        store: Store,
        reading: Store,
        settings: LedgerSettings,
        clock: Clock,
        metrics: WriterMetrics,
    ) -> None:
        """Put the parts together; `open` is the way in."""
        self._store = store
        self._settings = settings
        self._clock = clock
        self._hashed = IdentityHash(settings.identity_key)
        cache = Cache(settings.cache_accounts)
        register = Register(settings.identity_key)
        self.policies = PolicyBook(approval_required=settings.approval_required)
        self.periods = PeriodBook()
        self._snapshots = Snapshots(reading)
        self._waiting = Waiting(settings.queue_max)
        self._metrics = metrics
        self._writer = Writer(
            store,
            clock=clock,
            policies=self.policies,
            periods=self.periods,
            cache=cache,
            snapshots=self._snapshots,
            metrics=metrics,
            register=register,
        )
        self.reading = reading
        self.reads = Reads(
            reading,
            clock=clock,
            policies=self.policies,
            cache=cache,
            hashed=self._hashed,
            register=register,
        )
        self.explanations = Explanations(
            reading, policies=self.policies, reads=self.reads, clock=clock
        )
        self.documents = DocumentReads(reading, policies=self.policies)
        self.quotes = Quotes(
            reading,
            clock=clock,
            policies=self.policies,
            hashed=self._hashed,
            register=register,
        )
        self.erasures = Erasures(reading, self.reads)
        self.openings = OpeningReads(reading, self._hashed)
        self.programme = PolicyReads(reading, policies=self.policies, clock=clock)
        self._log = Log(reading.pool, reading.lanes)
        self.history = History(self._log)
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def open(
        cls,
        pool: asyncpg.Pool,
        settings: LedgerSettings,
        clock: Clock | None = None,
        metrics: WriterMetrics | None = None,
    ) -> Self:
        """A ledger over a migrated database, serving. `pool` must outlive it."""
        store = await Store.open(pool)
        await _require_identity_key(store, settings.identity_key)
        reading = Store(pool, store.lanes, writes=False)
        ledger = cls(store, reading, settings, clock or SystemClock(), metrics or NoMetrics())
        await ledger.start()
        return ledger

    async def start(self) -> None:
        """Learn where the ledger stands, and serve."""
        await self._check_clock()
        await self._writer.start()
        # After the heads: policies that are older than them would be decided on.
        await self.policies.refresh(self.reading)
        writing = self._writer.run(self._waiting, batch_max=self._settings.batch_max)
        self._writing = asyncio.create_task(writing, name="ledger-writer")
        # It serves on after any failure of a batch; if it ends all the same, nobody may hang on it.
        self._writing.add_done_callback(lambda _: self._waiting.fail(ENDED))
        following = again_and_again(
            self._refresh,
            seconds=self._settings.policy_refresh_seconds,
            failed="policies_not_refreshed",
        )
        watching = again_and_again(
            self._check_clock, seconds=CLOCK_CHECK_SECONDS, failed="clock_not_checked"
        )
        self._tasks = [
            asyncio.create_task(self._snapshots.run(), name="ledger-snapshots"),
            asyncio.create_task(following, name="ledger-policies"),
            asyncio.create_task(watching, name="ledger-clock"),
        ]

    @property
    def serving(self) -> bool:
        """Whether writes are taken."""
        return not (self.stopped_because or self._writing.done())

    @property
    def stopped_because(self) -> str:
        """Why nothing is written; empty while all is well."""
        return self._writer.stopped_because or self._writer.paused_because

    # Writes

    async def write(
        self, request: WriteRequest, *, client: str, deadline: float | None = None
    ) -> Answer:
        """Record a write and give its answer once it is durable. Raises Refusal.

        Args:
            request: its shape has been checked.
            client: whose token it came with; request ids are unique within a client.
            deadline: in the event loop's time; not executed when it passes in the queue.
        """
        waiter: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        act = prepare(
            request,
            client=client,
            hashed=self._hashed,
            deliver=partial(_deliver, waiter),
            deadline=deadline,
        )
        if isinstance(request, ABOUT_POLICY):
            act.policy = await self.programme.checked(request)
        self._waiting.put([Job((act,))], bulk=False)
        try:
            return await waiter
        except asyncio.CancelledError:
            act.delivered = True
            raise
        finally:
            # A refusal's traceback leads back here: without this the two hold each other.
            del waiter, act

    async def write_batch(
        self,
        requests: Sequence[WriteRequest],
        *,
        client: str,
        atomic: bool = False,
        deadline: float | None = None,
    ) -> list[Answer | Refusal]:
        """Record many writes; results by index. With `atomic`, all or none.

        Raises NotServing or QueueFull for the whole, and Malformed for too large an atomic batch.
        """
        if atomic and len(requests) > ATOMIC_MAX:
            raise refusals.Malformed(
                field="items", value=len(requests), expected=f"at most {ATOMIC_MAX} when atomic"
            )
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        results: list[Answer | Refusal | Exception | None] = [None] * len(requests)
        missing = len(requests)

        def receive(index: int, result: Answer | Exception) -> None:
            nonlocal missing
            results[index] = result
            missing -= 1
            if not missing and not done.done():
                done.set_result(None)

        acts = []
        for index, request in enumerate(requests):
            acts.append(
                prepare(
                    request,
                    client=client,
                    hashed=self._hashed,
                    deliver=lambda result, index=index: receive(index, result),  # type: ignore[misc]
                    deadline=deadline,
                )
            )
        await self._wait_for(acts, done, atomic=atomic)
        return [_settled(result) for result in results]

    async def _wait_for(self, acts: list[Act], done: asyncio.Future[None], *, atomic: bool) -> None:
        jobs = [Job(tuple(acts))] if atomic else [Job((act,)) for act in acts]
        self._waiting.put(jobs, bulk=True)
        try:
            await done
        except asyncio.CancelledError:
            for act in acts:
                act.delivered = True
            raise

    def verify(self, *, skip_awards: bool) -> AsyncIterator[VerifyHistoryResponse]:
        """Check the whole history as it is now; progress, then the last word with `done` set."""
        return verify(self._log, skip_awards=skip_awards)

    # What others have to know

    def pseudonym(self, operator: str) -> str:
        """What stands for an operator in the history; "" for none."""
        return self._hashed.pseudonym(operator)

    def now(self) -> int:
        """Time as this process sees it."""
        return self._clock.now()

    # Life

    async def drain(self) -> None:
        """Refuse new writes, finish those that wait: all of them are answered after this."""
        self._waiting.close("shutting down")
        self._writer.ending = True
        await self._writing

    async def close(self) -> None:
        """Drain, then end what runs in the background."""
        await self.drain()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(*DATABASE_LOST):
            await self._snapshots.flush()
            await self._store.drop_sessions()

    async def _refresh(self) -> None:
        await self.policies.refresh(self.reading)
        await self.periods.refresh(self.reading)

    async def _check_clock(self) -> None:
        """A jump of a year must not expire the world: apart from the database, do not write."""
        if not self._clock.follows_database:
            return
        before = self._clock.now()
        there = await self.reading.database_now()
        after = self._clock.now()
        apart = max(before - there, there - after, 0)
        because = f"this clock and the database's are {apart // 1000} ms apart"
        self._writer.paused_because = because if apart > CLOCK_APART_MAX else ""


class WrongIdentityKey(Exception):
    """This process would register and look up identities under another key than the ledger's."""


async def _require_identity_key(store: Store, key: bytes) -> None:
    """Raise WrongIdentityKey unless the key is the one that the first process brought."""
    fingerprint = sha256(b"identity key\x00" + key).hexdigest()
    if await store.pin_setting("identity_key_fingerprint", fingerprint) != fingerprint:
        raise WrongIdentityKey(
            "the identity key is not the one this ledger was begun with: nobody would be found."
            " Set LOYALTY_IDENTITY_KEY_FILE to the file with the first key"
        )


def _deliver(waiter: asyncio.Future[Answer], result: Answer | Exception) -> None:
    # The caller may have gone: its cancelled future must not hurt the writer.
    if waiter.done():
        return
    if isinstance(result, Exception):
        waiter.set_exception(result)
    else:
        waiter.set_result(result)


def _settled(result: Answer | Refusal | Exception | None) -> Answer | Refusal:
    """A result of a batch; what is neither answer nor refusal fails the whole call."""
    if isinstance(result, Answer | Refusal):
        return result
    assert isinstance(result, Exception), "every act is answered"
    raise result
