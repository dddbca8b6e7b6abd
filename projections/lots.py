"""Lots: where the points of each are now, and which lots came of which.

A lot that moves to another account is a child there; so is the lot that a conversion makes. A
recall follows these links from the lots that should never have been. Qualifying points are left
out: nobody spends them or passes them on.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, Literal, NamedTuple

from ledger.core.events import AnyFact, fields_of, kind_of
from loyalty.v1.events_pb2 import (
    BurnReversed,
    ConvertedPointsIssued,
    HoldMovedIn,
    LotReinstated,
    LotsMovedIn,
    OpeningLotRecorded,
    PendingMovedIn,
    PointsAdjusted,
    PointsConverted,
    PointsEarned,
    PointsExpired,
    PointsPended,
    PointsReceived,
    RecallMade,
)
from projections import schema
from projections.projection import Connection, EventBatch, Projection, facts_in, numbers
from projections.reading import Reading, reading

NAME: Final = "lots"
_Issued = PointsEarned | PointsPended | OpeningLotRecorded | PointsAdjusted | ConvertedPointsIssued
_Arrived = PointsReceived | LotsMovedIn | PendingMovedIn | HoldMovedIn
_COUNTS: Final = ("spent", "charged", "taken", "expired", "sent", "arrived", "held", "set_aside")

_DRAWN: Final[dict[str, dict[str, int]]] = {
    "points_burned": {"spent": 1},
    "reversal_reversed": {"spent": 1},
    "arrears_repaid": {"spent": 1},
    "points_converted": {"spent": 1},
    "hold_captured": {"spent": 1, "held": -1},
    "burn_reversed": {"spent": -1},
    "points_held": {"held": 1},
    "hold_released": {"held": -1},
    "points_clawed_back": {"taken": 1},
    "pending_clawed_back": {"taken": 1},
    "points_sent": {"sent": 1},
    "points_returned": {"sent": -1},
    "transfer_completed": {"arrived": 1},
    "lots_moved_out": {"sent": 1, "arrived": 1},
    "pending_moved_out": {"sent": 1, "arrived": 1},
    "hold_moved_out": {"sent": 1, "arrived": 1, "held": -1},
    "points_quarantined": {"set_aside": 1},
    "pending_quarantined": {"set_aside": 1},
    "quarantine_lifted": {"set_aside": -1},
    "pending_quarantine_lifted": {"set_aside": -1},
    "quarantine_clawed_back": {"set_aside": -1, "taken": 1},
}
"""What a fact counts for each point of its draws."""
_KINDS: Final = numbers(
    *_DRAWN,
    "points_earned",
    "points_pended",
    "opening_lot_recorded",
    "points_adjusted",
    "converted_points_issued",
    "points_received",
    "lots_moved_in",
    "pending_moved_in",
    "hold_moved_in",
    "points_expired",
    "lot_reinstated",
    "recall_made",
)
_COLUMNS: Final = ("account", "lot", "currency", "issuer", "document", "campaign", "points")
_ZEROS: Final = ", ".join("0" for _ in _COUNTS)
# A merge brings a lot in parts, and brings it back to where it was.
_ISSUE: Final = f"""
INSERT INTO lot (version, {", ".join(_COLUMNS)}, {", ".join(_COUNTS)})
SELECT $1::integer, l.*, {_ZEROS} FROM unnest($2::text[], $3::text[], $4::text[], $5::text[],
  $6::text[], $7::text[], $8::numeric[]) AS l
ON CONFLICT (version, account, lot) DO UPDATE SET points = lot.points + EXCLUDED.points"""
_MOVE: Final = f"""
UPDATE lot SET {", ".join(f"{name} = lot.{name} + m.{name}" for name in _COUNTS)}
FROM unnest($2::text[], $3::text[], {", ".join(f"${n}::numeric[]" for n in range(4, 12))})
  AS m (account, lot, {", ".join(_COUNTS)})
