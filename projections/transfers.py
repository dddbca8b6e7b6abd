"""Transfers: where each one stands, for members who ask and for whoever completes them.

What sender and receiver record lies in two lanes, which have no order between them: each fact fills
columns of its own, so that a row is the same in whatever order they are read.
"""

from typing import Any, Final, NamedTuple

from ledger.core.instant import Instant, from_datetime, from_timestamp, to_datetime
from ledger.lanes import account_of
from loyalty.v1.events_pb2 import (
    PointsReceived,
    PointsReturned,
    PointsSent,
    ReturnCause,
    TransferKind,
)
from projections import schema
from projections.projection import (
    EVENTS,
    Connection,
    EventBatch,
    Projection,
    decoded,
    numbers,
)
from projections.reading import Reading, reading

NAME: Final = "transfers"
FIRST_PAGE: Final = "~"
"""After every transfer id."""

_KINDS: Final = numbers("points_sent", "points_received", "transfer_completed", "points_returned")
_FACTS: Final = f"""
SELECT e.lane, e.pos, e.stream, e.recorded_at, e.payload FROM {EVENTS}
WHERE e.kind = ANY($4::smallint[]) ORDER BY e.lane, e.pos"""
_STATED: Final = ("sender", "receiver", "currency", "points")
_TIMES: Final = ("sent_at", "accept_until", "received_at", "completed_at", "returned_at")
_SET: Final = ("kind", "business_unit", "fee", *_TIMES, "cause", "reason")
_COLUMNS: Final = ", ".join(("transfer", *_STATED, *_SET))
_FILL: Final = f"""
INSERT INTO transfer (version, {_COLUMNS})
SELECT $1::integer, t.* FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[],
  $7::smallint[], $8::text[], $9::bigint[], $10::timestamptz[], $11::timestamptz[],
  $12::timestamptz[], $13::timestamptz[], $14::timestamptz[], $15::smallint[], $16::text[]) AS t
ON CONFLICT (version, transfer) DO UPDATE SET
  {", ".join(f"{name} = coalesce(transfer.{name}, EXCLUDED.{name})" for name in _SET)}"""
_MICROSECONDS: Final = "coalesce((extract(epoch FROM {0}) * 1000000)::bigint, 0)"
_DIGESTED: Final = f"""
SELECT transfer, {", ".join(_STATED)}, kind, business_unit, fee,
  {", ".join(_MICROSECONDS.format(name) for name in _TIMES)}, cause, reason
FROM transfer WHERE version = $1 ORDER BY transfer"""
_OF_ACCOUNT: Final = f"""
(SELECT {_COLUMNS} FROM transfer
  WHERE version = $1 AND sender = $2 AND transfer < $3 AND (NOT $4 OR {{open}})
  ORDER BY transfer DESC LIMIT $5)
UNION
(SELECT {_COLUMNS} FROM transfer
  WHERE version = $1 AND receiver = $2 AND transfer < $3 AND (NOT $4 OR {{open}})
  ORDER BY transfer DESC LIMIT $5)
ORDER BY transfer DESC LIMIT $5""".format(open="completed_at IS NULL AND returned_at IS NULL")
# What only a receiver can bring on is not due before its time is over.
_DUE: Final = """
SELECT transfer, received_at IS NOT NULL FROM transfer
WHERE version = $1 AND completed_at IS NULL AND returned_at IS NULL AND transfer > $3
  AND sent_at IS NOT NULL
  AND (received_at IS NOT NULL OR accept_until IS NULL OR accept_until <= $2)
ORDER BY transfer LIMIT $4"""
_OPEN: Final = """
SELECT count(*), coalesce(min(sent_at), $2::timestamptz) FROM transfer
WHERE version = $1 AND completed_at IS NULL AND returned_at IS NULL
  AND (received_at IS NOT NULL OR accept_until IS NULL OR accept_until <= $2)"""


class TransferRow(NamedTuple):
    """A transfer as it stands. What is None has not happened, or is not known yet."""

    transfer: str
    sender: str
    receiver: str
    currency: str
    points: int
    kind: TransferKind.ValueType | None = None
    business_unit: str | None = None
    fee: int | None = None
    sent_at: Instant | None = None
    accept_until: Instant | None = None
    """Until when the receiver has to accept; None: nobody is asked."""
    received_at: Instant | None = None
    completed_at: Instant | None = None
    returned_at: Instant | None = None
    cause: ReturnCause.ValueType | None = None
    reason: str | None = None


