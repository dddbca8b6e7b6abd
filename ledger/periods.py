"""The accounting periods: which are closed, and what is late for them.

They live in the stream `period/<programme>`. A fact is in a closed period if it stands before the
period's cut in its lane and happened in the period; what is recorded later belongs to the next.
"""

from collections.abc import Sequence
from typing import NamedTuple

import rules
from ledger.core.events import decode
from ledger.core.instant import Instant, from_timestamp
from ledger.rows import PolicyRow
from ledger.store import Store
from loyalty.v1.events_pb2 import PeriodClosed

ACCOUNTING = "accounting/"
"""How facts and answers name a closed period that something is late for."""


class Closed(NamedTuple):
    """A closed period."""

    fact: PeriodClosed
    version: int
    recorded_at: Instant
    start: Instant
    end: Instant
    cut: dict[int, int]

    @property
    def name(self) -> str:
        """The month."""
        return self.fact.period


def closed_of(fact: PeriodClosed, version: int, recorded_at: Instant) -> Closed:
    """A closed period, from its fact."""
    return Closed(
        fact,
        version,
        recorded_at,
        from_timestamp(fact.start_time),
        from_timestamp(fact.end_time),
        {each.lane: each.next_pos for each in fact.cut},
    )


def period_of(closed: Sequence[Closed], zone: str, at: Instant) -> str:
    """Name of the closed period that an instant lies in; empty if its period is open.

    What lies before the first closed one was closed with it, under its own name.
    """
    if not closed or at >= closed[-1].end:
        return ""
    for each in closed:
        if each.start <= at < each.end:
            return each.name
    return rules.month_at(zone, at).name


def before(closed: Sequence[Closed], lane: int, pos: int) -> Sequence[Closed]:
    """The periods that were closed when a position of a lane was filled."""
    return [each for each in closed if each.cut.get(lane, 0) <= pos]


class PeriodBook:
    """All closed periods, as far as they are known from the store."""

    def __init__(self) -> None:
        """Begin without any; `refresh` reads them."""
        self.closed: tuple[Closed, ...] = ()

    @property
    def version(self) -> int:
        """Version of the stream that is known."""
        return self.closed[-1].version if self.closed else 0

    async def refresh(self, store: Store) -> None:
        """Read which were closed since the last refresh."""
        for row in await store.period_events(self.version):
            self.add(_read(row))

    def add(self, closed: Closed) -> None:
        """Take up the next one; one that is known already changes nothing."""
        if closed.version > self.version:
            self.closed = (*self.closed, closed)


def _read(row: PolicyRow) -> Closed:
    fact = decode(row.payload)
    assert isinstance(fact, PeriodClosed), "the stream of periods holds nothing else"
    return closed_of(fact, row.version, row.recorded_at)
