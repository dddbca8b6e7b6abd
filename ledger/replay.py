"""Replay: every account folded again from its first event, in one pass over the stored log."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
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

PAGE: Final = 5_000
"""Events; PostgreSQL gives no value above a gigabyte, which is all their payloads together."""
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
    """The log cannot be folded; names an event that is wrong, of the first page that has one."""

    def __init__(self, *, lane: int, pos: int, problem: str) -> None:
        """Keep where it is."""
        super().__init__(f"lane {lane}, position {pos}: {problem}")
        self.lane = lane
        self.pos = pos


class _Range(NamedTuple):
    """Positions of a lane, `before` not among them."""

    lane: int
    pos: int
    before: int


class _Page(NamedTuple):
    """The events of a range: their leaf hashes by position, and they themselves by stream."""

    lane: int
    leaves: bytes
    streams: Sequence[str]
    positions: Sequence[int]
    versions: Sequence[int]
    payloads: Sequence[bytes]


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
    lanes = {lane: _Lane(lane) for lane in sorted(upto)}
    async with aclosing(_pages(connection, upto)) as pages:
        async for page in pages:
            folded = lanes[page.lane]
            folded.take(page)
            advanced(len(page.payloads))
            if folded.tree.size == upto[page.lane]:
                for account in folded.closed():
                    states.add(account)
                    balances += balance_rows(account)
    return ReplayResult(
        sum(upto.values()),
        states.accounts,
        perf_counter() - began,
        balances_digest(balances),
        states.hexdigest(),
        tuple(LaneRoot(lane, upto[lane], folded.tree.root()) for lane, folded in lanes.items()),
    )


async def _pages(connection: Connection, upto: Mapping[int, int]) -> AsyncGenerator[_Page, None]:
    """All events, lane by lane, gapless; the next page is on its way while one is folded."""
    ranges = (
        _Range(lane, pos, min(pos + PAGE, head))
        for lane, head in sorted(upto.items())
        for pos in range(0, head, PAGE)
    )
    coming: asyncio.Task[_Page] | None = None
    try:
        for following in chain(ranges, [None]):
            page = None if coming is None else await coming
            coming = None
            if following is not None:
                coming = asyncio.create_task(_page(connection, following))
                # Lets the request go out, so that the database works while this process folds.
                await asyncio.sleep(0)
            if page is not None:
                yield page
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


async def _page(connection: Connection, wanted: _Range) -> _Page:
    """The events of a range. Raises Unfoldable where one is missing."""
    row = await connection.fetchrow(statements.REPLAYED, *wanted)
    if row is None or row[1] is None or len(row[1]) != wanted.before - wanted.pos:
        found = {each[0] for each in await connection.fetch(statements.POSITIONS, *wanted)}
        missing = next(pos for pos in range(wanted.pos, wanted.before) if pos not in found)
        raise Unfoldable(lane=wanted.lane, pos=missing, problem="it is missing")
    return _Page(wanted.lane, *row)


class _Lane:
    """The accounts of a lane while it is folded."""

    def __init__(self, lane: int) -> None:
        self.lane = lane
        self.tallies: dict[str, Tally] = {}
        self.tree = Frontier()

    def take(self, page: _Page) -> None:
        """Fold a page. Raises Unfoldable."""
        self.tree.extend(page.leaves)
        folded, tally = "", None
        for stream, pos, version, payload in zip(*page[2:], strict=True):
            if stream != folded:
                folded, tally = stream, self._tally(stream)
            if tally is None:
                continue
            try:
                apply(tally, _fact_in(payload))
            except Exception as error:
                # Whatever a damaged payload makes the fold do: the place is what matters.
                problem = f"{stream}: {error}"
                raise Unfoldable(lane=self.lane, pos=pos, problem=problem) from error
            if tally.version != version:
                problem = f"{stream}: version {version} where {tally.version} is due"
                raise Unfoldable(lane=self.lane, pos=pos, problem=problem)

    def _tally(self, stream: str) -> Tally | None:
        """The account of a stream as far as it was folded; None: it is another stream."""
        tally = self.tallies.get(stream)
        if tally is None and stream.startswith(ACCOUNT):
            tally = self.tallies[stream] = Tally(Account(stream[len(ACCOUNT) :]))
        return tally

    def closed(self) -> Iterator[Account]:
        """The accounts of the lane, all folded, which are let go."""
        while self.tallies:
            yield self.tallies.popitem()[1].account()
