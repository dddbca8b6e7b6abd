"""What a projection is, and the batch of events that changes it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from google.protobuf.message import DecodeError
from sqlalchemy import Table

from ledger.core.events import KIND_NUMBER, AnyFact, UnknownKind, decode
from ledger.lanes import account_of

Positions = dict[int, int]
"""A vector of lane positions: lane to the first position that is not included."""


class LaneRange(NamedTuple):
    """Consecutive positions of one lane: start <= pos < end."""

    lane: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Events that one transaction applies to one build of a projection."""

    version: int
    """The build whose rows change."""
    ranges: tuple[LaneRange, ...]

    @property
    def events(self) -> int:
        """How many events the ranges cover; lanes have no gaps."""
        return sum(end - start for _, start, end in self.ranges)

    def arguments(self) -> tuple[list[int], list[int], list[int]]:
        """Lanes, starts and ends: parameters $1 to $3 of a statement over EVENTS."""
        lanes, starts, ends = zip(*self.ranges, strict=True)
        return list(lanes), list(starts), list(ends)


# OFFSET 0 keeps the planner from flattening the subquery: each range stays a scan of the primary
# key, where a join could become a scan of the whole log.
EVENTS: Final = """
unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS r (lane, start_pos, end_pos)
CROSS JOIN LATERAL (
  SELECT lane, pos, stream, kind, currency, points, business_unit, recorded_at, payload FROM event
  WHERE event.lane = r.lane AND event.pos >= r.start_pos AND event.pos < r.end_pos
  OFFSET 0
) AS e"""
"""The events of a batch as `e`, for a FROM clause; takes `EventBatch.arguments()`."""

_FACTS: Final = f"""
SELECT e.lane, e.pos, e.stream, e.payload FROM {EVENTS}
WHERE e.kind = ANY($4::smallint[]) ORDER BY e.lane, e.pos"""

Connection = asyncpg.Connection | PoolConnectionProxy
"""A connection, on its own or lent by a pool."""

Apply = Callable[[Connection, EventBatch], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Projection:
    """One answer of the read side: its tables, and how a batch of events changes them."""

    name: str
    definition: int
    """Raise it when the same events must lead to other rows; then the rows have to be rebuilt."""
    tables: tuple[Table, ...]
    """Each has a column `version`."""
    kinds: frozenset[int]
    """Numbers of the kinds that change it; `apply` is not called for a batch without any."""
    points_only: bool
    """Moved by points alone, so that an unknown kind without points cannot concern it."""
    digested: tuple[str, ...]
    """Statements that return the rows of version $1, in a fixed order, for the digest.

    They depend on the events alone: not on the version, nor on how events were cut into batches.
    """
    apply: Apply
    """Changes the rows of `batch.version`, inside the caller's transaction."""


class Unreadable(Exception):
    """An event that the projection needs cannot be decoded."""

    def __init__(self, *, lane: int, pos: int, reason: str) -> None:
        """Keep where it stands."""
        super().__init__(f"lane {lane} position {pos}: {reason}")
        self.lane = lane
        self.pos = pos
        self.reason = reason


class Located(NamedTuple):
    """A decoded fact and where it stands. `account` is empty outside an account's stream."""

    lane: int
    pos: int
    account: str
    fact: AnyFact


async def facts_in(
    connection: Connection, batch: EventBatch, kinds: frozenset[int]
) -> list[Located]:
    """Decoded facts of these kinds, in position order within each lane.

    Raises:
        Unreadable: a payload is not an event that this build knows.
    """
    rows = await connection.fetch(_FACTS, *batch.arguments(), sorted(kinds))
    return [_located(*row) for row in rows]


def _located(lane: int, pos: int, stream: str, payload: bytes) -> Located:
    return Located(lane, pos, account_of(stream), decoded(lane, pos, payload))


def decoded(lane: int, pos: int, payload: bytes) -> AnyFact:
    """The fact at a position. Raises Unreadable."""
    try:
        return decode(payload)
    except (DecodeError, UnknownKind) as error:
        raise Unreadable(lane=lane, pos=pos, reason=str(error)) from error


def numbers(*names: str) -> frozenset[int]:
    """Kind numbers of arms of the event registry."""
    return frozenset(KIND_NUMBER[name] for name in names)


def sql_list(kinds: frozenset[int]) -> str:
    """Kinds as the inside of an SQL `IN (...)`."""
    return ", ".join(map(str, sorted(kinds)))
