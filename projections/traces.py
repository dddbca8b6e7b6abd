"""Traces: from where bad points began to all lots that came of them, and where their points are.

A walk finds the lots by the links between them; a look tells what became of those it found.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, Literal, NamedTuple

from projections.lots import COLUMNS, COUNTS, NAME
from projections.projection import Connection
from projections.reading import Reading, reading

# A walk goes by indices, however small the tables were when it was planned.
_BY_INDEX: Final = "SET LOCAL enable_seqscan = off; SET LOCAL jit = off"
_WALK: Final = """
WITH RECURSIVE found (lot, converted) AS (
  SELECT lot, false FROM lot WHERE version = $1 AND {begins}
  UNION
  SELECT k.lot, found.converted OR k.converted FROM found
  JOIN lot_link AS k ON k.version = $1 AND k.parent = found.lot
), once AS (SELECT lot, bool_and(converted) AS converted FROM found GROUP BY lot)
SELECT l.account, l.lot, once.converted
FROM once JOIN lot AS l ON l.version = $1 AND l.lot = once.lot
WHERE (l.account, l.lot) > ($3::text, $4::text) ORDER BY l.account, l.lot LIMIT $5"""
_WALKS: Final = {
    "lot_id": _WALK.format(begins="lot = $2"),
    "campaign": _WALK.format(begins="campaign = $2 AND campaign <> ''"),
    "document": _WALK.format(begins="document = $2 AND document <> ''"),
}
_LOOK: Final = f"""
SELECT {", ".join(f"l.{name}" for name in (*COLUMNS, *COUNTS))}, w.converted
FROM unnest($2::text[], $3::text[], $4::boolean[])
  WITH ORDINALITY AS w (account, lot, converted, place)
JOIN lot AS l ON l.version = $1 AND l.account = w.account AND l.lot = w.lot ORDER BY w.place"""

_SPENT: Final = """
SELECT lot, account, spent, charged FROM lot
WHERE version = $1 AND lot = ANY($2::text[]) AND (spent <> 0 OR charged <> 0)
ORDER BY lot, account"""


class Origin(NamedTuple):
    """Where bad points began."""

    kind: Literal["lot_id", "campaign", "document"]
    name: str


class Found(NamedTuple):
    """A lot that a walk came to."""

    account: str
    lot: str
    converted: bool
    """It came of bad points by a conversion only."""


class TracedLot(NamedTuple):
    """A lot and where its points are; what is not told of them is still there."""

    account: str
    lot: str
    currency: str
    issuer: str
    document: str
    campaign: str
    points: int
    """Issued to the account, or arrived there."""
    spent: int
    charged: int
    taken: int
    expired: int
    sent: int
    arrived: int
    """Of those that were sent."""
    held: int
    set_aside: int
    converted: bool
    """As the walk found it."""

    @property
    def left(self) -> int:
        """Points that can be spent, or will be."""
        gone = self.spent + self.taken + self.expired + self.sent
        return self.points - gone - self.held - self.set_aside

    @property
    def in_transit(self) -> int:
        """Points on their way to another account."""
        return self.sent - self.arrived


async def walk(
    connection: Connection, origin: Origin, *, after: tuple[str, str], most: int
) -> Reading[tuple[Found, ...]]:
    """The lots of an origin and all that came of them, by account and lot, behind a place.

    It goes to all of them, however few are wanted.
    """
    async with reading(connection, NAME) as at:
        await connection.execute(_BY_INDEX)
        rows = await connection.fetch(_WALKS[origin.kind], at.version, origin.name, *after, most)
    return Reading(at.positions, tuple(Found(*row) for row in rows))


async def look(connection: Connection, found: Sequence[Found]) -> Reading[tuple[TracedLot, ...]]:
    """What became of lots that a walk found, in the order in which they are given."""
    async with reading(connection, NAME) as at:
        columns = [list(column) for column in zip(*found, strict=True)] or [[], [], []]
        rows = await connection.fetch(_LOOK, at.version, *columns)
        spent = await connection.fetch(_SPENT, at.version, columns[1])
    by_account = _by_account(spent)
    lots = (_traced(row) for row in rows)
    return Reading(at.positions, tuple(_where_spent(lot, by_account.get(lot[:2])) for lot in lots))


class _Spent(NamedTuple):
    """What was spent of a lot in an account, and came back or was charged in whatever account."""

    net: int
    charged: int


def _by_account(rows: Iterable[Any]) -> dict[tuple[str, str], _Spent]:
    """By (account, lot), where a lot was spent in one account and came back in another.

    That happens where two accounts were one for a while, or are. Told by itself, one of them would
    have spent less than nothing, and the other would be charged for what it never spent.
    """
    found: dict[tuple[str, str], _Spent] = {}
    for lot, group in groupby(rows, key=itemgetter("lot")):
        of_lot = [(row["account"], int(row["spent"]), int(row["charged"])) for row in group]
        back = -sum(min(spent, 0) for _, spent, _ in of_lot)
        charged = sum(each for _, _, each in of_lot)
        for account, spent, _ in of_lot:
            came = min(max(spent, 0), back)
            net = max(spent, 0) - came
            part = min(net, charged)
            back, charged = back - came, charged - part
            found[account, lot] = _Spent(net, part)
        if charged:
            # It was charged and came back after that: who was charged is told so still.
            account = next(account for account, _, each in of_lot if each)
            net, part = found[account, lot]
            found[account, lot] = _Spent(net, part + charged)
    return found


def _where_spent(lot: TracedLot, spent: _Spent | None) -> TracedLot:
    """A lot with what was spent of it in its account; what came back elsewhere arrived there."""
    if spent is None:
        return lot
    elsewhere = lot.spent - spent.net
    if elsewhere < 0:
        return lot._replace(points=lot.points - elsewhere, spent=spent.net, charged=spent.charged)
    return lot._replace(
        sent=lot.sent + elsewhere,
        arrived=lot.arrived + elsewhere,
        spent=spent.net,
        charged=spent.charged,
    )


def _traced(row: Any) -> TracedLot:
    texts, converted = len(COLUMNS) - 1, row[-1]
    points = (int(each) for each in row[texts:-1])
    return TracedLot._make((*row[:texts], *points, converted))
