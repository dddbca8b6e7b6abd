"""Settlement: what business units owe each other, in points, from the draws that were stored.

The issuer of a drawn lot pays the unit where it was spent, the unit that took it back for a
document of its own, the unit to which a debt was repaid with it, or the unit that issues what it
was converted into. Transfers between members change nothing: their lots keep their issuer.
"""

from collections import Counter
from typing import Final, NamedTuple

from projections import schema
from projections.draws import BURNING, CONVERTING, RECLAIMING, Use, drawn_in
from projections.projection import Connection, EventBatch, Projection
from projections.reading import Reading, reading

NAME: Final = "settlement"
_USES: Final[tuple[Use, ...]] = ("burned", "reclaimed", "converted")

_ADD: Final = """
INSERT INTO settlement
  (version, lane, issuer, business_unit, currency, burned, reclaimed, converted)
SELECT $1::integer, d.* FROM unnest(
  $2::smallint[], $3::text[], $4::text[], $5::text[], $6::numeric[], $7::numeric[], $8::numeric[]
) AS d (lane, issuer, business_unit, currency, burned, reclaimed, converted)
ON CONFLICT (version, lane, issuer, business_unit, currency) DO UPDATE SET
  burned = settlement.burned + EXCLUDED.burned,
  reclaimed = settlement.reclaimed + EXCLUDED.reclaimed,
  converted = settlement.converted + EXCLUDED.converted"""

# What was burned and given back in full leaves no flow.
_FLOWS: Final = """
SELECT currency, issuer, business_unit, sum(burned), sum(reclaimed), sum(converted)
FROM settlement WHERE version = $1
GROUP BY currency, issuer, business_unit
HAVING (sum(burned), sum(reclaimed), sum(converted)) <> (0, 0, 0)
ORDER BY currency, issuer, business_unit"""


class Flow(NamedTuple):
    """Points that one unit issued and another took, net of what was given back.

    With issuer and taker the same, the row tells how much of its own points a unit got back; no
    payment follows from it.
    """

    currency: str
    issuer: str
    business_unit: str
    burned: int
    """Spent at `business_unit`."""
    reclaimed: int
    """Taken back by, or repaid to, `business_unit` from a lot of another issuer."""
    converted: int
    """Given up for points that `business_unit` issues."""

    @property
    def points(self) -> int:
        """What the issuer pays for."""
        return self.burned + self.reclaimed + self.converted


class SettlementMatrix(NamedTuple):
    """Every flow, ordered by currency, issuer and unit."""

    flows: tuple[Flow, ...]

    def net(self, currency: str) -> dict[str, int]:
        """Points each unit receives from the others, less what it pays; they sum to zero."""
        totals: Counter[str] = Counter()
        for flow in self.flows:
            if flow.currency == currency:
                totals[flow.business_unit] += flow.points
                totals[flow.issuer] -= flow.points
        return dict(sorted(totals.items()))


async def _apply(connection: Connection, batch: EventBatch) -> None:
    flows: dict[tuple[int, str, str, str], Counter[Use]] = {}
    for drawn, points in (await drawn_in(connection, batch)).items():
        if drawn.use == "reclaimed" and drawn.issuer == drawn.business_unit:
            continue
        flow = (drawn.lane, drawn.issuer, drawn.business_unit, drawn.currency)
        flows.setdefault(flow, Counter())[drawn.use] += points
    rows = [(*flow, *(flows[flow][use] for use in _USES)) for flow in sorted(flows)]
    if rows:
        await connection.execute(_ADD, batch.version, *map(list, zip(*rows, strict=True)))


async def settlement_matrix(connection: Connection) -> Reading[SettlementMatrix]:
    """Who issued what was spent or taken where, by currency, issuer and unit."""
    async with reading(connection, NAME) as at:
        rows = await connection.fetch(_FLOWS, at.version)
    return Reading(
        at.positions, SettlementMatrix(tuple(Flow(*row[:3], *map(int, row[3:])) for row in rows))
    )


SETTLEMENT: Final = Projection(
    name=NAME,
    definition=1,
    tables=(schema.settlement,),
    kinds=BURNING | RECLAIMING | CONVERTING,
    points_only=True,
    digested=(_FLOWS,),
    apply=_apply,
)