class DueTransfer(NamedTuple):
    """A transfer that somebody has to bring on."""

    transfer: str
    received: bool
    """The receiver has the points; only the sender has to let go."""


class Waiting(NamedTuple):
    """Transfers that are due, and since when the oldest of them is under way."""

    transfers: int
    since: Instant


async def transfers_of(
    connection: Connection, account: str, *, before: str, only_open: bool, most: int
) -> Reading[tuple[TransferRow, ...]]:
    """Transfers from or to an account with ids below `before`, newest first."""
    async with reading(connection, NAME) as at:
        rows = await connection.fetch(_OF_ACCOUNT, at.version, account, before, only_open, most)
    return Reading(at.positions, tuple(_row(*row) for row in rows))


def _row(*columns: Any) -> TransferRow:
    named = dict(zip(TransferRow._fields, columns, strict=True))
    for name in _TIMES:
        if named[name] is not None:
            named[name] = from_datetime(named[name])
    return TransferRow(**named)


def _stored(row: TransferRow) -> tuple[object, ...]:
    known = {name: moment for name in _TIMES if (moment := getattr(row, name)) is not None}
    columns = row._asdict() | {name: to_datetime(at) for name, at in known.items()}
    return tuple(columns.values())


async def due_transfers(
    connection: Connection, now: Instant, *, after: str, limit: int
) -> list[DueTransfer]:
    """The next transfers behind an id that have to be brought on, oldest first."""
    async with reading(connection, NAME) as at:
        rows = await connection.fetch(_DUE, at.version, to_datetime(now), after, limit)
    return [DueTransfer(*row) for row in rows]


async def waiting(connection: Connection, now: Instant) -> Waiting:
    """How many transfers have to be brought on."""
    async with reading(connection, NAME) as at:
        [row] = await connection.fetch(_OPEN, at.version, to_datetime(now))
    return Waiting(row[0], from_datetime(row[1]))


async def _apply(connection: Connection, batch: EventBatch) -> None:
    found = await connection.fetch(_FACTS, *batch.arguments(), sorted(_KINDS))
    rows: dict[str, TransferRow] = {}
    for lane, pos, stream, recorded_at, payload in found:
        fact = decoded(lane, pos, payload)
        row = _told(fact, account_of(stream), from_datetime(recorded_at))
        before = rows.get(row.transfer)
        rows[row.transfer] = row if before is None else _joined(before, row)
    if rows:
        columns = map(list, zip(*map(_stored, rows.values()), strict=True))
        await connection.execute(_FILL, batch.version, *columns)


def _joined(row: TransferRow, more: TransferRow) -> TransferRow:
    pairs = zip(row, more, strict=True)
    return TransferRow._make(left if left is not None else right for left, right in pairs)


def _told(fact: Any, account: str, recorded_at: Instant) -> TransferRow:
    """What one fact says of its transfer."""
    if isinstance(fact, PointsReceived):
        sender, receiver = fact.sender_id, fact.sent_to_id or account
    else:
        sender, receiver = account, fact.receiver_id
    row = TransferRow(fact.entry_id, sender, receiver, fact.currency, fact.points)
    match fact:
        case PointsSent():
            asks = fact.HasField("accept_until_time")
            return row._replace(
                kind=fact.kind,
                business_unit=fact.business_unit,
                fee=fact.fee,
                sent_at=recorded_at,
                accept_until=from_timestamp(fact.accept_until_time) if asks else None,
            )
        case PointsReceived():
            return row._replace(received_at=recorded_at)
        case PointsReturned():
            return row._replace(returned_at=recorded_at, cause=fact.cause, reason=fact.reason)
        case _:
            return row._replace(completed_at=recorded_at)


TRANSFERS: Final = Projection(
    name=NAME,
    definition=1,
    tables=(schema.transfer,),
    kinds=_KINDS,
    points_only=True,
    digested=(_DIGESTED,),
    apply=_apply,
)