WHERE lot.version = $1 AND lot.account = m.account AND lot.lot = m.lot"""
_LINK: Final = """
INSERT INTO lot_link (version, parent, lot, converted)
SELECT $1::integer, l.* FROM unnest($2::text[], $3::text[], $4::boolean[]) AS l
ON CONFLICT (version, parent, lot) DO NOTHING"""
_DIGESTED_LOTS: Final = f"""
SELECT {", ".join(_COLUMNS)}, {", ".join(_COUNTS)} FROM lot WHERE version = $1
ORDER BY account, lot"""
_DIGESTED_LINKS: Final = """
SELECT parent, lot, converted::integer FROM lot_link WHERE version = $1 ORDER BY parent, lot"""
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
SELECT {", ".join(f"l.{name}" for name in (*_COLUMNS, *_COUNTS))}, w.converted
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
    texts, converted = len(_COLUMNS) - 1, row[-1]
    points = (int(each) for each in row[texts:-1])
    return TracedLot._make((*row[:texts], *points, converted))


class _Changes:
    """What a batch of facts adds."""

    def __init__(self) -> None:
        self.issued: dict[tuple[str, str], list[Any]] = {}
        self.moved: dict[tuple[str, str], Counter[str]] = {}
        self.links: set[tuple[str, str, bool]] = set()

    def issue(self, *row: Any) -> None:
        known = self.issued.setdefault(row[:2], [*row[:-1], 0])
        known[-1] += row[-1]

    def move(self, account: str, lot: str, **counts: int) -> None:
        self.moved.setdefault((account, lot), Counter()).update(counts)

    def enter(self, account: str, fact: AnyFact) -> None:
        """Take a fact of an account."""
        if "tier_window" in fields_of(fact) and fact.tier_window:  # type: ignore[union-attr]
            return
        for lot, counts in _drawn(fact):
            self.move(account, lot, **counts)
        for row in _elsewhere(fact):
            self.issue(account, *row)
        if isinstance(fact, _Issued):
            self.issue(account, *_terms(fact))
        elif isinstance(fact, _Arrived):
            self._arrive(account, fact)
        elif isinstance(fact, PointsConverted):
            # A conversion makes one lot, which has its name.
            for draw in fact.draws:
                self.links.add((draw.lot_id, f"{fact.entry_id}.1", True))

    def _arrive(self, account: str, fact: _Arrived) -> None:
        for lot in fact.lots:
            if lot.tier_window:
                continue
            self.issue(account, lot.lot_id, fact.currency, lot.issuer, "", "", lot.points)
            self.links.add((lot.parent_lot_id, lot.lot_id, False))
            if isinstance(fact, HoldMovedIn):
                self.move(account, lot.lot_id, held=lot.points)


def _drawn(fact: Any) -> Iterator[tuple[str, dict[str, int]]]:
    """What a fact counts of lots that were there before."""
    match fact:
        case RecallMade():
            for told in fact.lots:
                yield told.lot_id, {"charged": told.charged}
        case PointsExpired():
            yield fact.lot_id, {"expired": fact.points}
        case LotReinstated():
            yield fact.lot_id, {"expired": -fact.points}
        case _:
            counted = _DRAWN.get(kind_of(fact), {})
            for draw in fact.draws if counted else ():
                yield draw.lot_id, {name: sign * draw.points for name, sign in counted.items()}


def _elsewhere(fact: Any) -> Iterator[tuple[Any, ...]]:
    """Rows, without any points, of lots that the account may never have had.

    What was spent before two accounts were one comes back, or is charged, where they are one.
    """
    if isinstance(fact, RecallMade):
        for told in fact.lots:
            if told.charged:
                yield told.lot_id, told.currency, told.issuer, "", "", 0
    elif isinstance(fact, BurnReversed):
        for draw in fact.draws:
            yield draw.lot_id, fact.currency, draw.issuer, "", "", 0


def _terms(fact: Any) -> tuple[Any, ...]:
    has = fields_of(fact)
    document = fact.document if "document" in has else ""
    campaign = fact.campaign if "campaign" in has else ""
    return fact.lot_id, fact.currency, fact.business_unit, document, campaign, fact.points


async def _apply(connection: Connection, batch: EventBatch) -> None:
    changes = _Changes()
    for located in await facts_in(connection, batch, _KINDS):
        if located.account:
            changes.enter(located.account, located.fact)
    if changes.issued:
        columns = map(list, zip(*changes.issued.values(), strict=True))
        await connection.execute(_ISSUE, batch.version, *columns)
    if changes.moved:
        rows = [(*key, *(each[name] for name in _COUNTS)) for key, each in changes.moved.items()]
        columns = map(list, zip(*rows, strict=True))
        await connection.execute(_MOVE, batch.version, *columns)
    if changes.links:
        columns = map(list, zip(*sorted(changes.links), strict=True))
        await connection.execute(_LINK, batch.version, *columns)


LOTS: Final = Projection(
    name=NAME,
    definition=2,
    tables=(schema.lot, schema.lot_link),
    kinds=_KINDS,
    points_only=False,
    digested=(_DIGESTED_LOTS, _DIGESTED_LINKS),
    apply=_apply,
)
