"""Documents that are nobody's: those that non-members had, as long as nobody has claimed them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from ledger.core.counting import document_key
from ledger.core.instant import to_datetime
from ledger.evaluation import pinned_instant
from loyalty.v1.events_pb2 import DocumentClaimed, DocumentPosted
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_CANCELLED
from projections import schema
from projections.projection import Connection, EventBatch, Projection, facts_in, numbers
from projections.reading import Reading, reading

NAME: Final = "unclaimed"
_COLUMNS: Final = (
    "document, business_unit, document_version, status, currency_code, net_minor_units,"
    " occurred_at, pinned_policy, has_receipt_code, awaited_scheme"
)
_PUT: Final = f"""
INSERT INTO unclaimed_document (version, {_COLUMNS})
SELECT $1::integer, d.* FROM unnest($2::text[], $3::text[], $4::bigint[], $5::smallint[],
  $6::text[], $7::bigint[], $8::timestamptz[], $9::text[], $10::boolean[], $11::text[]) AS d
ON CONFLICT (version, document) DO UPDATE SET
  document_version = EXCLUDED.document_version, status = EXCLUDED.status,
  currency_code = EXCLUDED.currency_code, net_minor_units = EXCLUDED.net_minor_units,
  occurred_at = EXCLUDED.occurred_at, pinned_policy = EXCLUDED.pinned_policy,
  has_receipt_code = EXCLUDED.has_receipt_code, awaited_scheme = EXCLUDED.awaited_scheme"""
_DROP: Final = """
DELETE FROM unclaimed_document USING unnest($2::text[]) AS gone (document)
WHERE version = $1 AND unclaimed_document.document = gone.document"""
_DIGESTED: Final = """
SELECT document, document_version, status, currency_code, net_minor_units,
  (extract(epoch FROM occurred_at) * 1000000)::bigint, pinned_policy,
  has_receipt_code::integer, awaited_scheme
FROM unclaimed_document WHERE version = $1 ORDER BY document"""
_PAGE: Final = f"""
SELECT {_COLUMNS} FROM unclaimed_document
WHERE version = $1 AND status <> {DOCUMENT_STATUS_CANCELLED}
  AND ($2::text[] IS NULL OR business_unit = ANY($2))
  AND ($3::timestamptz IS NULL OR occurred_at >= $3)
  AND ($4::timestamptz IS NULL OR occurred_at < $4)
  AND ($5::timestamptz IS NULL OR (occurred_at, document) < ($5, $6))
ORDER BY occurred_at DESC, document DESC LIMIT $7"""


class Unclaimed(NamedTuple):
    """A document that is nobody's."""

    document: str
    business_unit: str
    document_version: int
    status: int
    currency_code: str
    net_minor_units: int
    occurred_at: datetime
    pinned_policy: str
    """Digest of the policy it was pinned to; empty for one that was never final."""
    has_receipt_code: bool
    awaited_scheme: str


class Wanted(NamedTuple):
    """Which documents are asked for."""

    units: Sequence[str] | None
    """None: of all units."""
    since: datetime | None = None
    before: datetime | None = None


async def unclaimed_documents(
    connection: Connection, wanted: Wanted, *, last: tuple[datetime, str] | None, limit: int
) -> Reading[tuple[Unclaimed, ...]]:
    """The next documents, newest first, behind the (time, key) of `last`."""
    begin, key = last or (None, "")
    units = None if wanted.units is None else list(wanted.units)
    async with reading(connection, NAME) as at:
        rows = await connection.fetch(
            _PAGE, at.version, units, wanted.since, wanted.before, begin, key, limit
        )
    return Reading(at.positions, tuple(Unclaimed(*row) for row in rows))


async def _apply(connection: Connection, batch: EventBatch) -> None:
    standing: dict[str, Unclaimed | None] = {}
    for located in await facts_in(connection, batch, _KINDS):
        match located.fact:
            case DocumentPosted() as posted if not located.account:
                row = _row(posted)
                standing[row.document] = row
            case DocumentClaimed() as claimed:
                standing[claimed.document] = None
            case _:
                pass
    gone = [document for document, row in standing.items() if row is None]
    rows = [row for row in standing.values() if row is not None]
    if gone:
        await connection.execute(_DROP, batch.version, gone)
    if rows:
        await connection.execute(_PUT, batch.version, *map(list, zip(*rows, strict=True)))


def _row(posted: DocumentPosted) -> Unclaimed:
    document = posted.document
    return Unclaimed(
        document_key(posted.business_unit, document.source, document.document_id),
        posted.business_unit,
        document.version,
        document.status,
        document.currency_code,
        sum(line.net_minor_units for line in document.lines),
        to_datetime(pinned_instant(posted.pins.local_time)),
        posted.pins.policy_digest if posted.pinned else "",
        bool(posted.receipt_hash),
        posted.awaited_scheme,
    )


_KINDS: Final = numbers("document_posted", "document_claimed")
UNCLAIMED: Final = Projection(
    name=NAME,
    definition=1,
    tables=(schema.unclaimed_document,),
    kinds=_KINDS,
    points_only=False,
    digested=(_DIGESTED,),
    apply=_apply,
)
