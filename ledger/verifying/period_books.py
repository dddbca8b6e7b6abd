"""Closed periods held against the history: months in a row, cuts that stand where they were made.

They are read before the lanes are: which facts are late for a closed period must be known in each.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import rules
from ledger.core.events import AnyFact, decode
from ledger.core.instant import SECOND, Instant, to_datetime
from ledger.envelope import StoredEvent
from ledger.lanes import PERIOD
from ledger.periods import ACCOUNTING, Closed, before, closed_of, period_of
from ledger.verifying.findings import Finding, Reason
from loyalty.v1.events_pb2 import DocumentPosted, PeriodClosed, PointsBurned

_CLOCKS_APART: Final = 2 * SECOND
"""Two processes' clocks may differ by half a second each way from the database's."""


class PeriodBooks:
    """The closed periods, as their stream tells them."""

    def __init__(self, events: Iterable[tuple[str, Instant, bytes]], *, lanes: int) -> None:
        """Take the facts of the stream; what is damaged is named where it stands."""
        self._lanes = lanes
        found: list[Closed] = []
        for _, recorded_at, payload in events:
            try:
                fact = decode(payload)
            except Exception:
                continue
            if isinstance(fact, PeriodClosed):
                found.append(closed_of(fact, len(found) + 1, recorded_at))
        self._closed: Sequence[Closed] = found

    def enter(self, fact: AnyFact, event: StoredEvent) -> Iterator[Finding]:
        """Hold an event against the periods; yield what does not match."""
        if isinstance(fact, PeriodClosed):
            for wrong in self._close(fact, event):
                yield Finding(event.pos, Reason.PERIOD_MISMATCH, wrong)
        for wrong in self._across(event):
            yield Finding(event.pos, Reason.PERIOD_MISMATCH, wrong)
        if self._closed and isinstance(fact, DocumentPosted | PointsBurned):
            told = [name for name in fact.late_for if name.startswith(ACCOUNTING)]
            due = self._late_for(event)
            if told != due:
                detail = f"it is late for {told}, where {due} were closed"
                yield Finding(event.pos, Reason.PERIOD_MISMATCH, detail)

    def close(self, lane: int, size: int) -> Iterator[Finding]:
        """Hold the end of a lane against the cuts."""
        for each in self._closed:
            if each.cut.get(lane, 0) > size:
                detail = f"period {each.name} is cut at {each.cut[lane]}, the lane has {size}"
                yield Finding(size, Reason.PERIOD_MISMATCH, detail)

    def _late_for(self, event: StoredEvent) -> list[str]:
        """What an event is late for: a period that was closed when its position was filled."""
        known = before(self._closed, event.lane, event.pos)
        if not known:
            return []
        name = period_of(known, known[-1].fact.zone, event.occurred_at)
        return [ACCOUNTING + name] if name else []

    def _close(self, fact: PeriodClosed, event: StoredEvent) -> Iterator[str]:
        if event.stream != PERIOD + fact.programme:
            yield f"a period of {fact.programme} does not belong in {event.stream}"
        number = event.version - 1
        if not 0 <= number < len(self._closed):
            yield "it is not the next period of its stream"
            return
        closed = self._closed[number]
        month = rules.month_named(fact.zone, fact.period)
        if month is None or (month.start, month.end) != (closed.start, closed.end):
            yield f"{fact.period} is no month from {to_datetime(closed.start)} on in {fact.zone}"
        if event.recorded_at < closed.end:
            yield f"period {fact.period} was not over when it was closed"
        if sorted(closed.cut) != list(range(self._lanes)):
            yield "it does not cut every lane"
        if closed.cut.get(event.lane) != event.pos:
            yield f"its own lane is cut at {closed.cut.get(event.lane)}, it stands at {event.pos}"
        if number:
            yield from _follows(closed, self._closed[number - 1])

    def _across(self, event: StoredEvent) -> Iterator[str]:
        """What stands before a cut was recorded before the closing, what is behind it after."""
        for each in self._closed:
            cut = each.cut.get(event.lane)
            if cut == event.pos + 1 and event.recorded_at > each.recorded_at + _CLOCKS_APART:
                yield f"it stands before the cut of period {each.name}, and came after it"
            if cut == event.pos and event.recorded_at < each.recorded_at - _CLOCKS_APART:
                yield f"it stands behind the cut of period {each.name}, and came before it"


def _follows(closed: Closed, last: Closed) -> Iterator[str]:
    if closed.start != last.end:
        yield f"period {closed.name} does not follow {last.name}"
    if any(pos < last.cut.get(lane, 0) for lane, pos in closed.cut.items()):
        yield f"period {closed.name} is cut before {last.name}"
