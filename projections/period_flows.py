"""Who took whose points in an accounting period, and which of it is about an earlier one.

A draw is in a closed period if its position lies before the period's cut and it happened in the
period. What was recorded behind a cut and happened before its end belongs to the next period, and
is flagged with its own. What happened before the first closed period was closed with that.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from ledger.core.instant import Instant, from_datetime, to_datetime
from projections.dated_draws import NAME
from projections.projection import Connection
from projections.reading import Reading, reading

_NOWHERE: Final = 2**62
"""Behind every position."""
_FIRST: Final = "SELECT min(occurred_at) FROM dated_draw WHERE version = $1"

# `about` counts the months that had begun when it happened, `issued_under` and `taken_under` the
# policies that had taken effect.
_FLOWS: Final = """
SELECT d.currency, d.issuer, d.business_unit,
  CASE WHEN d.occurred_at < $5 THEN width_bucket(d.occurred_at, $7::timestamptz[]) ELSE 0 END,
  CASE WHEN cardinality($8::timestamptz[]) = 0 THEN 0
       ELSE width_bucket(d.earned_at, $8::timestamptz[]) END,
  CASE WHEN cardinality($8::timestamptz[]) = 0 THEN 0
       ELSE width_bucket(d.occurred_at, $8::timestamptz[]) END,
  sum(d.burned)::bigint, sum(d.reclaimed)::bigint, sum(d.converted)::bigint
FROM dated_draw d
JOIN unnest($2::smallint[], $3::bigint[], $4::bigint[]) AS l (lane, late_from, before)
  ON l.lane = d.lane
WHERE d.version = $1 AND d.occurred_at < $6 AND d.pos < l.before
  AND (d.occurred_at >= $5 OR d.pos >= l.late_from)
GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6"""


class Bounds(NamedTuple):
    """Which draws a period has: start <= happened < end, or happened before and recorded late."""

    start: Instant
    end: Instant
    late_from: Mapping[int, int] | None
    """By lane, from which position on what happened before counts as late; None: it does not."""
    before: Mapping[int, int] | None
    """By lane, the first position that is not in it; None: it is open."""


class Flow(NamedTuple):
    """Points of one currency that one unit issued and another took."""

    currency: str
    issuer: str
    business_unit: str
    about: str
    """The month that it is about; empty: the period's own."""
    issued_under: int
    """Number of policies that had taken effect when the lots were earned."""
    taken_under: int
    """Likewise when they were taken."""
    burned: int
    reclaimed: int
    converted: int


class Calendar(NamedTuple):
    """Instants that rows are sorted by: when months began, each with its name, and policies."""

    months: Sequence[tuple[Instant, str]]
    policies: Sequence[Instant]


async def first_draw(connection: Connection) -> Instant | None:
    """When the earliest draw happened; None: there is none."""
    async with reading(connection, NAME) as at:
        found: datetime | None = await connection.fetchval(_FIRST, at.version)
    return None if found is None else from_datetime(found)


async def period_flows(
    connection: Connection, bounds: Bounds, calendar: Calendar, *, lanes: int
) -> Reading[tuple[Flow, ...]]:
    """The flows of a period, by currency, issuer and unit."""
    every = range(lanes)
    late_from, before = bounds.late_from, bounds.before
    months = [to_datetime(at) for at, _ in calendar.months]
    async with reading(connection, NAME) as at:
        rows = await connection.fetch(
            _FLOWS,
            at.version,
            list(every),
            [_NOWHERE if late_from is None else late_from.get(lane, 0) for lane in every],
            [_NOWHERE if before is None else before.get(lane, 0) for lane in every],
            to_datetime(bounds.start),
            to_datetime(bounds.end),
            months or [to_datetime(bounds.start)],
            [to_datetime(at) for at in calendar.policies],
        )
    names = ["", *(name for _, name in calendar.months)]
    return Reading(at.positions, tuple(_flow(row, names) for row in rows))


def _flow(row: Any, names: Sequence[str]) -> Flow:
    currency, issuer, unit, about, *rest = row
    return Flow(currency, issuer, unit, names[about], *rest)
