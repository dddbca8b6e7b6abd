"""Totals of each business unit: documents posted, points issued, burned, expired, outstanding.

Documents and burns count for the unit of the fact, issues and expiry for the unit that issued the
lot, what is converted for the unit that issues the new points. Outstanding is by issuer: points of
its lots that are still available, pending, held or in transit.
For each currency, summed over the units:
issued = outstanding + burned + expired + clawed back + repaid + converted. What one member sends
another stays outstanding all the while.
"""

from collections import Counter
from hashlib import sha256
from itertools import groupby
from typing import Final, NamedTuple

from ledger.keys import document_thing
from loyalty.v1.events_pb2 import DocumentPosted
from projections import schema
from projections.draws import BURNING, CONVERTING, RECLAIMING, drawn_in
from projections.projection import (
    EVENTS,
    Connection,
    EventBatch,
    Projection,
    facts_in,
    numbers,
    sql_list,
)
from projections.reading import Reading, reading

NAME: Final = "unit_totals"
_SEEN_BYTES: Final = 16

_ISSUED: Final = numbers(
    "points_earned",
    "points_pended",
    "opening_lot_recorded",
    "points_adjusted",
    "converted_points_issued",
)
_BURNED: Final = numbers("points_burned", "hold_captured", "reversal_reversed")
_UNBURNED: Final = numbers("burn_reversed")
_EXPIRED: Final = numbers("points_expired")
_REINSTATED: Final = numbers("lot_reinstated")
_CLAWED_BACK: Final = numbers("points_clawed_back", "pending_clawed_back", "quarantine_clawed_back")
_REPAID: Final = numbers("arrears_repaid")
_CONVERTED: Final = numbers("points_converted")
_COUNTED: Final = frozenset().union(
    _ISSUED, _BURNED, _UNBURNED, _EXPIRED, _REINSTATED, _CLAWED_BACK, _REPAID, _CONVERTED
)
_POSTED: Final = numbers("document_posted")


def _sum(plus: frozenset[int], minus: frozenset[int] = frozenset()) -> str:
    less = f" WHEN e.kind IN ({sql_list(minus)}) THEN -e.points" if minus else ""
    return f"sum(CASE WHEN e.kind IN ({sql_list(plus)}) THEN e.points{less} ELSE 0 END)"


_MERGE: Final = """
ON CONFLICT (version, lane, business_unit, currency) DO UPDATE SET
  issued = unit_points.issued + EXCLUDED.issued,
  burned = unit_points.burned + EXCLUDED.burned,
  expired = unit_points.expired + EXCLUDED.expired,
  clawed_back = unit_points.clawed_back + EXCLUDED.clawed_back,
  repaid = unit_points.repaid + EXCLUDED.repaid,
  outstanding = unit_points.outstanding + EXCLUDED.outstanding,
  converted = unit_points.converted + EXCLUDED.converted"""
_COLUMNS: Final = """
INSERT INTO unit_points (version, lane, business_unit, currency,
  issued, burned, expired, clawed_back, repaid, outstanding, converted)"""

_ADD_MOVEMENTS: Final = f"""{_COLUMNS}
SELECT $4::integer, e.lane, e.business_unit, e.currency,
  {_sum(_ISSUED)}, {_sum(_BURNED, _UNBURNED)}, {_sum(_EXPIRED, _REINSTATED)},
  {_sum(_CLAWED_BACK)}, {_sum(_REPAID)}, {_sum(_ISSUED | _REINSTATED, _EXPIRED)},
  {_sum(_CONVERTED)}
FROM {EVENTS}
WHERE e.kind IN ({sql_list(_COUNTED)})
GROUP BY e.lane, e.business_unit, e.currency{_MERGE}"""

# Draws tell whose points left; the movements above tell only where they went.
_TAKE_OUTSTANDING: Final = f"""{_COLUMNS}
SELECT $1::integer, d.lane, d.issuer, d.currency, 0, 0, 0, 0, 0, -d.points, 0
FROM unnest($2::smallint[], $3::text[], $4::text[], $5::numeric[])
  AS d (lane, issuer, currency, points){_MERGE}"""

_NEW_DOCUMENTS: Final = """
INSERT INTO document_seen (version, document)
SELECT $1::integer, document FROM unnest($2::bytea[]) AS document
ON CONFLICT (version, document) DO NOTHING RETURNING document"""

_ADD_DOCUMENTS: Final = """
INSERT INTO unit_documents (version, lane, business_unit, documents, postings)
SELECT $1::integer, d.* FROM unnest($2::smallint[], $3::text[], $4::bigint[], $5::bigint[])
  AS d (lane, business_unit, documents, postings)
ON CONFLICT (version, lane, business_unit) DO UPDATE SET
  documents = unit_documents.documents + EXCLUDED.documents,
  postings = unit_documents.postings + EXCLUDED.postings"""

