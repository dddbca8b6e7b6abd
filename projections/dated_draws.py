"""Draws with their dates: what settlement by period is made of, one row for each issuer in a fact.

A period is not in the rows. Which of them it has follows from when it was closed, which the lanes
learn at different times, so it is worked out when it is asked (`projections/period_flows.py`).
"""

from collections import Counter
from typing import Any, Final, NamedTuple

from ledger.core.instant import Instant, from_timestamp, to_datetime
from projections import schema
from projections.draws import BURNING, CONVERTING, RECLAIMING, Use, use_of
from projections.projection import Connection, EventBatch, Projection, facts_in

NAME: Final = "dated_draws"
USES: Final[tuple[Use, ...]] = ("burned", "reclaimed", "converted")
_TIMES: Final = """
SELECT lane, pos, occurred_at FROM event
JOIN unnest($1::smallint[], $2::bigint[]) AS wanted (lane, pos) USING (lane, pos)"""
_PUT: Final = """
INSERT INTO dated_draw (version, lane, pos, number, occurred_at, earned_at, issuer, business_unit,
  currency, burned, reclaimed, converted)
SELECT $1::integer, d.* FROM unnest($2::smallint[], $3::bigint[], $4::smallint[],
  $5::timestamptz[], $6::timestamptz[], $7::text[], $8::text[], $9::text[], $10::bigint[],
  $11::bigint[], $12::bigint[]) AS d"""
_DIGESTED: Final = """
SELECT lane, pos, number, (extract(epoch FROM occurred_at) * 1000000)::bigint,
  (extract(epoch FROM earned_at) * 1000000)::bigint, issuer, business_unit, currency,
  burned, reclaimed, converted
FROM dated_draw WHERE version = $1 ORDER BY lane, pos, number"""


class _Drawn(NamedTuple):
    """Points of one fact that one unit issued at one time."""

    issuer: str
    earned_at: Instant
    points: int


async def _apply(connection: Connection, batch: EventBatch) -> None:
    facts = await facts_in(connection, batch, _KINDS)
    if not facts:
        return
    places = [[each.lane for each in facts], [each.pos for each in facts]]
    found = await connection.fetch(_TIMES, *places)
    occurred = {(lane, pos): at for lane, pos, at in found}
    rows = []
    for located in facts:
        fact: Any = located.fact
        sign, use = use_of(fact)
        if use is None:
            continue
        for number, drawn in enumerate(_by_issuer(fact)):
            if use == "reclaimed" and drawn.issuer == fact.business_unit:
                continue
            points = [sign * drawn.points if use == each else 0 for each in USES]
            rows.append(
                (
                    located.lane,
                    located.pos,
                    number,
                    occurred[located.lane, located.pos],
                    to_datetime(drawn.earned_at),
                    drawn.issuer,
                    fact.business_unit,
                    fact.currency,
                    *points,
                )
            )
    if rows:
        await connection.execute(_PUT, batch.version, *map(list, zip(*rows, strict=True)))


def _by_issuer(fact: Any) -> list[_Drawn]:
    """The draws of a fact, those of one issuer and time together, in order of first use."""
    totals: Counter[tuple[str, Instant]] = Counter()
    for draw in fact.draws:
        totals[draw.issuer, from_timestamp(draw.earned_time)] += draw.points
    return [_Drawn(issuer, at, points) for (issuer, at), points in totals.items()]


_KINDS: Final = BURNING | RECLAIMING | CONVERTING
DATED_DRAWS: Final = Projection(
    name=NAME,
    definition=1,
    tables=(schema.dated_draw,),
    kinds=_KINDS,
    points_only=True,
    digested=(_DIGESTED,),
    apply=_apply,
)
