"""Replay: every account folded again from its first event, in one pass over the stored log."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from time import perf_counter
from typing import Final, NamedTuple, cast

import asyncpg

from ledger.core.events import AccountFact, UnknownKind, decode
from ledger.core.evolve import fold
from ledger.core.lots import CorruptHistory
from ledger.core.state import Account
from ledger.lanes import account_of
from ledger.tree import Frontier
from projections.digest import balances_digest

BATCH: Final = 20_000

_HEADS: Final = "SELECT lane, next_pos FROM lane ORDER BY lane"
_EVENTS: Final = """
SELECT pos, stream, payload, leaf_hash FROM event
WHERE lane = $1 AND pos >= $2 AND pos < $3 ORDER BY pos LIMIT $4"""

BalanceRow = tuple[str, str, int, int, int, int]
"""Account, currency, available, pending, held, arrears."""


class LaneRoot(NamedTuple):
    """Root of the tree over a lane's leaf hashes (RFC 9162)."""

    lane: int
    size: int
    root: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay found. Digests are in hexadecimal."""

    events: int
    seconds: float
    accounts: int
    balances: list[BalanceRow]
    balances_digest: str
    lane_roots: list[LaneRoot]

    @property
    def events_per_second(self) -> int:
        """How fast it went."""
        return round(self.events / self.seconds) if self.seconds else 0

    @property
    def root_digest(self) -> str:
        """One digest over all lanes' roots."""
        text = "\n".join(f"{lane.lane} {lane.size} {lane.root}" for lane in self.lane_roots)
        return sha256(text.encode()).hexdigest()


class Unfoldable(Exception):
    """The log cannot be folded; names the event that is wrong, or the end of its batch."""

    def __init__(self, *, lane: int, pos: int, problem: str) -> None:
        """Keep where it is."""
        super().__init__(f"lane {lane}, position {pos}: {problem}")


async def events_in(connection: asyncpg.Connection) -> int:
    """How many events the log has now."""
    return sum(row["next_pos"] for row in await connection.fetch(_HEADS))


async def replay(
    connection: asyncpg.Connection, *, advanced: Callable[[int], None] = lambda _: None
) -> Replayed:
    """Fold everything recorded when it begins; `advanced` is told how many more events are done.

    Memory holds the accounts of one lane at a time.

    Raises:
        Unfoldable: a position is missing, an event is of no kind that this release knows, or one
            names what no event before it made.
    """
    began = perf_counter()
    events, accounts, balances, roots = 0, 0, list[BalanceRow](), list[LaneRoot]()
    for lane, head in await connection.fetch(_HEADS):
        folded, root = await _lane(connection, lane, head, advanced)
        events += head
        accounts += len(folded)
        balances.extend(row for account in folded for row in _balances(account))
        roots.append(LaneRoot(lane, head, root.hex()))
    return Replayed(
        events=events,
        seconds=perf_counter() - began,
        accounts=accounts,
        balances=balances,
        balances_digest=balances_digest(balances),
        lane_roots=roots,
    )


async def _lane(
    connection: asyncpg.Connection, lane: int, head: int, advanced: Callable[[int], None]
) -> tuple[list[Account], bytes]:
    states: dict[str, Account] = {}
    tree = Frontier()
    pos = 0
    while pos < head:
        rows = await connection.fetch(_EVENTS, lane, pos, head, BATCH)
        if not rows:
            raise Unfoldable(lane=lane, pos=pos, problem="this event is missing")
        streams: dict[str, list[AccountFact]] = defaultdict(list)
        for stored, stream, payload, leaf in rows:
            if stored != pos:
                raise Unfoldable(lane=lane, pos=pos, problem="this event is missing")
            tree.append(leaf)
            if account_of(stream):
                streams[stream].append(_fact(payload, lane, pos))
            pos += 1
        for stream, facts in streams.items():
            before = states.get(stream) or Account(account_of(stream))
            try:
                states[stream] = fold(before, facts)
            except CorruptHistory as error:
                raise Unfoldable(lane=lane, pos=pos - 1, problem=f"{stream}: {error}") from None
        advanced(len(rows))
    return list(states.values()), tree.root()


def _fact(payload: bytes, lane: int, pos: int) -> AccountFact:
    try:
        return cast(AccountFact, decode(payload))
    except UnknownKind as unknown:
        raise Unfoldable(lane=lane, pos=pos, problem=str(unknown)) from None


def _balances(account: Account) -> Iterator[BalanceRow]:
    for currency, balance in account.balances.items():
        yield (
            account.account_id,
            currency,
            balance.available,
            balance.pending,
            balance.held,
            balance.arrears,
        )