_DOCUMENTS: Final = """
SELECT business_unit, sum(documents)::bigint, sum(postings)::bigint FROM unit_documents
WHERE version = $1 GROUP BY business_unit ORDER BY business_unit"""
_POINTS: Final = """
SELECT business_unit, currency, sum(issued), sum(burned), sum(expired),
  sum(clawed_back), sum(repaid), sum(outstanding), sum(converted)
FROM unit_points WHERE version = $1
GROUP BY business_unit, currency ORDER BY business_unit, currency"""


class UnitPoints(NamedTuple):
    """Points of a unit in one currency, in the currency's smallest unit."""

    business_unit: str
    currency: str
    issued: int
    """Lots it issued, pending ones and those of an older programme included."""
    burned: int
    """Spent there, less what was given back, whoever issued them."""
    expired: int
    """Of its own lots, less what came back for burns that were recorded late."""
    clawed_back: int
    """Taken back for its documents, whoever issued them."""
    repaid: int
    """Debts to it that later lots repaid, whoever issued those."""
    outstanding: int
    """Of its own lots: available, pending, held or in transit."""
    converted: int
    """Given up for points that it issues, whoever issued them."""


class UnitTotals(NamedTuple):
    """What one business unit did."""

    business_unit: str
    documents: int
    """Different documents."""
    postings: int
    """Versions of them."""
    points: tuple[UnitPoints, ...]
    """One for each currency."""


async def _apply(connection: Connection, batch: EventBatch) -> None:
    await connection.execute(_ADD_MOVEMENTS, *batch.arguments(), batch.version)
    await _take_outstanding(connection, batch)
    await _count_documents(connection, batch)


async def _take_outstanding(connection: Connection, batch: EventBatch) -> None:
    taken: Counter[tuple[int, str, str]] = Counter()
    for drawn, points in (await drawn_in(connection, batch)).items():
        taken[drawn.lane, drawn.issuer, drawn.currency] += points
    if taken:
        rows = [(*key, points) for key, points in taken.items()]
        columns = map(list, zip(*rows, strict=True))
        await connection.execute(_TAKE_OUTSTANDING, batch.version, *columns)


async def _count_documents(connection: Connection, batch: EventBatch) -> None:
    postings: Counter[tuple[int, str]] = Counter()
    first_seen: dict[bytes, tuple[int, str]] = {}
    for lane, _, _, fact in await facts_in(connection, batch, _POSTED):
        if isinstance(fact, DocumentPosted):
            # A version that only came from another stream was stated before.
            postings[lane, fact.business_unit] += not fact.arrival.same_version
            first_seen.setdefault(_hashed(fact), (lane, fact.business_unit))
    if not postings:
        return
    fresh = await connection.fetch(_NEW_DOCUMENTS, batch.version, sorted(first_seen))
    documents = Counter(first_seen[row[0]] for row in fresh)
    rows = [(*key, documents[key], count) for key, count in postings.items()]
    await connection.execute(_ADD_DOCUMENTS, batch.version, *map(list, zip(*rows, strict=True)))


def _hashed(fact: DocumentPosted) -> bytes:
    """Short name of a document, the same for all its versions."""
    document = fact.document
    thing = document_thing(fact.business_unit, document.source, document.document_id)
    return sha256(thing.encode()).digest()[:_SEEN_BYTES]


async def unit_totals(connection: Connection) -> Reading[tuple[UnitTotals, ...]]:
    """Totals of every business unit that posted a document or moved a point, by unit."""
    async with reading(connection, NAME) as at:
        documents = await connection.fetch(_DOCUMENTS, at.version)
        rows = await connection.fetch(_POINTS, at.version)
    points = [UnitPoints(row[0], row[1], *map(int, row[2:])) for row in rows]
    counts = {unit: (count, postings) for unit, count, postings in documents}
    of_unit = {
        unit: tuple(rows) for unit, rows in groupby(points, key=lambda row: row.business_unit)
    }
    totals = tuple(
        UnitTotals(unit, *counts.get(unit, (0, 0)), of_unit.get(unit, ()))
        for unit in sorted({*counts, *of_unit})
    )
    return Reading(at.positions, totals)


UNIT_TOTALS: Final = Projection(
    name=NAME,
    definition=1,
    tables=(schema.unit_points, schema.unit_documents, schema.document_seen),
    kinds=_COUNTED | BURNING | RECLAIMING | CONVERTING | _POSTED,
    points_only=False,
    digested=(_DOCUMENTS, _POINTS),
    apply=_apply,
)
