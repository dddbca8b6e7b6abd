"""For comparison: the same ledger without a writer. Every call has a transaction of its own.

It decides with the product's code and rules, and appends with the product's statement. The row of
the account's lane is locked from the beginning to the commit, so nobody else decides on the account
meanwhile. It keeps the same cache, and its connections need no reset between calls: what it lacks
is the batch, nothing else.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, Self

import asyncpg

from ledger import statements
from ledger.act import Act, Answer
from ledger.cache import Cache
from ledger.clock import Clock
from ledger.core.instant import from_datetime
from ledger.core.refusals import UnknownMember
from ledger.grounds import Surroundings
from ledger.handlers import decide_act
from ledger.identities import IdentityHash
from ledger.lanes import account_stream, lane_of
from ledger.lookup import Lookup
from ledger.periods import PeriodBook
from ledger.policies import PolicyBook
from ledger.preparing import prepare
from ledger.receipt_codes import Guesses
from ledger.register import Register
from ledger.rows import Head
from ledger.store import NEVER, Store
from ledger.wanted import Wanted
from ledger.work import Work
from ledger.writes import WriteRequest
from server.database import connect

CONNECTIONS: Final = 16


class _CallStore(Store):
    """A store over the one connection whose transaction is open."""

    def __init__(self, connection: Any, lanes: int) -> None:
        super().__init__(connection, lanes, writes=False)
        self._writing = connection


class PerCallLedger:
    """Answers `write` as the ledger does; nothing else of it is needed here."""

    def __init__(self, lanes: int, *, clock: Clock, identity_key: bytes, accounts: int) -> None:
        """Without connections yet; use `open`."""
        self._lanes = lanes
        self._clock = clock
        self._hashed = IdentityHash(identity_key)
        self._cache = Cache(accounts)
        self._policies = PolicyBook()
        self._register = Register(identity_key)
        # Last in, first out: a lone caller meets statements that were planned before.
        self._idle: asyncio.Queue[asyncpg.Connection] = asyncio.LifoQueue()
        self._left: dict[int, int] = {}
        self._under_way: set[asyncio.Task[Answer]] = set()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, *, clock: Clock, identity_key: bytes, accounts: int
    ) -> AsyncIterator[Self]:
        """Connect to a migrated database with a policy."""
        async with AsyncExitStack() as stack:
            connections = []
            for _ in range(CONNECTIONS):
                connection = await connect(url)
                stack.push_async_callback(connection.close)
                connections.append(connection)
            lanes = int(await connections[0].fetchval(statements.SETTING, "lanes"))
            ledger = cls(lanes, clock=clock, identity_key=identity_key, accounts=accounts)
            await ledger._policies.refresh(_CallStore(connections[0], lanes))
            for connection in connections:
                ledger._idle.put_nowait(connection)
            yield ledger
            # Callers may be gone while their calls are not.
            await asyncio.gather(*ledger._under_way, return_exceptions=True)

    async def write(
        self, request: WriteRequest, *, client: str, deadline: float | None = None
    ) -> Answer:
        """Record a write of an account in a transaction of its own. Raises Refusal."""
        act = prepare(
            request, client=client, hashed=self._hashed, deliver=_nobody, deadline=deadline
        )
        # A caller that leaves must not interrupt a rollback: the lane would stay locked.
        recording = asyncio.create_task(self._recorded(act))
        self._under_way.add(recording)
        recording.add_done_callback(self._under_way.discard)
        return await asyncio.shield(recording)

    async def _recorded(self, act: Act) -> Answer:
        connection = await self._idle.get()
        try:
            async with connection.transaction():
                answer, work = await self._decided(act, connection)
            self._take_over(work)
            return answer
        finally:
            self._idle.put_nowait(connection)

    async def _decided(self, act: Act, connection: asyncpg.Connection) -> tuple[Answer, Work]:
        store = _CallStore(connection, self._lanes)
        lane = lane_of(await self._stream(act, store), self._lanes)
        [row] = await connection.fetch(statements.LOCKED_HEADS, [lane])
        head = Head(row[1], NEVER if row[2] is None else from_datetime(row[2]))
        left = self._left.get(lane, head.next_pos)
        if left != head.next_pos:
            # The ledger itself, or a call whose commit we have not heard of yet, wrote here.
            self._cache.forget(await store.touched_streams(lane, left))
        standing = {lane: head}
        around = Surroundings(
            self._lanes, self._clock, self._policies, PeriodBook(), Guesses(), self._cache.purse
        )
        work = Work(around, standing)
        lookup = Lookup(store, self._cache, register=self._register, policies=self._policies)
        await lookup.fill(work.known, [act], None, Wanted())
        answer = decide_act(act, work)
        moved = await store.append(work.close())
        assert moved is None, "the lane is locked"
        return answer, work

    async def _stream(self, act: Act, store: Store) -> str:
        assert act.identity is not None, "the benchmark names members by card"
        holder = self._cache.identity(act.identity)
        if holder is None:
            found = await store.find_identities([act.identity])
            self._cache.put({}, found)
            holder = found.get(act.identity)
        if holder is None:
            raise UnknownMember(member="card")
        return account_stream(holder.account)

    def _take_over(self, work: Work) -> None:
        for lane, head in work.standing.items():
            self._left[lane] = head.next_pos
        self._cache.put(work.made.accounts, {})
        self._cache.put_missing(work.known.accounts)


def _nobody(_result: object) -> None:
    """The answer goes back by return."""
