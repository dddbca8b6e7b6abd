"""Replay: every account folded again from its first event, in one pass over the stored log."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from time import perf_counter
from typing import Final, NamedTuple, cast

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from ledger import statements
from ledger.core.applying import apply
from ledger.core.events import AccountFact, decode
from ledger.core.state import Account
from ledger.core.tally import Tally
from ledger.digests import BalanceRow, StateDigest, balance_rows, balances_digest
from ledger.lanes import ACCOUNT
from ledger.tree import Frontier

PAGE: Final = 10_000
_fact_in: Final = cast("Callable[[bytes], AccountFact]", decode)
"""An account's stream holds nothing but facts of accounts."""

Connection = asyncpg.Connection | PoolConnectionProxy


class LaneRoot(NamedTuple):
    """Root of the tree over the first `size` leaf hashes of a lane (RFC 9162)."""

    lane: int
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What a replay found; the same for the same history, except the seconds."""

    events: int
    accounts: int
    seconds: float
    balances_digest: str
    """As the projection `balances` has it at the same positions."""
    state_digest: str
    """Over all accounts in full; as `verify` has it."""
    lane_roots: tuple[LaneRoot, ...]
    """Over the stored leaf hashes; that these are right is for `verify` to say."""

    @property
    def events_per_second(self) -> int:
        """How fast it went."""
        return round(self.events / self.seconds) if self.seconds else 0

    @property
    def root_digest(self) -> str:
        """One digest over all lanes' roots, in hexadecimal."""
        lines = [f"{lane.lane} {lane.size} {lane.root.hex()}" for lane in self.lane_roots]
        return sha256("\n".join(lines).encode()).hexdigest()


class Unfoldable(Exception):
    """The log cannot be folded; names the first event that is wrong."""

    def __init__(self, *, lane: int, pos: int, problem: str) -> None:
        """Keep where it is."""
        super().__init__(f"lane {lane}, position {pos}: {problem}")
        self.lane = lane
        self.pos = pos


class _Page(NamedTuple):
    """Events of a lane, one after the other."""

    pos: int
    """Of the first."""
    streams: Sequence[str]
    versions: Sequence[int]
    payloads: Sequence[bytes]
    leaves: bytes
    """Their leaf hashes, one after the other."""


async def replay(
    connection: Connection,
    *,
    upto: Mapping[int, int] | None = None,
    advanced: Callable[[int], None] = lambda _: None,
) -> ReplayResult:
    """Fold what is recorded when it begins, or below the positions `upto`.

    Memory holds the open accounts of one lane, and two pages of events.

    Args:
        connection: used by nobody else meanwhile.
        upto: first position by lane that is not included; a lane that is missing is left out.
        advanced: told how many more events are done.

    Raises:
        Unfoldable: a position is missing, an event is of no kind that this release knows, or one
            names what no event before it made.
    """
    began = perf_counter()
    if upto is None:
        upto = {row[0]: row[1] for row in await connection.fetch(statements.HEADS)}
    states, balances = StateDigest(), list[BalanceRow]()
    roots: list[LaneRoot] = []
    accounts = 0
    for lane, head in sorted(upto.items()):
        folded = _Lane(lane)
        async for page in _pages(connection, lane, head):
            folded.take(page)
            advanced(len(page.payloads))
        roots.append(LaneRoot(lane, head, folded.tree.root()))
        for tally in folded.tallies.values():
            account = tally.account()
            states.add(account)
            balances += balance_rows(account)
        accounts += len(folded.tallies)
    return ReplayResult(
        sum(upto.values()),
        accounts,
        perf_counter() - began,
        balances_digest(balances),
        states.hexdigest(),
        tuple(roots),
    )


async def _pages(connection: Connection, lane: int, head: int) -> AsyncIterator[_Page]:
    """The events of a lane, gapless; the next page is on its way while one is folded."""
    pos = 0
    coming: asyncio.Task[_Page] | None = None
    try:
        while pos < head:
            if coming is None:
                coming = asyncio.create_task(_page(connection, lane, pos, head))
            page = await coming
            pos += len(page.payloads)
            coming = None
            if pos < head:
                coming = asyncio.create_task(_page(connection, lane, pos, head))
            # Lets the request go out, so that the database works while this process folds.
            await asyncio.sleep(0)
            yield page
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


async def _page(connection: Connection, lane: int, pos: int, head: int) -> _Page:
    """The page that begins at a position. Raises Unfoldable where one is missing."""
    before = min(pos + PAGE, head)
    row = await connection.fetchrow(statements.REPLAYED, lane, pos, before)
    if row is None or row[0] is None or len(row[0]) != before - pos:
        found = {
            each[0] for each in await connection.fetch(statements.POSITIONS, lane, pos, before)
        }
        missing = next(each for each in range(pos, before) if each not in found)
        raise Unfoldable(lane=lane, pos=missing, problem="it is missing")
    return _Page(pos, *row)


class _Lane:
    """The accounts of a lane while it is folded."""

    def __init__(self, lane: int) -> None:
        self.lane = lane
        self.tallies: dict[str, Tally] = {}
        self.tree = Frontier()

    def take(self, page: _Page) -> None:
        """Fold a page. Raises Unfoldable."""
        tallies = self.tallies
        self.tree.extend(page.leaves)
        for pos, stream, version, payload in zip(
            count(page.pos), page.streams, page.versions, page.payloads, strict=False
        ):
            tally = tallies.get(stream)
            if tally is None:
                if not stream.startswith(ACCOUNT):
                    continue
                tally = tallies[stream] = Tally(Account(stream[len(ACCOUNT) :]))
            try:
                apply(tally, _fact_in(payload))
            except Exception as error:
                # Whatever a damaged payload makes the fold do: the place is what matters.
                problem = f"{stream}: {error}"
                raise Unfoldable(lane=self.lane, pos=pos, problem=problem) from error
            if tally.version != version:
                problem = f"{stream}: version {version} where {tally.version} is due"
                raise Unfoldable(lane=self.lane, pos=pos, problem=problem)
