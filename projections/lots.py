"""Lots: where the points of each are now, and which lots came of which.

A lot that moves to another account is a child there; so is the lot that a conversion makes. A
recall follows these links from the lots that should never have been. Qualifying points are left
out: nobody spends them or passes them on.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

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

NAME: Final = "lots"
_Issued = PointsEarned | PointsPended | OpeningLotRecorded | PointsAdjusted | ConvertedPointsIssued
_Arrived = PointsReceived | LotsMovedIn | PendingMovedIn | HoldMovedIn
COUNTS: Final = ("spent", "charged", "taken", "expired", "sent", "arrived", "held", "set_aside")

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
COLUMNS: Final = ("account", "lot", "currency", "issuer", "document", "campaign", "points")
_ZEROS: Final = ", ".join("0" for _ in COUNTS)
# A merge brings a lot in parts, and brings it back to where it was.
_ISSUE: Final = f"""
INSERT INTO lot (version, {", ".join(COLUMNS)}, {", ".join(COUNTS)})
SELECT $1::integer, l.*, {_ZEROS} FROM unnest($2::text[], $3::text[], $4::text[], $5::text[],
  $6::text[], $7::text[], $8::numeric[]) AS l
ON CONFLICT (version, account, lot) DO UPDATE SET points = lot.points + EXCLUDED.points"""
_MOVE: Final = f"""
UPDATE lot SET {", ".join(f"{name} = lot.{name} + m.{name}" for name in COUNTS)}
FROM unnest($2::text[], $3::text[], {", ".join(f"${n}::numeric[]" for n in range(4, 12))})
  AS m (account, lot, {", ".join(COUNTS)})
WHERE lot.version = $1 AND lot.account = m.account AND lot.lot = m.lot"""
_LINK: Final = """
INSERT INTO lot_link (version, parent, lot, converted)
SELECT $1::integer, l.* FROM unnest($2::text[], $3::text[], $4::boolean[]) AS l
ON CONFLICT (version, parent, lot) DO NOTHING"""
_DIGESTED_LOTS: Final = f"""
SELECT {", ".join(COLUMNS)}, {", ".join(COUNTS)} FROM lot WHERE version = $1
ORDER BY account, lot"""
_DIGESTED_LINKS: Final = """
SELECT parent, lot, converted::integer FROM lot_link WHERE version = $1 ORDER BY parent, lot"""


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
        rows = [(*key, *(each[name] for name in COUNTS)) for key, each in changes.moved.items()]
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
